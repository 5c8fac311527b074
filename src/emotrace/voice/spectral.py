"""What the shape of a spectrum tells: statistics of magnitude spectra, frame by frame.

Throughout, `magnitude` is (t, k): t frames of k bins from 0 Hz to half the sample rate, evenly spaced; `hz` is (k,), their
frequencies. Where a frame is silent, so that a ratio has no value, it is NaN.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ROLLOFF = 0.99
LOWEST_OCTAVE = 27.5      # Hz: A0
OCTAVES = 10              # up to 14 kHz
LOWEST_BAND = 250.0       # Hz
BANDS_AN_OCTAVE = 4
BANDS = 24                # up to 16 kHz
FLOOR = 1e-12             # of powers, before a logarithm: -120 dB

Array = NDArray[np.float64]


def ratio(above: Array, below: Array) -> Array:
    """Quotient, NaN where the divisor is not positive."""
    shape = np.broadcast_shapes(np.shape(above), np.shape(below))
    quotient: Array = np.divide(above, below, out=np.full(shape, np.nan), where=np.broadcast_to(below > 0, shape))
    return quotient


def shape_statistics(weight: Array, at: Array) -> Array:
    """Centroid, spread, skewness and excess kurtosis of a distribution along an axis, (t, 4).

    With m_i = sum w_k (f_k - c)^i / sum w_k: centroid c = sum w_k f_k / sum w_k, spread sqrt(m_2), skewness m_3 / m_2^1.5,
    kurtosis m_4 / m_2^2 - 3. Centroid and spread have the axis's unit.

    Args:
        weight: (t, k), none negative.
        at: (k,) places on the axis.

    Source: Gillet & Richard 2004, Automatic transcription of drum loops; Yaafe's ShapeStatistics, by central moments (the
    documentation's raw form lacks a square in the kurtosis).
    """
    total = weight.sum(axis=1)
    centroid = ratio(weight @ at, total)
    away = at - centroid[:, None]
    square = away**2
    two, three, four = (ratio((weight * power).sum(axis=1), total) for power in (square, square * away, square**2))
    return np.column_stack([centroid, np.sqrt(two), ratio(three, two**1.5), ratio(four, two**2) - 3.0])


def slope(magnitude: Array, hz: Array) -> Array:
    """Slope of the regression line of magnitude on frequency, a Hz; (t,).

    (K sum f a - sum f sum a) / (K sum f^2 - (sum f)^2). Source: Peeters 2004, CUIDADO; Yaafe's SpectralSlope.
    """
    centred = hz - hz.mean()
    return np.asarray(magnitude @ centred / (centred**2).sum())


def decrease(magnitude: Array) -> Array:
    """Mean slope from the first bin, which weighs low frequencies most; (t,).

    sum_{k>=2} (a_k - a_1) / (k - 1) / sum_{k>=2} a_k. Source: Peeters 2004, CUIDADO; Yaafe's SpectralDecrease.
    """
    away = (magnitude[:, 1:] - magnitude[:, :1]) @ (1.0 / np.arange(1, magnitude.shape[1]))
    return ratio(away, magnitude[:, 1:].sum(axis=1))


def variation(magnitude: Array) -> Array:
    """One less the normalised correlation with the frame before, 0..1; NaN in the first frame; (t,).

    1 - sum a(t-1) a(t) / sqrt(sum a(t-1)^2 sum a(t)^2). Source: Peeters 2004, CUIDADO; Yaafe's SpectralVariation.
    """
    together = (magnitude[1:] * magnitude[:-1]).sum(axis=1)
    return _after_first(1.0 - ratio(together, _norms(magnitude)))


def flux(magnitude: Array) -> Array:
    """Squared change since the frame before, over both norms; NaN in the first frame; (t,).

    sum (a(t) - a(t-1))^2 / sqrt(sum a(t-1)^2 sum a(t)^2). Source: Yaafe's SpectralFlux.
    """
    change = ((magnitude[1:] - magnitude[:-1]) ** 2).sum(axis=1)
    return _after_first(ratio(change, _norms(magnitude)))


def _norms(magnitude: Array) -> Array:
    norm = np.sqrt((magnitude**2).sum(axis=1))
    return np.asarray(norm[1:] * norm[:-1])


def _after_first(values: Array) -> Array:
    return np.concatenate([[np.nan], values])


def rolloff(magnitude: Array, hz: Array, share: float = ROLLOFF) -> Array:
    """Frequency of the bin up to which 99 % of the energy lies, Hz; (t,).

    Source: Scheirer & Slaney 1997, Construction and evaluation of a robust multifeature speech/music discriminator;
    Yaafe's SpectralRolloff.
    """
    energy = np.cumsum(magnitude**2, axis=1)
    first = (energy >= share * energy[:, -1:]).argmax(axis=1)
    return np.where(energy[:, -1] > 0, hz[first], np.nan)


def flatness(values: Array) -> Array:
    """Geometric mean over arithmetic mean: 1 for a flat spectrum, 0 for a peaked one; (t,).

    exp(mean log a_k) / mean a_k. Source: Yaafe's SpectralFlatness (of magnitudes; of powers in bands, as in MPEG-7).
    """
    if values.shape[1] == 0:
        return np.full(len(values), np.nan)
    mean = values.mean(axis=1)
    relative = ratio(values, mean[:, None])   # so that the floor is relative to the frame
    return np.asarray(np.exp(np.log(np.maximum(relative, FLOOR)).mean(axis=1)))


def crest(values: Array) -> Array:
    """Largest value over the mean; 1 for a flat spectrum; (t,). Source: Peeters 2004, CUIDADO."""
    if values.shape[1] == 0:
        return np.full(len(values), np.nan)
    return ratio(values.max(axis=1), values.mean(axis=1))


def quarter_octaves(hz: Array) -> list[slice]:
    """The bins of each quarter octave from 250 Hz to 16 kHz; those of a band without bins are an empty slice.

    A band narrower than the distance of two bins has the one nearest to its middle.

    Source: MPEG-7, ISO/IEC 15938-4, AudioSpectrumFlatness (bands of 1/4 octave from 250 Hz).
    """
    edges = LOWEST_BAND * 2.0 ** (np.arange(BANDS + 1) / BANDS_AN_OCTAVE)
    at = np.searchsorted(hz, edges)
    bands = []
    for low, high, first, last in zip(edges[:-1], edges[1:], at[:-1], at[1:], strict=True):
        beyond = high > hz[-1] * (1 + 1e-9)
        nearest = int(np.abs(hz - np.sqrt(low * high)).argmin())
        bands.append(slice(0, 0) if beyond else slice(int(first), int(last)) if last > first else slice(nearest, nearest + 1))
    return bands


def band_flatness(magnitude: Array, hz: Array) -> Array:
    """Flatness of the power in each of 24 quarter octaves, (t, 24); NaN in bands beyond the spectrum.

    Source: MPEG-7 AudioSpectrumFlatness; Yaafe's SpectralFlatnessPerBand.
    """
    return np.column_stack([flatness(magnitude[:, band] ** 2) for band in quarter_octaves(hz)])


def band_crest(magnitude: Array, hz: Array) -> Array:
    """Crest factor of the power in each of 24 quarter octaves, (t, 24); NaN in bands beyond the spectrum.

    Source: Yaafe's SpectralCrestFactorPerBand.
    """
    return np.column_stack([crest(magnitude[:, band] ** 2) for band in quarter_octaves(hz)])


def octave_intensities(magnitude: Array, hz: Array) -> Array:
    """OBSI: natural logarithm of the power in each of 10 octaves, (t, 10); NaN in octaves whose middle the spectrum lacks.

    Each octave is a triangle of height 2 from the middle of the octave below (0 Hz for the first) over its own, 27.5 Hz x 2^i,
    to that of the octave above (half the sample rate for the last). Never less than 0.001 of the frame's largest magnitude.

    Source: Essid 2005, Classification automatique des signaux audio-fréquences; Yaafe's OBSI.
    """
    count = min(OCTAVES, 1 + int(np.log2(hz[-1] / LOWEST_OCTAVE)))
    middle = np.concatenate([[0.0], LOWEST_OCTAVE * 2.0 ** np.arange(count), [hz[-1]]])
    rise = (hz - middle[:-2, None]) / np.diff(middle)[:-1, None]
    fall = (middle[2:, None] - hz) / np.maximum(np.diff(middle)[1:, None], 1e-9)
    filters = 2.0 * np.maximum(0.0, np.minimum(rise, fall))   # (count, k)
    power = magnitude**2
    least = np.maximum(1e-3 * np.sqrt(power.max(axis=1, keepdims=True)), FLOOR)
    out = np.full((len(magnitude), OCTAVES), np.nan)
    out[:, :count] = np.log(np.maximum(power @ filters.T, least))
    return out


def octave_ratios(intensities: Array) -> Array:
    """OBSIR: logarithm of the ratio of each octave's intensity to that of the octave below, (t, 9). Source: Yaafe's OBSIR."""
    return np.diff(intensities, axis=1)


def complex_onset(spectrum: NDArray[np.complex128]) -> Array:
    """How far a spectrum is from what magnitude and phase before it foretell; NaN in the first two frames; (t,).

    sum_k |X(t) - |X(t-1)| e^(i (2 phi(t-1) - phi(t-2)))|. Source: Duxbury et al. 2003, Complex domain onset detection for
    musical signals; Yaafe's ComplexDomainOnsetDetection.
    """
    size = np.abs(spectrum)
    turn = np.divide(spectrum, size, out=np.ones_like(spectrum), where=size > 0)
    foretold = spectrum[1:-1] * turn[1:-1] * turn[:-2].conj()
    surprise = np.full(len(spectrum), np.nan)
    surprise[2:] = np.abs(spectrum[2:] - foretold).sum(axis=1)
    return surprise
