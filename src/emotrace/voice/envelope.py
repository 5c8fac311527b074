"""The amplitude envelope of sound, its shape, and how it trembles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from emotrace.voice.framing import samples_of

RATE = 240.0               # envelope samples a second: every 200th at 48 kHz
SMOOTHING = 0.0125         # s: width of the Hann window that smooths it, zero from 160 Hz on
TREMOLO = (4.0, 8.0)       # Hz
GRAIN = (10.0, 40.0)       # Hz
FFT_SECONDS = 10.0         # so that frequencies are told to 0.1 Hz

Array = NDArray[np.float64]


def envelope(cut: Array, sample_rate: float) -> tuple[Array, float]:
    """Amplitude envelope of each frame: size of the analytic signal, smoothed and decimated to about 240 Hz.

    Args:
        cut: (t, N) frames.
        sample_rate: Hz.

    Returns:
        (t, m) and its own sample rate in Hz.

    Source: Yaafe's Envelope (Hilbert transform, low-pass filter, decimation), the filter being a Hann window of 12.5 ms.
    """
    length = cut.shape[1]
    step = samples_of(1.0 / RATE, sample_rate)
    window = np.hanning(samples_of(SMOOTHING, sample_rate) + 2)[1:-1]
    size = fft.next_fast_len(length + len(window))
    sides = np.zeros(length)
    sides[0] = 1.0
    sides[1 : (length + 1) // 2] = 2.0
    if length % 2 == 0:
        sides[length // 2] = 1.0
    analytic = np.abs(fft.ifft(fft.fft(cut, axis=1) * sides, axis=1))
    smooth = fft.irfft(fft.rfft(analytic, size, axis=1) * fft.rfft(window / window.sum(), size), size, axis=1)
    lag = (len(window) - 1) // 2
    return np.asarray(np.maximum(smooth[:, lag : lag + length : step], 0.0)), sample_rate / step


def amplitude_modulation(course: Array, rate: float) -> Array:
    """Tremolo (4 to 8 Hz) and grain (10 to 40 Hz) of envelopes: eight numbers, (t, 8).

    Of e(f), the magnitude spectrum of the envelope under a Hann window over the window's sum, in each of the two ranges: the
    frequency of the maximum, Hz; the maximum less the mean of e over all frequencies; the maximum less the mean of e in the
    range (neither below 0); the product of the first two.

    Args:
        course: (t, m) envelopes.
        rate: their sample rate, Hz.

    Source: Eronen 2001, Automatic musical instrument recognition; Essid 2005; Yaafe's AmplitudeModulation.
    """
    window = np.hanning(course.shape[1] + 2)[1:-1]
    size = fft.next_fast_len(max(round(FFT_SECONDS * rate), course.shape[1]), real=True)
    spectrum = np.abs(fft.rfft(course * window, size, axis=1)) / window.sum()
    hz = fft.rfftfreq(size, 1.0 / rate)
    mean = spectrum.mean(axis=1)
    columns: list[Array] = []
    for low, high in (TREMOLO, GRAIN):
        inside = (hz >= low) & (hz <= high)
        part = spectrum[:, inside]
        at = hz[inside][part.argmax(axis=1)]
        above = np.maximum(part.max(axis=1) - mean, 0.0)
        columns += [at, above, np.maximum(part.max(axis=1) - part.mean(axis=1), 0.0), at * above]
    return np.column_stack(columns)
