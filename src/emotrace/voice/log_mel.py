"""The log-mel spectrogram that Whisper's encoder hears, on the sound's own length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from emotrace.errors import InputError
from emotrace.voice.framing import frames
from emotrace.voice.mel import slaney_filters

SAMPLE_RATE = 16_000
WINDOW = 400           # samples: 25 ms
HOP = 160              # samples: 10 ms
BANDS = 80
FLOOR = 1e-10          # of the power, before the logarithm
RANGE = 8.0            # powers of ten kept below the loudest
BLOCK = 4096           # frames transformed at a time, so that an hour of sound needs no gigabyte


def log_mel(sound: NDArray[np.float32], sample_rate: int = SAMPLE_RATE) -> NDArray[np.float32]:
    """Log-mel spectrogram: 80 bands every 10 ms, a power of ten a quarter, the loudest 8 powers of ten (-1 to 1 at full scale).

    The power spectrum of 25 ms under a periodic Hann window, in 80 Slaney mel bands of 0 to 8 kHz; then log10, cut at 8 below
    the loudest of the clip, plus 4, over 4. As Whisper does, the sound is mirrored by half a window at both ends, so that
    frame i is centred on sample 160 i, and the last frame is dropped.

    Args:
        sound: (..., s) mono, -1..1; several sounds of one length are several clips, each with its own loudest.
        sample_rate: Hz; must be 16,000.

    Returns:
        (..., s // 160, 80) float32; no frames for less than 10 ms; -1.5 everywhere in digital silence.

    Raises:
        InputError: another sample rate than 16 kHz.

    Source: Radford et al. 2022, Robust Speech Recognition via Large-Scale Weak Supervision, section 2.2, and its audio.py.
    We deviate: no padding to 30 s, so the loudest is of the sound alone.
    """
    if sample_rate != SAMPLE_RATE:
        raise InputError(f"got sound at {sample_rate} Hz, expected {SAMPLE_RATE}; decode it with Video.sound({SAMPLE_RATE})")
    count = sound.shape[-1] // HOP
    mel = np.empty((*sound.shape[:-1], count, BANDS), np.float32)
    if mel.size == 0:
        return mel
    pad = [(0, 0)] * (sound.ndim - 1) + [(WINDOW // 2, WINDOW // 2)]
    cut = frames(np.pad(np.asarray(sound, np.float32), pad, mode="reflect"), WINDOW, HOP)
    for start in range(0, count, BLOCK):
        rows = slice(start, min(start + BLOCK, count))   # the frame after the last one is dropped
        mel[..., rows, :] = _log_power(cut[..., rows, :])
    loudest = mel.max(axis=(-2, -1), keepdims=True)
    scaled: NDArray[np.float32] = (np.maximum(mel, loudest - np.float32(RANGE)) + np.float32(4.0)) / np.float32(4.0)
    return scaled


def _log_power(cut: NDArray[np.float32]) -> NDArray[np.float32]:
    spectrum = fft.rfft(cut * _window(), axis=-1)   # complex64
    power = spectrum.real**2 + spectrum.imag**2
    bands: NDArray[np.float32] = power @ slaney_filters(BANDS, WINDOW, SAMPLE_RATE, 0.0, SAMPLE_RATE / 2).T.astype(np.float32)
    return np.log10(np.maximum(bands, np.float32(FLOOR)))


def _window() -> NDArray[np.float32]:
    return np.hanning(WINDOW + 1)[:-1].astype(np.float32)   # periodic
