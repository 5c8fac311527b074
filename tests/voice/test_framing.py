"""Cutting sound into frames."""

from __future__ import annotations

import numpy as np
import pytest

from emotrace.errors import InputError
from emotrace.voice.framing import frames, mono, samples_of


def test_frames_lie_wholly_inside_and_copy_nothing() -> None:
    sound = np.arange(11.0)
    cut = frames(sound, 4, 3)
    np.testing.assert_array_equal(cut, [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9]])
    assert np.shares_memory(cut, sound)
    assert not cut.flags.writeable
    assert frames(np.zeros((2, 11)), 4, 3).shape == (2, 3, 4)


def test_sound_shorter_than_a_frame_has_none() -> None:
    assert frames(np.zeros(3), 4, 1).shape == (0, 4)
    assert frames(np.zeros((5, 0), np.float32), 4, 1).dtype == np.float32


@pytest.mark.parametrize(("length", "step"), [(0, 1), (4, 0)])
def test_frames_of_nothing_are_refused(length: int, step: int) -> None:
    with pytest.raises(InputError, match="expected 1 or more of each"):
        frames(np.zeros(9), length, step)


def test_durations_are_the_nearest_number_of_samples_and_one_at_least() -> None:
    assert [samples_of(seconds, 44100) for seconds in (0.01, 0.0201, 0.0)] == [441, 886, 1]


def test_what_is_not_one_channel_at_a_rate_is_refused() -> None:
    with pytest.raises(InputError, match="mix the channels first"):
        mono(np.zeros((2, 9)), 16000)
    with pytest.raises(InputError, match="expected more than 0"):
        mono(np.zeros(9), 0)
