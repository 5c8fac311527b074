"""From the features of a clip's frames to one vector a clip, and how that is normalised before a linear machine.

    (n frames, d) ─statistics over time─▶ (s d,) ─each to -1..1─▶ sign(x) sqrt(|x| / sum|x|) ─each standardised─▶ machine

Source: Knyazev et al. 2017, Convolutional neural networks pretrained on large face recognition datasets for emotion
classification from video, and the code that its authors published (2017/submission5.py), for how the steps follow each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emotrace.errors import InputError, unknown

Array = NDArray[np.float64]
Aggregation = Literal["mean", "STAT", "STAT*", "STAT* + FFT"]
AGGREGATIONS: dict[str, tuple[str, ...]] = {
    "mean": ("mean",),
    "STAT": ("mean", "std", "min", "max"),
    "STAT*": ("mean", "std", "min"),
    "STAT* + FFT": ("mean", "std", "min", "fft"),
}


def aggregate(frames: NDArray[np.floating], kind: str, bands: int = 4) -> NDArray[np.float32]:
    """One vector of a clip.

    Args:
        frames: (n, d) features of n frames in the order of time.
        kind: of AGGREGATIONS.
        bands: of frequency, where the kind has "fft".

    Returns:
        (s d,), all d of the first statistic first; NaN where n is 0.

    Raises:
        UnknownNameError: there is no such kind.
        InputError: frames are not (n, d).
    """
    if kind not in AGGREGATIONS:
        raise unknown("aggregation", kind, list(AGGREGATIONS))
    if frames.ndim != 2:
        raise InputError(f"features of frames are {frames.shape}; expected (frames, features)")
    if len(frames) == 0:
        return np.full(width(kind, bands) * frames.shape[1], np.nan, np.float32)
    x = np.asarray(frames, np.float64)
    made: dict[str, Callable[[Array], Array]] = {
        "mean": lambda x: x.mean(axis=0),
        "std": lambda x: x.std(axis=0),
        "min": lambda x: x.min(axis=0),
        "max": lambda x: x.max(axis=0),
        "fft": lambda x: spectrum(x, bands).ravel(),
    }
    return np.concatenate([made[name](x) for name in AGGREGATIONS[kind]]).astype(np.float32)


def width(kind: str, bands: int = 4) -> int:
    """How many numbers of each feature an aggregation keeps."""
    return sum(bands if name == "fft" else 1 for name in AGGREGATIONS[kind])


def spectrum(frames: Array, bands: int) -> Array:
    """How strongly each feature varies at which speed: (n, d) -> (bands, d).

    The mean over time is taken out, so that what "mean" says is not said again. The magnitudes of the 1-D Fourier transform,
    divided by n, are averaged over bands of equal width from 0 (left out) to half the frame rate. A clip of few frames is
    filled up with zeros, so that every band has a frequency in it.

    Args:
        frames: n at least 1.
        bands: at least 1; how many is our choice, the paper does not say.
    """
    n = len(frames)
    size = max(n, 2 * bands)
    magnitude = np.abs(np.fft.rfft(frames - frames.mean(axis=0), size, axis=0))[1:] / n  # (size // 2, d)
    band = (np.arange(1, size // 2 + 1) * 2 * bands - 1) // size  # frequency k lies at k / size of the frame rate
    member = (band == np.arange(bands)[:, None]).astype(np.float64)  # (bands, frequencies)
    return np.asarray(member @ magnitude / member.sum(axis=1, keepdims=True), np.float64)


def root_sift(features: Array) -> Array:
    """sign(x) sqrt(|x| / the sum of the row's |x|), (n, d); rows of zeros stay.

    Source: Arandjelović & Zisserman 2012, Three things everyone should know to improve object retrieval, section 2; with the
    sign, as Knyazev et al. need it.
    """
    total = np.abs(features).sum(axis=1, keepdims=True)
    return np.asarray(np.sign(features) * np.sqrt(np.abs(features) / np.where(total > 0, total, 1)), np.float64)


@dataclass(frozen=True, slots=True)
class Normalisation:
    """Which steps are taken, in this order.

    Args:
        rescale: every feature to -1..1 by its least and greatest value in training.
        root: rootSIFT, see `root_sift`.
        standardise: every feature to mean 0 and deviation 1 in training.
    """

    rescale: bool = True
    root: bool = True
    standardise: bool = True


@dataclass(frozen=True, slots=True)
class Normaliser:
    """Fitted steps, y = (root((x - low) * slope - 1) - mean) / scale.

    Args:
        low: (d,).
        slope: (d,) 2 over the range in training; of a feature that does not vary there 0, and so it always becomes -1.
        root: () bool.
        mean: (d,).
        scale: (d,).
    """

    low: Array
    slope: Array
    root: NDArray[np.bool_]
    mean: Array
    scale: Array

    def __call__(self, features: NDArray[np.floating]) -> Array:
        """Normalised features, (n, d); NaN stays NaN.

        Raises:
            InputError: the features are not (n, d).
        """
        if features.ndim != 2 or features.shape[1] != len(self.mean):
            raise InputError(f"features are {features.shape}, these steps were fitted on (n, {len(self.mean)})")
        return (self._before(np.asarray(features, np.float64)) - self.mean) / self.scale

    def _before(self, features: Array) -> Array:
        """All but the standardisation; a slope of NaN marks that nothing is rescaled."""
        rescaled = features if np.isnan(self.slope).all() else (features - self.low) * self.slope - 1
        return root_sift(rescaled) if self.root else rescaled


def fit_normaliser(features: NDArray[np.floating], how: Normalisation) -> Normaliser:
    """The steps of training rows, (n, d) without NaN, n at least 1."""
    x = np.asarray(features, np.float64)
    low, extent = x.min(axis=0), np.ptp(x, axis=0)
    slope = np.where(extent > 0, 2 / np.where(extent > 0, extent, 1), 0) if how.rescale else np.full(len(low), np.nan)
    plain = Normaliser(low, slope, np.array(how.root), np.zeros(len(low)), np.ones(len(low)))
    if not how.standardise:
        return plain
    before = plain(x)
    deviation = before.std(axis=0)
    return Normaliser(low, slope, np.array(how.root), before.mean(axis=0), np.where(deviation > 1e-12, deviation, 1))
