"""Fundamental frequency and harmonicity by autocorrelation, after Boersma."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from emotrace.voice.framing import frames, samples_of

FLOOR = 60.0                # Hz
CEILING = 650.0             # Hz: shouting women reach 600
STEP = 0.01                 # s
PERIODS = 3.0               # of the floor in a window
CANDIDATES = 10             # voiced ones a frame: with 5, multiples of a short period left no place for the period itself
SILENCE = 0.03              # share of the loudest peak below which a frame counts as silent
LEAST = 1e-5                # peak below which a whole sound counts as silent: -100 dB, what rounding leaves of an offset
VOICING = 0.5               # autocorrelation at which voiced and unvoiced weigh the same; at 0.45, breath is voiced too
OCTAVE_COST = 0.01          # a octave, against low candidates: the lag of two periods matches as well as that of one
JUMP_COST = 0.35            # a octave between frames 10 ms apart
CHANGE_COST = 0.14          # of beginning or ending a voiced stretch
BLOCK = 1024                # frames transformed at a time

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PitchTrack:
    """The course of the fundamental frequency in n sounds.

    Args:
        hz: (n, t) fundamental frequency, NaN in unvoiced frames.
        harmonicity: (n, t) share of the energy that is periodic, 0..1, NaN in unvoiced frames.
        centre: (t,) sample on which each frame is centred.
    """

    hz: Array
    harmonicity: Array
    centre: NDArray[np.int64]

    @property
    def voiced(self) -> NDArray[np.bool_]:
        """(n, t)."""
        return np.isfinite(self.hz)

    @property
    def hnr(self) -> Array:
        """Harmonics-to-noise ratio, 10 log10(r / (1 - r)) dB of each voiced frame (Boersma 1993); (n, t)."""
        share = np.clip(self.harmonicity, 1e-6, 1 - 1e-6)   # 60 dB either way, the precision of the arithmetic
        return np.asarray(10.0 * np.log10(share / (1.0 - share)))


def pitch(sounds: Array, sample_rate: int, floor: float = FLOOR, ceiling: float = CEILING, step: float = STEP) -> PitchTrack:
    """The fundamental frequency of each sound, every 10 ms.

    Each frame of three periods of the floor, less its mean and under a Hann window, is correlated with itself; the result over
    the window's own autocorrelation is 1 at the period of a periodic sound. Its highest maxima r(lag) are candidates of
    strength r - 0.01 log2(ceiling x lag); that of being unvoiced is 0.5, and more where the middle of the frame, one period of
    the floor, is much softer than the loudest peak. The path of the greatest strength, less the costs of jumps and of changes
    between voiced and not, is taken.

    Args:
        sounds: (n, s) float32; each is judged by itself.
        sample_rate: Hz.
        floor: lowest fundamental frequency, Hz.
        ceiling: highest one, Hz.
        step: from one frame to the next, s.

    Returns:
        A track of t frames, none where the sounds are shorter than three periods of the floor (50 ms).

    Source: Boersma 1993, Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
    sampled sound, IFA Proceedings 17. As in Praat, the middle of a frame tells how loud it is (Sound_to_Pitch.cpp), and
    octaves are counted from the ceiling (Pitch.cpp), not from the floor as in the paper, by which all candidates would be
    stronger by 0.034. We deviate: the mean that a frame is correlated without is weighted by the window, and maxima are
    refined by a parabola through an autocorrelation sampled twice as finely instead of by sin(x)/x.
    """
    length, hop = samples_of(PERIODS / floor, sample_rate), samples_of(step, sample_rate)
    level = np.asarray(sounds, np.float32)
    if level.size:
        level = level - level.mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
    cut = frames(level, length, hop)   # (n, t, length)
    count = cut.shape[1]
    lag = np.ones((*cut.shape[:2], CANDIDATES), np.float32)     # s
    height = np.full_like(lag, -np.inf)
    peak = np.zeros(cut.shape[:2], np.float32)
    for row, sound in enumerate(cut):
        for start in range(0, count, BLOCK):
            part = slice(start, start + BLOCK)
            found = _candidates(sound[part], sample_rate, floor, ceiling)
            lag[row, part, : found[0].shape[1]], height[row, part, : found[1].shape[1]] = found
            peak[row, part] = _peak(sound[part], samples_of(1.0 / floor, sample_rate))
    strength = height - np.float32(OCTAVE_COST) * np.log2(ceiling * lag)
    chosen = _path(lag, strength, _unvoiced(peak, level), step)
    return PitchTrack(
        np.where(chosen < 0, np.nan, 1.0 / _take(lag, chosen)).astype(np.float32),
        np.where(chosen < 0, np.nan, _take(height, chosen)).astype(np.float32),
        length // 2 + hop * np.arange(count),
    )


def _candidates(cut: Array, sample_rate: int, floor: float, ceiling: float) -> tuple[Array, Array]:
    """The highest maxima of the autocorrelation: lags in s and heights, (t, 10) each, fewer where fewer lags are in range."""
    window = _window(cut.shape[1])
    centred = cut - (cut @ window)[:, None] / window.sum()   # by the window: what is left of an offset would be periodic
    half = 2 * sample_rate   # the autocorrelation is sampled at twice the rate
    low, high = int(half / ceiling), int(np.ceil(half / floor))
    lags = high // 2 + 2
    r = _autocorrelation(centred * window, lags) / _window_autocorrelation(cut.shape[1], lags)
    before, middle, after = r[:, low - 1 : high - 1], r[:, low:high], r[:, low + 1 : high + 1]
    top = (middle > before) & (middle >= after) & (middle > 0)
    ranked = np.where(top, middle - OCTAVE_COST * np.log2(np.arange(low, high, dtype=np.float32)), -np.inf)
    best = np.argpartition(-ranked, min(CANDIDATES, high - low - 1), axis=1)[:, :CANDIDATES]
    a, b, c = (np.take_along_axis(side, best, axis=1) for side in (before, middle, after))
    bend = np.minimum(a - 2 * b + c, -1e-9)
    shift = np.clip(0.5 * (a - c) / bend, -0.5, 0.5)
    height = b - 0.25 * (a - c) * shift
    height = np.minimum(height, 1.0 / np.maximum(height, np.float32(1e-9)))   # what interpolation takes above 1 is mirrored
    height = np.where(np.take_along_axis(top, best, axis=1), height, -np.inf)
    lag = np.asarray((best + low + shift) / half, np.float32)
    return lag, np.asarray(height, np.float32)


def _peak(cut: Array, period: int) -> Array:
    """Loudest sample of each frame, (t,), under its window and less the local mean; the period is the floor's, in samples."""
    middle, half = cut.shape[1] // 2, period // 2 + 1
    mean = cut[:, middle - period : middle + period].mean(axis=1, keepdims=True)
    near = slice(middle - half, middle + half)   # over the whole frame, rumble below the floor would count as loud
    return np.asarray(np.abs((cut[:, near] - mean) * _window(cut.shape[1])[near]).max(axis=1))


def _autocorrelation(cut: Array, lags: int) -> Array:
    """Autocorrelation over that at lag 0, at half samples, (t, 2 lags); 0 in silence."""
    size = fft.next_fast_len(cut.shape[1] + lags, real=True)
    spectrum = fft.rfft(cut, size, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    r: Array = fft.irfft(power, 2 * size, axis=1)[:, : 2 * lags]
    return np.asarray(r / np.maximum(r[:, :1], np.float32(1e-20)), np.float32)


@cache
def _window(length: int) -> Array:
    return np.hanning(length + 2)[1:-1].astype(np.float32)


@cache
def _window_autocorrelation(length: int, lags: int) -> Array:
    return _autocorrelation(_window(length)[None], lags)


def _unvoiced(peak: Array, level: Array) -> Array:
    """Strength of being unvoiced, (n, t), as in Boersma 1993."""
    if peak.size == 0:
        return peak
    loudest = np.abs(level).max(axis=1, keepdims=True)
    share = peak / np.maximum(loudest, np.float32(LEAST))
    return np.asarray(VOICING + np.maximum(0.0, 2.0 - share / (SILENCE / (1.0 + VOICING))), np.float32)


def _path(lag: Array, strength: Array, unvoiced: Array, step: float) -> NDArray[np.int64]:
    """The best candidate of each frame, -1 where unvoiced, (n, t), by dynamic programming, as in Boersma 1993."""
    score = np.concatenate([strength, unvoiced[..., None]], axis=2)   # (n, t, 11)
    n, count, states = score.shape
    if n == 0 or count == 0:
        return np.zeros((n, count), np.int64)
    octave = np.log2(lag)
    cost = np.full((n, count - 1, states, states), CHANGE_COST, np.float32)   # from, to
    cost[..., :-1, :-1] = JUMP_COST * np.abs(octave[:, :-1, :, None] - octave[:, 1:, None, :])
    cost[..., -1, -1] = 0.0
    cost *= np.float32(0.01 / step)
    came = np.zeros((n, count, states), np.int64)
    best = score[:, 0]
    for at in range(1, count):   # each frame needs the one before
        through = best[:, :, None] - cost[:, at - 1]
        came[:, at] = through.argmax(axis=1)
        best = through.max(axis=1) + score[:, at]
    path = np.empty((n, count), np.int64)
    path[:, -1] = best.argmax(axis=1)
    for at in range(count - 1, 0, -1):
        path[:, at - 1] = np.take_along_axis(came[:, at], path[:, at, None], axis=1)[:, 0]
    return np.where(path == states - 1, -1, path)


def _take(values: Array, chosen: NDArray[np.int64]) -> Array:
    return np.take_along_axis(values, np.maximum(chosen, 0)[..., None], axis=2)[..., 0]
