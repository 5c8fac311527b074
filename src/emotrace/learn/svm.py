"""Fitting a support vector machine with scikit-learn, and taking its arrays out of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator, StratifiedGroupKFold, StratifiedKFold
from sklearn.svm import SVC

from emotrace.errors import InputError
from emotrace.learn.support_vectors import Kernel, SupportVectors, pair_sigmoids

FOLDS = 5  # of which each gives the others' sigmoids their values


def fit_svm(
    features: NDArray[np.floating],
    labels: NDArray[np.int64],
    *,
    kernel: Kernel = "rbf",
    cost: float = 1.0,
    gamma: float | None = None,
    groups: NDArray[np.str_] | None = None,
    seed: int = 0,
    standardised: bool = True,
) -> SupportVectors:
    """A machine with probabilities.

    Its sigmoids are fitted on values of clips that were held out, in up to five folds that keep groups (speakers) together;
    where a class cannot be held out, since it has a single clip or the groups of a single fold have all of its clips, they are
    fitted on the training values.

    Args:
        features: (n, d), no NaN.
        labels: (n,) of at least two classes.
        kernel: "rbf" or "linear".
        cost: C; the classes' costs are balanced by their frequency.
        gamma: of the RBF kernel on the features as they go into it; None: 1 / d.
        groups: (n,) whom clips belong to; None, or all of one group: folds are random.
        seed: of the folds.
        standardised: features are brought to mean 0 and deviation 1; False: they are taken as they are.

    Raises:
        InputError: there are fewer than two classes.
    """
    classes = np.unique(labels)
    if len(classes) < 2:
        raise InputError(f"{len(labels)} clips of {len(classes)} class; to tell classes apart, two or more are needed")
    width = 0.0 if kernel == "linear" else gamma if gamma is not None else 1 / features.shape[1]
    mean, deviation = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    if not standardised:
        mean, deviation = np.zeros_like(mean), np.ones_like(deviation)
    standard = (features - mean) / np.where(deviation > 0, deviation, 1)
    held_out, known = np.full((len(labels), len(classes) * (len(classes) - 1) // 2), np.nan), np.zeros(len(labels), bool)
    for kept, left in folds_of(labels, groups, seed):
        if len(np.unique(labels[kept])) == len(classes):
            fold = _arrays(_machine(kernel, cost, width).fit(standard[kept], labels[kept]))
            held_out[left], known[left] = fold.pair_values(standard[left]), True
    plain = _arrays(_machine(kernel, cost, width).fit(standard, labels))
    if len(np.unique(labels[known])) < len(classes):
        held_out, known = plain.pair_values(standard), np.ones(len(labels), bool)
    sigmoid = pair_sigmoids(held_out[known], labels[known], classes)
    return SupportVectors(
        plain.kernel, plain.gamma, mean, np.where(deviation > 0, deviation, 1), plain.vectors, plain.coefficients,
        plain.intercept, sigmoid, plain.classes,
    )  # fmt: skip


def arrays(machine: SVC) -> SupportVectors:
    """The arrays of a fitted SVC with a linear or RBF kernel; its sigmoids are flat where it has none of its own."""
    return _arrays(machine)


def _machine(kernel: Kernel, cost: float, gamma: float) -> SVC:
    return SVC(C=cost, kernel=kernel, gamma=gamma or "scale", class_weight="balanced", cache_size=500)


def folds_of(
    labels: NDArray[np.int64], groups: NDArray[np.str_] | None = None, seed: int = 0
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Up to five folds, positions kept and positions left out, that keep groups together and classes in balance.

    There are none where a class has a single clip.

    Args:
        labels: (n,).
        groups: (n,) whom clips belong to; None, or all of one group: folds are random.
        seed: of the folds.
    """
    rarest = int(np.unique(labels, return_counts=True)[1].min())
    apart = groups is not None and len(np.unique(groups)) > 1
    if rarest < 2:
        return []
    count = min(FOLDS, rarest, len(np.unique(groups)) if apart and groups is not None else rarest)
    kind: BaseCrossValidator = (StratifiedGroupKFold if apart else StratifiedKFold)(count, shuffle=True, random_state=seed)
    return list(kind.split(labels[:, None], labels, groups if apart else None))


def _arrays(machine: SVC) -> SupportVectors:
    classes, d = machine.classes_, machine.support_vectors_.shape[1]
    k = len(classes)
    owner = np.repeat(np.arange(k), machine.n_support_)
    first, second = np.triu_indices(k, 1)
    dual = np.where(k == 2, -1, 1) * machine.dual_coef_  # scikit-learn turns the sign of two classes round
    coefficients = np.where(owner[:, None] == first, dual.T[:, second - 1], 0) + np.where(
        owner[:, None] == second, dual.T[:, first], 0
    )
    intercept = np.where(k == 2, -1, 1) * machine.intercept_
    vectors = machine.support_vectors_
    if machine.kernel == "linear":
        vectors, coefficients = (vectors.T @ coefficients).T, np.eye(len(intercept))
    return SupportVectors(
        np.array(machine.kernel), np.array(0.0 if machine.kernel == "linear" else machine._gamma), np.zeros(d), np.ones(d),
        vectors, coefficients, intercept, np.zeros((len(intercept), 2)), classes.astype(np.int64),
    )  # fmt: skip
