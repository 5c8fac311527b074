"""A support vector machine on concatenated scores, each model's scores by a factor of its own.

    scores (m, n, k) ─centred, each model by its factor─▶ (n, m k) ─RBF SVM─▶ (n, k)
                           factors, C and gamma: drawn at random, the best on clips that were left out

In the kernel's distance a model counts by the square of its factor, so that a search over factors weighs, and drops, models.

Source: Kahou et al. 2016, EmoNets, section 4 (an SVM on the concatenated predictions, with a scaling factor for each model
found by random search). Ranges, numbers of draws and what stands for a missing model are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import SVC

from emotrace.errors import InputError
from emotrace.learn.answers import Answers
from emotrace.learn.ranges import Above0, Count
from emotrace.learn.support_vectors import SupportVectors
from emotrace.learn.svm import fit_svm, folds_of

Combine = Callable[[NDArray[np.float32]], NDArray[np.float32]]  # (m, n, k) -> (n, k)
Fold = tuple[NDArray[np.int64], NDArray[np.int64]]  # positions to fit on, positions to judge on


@dataclass(frozen=True, slots=True)
class ScaledSearch:
    """How to search.

    Args:
        draws: of factors and constants; the first has all factors 1.
        factor: factors are drawn between 1 / factor and factor, evenly in their logarithm.
        costs: range of C, evenly in its logarithm.
        gammas: range of gamma, likewise; scores lie between 0 and 1.
    """

    draws: Count = 200
    factor: Above0 = 8.0
    costs: tuple[Above0, Above0] = (0.1, 100.0)
    gammas: tuple[Above0, Above0] = (0.02, 5.0)


@dataclass(frozen=True, slots=True)
class ScaledSvm:
    """A fitted machine.

    Args:
        factors: (m,) float32.
        cost: C.
        gamma: of the kernel.
        accuracy: on the clips that were left out in the search, 0..1.
        machine: fitted on all clips.
    """

    factors: NDArray[np.float32]
    cost: float
    gamma: float
    accuracy: float
    machine: SupportVectors

    def combine(self, posteriors: NDArray[np.float32]) -> NDArray[np.float32]:
        """(m, n, k) -> (n, k): 0 for a class that the machine does not know, NaN where no model says anything."""
        found = self.machine.posteriors(scaled(posteriors, self.factors), posteriors.shape[2])
        found[np.isnan(posteriors).any(axis=2).all(axis=0)] = np.nan
        return found


def scaled(posteriors: NDArray[np.float32], factors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores less their chance level, times the factor of their model (m,), side by side, (m, n, k) -> (n, m k).

    A missing model says 0, as one that takes all classes for equally likely.
    """
    centred = np.nan_to_num(posteriors - np.float32(1 / posteriors.shape[2])) * factors[:, None, None]
    return np.ascontiguousarray(centred.transpose(1, 0, 2).reshape(posteriors.shape[1], -1))


def search(
    posteriors: NDArray[np.float32],
    truth: NDArray[np.int64],
    folds: list[Fold],
    rng: np.random.Generator,
    settings: ScaledSearch | None = None,
    groups: NDArray[np.str_] | None = None,
) -> ScaledSvm:
    """The factors, C and gamma under which most of the clips that are left out get their label, and the machine on all clips.

    Args:
        posteriors: (m, n, k), NaN rows where a model is missing.
        truth: (n,) labels.
        folds: what is fitted on and what is judged on, in turn.
        rng: of the draws.
        settings: how to search.
        groups: (n,) whom clips belong to, for the folds of the final machine's sigmoids.

    Raises:
        InputError: there is no fold whose training clips are of two classes.
    """
    settings = settings or ScaledSearch()
    usable = [fold for fold in folds if len(fold[1]) and len(np.unique(truth[fold[0]])) > 1]
    if not usable:
        raise InputError(f"{len(truth)} clips, {len(folds)} folds; expected one with two classes to fit on and clips to judge")
    m = len(posteriors)
    best: tuple[float, NDArray[np.float32], float, float] = (-1.0, np.ones(m, np.float32), 1.0, 1.0)
    for draw in range(settings.draws):
        factors = _drawn(rng, (1 / settings.factor, settings.factor), m).astype(np.float32)
        cost, gamma = (float(_drawn(rng, bounds, 1)[0]) for bounds in (settings.costs, settings.gammas))
        factors = np.ones(m, np.float32) if draw == 0 else factors
        accuracy = _accuracy(scaled(posteriors, factors), truth, usable, cost, gamma)
        if accuracy > best[0]:
            best = (accuracy, factors, cost, gamma)
    accuracy, factors, cost, gamma = best
    features = scaled(posteriors, factors)
    machine = fit_svm(features, truth, cost=cost, gamma=gamma, groups=groups, standardised=False)
    return ScaledSvm(factors, cost, gamma, accuracy, machine)


def scaled_svm(settings: ScaledSearch | None = None) -> Callable[[Answers, np.random.Generator], Combine]:
    """The same as a rule of fusion: folds keep groups (speakers) together; where a class has a single clip all are judged."""

    def fit(answers: Answers, rng: np.random.Generator) -> Combine:
        every = np.arange(len(answers))
        folds = folds_of(answers.truth, answers.group) or [(every, every)]
        return search(answers.posteriors, answers.truth, folds, rng, settings, answers.group).combine

    return fit


def _drawn(rng: np.random.Generator, bounds: tuple[float, float], count: int) -> NDArray[np.float64]:
    return np.exp(rng.uniform(np.log(bounds[0]), np.log(bounds[1]), count))


def _accuracy(scores: NDArray[np.float32], truth: NDArray[np.int64], folds: list[Fold], cost: float, gamma: float) -> float:
    right = judged = 0
    for kept, left in folds:
        machine = SVC(C=cost, gamma=gamma, class_weight="balanced").fit(scores[kept], truth[kept])
        right += int((machine.predict(scores[left]) == truth[left]).sum())
        judged += len(left)
    return right / judged
