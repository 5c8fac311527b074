"""The 34 short-term features of pyAudioAnalysis, and their mean and deviation over a clip.

All of them as version 0.3.14 computes them, its deviations from the papers included, so that recipes that were published
with it can be repeated; each deviation is named where it is made.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from emotrace.errors import InputError
from emotrace.scheme import SHORT_TERM, SHORT_TERM_FEATURES
from emotrace.views import VoiceSamples
from emotrace.voice.framing import frames, mono, samples_of
from emotrace.voice.mel import triangles

WINDOW = 0.05          # s
STEP = 0.025           # s
BLOCKS = 10            # parts of a frame, or of its spectrum, that the entropies are over
ROLLOFF = 0.9
COEFFICIENTS = 13      # of the cepstrum
REFERENCE_HZ = 27.5    # of the chroma: A0
EPS = float(np.finfo(np.float64).eps)
BATCH = 1 << 20        # samples of frames transformed at a time

Array = NDArray[np.float64]


class MidTerm:
    """Mean and standard deviation of the 34 short-term features over each window of sound: 68 numbers.

    Args:
        window: length of the short-term frames, s.
        step: from one frame to the next, s.

    Source: Giannakopoulos 2015, pyAudioAnalysis, PLoS ONE 10(12), on mid-term windows.
    """

    scheme = SHORT_TERM

    def __init__(self, window: float = WINDOW, step: float = STEP) -> None:
        self.window = window
        self.step = step

    def extract(self, samples: VoiceSamples) -> NDArray[np.float32]:
        """Values, (n, 68): 34 means, then 34 standard deviations; NaN where a window is shorter than one frame."""
        values = np.full((len(samples), len(self.scheme)), np.nan, np.float32)
        for row, sound in enumerate(samples.windows()):
            short = short_term(sound, samples.sample_rate, self.window, self.step)
            if len(short):
                values[row] = np.concatenate([short.mean(axis=0), short.std(axis=0)])
        return values


def short_term(sound: NDArray[Any], sample_rate: int, window: float = WINDOW, step: float = STEP) -> Array:
    """The 34 features of every frame.

    The sound is first freed of its mean and brought to a peak of 1, so the energy tells the course of a clip, not its level.

    - zcr: sum |sign x[i] - sign x[i-1]| / 2 over the frame's length less one, crossings a sample
    - energy: mean of x^2
    - energy_entropy: entropy, in bits, of the shares s_j of the energy in 10 parts of the frame: - sum s_j log2 s_j
    - of the magnitudes m_k of the spectrum of the bare frame, 0 to half the sample rate, over their number:
      spectral_centroid c = sum f_k m_k / sum m_k and spectral_spread sqrt(sum (f_k - c)^2 m_k / sum m_k), as shares of half
      the sample rate; spectral_entropy, as of the energy, over 10 parts of the bins; spectral_flux: sum of squared
      differences to the frame before, both brought to a sum of 1 (0 in the first frame); spectral_rolloff: share of the bins
      below which 90 % of sum m_k^2 lies
    - mfcc_1..13: cosine transform of the log10 of `mel_filters`; chroma_1..12: `chroma_weights`, from A; chroma_std: their
      standard deviation

    Args:
        sound: (s,) samples of any scale.
        sample_rate: Hz.
        window: length of a frame, s.
        step: from one frame to the next, s.

    Returns:
        (n, 34) in the order of `scheme.SHORT_TERM_FEATURES`; n is 0 for sound shorter than a frame. Silence gives finite
        values: 0, and the logarithm of the smallest step of a float64 in mfcc_1.

    Raises:
        InputError: the sound is not one channel, or a frame is less than two samples.

    Source: Giannakopoulos 2015, pyAudioAnalysis, PLoS ONE 10(12); code of version 0.3.14.
    """
    length = samples_of(window, sample_rate)
    if length < 2:
        raise InputError(f"got frames of {window} s at {sample_rate} Hz, expected two samples or more")
    cut = frames(_level(mono(sound, sample_rate)), length, samples_of(step, sample_rate))
    if len(cut) == 0:
        return np.zeros((0, len(SHORT_TERM_FEATURES)))
    rows = max(2, BATCH // cut.shape[1])
    parts = [_block(cut[max(0, at - 1) : at + rows], sample_rate, at > 0) for at in range(0, len(cut), rows)]
    return np.concatenate(parts)


def _level(sound: Array) -> Array:
    if len(sound) == 0:
        return sound
    centred = sound - sound.mean()
    return np.asarray(centred / (np.abs(centred).max() + 1e-10 / 2**15))   # 1e-10 of 16-bit samples, as the original


def _block(cut: Array, sample_rate: int, led: bool) -> Array:
    """Features of some frames; `led` where the first is only there as the one before the second."""
    bins = cut.shape[1] // 2
    magnitude = np.abs(fft.rfft(cut, axis=1)[:, :bins]) / bins
    before = np.concatenate([magnitude[:1], magnitude[:-1]])
    columns = np.column_stack([
        zero_crossing_rate(cut), (cut**2).mean(axis=1), _entropy(cut**2),
        *_centroid_spread(magnitude, sample_rate), _entropy(magnitude**2), _flux(magnitude, before), _rolloff(magnitude),
        _cepstrum(magnitude, sample_rate), _chroma(magnitude, sample_rate),
    ])  # fmt: skip
    return columns[1:] if led else columns


def zero_crossing_rate(cut: Array) -> Array:
    """Sign changes a sample: sum |sign x[i] - sign x[i-1]| / 2 / (length - 1), (n,) of (n, length)."""
    return np.asarray(np.abs(np.diff(np.sign(cut), axis=1)).sum(axis=1) / 2.0 / (cut.shape[1] - 1))


def _entropy(energy: Array) -> Array:
    size = energy.shape[1] // BLOCKS   # what is left over at the end counts in the total alone
    blocks = energy[:, : size * BLOCKS].reshape(len(energy), BLOCKS, size).sum(axis=2)
    share = blocks / (energy.sum(axis=1, keepdims=True) + EPS)
    return np.asarray(-(share * np.log2(share + EPS)).sum(axis=1))


def _centroid_spread(magnitude: Array, sample_rate: int) -> tuple[Array, Array]:
    hz = np.arange(1, magnitude.shape[1] + 1) * (sample_rate / (2.0 * magnitude.shape[1]))   # one bin high, as the original
    peak = magnitude.max(axis=1, keepdims=True)
    weight = magnitude / np.where(peak == 0, 1.0, peak)
    total = weight.sum(axis=1) + EPS
    centroid = (weight @ hz) / total
    spread = np.sqrt(((hz - centroid[:, None]) ** 2 * weight).sum(axis=1) / total)
    return centroid / (sample_rate / 2.0), spread / (sample_rate / 2.0)


def _flux(magnitude: Array, before: Array) -> Array:
    now = magnitude / (magnitude + EPS).sum(axis=1, keepdims=True)
    then = before / (before + EPS).sum(axis=1, keepdims=True)
    return np.asarray(((now - then) ** 2).sum(axis=1))


def _rolloff(magnitude: Array) -> Array:
    energy = magnitude**2
    above = np.cumsum(energy, axis=1) + EPS > ROLLOFF * energy.sum(axis=1, keepdims=True)
    return np.asarray(above.argmax(axis=1) / magnitude.shape[1])


def _cepstrum(magnitude: Array, sample_rate: int) -> Array:
    bands = magnitude @ mel_filters(magnitude.shape[1], sample_rate).T
    return np.asarray(fft.dct(np.log10(bands + EPS), type=2, norm="ortho", axis=1)[:, :COEFFICIENTS])


def _chroma(magnitude: Array, sample_rate: int) -> Array:
    energy = magnitude**2
    total = energy.sum(axis=1, keepdims=True)
    chroma = energy @ chroma_weights(magnitude.shape[1], sample_rate) / np.where(total == 0, 1.0, total)
    return np.column_stack([chroma, chroma.std(axis=1)])


@cache
def mel_filters(bins: int, sample_rate: int) -> Array:
    """40 triangles of area 1: 13 evenly spaced from 133 Hz, 27 a factor of 1.071 apart; (40, bins), read-only.

    As in pyAudioAnalysis, bin k is taken for k / bins x the sample rate. It lies at half of that, so every filter hears one
    octave below its name.

    Source: Slaney 1998, Auditory Toolbox, as in scikits.talkbox.
    """
    edges = np.empty(42)
    edges[:13] = 133.33 + np.arange(13) * (200.0 / 3.0)
    edges[13:] = edges[12] * 1.0711703 ** np.arange(1, 30)
    weights = triangles(edges, np.arange(bins) / bins * sample_rate) * (2.0 / (edges[2:] - edges[:-2]))[:, None]
    weights.setflags(write=False)
    return weights


@cache
def chroma_weights(bins: int, sample_rate: int) -> Array:
    """What each bin's energy adds to the twelve pitch classes from A; (bins, 12), read-only.

    Bin k belongs to the semitone round(12 log2(f_k / 27.5 Hz)), f_k = (k + 1) / bins x half the sample rate. As in
    pyAudioAnalysis, of several bins of one semitone only the highest counts, and it is divided by the number of bins
    that bin number (not semitone number) shares its semitone with. Where the original fails - semitones that number more
    than the bins, in frames of less than about 200 samples - those are left out.

    Source: Giannakopoulos 2015, after Ellis 2007, Chroma feature analysis and synthesis.
    """
    semitone = np.round(12.0 * np.log2((np.arange(bins) + 1.0) * sample_rate / (2.0 * bins) / REFERENCE_HZ)).astype(np.int64)
    sharing = np.array([(semitone == tone).sum() for tone in semitone])
    slot = semitone % bins   # below 27.5 Hz the number is negative and counts from the end
    last = {int(slot[k]): k for k in np.flatnonzero(semitone < bins)}   # of several bins the last one is kept
    weights = np.zeros((bins, 12))
    for place, k in last.items():
        weights[k, place % 12] = 1.0 / sharing[slot[place]]
    weights.setflags(write=False)
    return weights
