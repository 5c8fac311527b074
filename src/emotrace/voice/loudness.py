"""Perceived loudness: the auditory spectrum of perceptual linear prediction, summed."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from emotrace.voice.framing import frames, samples_of
from emotrace.voice.mel import htk_filters, htk_mel_to_hz, hz_to_htk_mel

WINDOW = 0.02            # s
STEP = 0.01              # s
BANDS = 26
LOW, HIGH = 20.0, 8000.0   # Hz
COMPRESSION = 0.33       # intensity to loudness (Stevens' power law)
BLOCK = 4096             # frames transformed at a time
# Powers are those of 20 ms at 16 kHz in 512 bins whatever the rate, over 4096: so loudness has the level of openSMILE's.
REFERENCE = 512 / 16000 * (0.02 * 16000) ** 2 / 4096

Array = NDArray[np.float32]


def power_spectrum(sounds: Array, sample_rate: int) -> Array:
    """Power in 20 ms under a Hamming window, every 10 ms, of one level whatever the sample rate.

    Args:
        sounds: (n, s) float32, -1..1.
        sample_rate: Hz.

    Returns:
        (n, t, f); the bins are evenly spaced from 0 Hz to half the sample rate.
    """
    length, hop = samples_of(WINDOW, sample_rate), samples_of(STEP, sample_rate)
    size = 1 << max(length - 1, 1).bit_length()
    cut = frames(np.asarray(sounds, np.float32), length, hop)
    power = np.empty((*cut.shape[:2], size // 2 + 1), np.float32)
    scale = np.float32(REFERENCE * sample_rate / size / length**2)   # of a density, times the bin's width
    for row, sound in enumerate(cut):
        for start in range(0, len(sound), BLOCK):
            spectrum = fft.rfft(sound[start : start + BLOCK] * _hamming(length), size, axis=1)
            power[row, start : start + BLOCK] = (spectrum.real**2 + spectrum.imag**2) * scale
    return power


def loudness(sounds: Array, sample_rate: int) -> Array:
    """Loudness every 10 ms: the sum of the power in 26 mel bands, each weighted as the ear is sensitive and to the power 0.33.

    The bands go from 20 Hz to 8 kHz, the weight of one centred on f is (f^2 / (f^2 + 1.6e5))^2 (f^2 + 1.44e6) / (f^2 + 9.61e6).

    Args:
        sounds: (n, s) float32, -1..1.
        sample_rate: Hz.

    Returns:
        (n, t) without unit, 0 in silence; no frames where the sounds are shorter than 20 ms. The recording's level is part
        of it.

    Source: Hermansky 1990, Perceptual linear predictive analysis of speech, JASA 87(4); as the loudness of eGeMAPS (Eyben et
    al. 2016, section 3.1).
    """
    return loudness_of(power_spectrum(sounds, sample_rate), sample_rate)


def loudness_of(power: Array, sample_rate: int) -> Array:
    """Loudness of power spectra that `power_spectrum` made, (n, t)."""
    weights = _auditory((power.shape[-1] - 1) * 2, sample_rate)
    return np.asarray(((power @ weights) ** np.float32(COMPRESSION)).sum(axis=-1), np.float32)


@cache
def _hamming(length: int) -> Array:
    return np.hamming(length).astype(np.float32)


@cache
def _auditory(size: int, sample_rate: int) -> Array:
    """Mel bands weighted by the equal-loudness curve, (f, 26)."""
    bands = htk_filters(BANDS, size, sample_rate, LOW, HIGH)
    centre = htk_mel_to_hz(np.linspace(hz_to_htk_mel(LOW), hz_to_htk_mel(HIGH), BANDS + 2)[1:-1])
    square = centre**2
    weight = (square / (square + 1.6e5)) ** 2 * (square + 1.44e6) / (square + 9.61e6)   # Hermansky 1990, in Hz
    return (bands * weight[:, None]).T.astype(np.float32)
