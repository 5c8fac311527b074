"""Levels of the harmonics of a voice: the first against the second, and against those that carry the formants."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from emotrace.voice.framing import samples_of

WINDOW = 0.06       # s
HIGHEST = 5500.0    # Hz
NEAR = 0.2          # share of a formant's frequency within which harmonics count as its own
BLOCK = 512         # frames at a time

Array = NDArray[np.float64]


def harmonic_levels(
    sound: NDArray[np.float32], sample_rate: float, centre: NDArray[np.int64], hz: Array, formants: Array
) -> tuple[Array, Array, Array]:
    """How the harmonics of some frames of one sound stand to each other, dB.

    Under a Gaussian window of 60 ms; the level of a harmonic is that of the highest of the bins within a quarter of the
    fundamental frequency of its place, and of a formant that of the strongest harmonic within 20 % of it.

    Args:
        sound: (s,) samples.
        sample_rate: Hz.
        centre: (v,) samples on which the frames are centred.
        hz: (v,) their fundamental frequencies.
        formants: (v, 3) frequencies of their formants, Hz.

    Returns:
        H1 - H2, (v,); H1 - A3, (v,); levels of the three formants less H1, (v, 3). NaN where there is no such harmonic.

    Source: Eyben et al. 2016, section 3.1 ("harmonic difference", "formant relative energy").
    """
    parts = [(np.zeros((0, 2)), np.zeros((0, 3)))]
    for start in range(0, len(centre), BLOCK):
        rows = slice(start, start + BLOCK)
        levels = _levels(sound, sample_rate, centre[rows], hz[rows])
        parts.append((levels[:, :2], _strongest(levels, hz[rows], formants[rows])))
    first, carried = (np.concatenate(column) for column in zip(*parts, strict=True))
    return first[:, 0] - first[:, 1], first[:, 0] - carried[:, 2], carried - first[:, :1]


def _levels(sound: NDArray[np.float32], sample_rate: float, centre: NDArray[np.int64], hz: Array) -> Array:
    """Levels of the harmonics up to 5.5 kHz, dB; (v, h); NaN beyond it."""
    half = samples_of(WINDOW / 2, sample_rate)
    padded = np.pad(sound, half)
    cut = np.lib.stride_tricks.sliding_window_view(padded, 2 * half)[centre]
    window = np.exp(-0.5 * ((np.arange(2 * half) - half + 0.5) / (0.4 * half)) ** 2)
    size = 1 << (2 * half - 1).bit_length()
    level = _peaked(20.0 * np.log10(np.maximum(np.abs(fft.rfft(cut * window, size, axis=1)), 1e-9)))
    top = min(HIGHEST, sample_rate / 2)
    count = max(2, int(top / hz.min()))
    place = np.arange(1, count + 1) * hz[:, None] * size / sample_rate   # (v, h) in bins
    reach = 0.25 * hz[:, None, None] * size / sample_rate
    aside = np.arange(-int(reach.max()), int(reach.max()) + 1)
    at = np.rint(place).astype(int)[:, :, None] + aside
    found = np.take_along_axis(level[:, None, :], np.clip(at, 0, level.shape[1] - 1), axis=2)
    found = np.where((np.abs(aside) <= np.maximum(reach, 1.0)) & (at < level.shape[1]), found, -np.inf).max(axis=2)
    return np.where(place <= top * size / sample_rate, found, np.nan)


def _peaked(level: Array) -> Array:
    """Levels with those at maxima raised to the top of the parabola through their neighbours: a Gaussian line in dB is one."""
    a, b, c = level[:, :-2], level[:, 1:-1], level[:, 2:]
    bend = np.minimum(a - 2 * b + c, -1e-9)
    raised = level.copy()
    raised[:, 1:-1] -= np.where((b > a) & (b >= c), (a - c) ** 2 / (8 * bend), 0.0)
    return raised


def _strongest(levels: Array, hz: Array, formants: Array) -> Array:
    """Level of the strongest harmonic near each formant, (v, 3)."""
    at = np.arange(1, levels.shape[1] + 1) * hz[:, None]
    near = np.abs(at[:, None, :] - formants[:, :, None]) <= NEAR * formants[:, :, None]
    best = np.where(near & np.isfinite(levels[:, None, :]), levels[:, None, :], -np.inf).max(axis=2)
    return np.where(np.isfinite(best), best, np.nan)
