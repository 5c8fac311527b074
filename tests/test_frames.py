"""How long frames are shown."""

from __future__ import annotations

import numpy as np
import pytest

from emotrace.frames import covered, divided, lasts

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


def test_the_only_frame_that_was_analysed_stands_for_the_rest_of_the_video() -> None:
    assert lasts(EVERY[:1], EVERY).tolist() == [4.25]   # --rate 0.1
    assert lasts(EVERY[2:3], EVERY, 2.0).tolist() == [3.75]


def test_a_frame_that_is_shown_long_lies_in_all_of_its_time() -> None:
    row, begin, shown = divided(np.array([0.0, 0.1, 0.1, 0.4]), np.array([0.1, 0.3, 0.3, 0.09]), 0.1)
    assert row.tolist() == [0, 1, 2, 1, 2, 1, 2, 3]
    assert begin == pytest.approx([0, 0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.4])
    assert shown == pytest.approx([0.1] * 7 + [0.09])


def test_frames_at_a_constant_rate_stay_as_they_are() -> None:
    time = np.round(np.arange(60) * 1001 / 30000, 3)   # ms, as Matroska stamps them
    row, begin, shown = divided(time, lasts(time, time), float(np.median(np.diff(time))))
    assert row.tolist() == list(range(60))
    assert begin.tolist() == time.tolist()
    assert shown.tolist() == lasts(time, time).tolist()


def test_windows_are_covered_where_there_are_pictures() -> None:
    time = np.concatenate([10.5 + np.arange(40) / 10, 20 + np.arange(10) / 10])
    start = np.array([8.0, 10.0, 11.0, 14.0, 16.0, 19.0, 20.0])
    assert covered(time, lasts(time, time), start, 2.0) == pytest.approx([0, 0.75, 1, 0.75, 0, 0.5, 0.5])
