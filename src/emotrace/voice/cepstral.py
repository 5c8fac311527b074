"""Mel-frequency cepstral coefficients and derivatives over time."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from emotrace.voice.mel import htk_mel_to_hz, hz_to_htk_mel, triangles

FILTERS = 40
LOW, HIGH = 130.0, 6854.0   # Hz
COEFFICIENTS = 22
FLOOR = 1e-10
REACH = 4                   # frames to either side that a derivative is fitted to

Array = NDArray[np.float64]


def mfcc(magnitude: Array, half_rate: float, coefficients: int = COEFFICIENTS) -> Array:
    """Cepstral coefficients 1 to 22 of a magnitude spectrum; the level, coefficient 0, is left out.

    The orthonormal cosine transform (type II) of the natural logarithm of 40 triangles, evenly spaced from 130 to 6,854 Hz on
    the scale 1127 ln(1 + f / 700), each of height 2 over its width.

    Args:
        magnitude: (t, k) magnitudes from 0 Hz to half the sample rate.
        half_rate: half the sample rate, Hz.
        coefficients: how many, at most 39.

    Returns:
        (t, coefficients).

    Source: Davis & Mermelstein 1980, Comparison of parametric representations for monosyllabic word recognition; Yaafe's MFCC
    with CepsIgnoreFirstCoeff.
    """
    bands = magnitude @ _filters(magnitude.shape[1], half_rate).T
    cepstrum = fft.dct(np.log(np.maximum(bands, FLOOR)), type=2, norm="ortho", axis=1)
    return np.asarray(cepstrum[:, 1 : coefficients + 1])


def derivative(values: Array, reach: int = REACH) -> Array:
    """Slope of the line fitted to each value and those `reach` frames around it, a frame; (t, k) of (t, k).

    sum_d d x(t + d) / sum_d d^2 for d from -reach to reach; the first and the last value are repeated beyond the ends.

    Source: Rabiner & Juang 1993, Fundamentals of Speech Recognition, p. 117; Yaafe's Derivate (whose documentation leaves out
    that the factor is the reciprocal).
    """
    if len(values) == 0:
        return values
    padded = np.concatenate([values[:1].repeat(reach, axis=0), values, values[-1:].repeat(reach, axis=0)])
    steps = range(1, reach + 1)
    rise = sum(d * (padded[reach + d : len(padded) - reach + d] - padded[reach - d : len(padded) - reach - d]) for d in steps)
    return np.asarray(rise / (2.0 * sum(d * d for d in steps)))


@cache
def _filters(bins: int, half_rate: float) -> Array:
    edges = htk_mel_to_hz(np.linspace(hz_to_htk_mel(LOW), hz_to_htk_mel(HIGH), FILTERS + 2))
    weights = triangles(edges, np.linspace(0.0, half_rate, bins)) * (2.0 / (edges[2:] - edges[:-2]))[:, None]
    weights.setflags(write=False)
    return weights
