"""An eGeMAPS-like set: its 88 functionals, by our own measures, without openSMILE and its licence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emotrace.scheme import EGEMAPS_LIKE
from emotrace.views import VoiceSamples
from emotrace.voice import balance
from emotrace.voice.functionals import average, mean_and_variation, peaks_a_second, percentiles, slopes, smooth, stretches
from emotrace.voice.harmonics import harmonic_levels
from emotrace.voice.loudness import loudness_of, power_spectrum
from emotrace.voice.periods import periods
from emotrace.voice.pitch import PitchTrack, pitch

BATCH = 16              # windows at a time
SEMITONE_ZERO = 27.5    # Hz
LEAD = 1                # frames that the first spectrum is ahead of the first pitch, whose frames are longer
FLOOR = 1e-10           # of the mean power: -100 dB

Array = NDArray[np.float64]


class EgemapsLike:
    """The 88 functionals that eGeMAPS defines, of pitch, loudness, formants, spectral balance, jitter, shimmer and harmonics.

    Names, order, units and definitions are those of eGeMAPS v02; the measures are ours, so values are alike, not equal (how
    alike: docs/voice-features.md). Pitch is by autocorrelation (`voice.pitch`), not subharmonic summation; the
    harmonics-to-noise ratio is Boersma's. Functionals of frames that do not occur (voiced or unvoiced) are NaN, where openSMILE
    gives 0. A window shorter than 20 ms is NaN.

    Source: Eyben et al. 2016, The Geneva Minimalistic Acoustic Parameter Set (GeMAPS) for voice research and affective
    computing, IEEE TAC 7(2), sections 3.1 and 3.2.
    """

    scheme = EGEMAPS_LIKE

    def extract(self, samples: VoiceSamples) -> NDArray[np.float32]:
        """Values, (n, 88)."""
        parts = [np.zeros((0, len(self.scheme)), np.float32)]
        for start in range(0, len(samples), BATCH):
            parts.append(_functionals(samples[start : start + BATCH].windows(), samples.sample_rate))
        return np.concatenate(parts)


def _functionals(sounds: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    power = power_spectrum(sounds, sample_rate)   # (n, t, f)
    if power.shape[1] == 0:
        return np.full((len(sounds), len(EGEMAPS_LIKE)), np.nan, np.float32)
    track = pitch(sounds, sample_rate)
    voiced = _beside(track.voiced.astype(float), power.shape[1]) == 1.0
    loud = smooth(loudness_of(power, sample_rate).astype(np.float64))
    spectra = _spectral(power.astype(np.float64), sample_rate)   # (9, n, t)
    of_voice = [*_voice(sounds, sample_rate, track, power), *np.where(voiced, spectra, np.nan)]
    of_rest = np.where(voiced, np.nan, spectra[:5])
    semitones = smooth(12.0 * np.log2(track.hz.astype(np.float64) / SEMITONE_ZERO))
    columns = [
        *(what(course) for course in (semitones, loud) for what in (mean_and_variation, percentiles, slopes)),
        *(mean_and_variation(smooth(course)) for course in spectra[4:]),
        *(mean_and_variation(smooth(course)) for course in of_voice),
        *(average(smooth(course)) for course in of_rest),
        peaks_a_second(loud), stretches(voiced), _level(sounds),
    ]  # fmt: skip
    return np.column_stack(columns).astype(np.float32)


def _spectral(power: Array, sample_rate: int) -> Array:
    """Alpha ratio, Hammarberg index, two slopes, flux and four cepstral coefficients of every frame, (9, n, t)."""
    hz = np.linspace(0.0, sample_rate / 2, power.shape[-1])
    return np.stack([
        balance.alpha_ratio(power, hz), balance.hammarberg_index(power, hz),
        balance.band_slope(power, hz, 0.0, 500.0), balance.band_slope(power, hz, 500.0, 1500.0),
        balance.flux(power, hz), *np.moveaxis(balance.mfcc(power, sample_rate), -1, 0),
    ])  # fmt: skip


def _voice(sounds: NDArray[np.float32], sample_rate: int, track: PitchTrack, power: NDArray[np.float32]) -> list[Array]:
    """Jitter, shimmer, harmonicity, H1 - H2, H1 - A3, and frequency, width and level of three formants; (n, t') each."""
    pairs = periods(sounds, sample_rate, track)
    harmonics = np.full((11, *track.hz.shape), np.nan)
    hz = np.linspace(0.0, sample_rate / 2, power.shape[-1])
    for row, sound in enumerate(sounds):
        at = np.flatnonzero(track.voiced[row])
        if len(at):
            frequency, width = balance.formants(power[row, np.minimum(at + LEAD, power.shape[1] - 1)].astype(np.float64), hz)
            told = harmonic_levels(sound, sample_rate, track.centre[at], track.hz[row, at].astype(np.float64), frequency)
            formants = np.stack([frequency, width, told[2]], axis=2).reshape(len(at), 9)   # formant by formant
            harmonics[:, row, at] = np.column_stack([told[0], told[1], formants]).T
    return [np.asarray(course, np.float64) for course in (pairs.jitter, pairs.shimmer, track.hnr, *harmonics)]


def _beside(course: Array, count: int) -> Array:
    """A course of the pitch's frames on the spectra's, NaN at the ends; (n, count)."""
    after = count - LEAD - course.shape[1]
    return np.pad(course, ((0, 0), (LEAD, max(after, 0))), constant_values=np.nan)[:, :count]


def _level(sounds: NDArray[np.float32]) -> Array:
    """Equivalent sound level: mean power, dB below that of a full-scale square wave; (n,)."""
    return np.asarray(10.0 * np.log10(np.maximum((sounds.astype(np.float64) ** 2).mean(axis=1), FLOOR)))
