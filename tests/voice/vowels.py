"""Synthesised vowels whose pitch, jitter, shimmer and noise are planted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

FORMANTS = ((700.0, 80.0), (1220.0, 90.0), (2600.0, 120.0))   # Hz and bandwidth of an open vowel


def pulses(periods: NDArray[np.float64], amplitudes: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """Band-limited pulses (sin x / x), one at the end of each period; (s,)."""
    at = np.cumsum(periods) * sample_rate
    sound = np.zeros(int(at[-1]) + 200)
    near = np.arange(-32, 33)
    first = np.floor(at).astype(int)
    for place, start, amplitude in zip(at, first, amplitudes, strict=True):
        offset = start + near - place
        rows = start + near
        keep = (rows >= 0) & (rows < len(sound))
        sound[rows[keep]] += (amplitude * np.sinc(offset) * np.hanning(67)[1:-1])[keep]
    return sound


def vowel(
    seconds: float = 2.0,
    hz: float = 120.0,
    jitter: float = 0.0,
    shimmer_db: float = 0.0,
    noise_db: float | None = None,
    sample_rate: int = 16000,
    formants: tuple[tuple[float, float], ...] = FORMANTS,
    seed: int = 0,
) -> NDArray[np.float32]:
    """A vowel of known local jitter (mean |T[i] - T[i-1]| / mean T), local shimmer in dB and harmonics-to-noise ratio in dB."""
    random = np.random.default_rng(seed)
    count = int(seconds * hz)
    # differences of independent normal numbers have mean size 2 / sqrt(pi) of their deviation
    periods = (1 + jitter * np.sqrt(np.pi) / 2 * random.normal(size=count)) / hz
    amplitudes = 10 ** (shimmer_db * np.sqrt(np.pi) / 2 * random.normal(size=count) / 20)
    sound = pulses(periods, amplitudes, sample_rate)[: int(seconds * sample_rate)]
    for frequency, bandwidth in formants:
        radius = np.exp(-np.pi * bandwidth / sample_rate)
        poles = [1.0, -2 * radius * np.cos(2 * np.pi * frequency / sample_rate), radius**2]
        sound = lfilter([sum(poles)], poles, sound)
    if noise_db is not None:
        noise = random.normal(size=len(sound))
        sound = sound + noise * np.sqrt((sound**2).mean() / (noise**2).mean() / 10 ** (noise_db / 10))
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)
