"""A support vector machine on histograms, under the exponential chi-squared kernel, with probabilities.

    exp(-gamma sum_i (x_i - y_i)^2 / (x_i + y_i))        gamma: one over the mean distance of training clips

Source: Zhang, Marszalek, Lazebnik & Schmid 2007, Local features and kernels for classification, section 2.4, for kernel and
gamma; Platt 2000 and Wu, Lin & Weng 2004 for probabilities, see `support_vectors`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics.pairwise import additive_chi2_kernel
from sklearn.svm import SVC

from emotrace.errors import InputError
from emotrace.learn.support_vectors import couple, pair_sigmoids, sigmoids
from emotrace.learn.svm import folds_of

Array = NDArray[np.float64]


def distances(left: NDArray[np.floating], right: NDArray[np.floating]) -> Array:
    """Chi-squared distances of histograms, (n, d) and (m, d) -> (n, m); 0 where both are empty. Nothing larger is made."""
    return np.asarray(-additive_chi2_kernel(left.astype(np.float64), right.astype(np.float64)), np.float64)


def posteriors(
    asked: NDArray[np.floating],
    histograms: NDArray[np.floating],
    labels: NDArray[np.int64],
    classes: int,
    costs: tuple[float, ...],
    seed: int = 0,
) -> NDArray[np.float32]:
    """Posteriors by one machine per cost, fitted on labelled histograms.

    Args:
        asked: (m, d) histograms; m may be 0.
        histograms: (n, d) of training clips.
        labels: (n,) of at least two classes.
        classes: number of labels; those that no training clip has get 0.
        costs: C of each machine; the classes' costs are balanced by their frequency.
        seed: of the folds.

    Returns:
        (len(costs), m, classes).

    Raises:
        InputError: there are fewer than two classes.
    """
    there = np.unique(labels)
    if len(there) < 2:
        raise InputError(f"{len(labels)} clips of {len(there)} class; to tell classes apart, two or more are needed")
    found = np.zeros((len(costs), len(asked), classes), np.float32)
    if not len(asked):
        return found
    among = distances(histograms, histograms)
    mean = among.mean()
    gamma = 1 / mean if mean > 0 else 1.0
    kernel, towards = np.exp(-gamma * among), np.exp(-gamma * distances(asked, histograms))
    for machine, cost in enumerate(costs):
        lines = _sigmoids(kernel, labels, there, cost, seed)
        found[machine][:, there] = couple(sigmoids(_pair_values(kernel, towards, labels, cost), lines), len(there))
    return found


def _pair_values(kernel: Array, towards: Array, labels: NDArray[np.int64], cost: float) -> Array:
    """Values of every pair of classes, positive for the first of the two, (m, p)."""
    machine = SVC(C=cost, kernel="precomputed", class_weight="balanced", decision_function_shape="ovo").fit(kernel, labels)
    values = machine.decision_function(towards)
    # scikit-learn turns the sign of two classes round
    return np.asarray(-values[:, None] if values.ndim == 1 else values, np.float64)


def _sigmoids(kernel: Array, labels: NDArray[np.int64], there: NDArray[np.int64], cost: float, seed: int) -> Array:
    """Slope and offset of each pair, (p, 2), from clips held out; from the training clips where a class has only one."""
    folds = folds_of(labels, seed=seed)
    values = np.empty((len(labels), len(there) * (len(there) - 1) // 2))
    if not folds:
        values[:] = _pair_values(kernel, kernel, labels, cost)
    for kept, left in folds:
        values[left] = _pair_values(kernel[np.ix_(kept, kept)], kernel[np.ix_(left, kept)], labels[kept], cost)
    return pair_sigmoids(values, labels, there)
