"""One linear support vector machine against the rest for each class, its C chosen by cross-validation, with probabilities.

    (n, d) ─normalised─▶ 5 folds x every C ─best mean accuracy─▶ machine ─held-out values─▶ a sigmoid a class ─▶ posteriors

Source: Knyazev et al. 2017, with C and sigmoids as in the code that its authors published (2017/submission5.py). There features
are rescaled once, on all training rows; here every fold fits its own normalisation, so that what is held out is unseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator, KFold, StratifiedGroupKFold, StratifiedKFold
from sklearn.svm import LinearSVC

from emotrace.errors import InputError
from emotrace.learn.aggregation import Array, Normalisation, Normaliser, fit_normaliser
from emotrace.learn.support_vectors import platt, sigmoids

COSTS = (5e-6, 1e-5, 2e-5, 3e-5, 4e-5, 6e-5, 8e-5, 1e-4, 2e-4, 4e-4, 6e-4, 8e-4, 1e-3)
Split = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class LinearMachine:
    """A fitted machine of c classes on d features.

    Args:
        normaliser: of the features.
        weights: (c, d).
        intercept: (c,).
        sigmoid: (c, 2) slope a and offset b of 1 / (1 + exp(a value + b)).
        classes: (c,) labels.
        cost: () C.
        accuracy: () mean accuracy of that C over the folds, 0..1.
    """

    normaliser: Normaliser
    weights: Array
    intercept: Array
    sigmoid: Array
    classes: NDArray[np.int64]
    cost: Array
    accuracy: Array

    def values(self, features: NDArray[np.floating]) -> Array:
        """Distance from each class's plane, (n, d) -> (n, c)."""
        return np.asarray(self.normaliser(features) @ self.weights.T + self.intercept, np.float64)

    def probabilities(self, features: NDArray[np.floating], classes: int) -> NDArray[np.float32]:
        """Posteriors of labels 0 to classes - 1, (n, d) -> (n, classes): 0 for a label that was not seen in training, NaN rows
        for NaN features."""
        known = ~np.isnan(features).any(axis=1)
        found = np.full((len(features), classes), np.nan, np.float32)
        single = sigmoids(self.values(features[known]), self.sigmoid)
        found[known] = 0
        found[np.ix_(np.flatnonzero(known), self.classes)] = single / single.sum(axis=1, keepdims=True)
        return found


def fit_machine(
    features: NDArray[np.floating],
    labels: NDArray[np.int64],
    groups: NDArray[np.str_] | None = None,
    *,
    how: Normalisation | None = None,
    costs: Sequence[float] = COSTS,
    folds: int = 5,
    sigmoid_folds: int = 3,
    seed: int = 0,
) -> LinearMachine:
    """Choose C, fit the machine on all rows, and its sigmoids on values of rows that were held out.

    Where a class cannot be held out, since it has a single clip or the groups of a single fold have all of its clips, the
    sigmoids are fitted on the training values.

    Args:
        features: (n, d), no NaN.
        labels: (n,) of at least two classes.
        groups: (n,) whom clips belong to, who then are in one fold; None, or all alike: folds are random.
        how: steps of the normalisation.
        costs: values of C that are tried; of equals the first is taken.
        folds: of the choice, at most as many as the rarest class has clips (but two at least).
        sigmoid_folds: of the sigmoids.
        seed: of all chance.

    Raises:
        InputError: there are fewer than two classes, or features are NaN.
    """
    classes = np.unique(labels)
    if len(classes) < 2:
        raise InputError(f"{len(labels)} clips of {len(classes)} class; to tell classes apart, two or more are needed")
    if np.isnan(features).any():
        raise InputError(f"{int(np.isnan(features).any(axis=1).sum())} rows have NaN features; leave them out")
    steps = how or Normalisation()
    cost, accuracy = chosen_cost(features, labels, splits(labels, groups, folds, seed), steps, costs, seed)
    flat = np.zeros((len(classes), 2))
    plain = LinearMachine(*_fitted(features, labels, steps, cost, seed), flat, classes, np.array(cost), np.array(accuracy))
    values = held_out_values(features, labels, splits(labels, groups, sigmoid_folds, seed), steps, cost, seed)
    known = ~np.isnan(values).any(axis=1)
    if len(np.unique(labels[known])) < len(classes):
        values, known = plain.values(features), np.ones(len(labels), np.bool_)
    sigmoid = np.array([platt(values[known, i], labels[known] == label) for i, label in enumerate(classes)])
    return replace(plain, sigmoid=sigmoid)


def chosen_cost(
    features: NDArray[np.floating], labels: NDArray[np.int64], folds: Sequence[Split], steps: Normalisation,
    costs: Sequence[float], seed: int,
) -> tuple[float, float]:  # fmt: skip
    """The C with the best mean accuracy over folds, the first of equals, and that accuracy."""
    scores = np.zeros(len(costs))
    for kept, left in folds:
        normaliser = fit_normaliser(features[kept], steps)
        inside, outside = normaliser(features[kept]), normaliser(features[left])
        right = [(_svm(inside, labels[kept], cost, seed).predict(outside) == labels[left]).mean() for cost in costs]
        scores += np.array(right) / len(folds)
    return costs[int(scores.argmax())], float(scores.max())


def held_out_values(
    features: NDArray[np.floating], labels: NDArray[np.int64], folds: Sequence[Split], steps: Normalisation,
    cost: float, seed: int,
) -> Array:  # fmt: skip
    """Distance from each class's plane of the rows that a fold holds out, (n, c); NaN where the others lack a class."""
    classes = len(np.unique(labels))
    values = np.full((len(labels), classes), np.nan)
    for kept, left in folds:
        if len(np.unique(labels[kept])) == classes:
            normaliser, weights, intercept = _fitted(features[kept], labels[kept], steps, cost, seed)
            values[left] = normaliser(features[left]) @ weights.T + intercept
    return values


def splits(labels: NDArray[np.int64], groups: NDArray[np.str_] | None, folds: int, seed: int) -> list[Split]:
    """Rows kept and rows held out; every class alike in every fold where there are clips enough, every group in one fold."""
    apart = groups is not None and len(np.unique(groups)) > 1
    rarest = int(np.unique(labels, return_counts=True)[1].min())
    count = max(2, min(folds, rarest, len(np.unique(groups)) if apart and groups is not None else rarest))
    kind: BaseCrossValidator = (StratifiedGroupKFold if apart else StratifiedKFold if rarest > 1 else KFold)(
        count, shuffle=True, random_state=seed
    )
    parts = list(kind.split(np.zeros((len(labels), 1)), labels, groups if apart else None))
    return [(kept, left) for kept, left in parts if len(np.unique(labels[kept])) > 1 and len(left)]


def _svm(features: Array, labels: NDArray[np.int64], cost: float, seed: int) -> LinearSVC:
    return LinearSVC(C=cost, random_state=seed, dual="auto", max_iter=5000).fit(features, labels)


def _fitted(
    features: NDArray[np.floating], labels: NDArray[np.int64], steps: Normalisation, cost: float, seed: int
) -> tuple[Normaliser, Array, Array]:
    """Normaliser, weights (c, d) and intercepts (c,); scikit-learn keeps one plane of two classes."""
    normaliser = fit_normaliser(features, steps)
    machine = _svm(normaliser(features), labels, cost, seed)
    weights, intercept = machine.coef_, machine.intercept_
    if len(machine.classes_) == 2:
        weights, intercept = np.concatenate([-weights, weights]), np.concatenate([-intercept, intercept])
    return normaliser, np.asarray(weights, np.float64), np.asarray(intercept, np.float64)
