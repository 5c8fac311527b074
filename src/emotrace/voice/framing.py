"""Cutting sound into overlapping frames, the first step of every short-term feature."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from emotrace.errors import InputError

T = TypeVar("T", bound=np.generic)


def frames(sound: NDArray[T], length: int, step: int) -> NDArray[T]:
    """Frames that lie wholly inside the sound: a view of it, read-only, nothing copied.

    Args:
        sound: (..., s) samples.
        length: samples of a frame, 1 or more.
        step: samples from one frame's start to the next, 1 or more.

    Returns:
        (..., n, length) with n = 1 + (s - length) // step, or 0 where the sound is shorter than a frame.

    Raises:
        InputError: the length or the step is less than 1.
    """
    if length < 1 or step < 1:
        raise InputError(f"got frames of {length} samples every {step}, expected 1 or more of each")
    if sound.shape[-1] < length:
        return np.zeros((*sound.shape[:-1], 0, length), sound.dtype)
    return np.lib.stride_tricks.sliding_window_view(sound, length, axis=-1)[..., ::step, :]


def samples_of(seconds: float, sample_rate: float) -> int:
    """The nearest number of samples to a duration, at least one."""
    return max(1, round(seconds * sample_rate))


def mono(sound: NDArray[Any], sample_rate: float) -> NDArray[np.float64]:
    """The sound as float64 for exact sums, checked.

    Raises:
        InputError: it is not one channel, or the sample rate is not positive.
    """
    if sound.ndim != 1:
        raise InputError(f"got sound of shape {sound.shape}, expected one channel (s,); mix the channels first")
    if not sample_rate > 0:
        raise InputError(f"got a sample rate of {sample_rate} Hz, expected more than 0")
    return np.asarray(sound, np.float64)
