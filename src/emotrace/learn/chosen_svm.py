"""A support vector machine whose kernel and C are those that are right most often over shuffles of the training clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.learn import classical
from emotrace.learn.arrays import keep, loaded
from emotrace.learn.support_vectors import Kernel, SupportVectors
from emotrace.learn.svm import fit_svm


def fit_chosen(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    speakers: NDArray[np.str_],
    kernels: tuple[Kernel, ...] = ("rbf", "linear"),
    shuffles: int = 100,
    seed: int = 0,
    standardised: bool = True,
) -> SupportVectors:
    """The machine, fitted on all clips given.

    Args:
        features: (n, d), no NaN.
        labels: (n,) of at least two classes.
        speakers: (n,); where there are several, none is on both sides of a shuffle, else rows are held out.
        kernels: that are tried, each with every C of pyAudioAnalysis' list.
        shuffles: of 90/10; the same for every kernel and C.
        seed: of these, and of the folds that give probabilities.
        standardised: features are brought to mean 0 and deviation 1; False: they are taken as they are.

    Raises:
        InputError: features are NaN, or there are fewer than two classes.
    """
    who = speakers if len(np.unique(speakers)) > 1 else None
    tried = {
        kernel: classical.choose(
            f"svm_{kernel}", features, labels, who, shuffles=shuffles, seed=seed, standardised=standardised
        )
        for kernel in kernels
    }
    kernel = max(tried, key=lambda one: tried[one].accuracy[tried[one].value])
    cost = tried[kernel].value
    return fit_svm(features, labels, kernel=kernel, cost=cost, groups=who, seed=seed, standardised=standardised)


def fit_kept(
    file: Path, features: NDArray[np.float32], labels: NDArray[np.int64], speakers: NDArray[np.str_],
    kernels: tuple[Kernel, ...], shuffles: int, seed: int, standardised: bool = True,
) -> None:  # fmt: skip
    """Fit a machine and keep it in a file; arguments as of `fit_chosen`.

    What lies there is good until another one is fitted. Where there are fewer than two classes no file is left.
    """
    if len(np.unique(labels)) > 1:
        keep(file, fit_chosen(features, labels, speakers, kernels, shuffles, seed, standardised))
    else:
        file.unlink(missing_ok=True)


def said_by(file: Path, features: NDArray[np.float32], classes: int) -> NDArray[np.float32]:
    """Posteriors of a machine that was kept.

    Args:
        file: .npz; where it is missing, nothing was there to be learnt, and nothing is said.
        features: (n, d).
        classes: number of labels k.

    Returns:
        (n, k), 0 for classes that the machine has not seen; NaN rows for features with NaN.

    Raises:
        InputError: the file holds no machine.
    """
    if not file.is_file():
        return np.full((len(features), classes), np.nan, np.float32)
    return loaded(SupportVectors, file).posteriors(features, classes)
