"""How the power of speech is spread over frequencies: the spectral parameters of eGeMAPS.

Throughout, `power` is (..., f) as `loudness.power_spectrum` makes it and `hz` is (f,), the frequencies of its bins. Frames
without power in a band that is divided by are NaN.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from emotrace.voice.mel import htk_filters
from emotrace.voice.prediction import formants as resonances
from emotrace.voice.prediction import levinson

LEVEL = 4096.0              # by which `power_spectrum` divides
FLOOR = 1e-13               # of a power, before a logarithm
HIGHEST = 5000.0            # Hz: end of the range of balance and flux
BANDS = 26
COEFFICIENTS = 4
LIFTER = 22
ORDER = 11                  # of the prediction that formants are told from
FORMANT_RATE = 11000.0      # Hz: as if sampled so
EMPHASIS = 0.97             # of high frequencies before the prediction: with it, formants of real speech are Praat's
FORMANTS = 3

Array = NDArray[np.float64]


def _decibel(share: Array) -> Array:
    return np.asarray(10.0 * np.log10(np.where(share > 0, share, np.nan)))


def alpha_ratio(power: Array, hz: Array) -> Array:
    """Power from 1 to 5 kHz over that from 50 Hz to 1 kHz, dB; (...,).

    Source: Sundberg & Nordenberg 2006; Eyben et al. 2016, section 3.1 (of which openSMILE takes the reciprocal, as here).
    """
    low = power[..., (hz >= 50) & (hz < 1000)].sum(axis=-1)
    high = power[..., (hz >= 1000) & (hz <= HIGHEST)].sum(axis=-1)
    return _decibel(np.divide(high, low, out=np.zeros_like(low), where=low > 0))


def hammarberg_index(power: Array, hz: Array) -> Array:
    """Strongest peak below 2 kHz over the strongest from 2 to 5 kHz, dB; (...,).

    Source: Hammarberg et al. 1980; Eyben et al. 2016, section 3.1.
    """
    low = power[..., hz < 2000].max(axis=-1)
    high = power[..., (hz >= 2000) & (hz <= HIGHEST)].max(axis=-1)
    return _decibel(np.divide(low, high, out=np.zeros_like(low), where=high > 0))


def band_slope(power: Array, hz: Array, low: float, high: float) -> Array:
    """Slope of the regression line of the level in dB on frequency in a band, dB a Hz; (...,); NaN in silence.

    Source: Tamarit et al. 2008; Eyben et al. 2016, section 3.1 (0 to 500 Hz, 500 to 1500 Hz).
    """
    inside = (hz >= low) & (hz <= high)
    level = 10.0 * np.log10(np.maximum(power[..., inside], FLOOR))
    centred = hz[inside] - hz[inside].mean()
    return np.where(power.max(axis=-1) > 0, level @ centred / (centred**2).sum(), np.nan)


def flux(power: Array, hz: Array) -> Array:
    """Root of the mean squared change of magnitudes up to 5 kHz since the frame before, 0 in the first; (..., t).

    Source: Eyben et al. 2016, section 3.1.
    """
    magnitude = np.sqrt(power[..., hz <= HIGHEST] * LEVEL)
    change = np.sqrt((np.diff(magnitude, axis=-2) ** 2).mean(axis=-1))
    return np.concatenate([np.zeros((*change.shape[:-1], min(1, power.shape[-2]))), change], axis=-1)


def mfcc(power: Array, sample_rate: float) -> Array:
    """Cepstral coefficients 1 to 4 as HTK makes them; (..., 4).

    sqrt(2 / 26) sum_j log E_j cos(pi i (j - 1/2) / 26), times 1 + 11 sin(pi i / 22), of the powers E_j in 26 mel bands from
    20 Hz to 8 kHz.

    Source: Young et al. 2006, The HTK Book, on cepstral coefficients and liftering; Eyben et al. 2016, section 3.2.
    """
    size = (power.shape[-1] - 1) * 2
    bands = np.maximum(power @ htk_filters(BANDS, size, sample_rate, 20.0, 8000.0).T, FLOOR)
    cepstrum = fft.dct(np.log(bands), type=2, norm="ortho", axis=-1)[..., 1 : COEFFICIENTS + 1]
    order = np.arange(1, COEFFICIENTS + 1)
    return np.asarray(cepstrum * (1.0 + LIFTER / 2.0 * np.sin(np.pi * order / LIFTER)))


def formants(power: Array, hz: Array) -> tuple[Array, Array]:
    """Frequencies and bandwidths of the first three formants, Hz; (v, 3) each of (v, f); NaN where there are fewer.

    The power up to 5.5 kHz, high frequencies emphasised by |1 - 0.9 e^-iw|^2, gives the autocorrelation of the sound as if it
    were sampled at 11 kHz: r(k) = sum P(f) cos(2 pi f k / 11000); the resonances of its predictor of order 11 are the formants.

    Source: Eyben et al. 2016, section 3.1 (linear prediction of order 11 at 11 kHz); Makhoul 1975 for prediction
    from a spectrum. Where the sample rate is below 11 kHz, it and half of it take the places of 11 and 5.5 kHz.
    """
    rate = min(FORMANT_RATE, 2.0 * float(hz[-1]))
    inside = hz <= rate / 2
    angle = 2.0 * np.pi * hz[inside] / rate
    emphasised = power[:, inside] * (1.0 + EMPHASIS**2 - 2.0 * EMPHASIS * np.cos(angle))
    correlation = emphasised @ np.cos(np.outer(angle, np.arange(ORDER + 1)))
    return resonances(levinson(correlation)[0], rate, FORMANTS)
