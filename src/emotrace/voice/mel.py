"""Mel scales and triangular filters on them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

LINEAR_HZ = 200.0 / 3.0            # Hz of a mel below the break
BREAK_HZ = 1000.0
BREAK_MEL = BREAK_HZ / LINEAR_HZ   # 15
LOG_STEP = np.log(6.4) / 27.0      # the Auditory Toolbox: 27 steps from 1 kHz to 6.4 kHz


def hz_to_mel(hz: NDArray[Any] | float) -> NDArray[np.float64]:
    """Mel of a frequency: linear to 1 kHz (15 mel), logarithmic above.

    Source: Slaney 1998, Auditory Toolbox, Technical Report 1998-010.
    """
    hz = np.asarray(hz, np.float64)
    return np.where(hz < BREAK_HZ, hz / LINEAR_HZ, BREAK_MEL + np.log(np.maximum(hz, BREAK_HZ) / BREAK_HZ) / LOG_STEP)


def mel_to_hz(mel: NDArray[Any] | float) -> NDArray[np.float64]:
    """The inverse of `hz_to_mel`."""
    mel = np.asarray(mel, np.float64)
    return np.where(mel < BREAK_MEL, mel * LINEAR_HZ, BREAK_HZ * np.exp(LOG_STEP * (np.maximum(mel, BREAK_MEL) - BREAK_MEL)))


def hz_to_htk_mel(hz: NDArray[Any] | float) -> NDArray[np.float64]:
    """Mel of a frequency, 1127 ln(1 + f / 700): the scale of HTK, openSMILE and Yaafe.

    Source: O'Shaughnessy 1987, Speech Communication; Young et al. 2006, The HTK Book.
    """
    return np.asarray(1127.0 * np.log1p(np.asarray(hz, np.float64) / 700.0))


def htk_mel_to_hz(mel: NDArray[Any] | float) -> NDArray[np.float64]:
    """The inverse of `hz_to_htk_mel`."""
    return np.asarray(700.0 * np.expm1(np.asarray(mel, np.float64) / 1127.0))


def triangles(edges: NDArray[np.floating[Any]], bins: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Triangular filters of height 1, each from the edge before its peak to the edge after it.

    Args:
        edges: (b + 2,) Hz, ascending: where triangles begin, peak and end.
        bins: (f,) Hz of the spectrum's bins.

    Returns:
        (b, f).
    """
    left, peak, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    sides = np.minimum((bins - left) / (peak - left), (right - bins) / (right - peak))
    return np.maximum(0.0, sides).astype(np.float64)


@cache
def slaney_filters(bands: int, fft_length: int, sample_rate: float, low: float, high: float) -> NDArray[np.float64]:
    """Filters evenly spaced on Slaney's mel scale, each of area 1 over frequency.

    Args:
        bands: number of filters.
        fft_length: samples of the transform.
        sample_rate: Hz.
        low: where the first filter begins, Hz.
        high: where the last one ends, Hz.

    Returns:
        (bands, fft_length // 2 + 1), to be multiplied with a power spectrum; read-only.

    Source: Slaney 1998; the area normalisation as in librosa's `mel(norm="slaney")`.
    """
    edges = mel_to_hz(np.linspace(hz_to_mel(low), hz_to_mel(high), bands + 2))
    weights = triangles(edges, np.fft.rfftfreq(fft_length, 1.0 / sample_rate))
    weights *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    weights.setflags(write=False)
    return weights


@cache
def htk_filters(bands: int, fft_length: int, sample_rate: float, low: float, high: float) -> NDArray[np.float64]:
    """Filters of height 1 that are triangles on the mel scale itself, as HTK and openSMILE make them.

    Args:
        bands: number of filters.
        fft_length: samples of the transform.
        sample_rate: Hz; bands beyond half of it hear nothing.
        low: where the first filter begins, Hz.
        high: where the last one ends, Hz.

    Returns:
        (bands, fft_length // 2 + 1), read-only.

    Source: Young et al. 2006, The HTK Book, on filterbank analysis.
    """
    edges = np.linspace(hz_to_htk_mel(low), hz_to_htk_mel(high), bands + 2)
    weights = triangles(edges, hz_to_htk_mel(np.fft.rfftfreq(fft_length, 1.0 / sample_rate)))
    weights.setflags(write=False)
    return weights
