"""Linear prediction: coefficients, line spectral frequencies and formants of frames of sound.

Throughout, a frame's predictor of order p is a = (1, a_1, ..., a_p): x[i] is foretold by -a_1 x[i-1] - ... - a_p x[i-p].
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Array = NDArray[np.float64]


def autocorrelation(cut: Array, lags: int) -> Array:
    """Autocorrelation of each frame at lags 0 to `lags` - 1 samples: sum_i x[i] x[i + lag] / N; (t, lags) of (t, N).

    Source: Makhoul 1975, Linear prediction: a tutorial review; Yaafe's AutoCorrelation, which does not divide.
    """
    length = cut.shape[1]
    size = fft.next_fast_len(length + lags, real=True)
    spectrum = fft.rfft(cut, size, axis=1)
    r = fft.irfft(spectrum.real**2 + spectrum.imag**2, size, axis=1)[:, :lags] / length
    return np.asarray(np.where(np.arange(lags) < length, r, 0.0))


def levinson(r: Array) -> tuple[Array, Array]:
    """The predictor of each row of autocorrelations, and the power of what it does not foretell.

    Args:
        r: (t, p + 1) autocorrelation at lags 0 to p.

    Returns:
        (t, p + 1) predictors and (t,) residual powers; NaN in silence.

    Source: Makhoul 1975 (Levinson-Durbin recursion).
    """
    order = r.shape[1] - 1
    a = np.zeros_like(r)
    a[:, 0] = np.where(r[:, 0] > 0, 1.0, np.nan)
    error = r[:, 0].copy()
    for i in range(1, order + 1):   # each order needs the one below
        reflection = -(a[:, :i] * r[:, i:0:-1]).sum(axis=1) / np.where(error > 0, error, np.nan)
        reflection = np.clip(reflection, -1 + 1e-9, 1 - 1e-9)   # rounding must not make it unstable
        a[:, 1 : i + 1] += reflection[:, None] * a[:, i - 1 :: -1] if i > 1 else reflection[:, None]
        error = error * (1.0 - reflection**2)
    return a, error


def line_spectral_frequencies(a: Array) -> Array:
    """Angles, 0 to pi and ascending, at which P(z) = A(z) + z^-(p+1) A(1/z) and Q(z) = A(z) - z^-(p+1) A(1/z) vanish.

    Args:
        a: (t, p + 1) predictors of an even order p, stable.

    Returns:
        (t, p); NaN where the predictor is.

    Source: Itakura 1975; Bäckström & Magi 2006, Properties of line spectrum pair polynomials - a review. Found as eigenvalues:
    P / (1 + z^-1) and Q / (1 - z^-1) are palindromes, so polynomials in cos(angle).
    """
    order = a.shape[1] - 1
    known = np.isfinite(a).all(axis=1)
    longer = np.pad(a[known], ((0, 0), (0, 1)))
    total, difference = longer + longer[:, ::-1], longer - longer[:, ::-1]
    sign = (-1.0) ** np.arange(order + 2)
    halves = (np.cumsum(total * sign, axis=1) * sign)[:, :-1], np.cumsum(difference, axis=1)[:, :-1]
    angles = np.concatenate([_palindrome_angles(half) for half in halves], axis=1)
    frequencies = np.full((len(a), order), np.nan)
    frequencies[known] = np.sort(angles, axis=1)
    return frequencies


def _palindrome_angles(c: Array) -> Array:
    """Angles of the roots of palindromes c of even degree, all on the unit circle; (t, degree / 2)."""
    half = c.shape[1] // 2
    cosines = np.concatenate([c[:, half : half + 1], 2.0 * c[:, half + 1 :]], axis=1)   # of 0, 1, ... times the angle
    roots = polynomial_roots((cosines @ _chebyshev(half + 1))[:, ::-1])
    return np.arccos(np.clip(roots.real, -1.0, 1.0))


@cache
def _chebyshev(count: int) -> Array:
    """Row n: cos(n angle) as a polynomial in cos(angle), lowest power first."""
    rows = [np.polynomial.chebyshev.cheb2poly(row) for row in np.eye(count)]
    return np.array([np.pad(row, (0, count - len(row))) for row in rows])


def polynomial_roots(coefficients: Array) -> NDArray[np.complex128]:
    """Roots of each row's polynomial, highest power first and not zero: eigenvalues of companion matrices; (t, degree)."""
    count, degree = len(coefficients), coefficients.shape[1] - 1
    companion = np.zeros((count, degree, degree))
    companion[:, 0] = -coefficients[:, 1:] / coefficients[:, :1]
    companion[:, np.arange(1, degree), np.arange(degree - 1)] = 1.0
    return np.asarray(np.linalg.eigvals(companion), np.complex128)


def formants(a: Array, sample_rate: float, count: int, lowest: float = 50.0, margin: float = 50.0) -> tuple[Array, Array]:
    """The lowest resonances of each predictor.

    A root r e^(i w) of A is a resonance at w / 2 pi x rate of bandwidth -ln(r) / pi x rate.

    Args:
        a: (t, p + 1) predictors.
        sample_rate: of the sound they foretell, Hz.
        count: how many to give.
        lowest: Hz below which nothing is a formant.
        margin: Hz below half the sample rate above which nothing is one.

    Returns:
        Frequencies and bandwidths, (t, count) Hz each, by frequency; NaN where there are fewer.

    Source: Markel & Gray 1976, Linear Prediction of Speech.
    """
    known = np.isfinite(a).all(axis=1)
    roots = polynomial_roots(a[known])
    hz = np.angle(roots) * sample_rate / (2.0 * np.pi)
    wide = -np.log(np.maximum(np.abs(roots), 1e-9)) * sample_rate / np.pi
    hz = np.where((hz >= lowest) & (hz <= sample_rate / 2 - margin), hz, np.inf)   # one of each conjugate pair
    first = np.argsort(hz, axis=1)[:, :count]
    found = np.full((2, len(a), count), np.nan)
    for row, values in enumerate((hz, wide)):
        found[row, known, : first.shape[1]] = np.take_along_axis(values, first, axis=1)
    found[:, ~np.isfinite(found[0])] = np.nan
    return found[0], found[1]
