"""Jitter and shimmer: how consecutive periods of the voice differ in length and in amplitude."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from emotrace.voice.pitch import PitchTrack

SEARCH = 0.2        # share of a period by which its neighbours may be shorter or longer
AGREEMENT = 0.5     # correlation that neighbours must reach to count as periods
BLOCK = 512         # frames at a time

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Periods:
    """Two consecutive periods in each voiced frame.

    Args:
        jitter: (n, t) |difference| of the two periods' lengths over their mean; NaN where not measured.
        shimmer: (n, t) |difference| of the two periods' peak-to-peak amplitudes, dB; NaN where not measured.
    """

    jitter: Array
    shimmer: Array


def periods(sounds: Array, sample_rate: int, track: PitchTrack) -> Periods:
    """Local jitter and shimmer at each frame of a track.

    The largest sample within half a period of the frame's centre marks a pulse. The period around it is correlated with the
    sound 0.8 to 1.2 periods before and after it; the highest normalised correlations, refined by a parabola, give the lengths
    of the period that ends in the pulse and of the one that begins there. Means over voiced frames are the usual
    jitter (local) and shimmer (local, dB), from one pair of periods every 10 ms instead of from all.

    Args:
        sounds: (n, s) float32, those of the track.
        sample_rate: Hz.
        track: their pitch.

    Returns:
        NaN in unvoiced frames, in frames whose neighbours are unvoiced, and where the periods do not agree (below 0.5).

    Source: Boersma & Weenink, Praat manual "Voice 2. Jitter" and "Voice 3. Shimmer"; pulses by cross-correlation as in
    "Sound & Pitch: To PointProcess (cc)"; agreement and peak-to-peak amplitude as in Eyben 2016, Real-time Speech and Music
    Classification.
    """
    jitter, shimmer = np.full((2, *track.hz.shape), np.nan, np.float32)
    voiced = track.voiced
    inside = voiced.copy()
    inside[:, 1:] &= voiced[:, :-1]
    inside[:, :-1] &= voiced[:, 1:]
    inside[:, :1] = inside[:, -1:] = False
    for row, sound in enumerate(sounds):
        at = np.flatnonzero(inside[row])
        for start in range(0, len(at), BLOCK):
            part = at[start : start + BLOCK]
            jitter[row, part], shimmer[row, part] = _pair(sound, track.centre[part], sample_rate / track.hz[row, part])
    return Periods(jitter, shimmer)


def _pair(sound: Array, centre: NDArray[np.int64], period: Array) -> tuple[Array, Array]:
    """Jitter and shimmer at some frames, (v,) each, whose periods are given in samples."""
    reach = int(np.ceil((1.5 + SEARCH) * period.max())) + 2   # a late neighbour's far end
    padded = np.concatenate([np.zeros(reach, np.float32), sound, np.zeros(reach, np.float32)])
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)   # row i is centred on sample i
    offset = np.arange(-reach, reach + 1, dtype=np.float32)
    near = np.abs(offset) <= period[:, None] / 2
    pulse = centre + np.where(near, np.abs(around[centre]), -1.0).argmax(axis=1) - reach
    cut = around[pulse]   # (v, 2 reach + 1), the pulse in the middle
    width = np.floor(period / 2).astype(int)   # half a template
    agreement = _agreement(cut, width)
    before, agreed_before = _best(agreement, reach, -period)
    after, agreed_after = _best(agreement, reach, period)
    length = np.array([-before, after])
    jitter = np.abs(length[1] - length[0]) / length.mean(axis=0)
    size = [_peak_to_peak(cut, offset, shift, period) for shift in (before, np.zeros_like(after), after)]
    steps = 20.0 * np.abs(np.diff(np.log10(np.maximum(size, 1e-9)), axis=0))   # dB, two of them
    agreed = np.minimum(agreed_before, agreed_after) >= AGREEMENT
    return np.where(agreed, jitter, np.nan), np.where(agreed, steps.mean(axis=0), np.nan)


def _agreement(cut: Array, width: NDArray[np.int64]) -> Array:
    """Normalised correlation of the period in the middle with the sound around each offset, (v, 2 reach + 1)."""
    middle = cut.shape[1] // 2
    offset = np.arange(cut.shape[1]) - middle
    template = np.where(np.abs(offset) <= width[:, None], cut, 0.0)
    size = fft.next_fast_len(cut.shape[1], real=True)   # what wraps around lies beyond the offsets that are looked at
    crossed = fft.irfft(fft.rfft(cut, size, axis=1) * fft.rfft(template, size, axis=1).conj(), size, axis=1)
    matched = np.roll(crossed, middle, axis=1)[:, : cut.shape[1]]
    total = np.cumsum(np.pad(cut.astype(np.float64) ** 2, ((0, 0), (1, 0))), axis=1)
    high = np.minimum(np.arange(cut.shape[1]) + width[:, None] + 1, cut.shape[1])
    low = np.maximum(np.arange(cut.shape[1]) - width[:, None], 0)
    energy = np.take_along_axis(total, high, axis=1) - np.take_along_axis(total, low, axis=1)
    own = (template.astype(np.float64) ** 2).sum(axis=1, keepdims=True)
    return np.asarray(matched / np.sqrt(np.maximum(energy * own, 1e-20)), np.float32)


def _best(agreement: Array, middle: int, expected: Array) -> tuple[Array, Array]:
    """Offset of the highest correlation near the expected one, in samples, and its height; (v,) each."""
    offset = np.arange(agreement.shape[1]) - middle
    near = np.abs(offset - expected[:, None]) <= SEARCH * np.abs(expected[:, None])
    best = np.clip(np.where(near, agreement, -2.0).argmax(axis=1), 1, agreement.shape[1] - 2)
    a, b, c = (agreement[np.arange(len(best)), best + side] for side in (-1, 0, 1))
    shift = np.clip(0.5 * (a - c) / np.minimum(a - 2 * b + c, -1e-9), -0.5, 0.5)
    return best - middle + shift, b


def _peak_to_peak(cut: Array, offset: Array, shift: Array, period: Array) -> Array:
    """Highest less lowest point, between samples too, in the period around an offset; (v,)."""
    inside = np.abs(offset - shift[:, None]) <= period[:, None] / 2
    return _top(cut, inside) + _top(-cut, inside)


def _top(cut: Array, inside: NDArray[np.bool_]) -> Array:
    """Height of the parabola through the largest sample and its neighbours, (v,)."""
    at = np.clip(np.where(inside, cut, -np.inf).argmax(axis=1), 1, cut.shape[1] - 2)
    a, b, c = (cut[np.arange(len(at)), at + side] for side in (-1, 0, 1))
    bend = np.minimum(a - 2 * b + c, -1e-12)
    return np.asarray(b - np.where((b > a) & (b >= c), (a - c) ** 2 / (8 * bend), 0.0), np.float32)
