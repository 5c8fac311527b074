"""Loudness in the ear's critical bands, and its spread and sharpness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emotrace.voice.spectral import ratio

BANDS = 24
EXPONENT = 0.23

Array = NDArray[np.float64]


def hz_to_bark(hz: Array) -> Array:
    """Critical-band rate, 13 atan(f / 1315.8) + 3.5 atan((f / 7518)^2). Source: Zwicker & Terhardt 1980, JASA 68(5)."""
    return np.asarray(13.0 * np.arctan(hz / 1315.8) + 3.5 * np.arctan((hz / 7518.0) ** 2))


def specific_loudness(magnitude: Array, hz: Array) -> Array:
    """Loudness in each of 24 bands one Bark wide: N'(z) = (sum of the band's power)^0.23; (t, 24).

    Args:
        magnitude: (t, k) magnitude spectra.
        hz: (k,) their frequencies.

    Source: Moore, Glasberg & Baer 1997, as Peeters 2004, CUIDADO, and Yaafe's Loudness ("Specific") take it. We deviate
    from Yaafe: bands are whole Barks whatever the sample rate, not a 24th of what the sound covers; 0 beyond it.
    """
    band = np.minimum(hz_to_bark(hz).astype(int), BANDS - 1)
    members = (band == np.arange(BANDS)[:, None]).astype(np.float64)   # (24, k)
    return np.asarray((magnitude**2 @ members.T) ** EXPONENT)


def relative_loudness(specific: Array) -> Array:
    """Share of each band in the loudness, summing to 1; NaN in silence; (t, 24). Source: Yaafe's Loudness ("Relative")."""
    return ratio(specific, specific.sum(axis=1, keepdims=True))


def spread(specific: Array) -> Array:
    """How far the loudest band is from being all: ((N - max N') / N)^2; (t,).

    Source: Peeters 2004, CUIDADO; Yaafe's PerceptualSpread.
    """
    total = specific.sum(axis=1)
    return ratio(total - specific.max(axis=1), total) ** 2


def sharpness(specific: Array) -> Array:
    """Centroid of the loudness, high bands stressed: 0.11 sum z g(z) N'(z) / N, (t,).

    z counts bands from 1; g = 1 below 15, 0.066 e^(0.171 z) from there.

    Source: Zwicker & Fastl 1990, as Peeters 2004, CUIDADO, and Yaafe's PerceptualSharpness.
    """
    z = np.arange(1, BANDS + 1)
    stress = np.where(z < 15, 1.0, 0.066 * np.exp(0.171 * z))
    return 0.11 * ratio(specific @ (z * stress), specific.sum(axis=1))
