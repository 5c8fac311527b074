"""Fusion of features: those of face and voice side by side, principal components, and a small classifier.

    (n, 256) face ─┐
    (n, 68) voice ─┴▶ (n, 324) standardised ─PCA─▶ (n, 68) ─┬▶ FC 14, ReLU ─▶ softmax 7
                                                            └▶ support vector machine

Fitted with scikit-learn, kept and used as plain arrays (learn/arrays.py). A clip that lacks one of the two has no row here:
whoever fuses lets the model of the other answer alone.

Source: a UPC thesis (2017) on bimodal emotion recognition, for the sizes. Standardising before and C's choice are ours.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from emotrace.errors import InputError
from emotrace.learn.metrics import softmax

COMPONENTS, HIDDEN = 68, 14
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reduction:
    """Standardisation and principal components of d features.

    Args:
        mean: (d,) taken from the features.
        scale: (d,) by which they are then divided.
        components: (c, d) orthogonal directions, the widest first, all of one length: that which gives the values a mean
            variance of 1. So narrow directions stay narrow, and classifiers need no scaling of their own.
    """

    mean: Array
    scale: Array
    components: Array

    def of(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        """(n, d) -> (n, c); rows with NaN stay NaN."""
        return np.asarray((features - self.mean) / self.scale @ self.components.T, np.float32)


@dataclass(frozen=True, slots=True)
class Perceptron:
    """One hidden layer with ReLU, and a softmax over the classes it has seen.

    Args:
        inner: (c, h) weights.
        inner_bias: (h,).
        outer: (h, k) weights.
        outer_bias: (k,).
    """

    inner: Array
    inner_bias: Array
    outer: Array
    outer_bias: Array

    def probabilities(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        """(n, c) -> (n, k); NaN for rows with NaN."""
        hidden = np.maximum(features @ self.inner + self.inner_bias, 0)
        return softmax(np.asarray(hidden @ self.outer + self.outer_bias, np.float32))


def fit_reduction(features: NDArray[np.float32], components: int = COMPONENTS) -> Reduction:
    """Principal components of standardised features.

    Args:
        features: (n, d), no NaN.
        components: kept; fewer where there are no more rows or features.

    Raises:
        InputError: there are fewer than two rows.
    """
    if len(features) < 2:
        raise InputError(f"{len(features)} clip with face and voice; principal components need two or more")
    mean, deviation = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    scale = np.where(deviation > 0, deviation, 1)
    kept = min(components, len(features) - 1, features.shape[1])
    found = PCA(kept, svd_solver="full").fit((features - mean) / scale)
    length = 1 / max(float(np.sqrt(found.explained_variance_.mean())), 1e-9)
    return Reduction(mean, scale, np.asarray(found.components_ * length, np.float64))


def fit_perceptron(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    classes: int,
    hidden: int = HIDDEN,
    decay: float = 1e-4,
    epochs: int = 200,
    seed: int = 0,
) -> Perceptron:
    """A perceptron with one hidden layer, fitted by Adam with its authors' defaults.

    Args:
        features: (n, c), no NaN.
        labels: (n,) of 0..classes-1; a class that does not occur gets the probability 0.
        classes: number of labels k.
        hidden: units h.
        decay: L2 weight decay, as scikit-learn divides it by the rows.
        epochs: passes over the rows.
        seed: of weights and order.

    Raises:
        InputError: there are fewer than two classes.
    """
    seen = np.unique(labels)
    if len(seen) < 2:
        raise InputError(f"{len(labels)} clips of {len(seen)} class; to tell classes apart, two or more are needed")
    network = MLPClassifier(
        (hidden,), solver="adam", alpha=decay, batch_size=min(32, len(labels)), max_iter=epochs, n_iter_no_change=epochs,
        random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is the plan's, not a limit
        network.fit(features, labels)
    (inner, outer), (inner_bias, outer_bias) = network.coefs_, network.intercepts_
    if len(seen) == 2:  # scikit-learn has one output then, the logit of the second class
        outer, outer_bias = np.hstack([0 * outer, outer]), np.append(0, outer_bias)
    all_outer, all_bias = np.zeros((hidden, classes)), np.full(classes, -np.inf)
    all_outer[:, seen], all_bias[seen] = outer, outer_bias
    return Perceptron(*(np.asarray(part, np.float64) for part in (inner, inner_bias, all_outer, all_bias)))




def side_by_side(*blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features of several modalities, (n, d1), (n, d2), ... -> (n, d1 + d2 + ...); all NaN where one is not there."""
    joined = np.concatenate(blocks, axis=1)
    return np.where(np.isnan(joined).any(axis=1, keepdims=True), np.float32(np.nan), joined)


def instead(fused: NDArray[np.float32], *alone: NDArray[np.float32]) -> NDArray[np.float32]:
    """Posteriors (n, k) in which rows of NaN are filled by the first model of one modality that says something."""
    found = fused.copy()
    for said in alone:
        empty = np.isnan(found).any(axis=1)
        found[empty] = said[empty]
    return found
