"""A support vector machine as plain arrays: predicted without scikit-learn, saved without pickle.

    (n, d) ─standardised─▶ kernel with the support vectors ─▶ k (k - 1) / 2 pair values ─sigmoid─▶ pairwise ─coupled─▶ (n, k)

A pair's value is positive where the first of its two classes is the likelier one.

Source: Chang & Lin 2011, LIBSVM; Platt 2000, Probabilities for SV Machines; Wu, Lin & Weng 2004, Probability Estimates for
Multi-class Classification by Pairwise Coupling, JMLR 5, section 4.2 (the second method; solved exactly here, while LIBSVM
iterates until it is close).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from emotrace.errors import InputError

Kernel = Literal["linear", "rbf"]
Array = NDArray[np.float64]
SURE = 1e-7  # pairwise probabilities stay this far from 0 and 1, as in LIBSVM


@dataclass(frozen=True, slots=True)
class SupportVectors:
    """A fitted machine of k classes on d features; p = k (k - 1) / 2 pairs in the order (0, 1), (0, 2), ...

    Args:
        kernel: () str "linear" or "rbf".
        gamma: () of exp(-gamma |x - s|^2); 0 for the linear kernel.
        mean: (d,) taken from the features.
        scale: (d,) by which they are then divided.
        vectors: (s, d) support vectors; of the linear kernel, one vector a pair.
        coefficients: (s, p).
        intercept: (p,).
        sigmoid: (p, 2) slope a and offset b of 1 / (1 + exp(a value + b)).
        classes: (k,) labels.
    """

    kernel: NDArray[np.str_]
    gamma: Array
    mean: Array
    scale: Array
    vectors: Array
    coefficients: Array
    intercept: Array
    sigmoid: Array
    classes: NDArray[np.int64]

    def pair_values(self, features: NDArray[np.floating]) -> Array:
        """Values of every pair, (n, d) -> (n, p).

        Raises:
            InputError: the features are not (n, d).
        """
        if features.ndim != 2 or features.shape[1] != len(self.mean):
            raise InputError(f"features are {features.shape}, this machine was fitted on (n, {len(self.mean)})")
        standard = (features - self.mean) / self.scale
        products = standard @ self.vectors.T
        if self.kernel == "rbf":
            lengths = (standard**2).sum(axis=1)[:, None] + (self.vectors**2).sum(axis=1)
            products = np.exp(-self.gamma * np.maximum(lengths - 2 * products, 0))
        return np.asarray(products @ self.coefficients + self.intercept, np.float64)

    def predict(self, features: NDArray[np.floating]) -> NDArray[np.int64]:
        """Labels by the votes of the pairs, the first of those with most; (n, d) -> (n,). NaN features are no input here."""
        values = self.pair_values(features)
        first, second = _pairs(len(self.classes))
        votes = np.zeros((len(values), len(self.classes)))
        np.add.at(votes.T, first, (values > 0).T)
        np.add.at(votes.T, second, (values <= 0).T)
        return np.asarray(self.classes[votes.argmax(axis=1)], np.int64)

    def probabilities(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        """Posteriors in the order of `classes`, (n, d) -> (n, k); NaN for rows with NaN features."""
        known = ~np.isnan(features).any(axis=1)
        found = np.full((len(features), len(self.classes)), np.nan, np.float32)
        found[known] = couple(sigmoids(self.pair_values(features[known]), self.sigmoid), len(self.classes))
        return found

    def posteriors(self, features: NDArray[np.floating], labels: int) -> NDArray[np.float32]:
        """Posteriors of labels 0, 1, ..., (n, d) -> (n, labels); 0 for one it has not seen, NaN for rows with NaN features."""
        found = np.zeros((len(features), labels), np.float32)
        found[:, self.classes] = self.probabilities(features)
        found[np.isnan(features).any(axis=1)] = np.nan
        return found


def sigmoids(values: Array, lines: Array) -> Array:
    """1 / (1 + exp(a value + b)), (n, p); lines (p, 2) are slope a and offset b of each column."""
    return np.asarray(1 / (1 + np.exp(np.clip(values * lines[:, 0] + lines[:, 1], -500, 500))), np.float64)


def couple(pairwise: Array, classes: int) -> NDArray[np.float32]:
    """Posteriors from pairwise probabilities of the first class of each pair, (n, p) -> (n, k).

    The p_i that minimise the sum over pairs of (r_ji p_i - r_ij p_j)^2, their sum being 1 (Wu et al. 2004, the second method).
    """
    pairwise = np.clip(pairwise, SURE, 1 - SURE)
    first, second = _pairs(classes)
    r = np.zeros((len(pairwise), classes, classes))
    r[:, first, second], r[:, second, first] = pairwise, 1 - pairwise
    system = np.zeros((len(pairwise), classes + 1, classes + 1))
    system[:, :classes, :classes] = -r * r.transpose(0, 2, 1)
    place = np.arange(classes)
    system[:, place, place] = (r**2).sum(axis=1)
    system[:, :classes, classes] = system[:, classes, :classes] = 1
    wanted = np.zeros((len(pairwise), classes + 1, 1))
    wanted[:, classes] = 1
    solved = np.maximum(np.linalg.solve(system, wanted)[:, :classes, 0], 0)
    return np.asarray(solved / solved.sum(axis=1, keepdims=True), np.float32)


def platt(values: Array, positive: NDArray[np.bool_]) -> Array:
    """Slope and offset of the sigmoid that makes the labels most likely, (2,); Platt's smoothed targets."""
    n, p = int((~positive).sum()), int(positive.sum())
    target = np.where(positive, (p + 1) / (p + 2), 1 / (n + 2))

    def loss(line: Array) -> tuple[float, Array]:
        z = values * line[0] + line[1]
        slope = target - 1 / (1 + np.exp(np.clip(z, -500, 500)))
        return float((target * z + np.logaddexp(0, -z)).sum()), np.array([(slope * values).sum(), slope.sum()])

    begun = np.array([-1.0, np.log((n + 1) / (p + 1))])
    return np.asarray(minimize(loss, begun, jac=True, method="L-BFGS-B").x, np.float64)


def pair_sigmoids(values: Array, labels: NDArray[np.int64], classes: NDArray[np.int64]) -> Array:
    """Slope and offset of each pair of classes, (p, 2), from its values (n, p) of clips labelled (n,) as one of the two."""
    lines = []
    for pair, (first, second) in enumerate(combinations(classes, 2)):
        own = (labels == first) | (labels == second)
        lines.append(platt(values[own, pair], labels[own] == first))
    return np.array(lines)


def _pairs(classes: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    first, second = np.array(list(combinations(range(classes), 2))).reshape(-1, 2).T
    return first, second
