"""Random search for weights of models, one for each model and class.

    uniform draws from the simplex of each class ─▶ the best ─▶ Gaussian draws around it, rounded, summed to 1 ─▶ the best

A weighting is judged by its accuracy on held-out clips. Ties between classes go to the first label, as argmax has it; among
weightings that are equally good the one drawn first is kept. A model that is missing in a clip leaves its weight to the others.

Source: Kahou et al. 2016, EmoNets, Journal on Multimodal User Interfaces 10, section 4 (random search, local search around the
best weights rounded to two decimals, bagging of 350 searches). Numbers of draws and the spread are ours, and that rounded
weights are divided by their sum: a mean of models has weights that sum to 1, and what is judged is that mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotrace.errors import InputError
from emotrace.fuse import there
from emotrace.learn.ranges import Above0, Count, CountOrNone

CHUNK = 1024  # weightings at a time: scores of 57 clips x 1,024 weightings stay in a core's cache
MOST = 255    # clips counted in one byte


@dataclass(frozen=True, slots=True)
class Search:
    """How long to search.

    Args:
        draws: weightings drawn uniformly.
        rounds: times that the search goes on around the best so far.
        local: weightings drawn in each of these rounds.
        spread: standard deviation of these draws, on weights that sum to 1 in each class.
        decimals: to which the weights of these draws are rounded, before they are divided by their sum.
    """

    draws: Count = 100_000
    rounds: CountOrNone = 10
    local: Count = 10_000
    spread: Above0 = 0.1
    decimals: CountOrNone = 2


@dataclass(frozen=True, slots=True)
class Weighting:
    """What was found: weights (m, k) float32, and their accuracy on the clips that were searched on, 0..1."""

    weights: NDArray[np.float32]
    accuracy: float


@dataclass(frozen=True, slots=True)
class _Pattern:
    """Clips in which the same models are present: those models, and for each label the clips' posteriors (k, clips, models)."""

    models: NDArray[np.int64]
    blocks: list[tuple[int, NDArray[np.float32]]]


class Judge:
    """Counts for many weightings at once how many clips each gets right.

    Args:
        posteriors: (m, n, k) float32, NaN rows where a model is missing; clips without any count as wrong.
        truth: (n,) labels.

    Raises:
        InputError: there are no clips, or the shapes do not agree.
    """

    def __init__(self, posteriors: NDArray[np.float32], truth: NDArray[np.int64]) -> None:
        if posteriors.ndim != 3 or posteriors.shape[1] != len(truth) or not len(truth):
            raise InputError(f"posteriors are {posteriors.shape}, truth {truth.shape}; expected (m, n, k) and (n,), n > 0")
        self.models, self.clips, self.classes = posteriors.shape
        present = there(posteriors)
        self.patterns = [
            _Pattern(np.flatnonzero(pattern), _blocks(posteriors[pattern], truth, (pattern == present.T).all(axis=1)))
            for pattern in np.unique(present.T, axis=0)
            if pattern.any()
        ]

    def accuracy(self, weights: NDArray[np.float32]) -> NDArray[np.float64]:
        """Accuracy of b weightings, (k, m, b) float32 -> (b,)."""
        counts = np.zeros(weights.shape[2], np.int64)
        for pattern in self.patterns:
            own = _among(weights, pattern.models, self.models)
            for label, clips in pattern.blocks:
                counts += _right(label, clips, own)
        return np.asarray(counts / self.clips, np.float64)


def _blocks(
    posteriors: NDArray[np.float32], truth: NDArray[np.int64], rows: NDArray[np.bool_]
) -> list[tuple[int, NDArray[np.float32]]]:
    """The chosen clips sorted by label, (k, clips, models) each, few enough to be counted in one byte."""
    blocks = []
    for label in np.unique(truth[rows]).tolist():
        own = np.flatnonzero(rows & (truth == label))
        for part in np.split(own, range(MOST, len(own), MOST)):
            blocks.append((label, np.ascontiguousarray(posteriors[:, part].transpose(2, 1, 0))))
    return blocks


def _among(weights: NDArray[np.float32], models: NDArray[np.int64], all_models: int) -> NDArray[np.float32]:
    """The weights of the models that are there; only where some are missing do sums of 1 have to be made again."""
    if len(models) == all_models:
        return weights
    own = weights[:, models]
    total = own.sum(axis=1, keepdims=True)
    return np.where(total > 0, own / np.where(total > 0, total, 1), np.float32(1 / len(models)))


def _right(truth: int, clips: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.uint8]:
    """How many clips get their label from each weighting: argmax takes the first of equal scores."""
    true = clips[truth] @ weights[truth]  # (clips, b)
    right = np.ones(true.shape, np.bool_)
    for label, (posteriors, own) in enumerate(zip(clips, weights, strict=True)):
        if label < truth:
            right &= true > posteriors @ own
        elif label > truth:
            right &= true >= posteriors @ own
    return np.asarray(right.view(np.uint8).sum(axis=0, dtype=np.uint8), np.uint8)


def uniform(models: int, classes: int, draws: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Weightings drawn uniformly from each class's simplex, (classes, models, draws): exponentials over their sum."""
    weights = rng.standard_exponential((classes, models, draws), np.float32)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def around(best: NDArray[np.float32], draws: int, search: Search, rng: np.random.Generator) -> NDArray[np.float32]:
    """Weightings near one (k, m): Gaussian steps, cut at 0, rounded shares of their sum in each class; (k, m, draws).

    Rounded shares may sum to 0.99 or 1.01, and are divided by that.
    """
    weights = rng.standard_normal((*best.shape, draws), np.float32) * np.float32(search.spread) + best[:, :, None]
    weights = _to_one(np.maximum(weights, 0), best)
    return _to_one(np.round(weights, search.decimals), best)


def _to_one(weights: NDArray[np.float32], best: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weights (k, m, draws) that sum to 1 in each class; those of `best` (k, m) where all are 0."""
    total = weights.sum(axis=1, keepdims=True)
    return np.where(total > 0, weights / np.where(total > 0, total, 1), best[:, :, None])


def search_weights(
    posteriors: NDArray[np.float32], truth: NDArray[np.int64], rng: np.random.Generator, search: Search | None = None
) -> Weighting:
    """The best weighting that a random search finds.

    Args:
        posteriors: (m, n, k), NaN rows where a model is missing.
        truth: (n,) labels.
        rng: of the draws.
        search: how long.

    Raises:
        InputError: there are no clips, or the shapes do not agree.
    """
    search, judge = search or Search(), Judge(posteriors, truth)
    equal = np.full((judge.classes, judge.models, 1), 1 / judge.models, np.float32)
    best = _Best(equal[:, :, 0], float(judge.accuracy(equal)[0]))
    for draws in _chunks(search.draws):
        best = best.or_of(judge, uniform(judge.models, judge.classes, draws, rng))
    for _ in range(search.rounds):
        centre = best.weights
        for draws in _chunks(search.local):
            best = best.or_of(judge, around(centre, draws, search, rng))
    return Weighting(best.weights.T.copy(), best.accuracy)


@dataclass(frozen=True, slots=True)
class _Best:
    weights: NDArray[np.float32]  # (k, m)
    accuracy: float

    def or_of(self, judge: Judge, drawn: NDArray[np.float32]) -> _Best:
        """The best of the draws where it is better than this."""
        accuracy = judge.accuracy(drawn)
        first = int(accuracy.argmax())
        return _Best(drawn[:, :, first].copy(), float(accuracy[first])) if accuracy[first] > self.accuracy else self


def _chunks(draws: int) -> list[int]:
    return [min(CHUNK, draws - begun) for begun in range(0, draws, CHUNK)]


def bagged_search(
    posteriors: NDArray[np.float32],
    truth: NDArray[np.int64],
    rng: np.random.Generator,
    searches: int = 350,
    search: Search | None = None,
) -> NDArray[np.float32]:
    """Mean of the weightings that searches on bootstrap samples of the clips find, (m, k).

    Args:
        posteriors: (m, n, k).
        truth: (n,).
        rng: of samples and draws.
        searches: how many samples.
        search: how long to search on each; None: 2,000 uniform draws and 2 rounds of 1,000.

    Raises:
        InputError: there are no clips, or the shapes do not agree.
    """
    search = search or Search(draws=2_000, rounds=2, local=1_000)
    found = []
    for _ in range(searches):
        rows = rng.integers(0, len(truth), len(truth))
        found.append(search_weights(posteriors[:, rows], truth[rows], rng, search).weights)
    return np.asarray(np.mean(found, axis=0), np.float32)
