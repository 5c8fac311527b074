"""The frame features of the Yaafe library, for EmoNets and its kin: 247 a frame, at several time scales, at any sample rate.

Yaafe is LGPL and hard to install; this is written from its documentation and the papers that it names. Where it differs on
purpose, the measure says so: bands, lags and units do not depend on the sample rate, and what has no value is NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from emotrace.errors import InputError
from emotrace.scheme import Scheme
from emotrace.views import VoiceSamples
from emotrace.voice import bark, cepstral, envelope, prediction, spectral
from emotrace.voice.features import zero_crossing_rate
from emotrace.voice.framing import frames, mono, samples_of
from emotrace.voice.functionals import average, deviation

SCALES = (1024 / 48000, 2048 / 48000, 4096 / 48000)   # s: windows of 1,024, 2,048 and 4,096 samples at the 48 kHz of EmoNets
SLOW = 32768 / 48000   # s: window of the envelope's measures, Yaafe's own
ORDER = 10             # of linear prediction
LAGS = 49              # of the autocorrelation

SHAPE = ("centroid", "spread", "skewness", "kurtosis")
NAMES = (
    "energy", "zcr", *(f"temporal_{name}" for name in SHAPE), *(f"autocorrelation_{i}" for i in range(LAGS)),
    *(f"lpc_{i}" for i in range(1, ORDER + 1)), *(f"lsf_{i}" for i in range(1, ORDER + 1)),
    "loudness", *(f"loudness_{i}" for i in range(1, bark.BANDS + 1)), "perceptual_spread", "perceptual_sharpness",
    *(f"obsi_{i}" for i in range(1, spectral.OCTAVES + 1)), *(f"obsir_{i}" for i in range(1, spectral.OCTAVES)),
    *(f"spectral_{name}" for name in SHAPE), "spectral_slope", "spectral_decrease", "spectral_variation", "spectral_flux",
    "spectral_rolloff", "spectral_flatness", "spectral_crest",
    *(f"flatness_{i}" for i in range(1, spectral.BANDS + 1)), *(f"crest_{i}" for i in range(1, spectral.BANDS + 1)),
    "complex_onset", *(f"mfcc{kind}_{i}" for kind in ("", "_d1", "_d2") for i in range(1, cepstral.COEFFICIENTS + 1)),
)  # fmt: skip
SLOW_NAMES = (
    *(f"envelope_{name}" for name in SHAPE),
    *(f"{what}_{name}" for what in ("tremolo", "grain") for name in ("hz", "above_all", "above_range", "product")),
)
BLOCK = 1 << 20        # samples of frames at a time

Array = NDArray[np.float64]


class YaafeLike:
    """Mean and standard deviation, over each window of sound, of the features at every time scale and of the envelope's.

    Args:
        scales: lengths of the frames, s; frames follow each other by half of that.

    The columns are `<milliseconds>ms_<feature>_mean` and `_std`, scale by scale, then `slow_<feature>_mean` and `_std`. NaN
    where a window is shorter than a frame, and where a feature has a value in no frame.

    Source: Mathieu et al. 2010, YAAFE, an easy to use and efficient audio feature extraction software (ISMIR); Kahou et al.
    2015, EmoNets, for their use.
    """

    def __init__(self, scales: tuple[float, ...] = SCALES) -> None:
        self.scales = scales
        groups = [*((f"{1000 * scale:.0f}ms", NAMES) for scale in scales), ("slow", SLOW_NAMES)]
        labels = tuple(f"{group}_{name}_{what}" for group, names in groups for what in ("mean", "std") for name in names)
        self.scheme = Scheme("yaafe_like", labels, prefix="yaafe_", about=("statistic of a frame feature (not bounded)",))

    def extract(self, samples: VoiceSamples) -> NDArray[np.float32]:
        """Values, (n, k)."""
        values = np.empty((len(samples), len(self.scheme)), np.float32)
        for row, sound in enumerate(samples.windows()):
            tables = [frame_features(sound, samples.sample_rate, scale, scale / 2) for scale in self.scales]
            tables.append(slow_features(sound, samples.sample_rate))
            values[row] = np.concatenate([what(table.T) for table in tables for what in (average, deviation)])
        return values


def frame_features(sound: NDArray[Any], sample_rate: int, window: float, step: float) -> Array:
    """The 247 features of every frame.

    - energy: sqrt(mean x^2); zcr: sign changes a sample; temporal_*: shape statistics of |x| over time, s
    - autocorrelation_0..48 (lags in samples), lpc_1..10 and lsf_1..10 (radians) of the bare frame: see `voice.prediction`
    - of the magnitude spectrum under a Hann window, over the window's sum (a full-scale sine has 0.5):
      loudness (sum of the specific loudness), loudness_1..24 (relative), spread and sharpness: see `voice.bark`;
      obsi, obsir, spectral_*, flatness_1..24, crest_1..24 (quarter octaves), complex_onset: see `voice.spectral`;
      mfcc_1..22 and their first and second derivatives: see `voice.cepstral`

    Args:
        sound: (s,) samples, -1..1.
        sample_rate: Hz.
        window: length of a frame, s.
        step: from one frame to the next, s.

    Returns:
        (t, 247) in the order of `NAMES`; t is 0 for sound shorter than a frame.

    Raises:
        InputError: the sound is not one channel, or the frames are too short for linear prediction.

    Source: Mathieu et al. 2010 and Yaafe's documentation of its features.
    """
    length, hop = samples_of(window, sample_rate), samples_of(step, sample_rate)
    if length < 2 * ORDER:
        raise InputError(f"got frames of {window} s at {sample_rate} Hz, expected {2 * ORDER} samples or more")
    cut = frames(mono(sound, sample_rate), length, hop)
    if len(cut) == 0:
        return np.zeros((0, len(NAMES)))
    rows = max(4, BLOCK // length)
    starts = range(0, len(cut), rows)
    # two frames of the block before lead each block: flux and onset look back so far
    table = np.concatenate([_block(cut[max(0, at - 2) : at + rows], sample_rate)[min(at, 2) :] for at in starts])
    first = cepstral.derivative(table[:, -cepstral.COEFFICIENTS :])
    return np.column_stack([table, first, cepstral.derivative(first, 1)])


def slow_features(sound: NDArray[Any], sample_rate: int) -> Array:
    """Shape of the amplitude envelope (over time, s), tremolo and grain, of 0.68 s every 0.34 s; (t, 12), as `SLOW_NAMES`.

    Raises:
        InputError: the sound is not one channel.

    Source: Yaafe's EnvelopeShapeStatistics and AmplitudeModulation; see `voice.envelope`.
    """
    length = samples_of(SLOW, sample_rate)
    cut = frames(mono(sound, sample_rate), length, max(1, length // 2))
    rows = max(1, BLOCK // length)
    parts = [np.zeros((0, len(SLOW_NAMES)))]
    for at in range(0, len(cut), rows):
        course, rate = envelope.envelope(cut[at : at + rows], sample_rate)
        shape = spectral.shape_statistics(course, np.arange(course.shape[1]) / rate)
        parts.append(np.column_stack([shape, envelope.amplitude_modulation(course, rate)]))
    return np.concatenate(parts)


def _block(cut: Array, sample_rate: int) -> Array:
    """All features but the derivatives, (t, 203)."""
    length = cut.shape[1]
    window = np.hanning(length + 1)[:-1]
    spectrum = fft.rfft(cut * window, axis=1) / window.sum()
    return np.column_stack([*_temporal(cut, sample_rate), *_spectral(spectrum, fft.rfftfreq(length, 1.0 / sample_rate))])


def _temporal(cut: Array, sample_rate: int) -> list[Array]:
    correlation = prediction.autocorrelation(cut, LAGS)
    predictor, _ = prediction.levinson(correlation[:, : ORDER + 1])
    return [
        np.sqrt((cut**2).mean(axis=1)), zero_crossing_rate(cut),
        spectral.shape_statistics(np.abs(cut), np.arange(cut.shape[1]) / sample_rate),
        correlation, predictor[:, 1:], prediction.line_spectral_frequencies(predictor),
    ]  # fmt: skip


def _spectral(spectrum: NDArray[np.complex128], hz: Array) -> list[Array]:
    magnitude = np.abs(spectrum)
    loudness = bark.specific_loudness(magnitude, hz)
    intensity = spectral.octave_intensities(magnitude, hz)
    return [
        loudness.sum(axis=1), bark.relative_loudness(loudness), bark.spread(loudness), bark.sharpness(loudness),
        intensity, spectral.octave_ratios(intensity),
        spectral.shape_statistics(magnitude, hz), spectral.slope(magnitude, hz), spectral.decrease(magnitude),
        spectral.variation(magnitude), spectral.flux(magnitude), spectral.rolloff(magnitude, hz),
        spectral.flatness(magnitude), spectral.crest(magnitude),
        spectral.band_flatness(magnitude, hz), spectral.band_crest(magnitude, hz),
        spectral.complex_onset(spectrum), cepstral.mfcc(magnitude, float(hz[-1])),
    ]  # fmt: skip
