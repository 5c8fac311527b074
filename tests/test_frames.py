"""How long frames are shown."""

from __future__ import annotations

import numpy as np
import pytest

from emotrace.frames import lasts

EVERY = np.arange(17) / 4   # 17 frames, the last of which ends at 4.25 s


def test_a_frame_lasts_to_the_next_and_the_last_as_long_as_usual() -> None:
    assert lasts(EVERY, EVERY).tolist() == [0.25] * 17


def test_the_last_of_few_frames_does_not_outlast_the_video() -> None:
    assert lasts(EVERY[::4], EVERY).tolist() == [1, 1, 1, 1, 0.25]
    assert lasts(EVERY[:16:4], EVERY).tolist() == [1, 1, 1, 1]


def test_a_hole_in_the_file_is_not_time_in_which_a_frame_was_shown() -> None:
    time = np.append(EVERY, 100 + EVERY)
    assert lasts(time, time)[16] == 1.25


def test_a_frame_alone_lasts_as_long_as_it_is_said_to() -> None:
    assert lasts(np.array([3.0]), np.array([3.0])).tolist() == [0]
    assert lasts(np.array([3.0]), np.array([3.0]), 0.04) == pytest.approx([0.04])
    assert lasts(np.zeros(0), np.zeros(0)).tolist() == []
