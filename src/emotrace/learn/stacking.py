"""Classifiers on what several sources give side by side: concatenated scores, or concatenated features.

A source that is missing in a clip is never filled in: clips in which the same sources are there are answered by a classifier of
those sources alone, fitted on all training clips that have them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from emotrace.errors import InputError
from emotrace.learn.classical import posteriors
from emotrace.learn.svm import fit_svm

Blocks = Sequence[NDArray[np.float32]]   # m of (n, d_m), the rows of a missing source NaN
Predict = Callable[[NDArray[np.float32]], NDArray[np.float32]]   # (n, d) -> (n, k)
Fit = Callable[[NDArray[np.float32], NDArray[np.int64], NDArray[np.str_], int], Predict]


@dataclass(slots=True)
class Stack:
    """A classifier for every combination of sources, each fitted when first asked for.

    Args:
        blocks: m of (n, d_m) to be fitted on.
        truth: (n,) labels.
        group: (n,) speakers.
        classes: number of labels k.
        fit: makes a predictor from features, labels, groups and k.
        fitted: predictors so far, by the sources that are there.
    """

    blocks: Blocks
    truth: NDArray[np.int64]
    group: NDArray[np.str_]
    classes: int
    fit: Fit
    fitted: dict[tuple[int, ...], Predict] = field(default_factory=dict)

    def predict(self, blocks: Blocks) -> NDArray[np.float32]:
        """Posteriors, m of (n, d_m) -> (n, k); NaN where no source is there.

        Raises:
            InputError: no training clip has the sources that a clip has.
        """
        present = _present(blocks)  # (n, m)
        found = np.full((len(present), self.classes), np.nan, np.float32)
        for pattern in np.unique(present[present.any(axis=1)], axis=0):
            rows, sources = (present == pattern).all(axis=1), tuple(np.flatnonzero(pattern).tolist())
            found[rows] = self._of(sources)(np.concatenate([blocks[i][rows] for i in sources], axis=1))
        return found

    def _of(self, sources: tuple[int, ...]) -> Predict:
        if sources not in self.fitted:
            rows = _present(self.blocks)[:, sources].all(axis=1)
            if len(np.unique(self.truth[rows])) < 2:
                raise InputError(f"{int(rows.sum())} training clips have the sources {sources}; expected some of two classes")
            features = np.concatenate([self.blocks[i][rows] for i in sources], axis=1)
            self.fitted[sources] = self.fit(features, self.truth[rows], self.group[rows], self.classes)
        return self.fitted[sources]


def _present(blocks: Blocks) -> NDArray[np.bool_]:
    return np.stack([~np.isnan(block).any(axis=1) for block in blocks], axis=1)


def rbf_svm(cost: float = 1.0) -> Fit:
    """An RBF support vector machine with probabilities."""

    def fit(x: NDArray[np.float32], y: NDArray[np.int64], group: NDArray[np.str_], classes: int) -> Predict:
        machine = fit_svm(x, y, cost=cost, groups=group)
        return lambda features: machine.posteriors(features, classes)

    return fit


def mlp(hidden: int = 16, decay: float = 1.0, seed: int = 0) -> Fit:
    """A perceptron with one hidden layer; few clips need a strong weight decay."""

    def make() -> Pipeline:
        network = MLPClassifier((hidden,), alpha=decay, solver="lbfgs", max_iter=5000, random_state=seed)
        return make_pipeline(StandardScaler(), network)

    return _of_pipeline(make)


def principal_components(components: int) -> Fit:
    """Principal components of the standardised features, and a logistic regression on them."""

    def make(n: int, d: int) -> Pipeline:
        kept = min(components, n - 1, d)
        return make_pipeline(StandardScaler(), PCA(kept, random_state=0), LogisticRegression(C=0.1, max_iter=2000))

    def fit(x: NDArray[np.float32], y: NDArray[np.int64], group: NDArray[np.str_], classes: int) -> Predict:
        return _of_pipeline(lambda: make(*x.shape))(x, y, group, classes)

    return fit


def _of_pipeline(make: Callable[[], Pipeline]) -> Fit:
    def fit(x: NDArray[np.float32], y: NDArray[np.int64], group: NDArray[np.str_], classes: int) -> Predict:
        fitted = make().fit(x, y)
        return lambda features: posteriors(fitted, features, classes)

    return fit
