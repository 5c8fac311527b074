"""Fusion: every rule by which the answers of several models become one, and how the rules are compared.

    Answers (held-out clips) ──rule.fit──▶ combine: posteriors (m, n, k) ─▶ (n, k)     a model that is missing is NaN: left out

Rules are fitted on clips that no model was fitted on. To choose among them they are judged on clips that they were not fitted
on either, one group (speaker) at a time; the test part is looked at once, by rules fitted on all held-out clips.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotrace.errors import InputError
from emotrace.fuse import log_pool, mean_pool, temper
from emotrace.learn.answers import Answers, Judged, judge, temperatures
from emotrace.learn.confusion_weights import recalls, weights
from emotrace.learn.metrics import calibration_error
from emotrace.learn.stacking import Fit, Stack, mlp, rbf_svm
from emotrace.learn.subsets import rank
from emotrace.learn.weight_search import Search, bagged_search, search_weights

Combine = Callable[[NDArray[np.float32]], NDArray[np.float32]]  # (m, n, k) -> (n, k)
EVIDENCE = (0.0, 0.25, 0.5, 0.75, 1.0)  # that are tried; see fuse.log_pool


@dataclass(frozen=True, slots=True)
class Rule:
    """A way to fuse.

    Args:
        name: "mean of posteriors".
        fit: from answers on held-out clips and a source of chance to the function that fuses.
    """

    name: str
    fit: Callable[[Answers, np.random.Generator], Combine]


def mean(answers: Answers, rng: np.random.Generator) -> Combine:
    """Mean of posteriors."""
    equal = np.ones(len(answers.models))
    return lambda posteriors: mean_pool(posteriors, equal)


def calibrated_mean(answers: Answers, rng: np.random.Generator) -> Combine:
    """Mean of calibrated posteriors, weighted by each model's mean recall."""
    heat, weight = temperatures(answers), recalls(answers).mean(axis=1)
    return lambda posteriors: mean_pool(temper(posteriors, heat), weight)


def calibrated_pool(answers: Answers, rng: np.random.Generator) -> Combine:
    """Logarithmic pool of calibrated posteriors; every modality counts the same, as models of one repeat each other."""
    return _pool(answers, modality_weights(answers))


def best_of_each(answers: Answers, rng: np.random.Generator) -> Combine:
    """Logarithmic pool of the most accurate model of each modality, calibrated; what `analyze` does with one model of each."""
    return _pool(answers, best_models(answers))


def best_models(answers: Answers) -> NDArray[np.float32]:
    """1 for the most accurate model of each modality, the first of equals, and 0 for the others, (m,)."""
    accuracy = np.array([judge(said, answers.truth).accuracy for said in answers.posteriors])
    best = [max(answers.of_modality(word), key=lambda i: accuracy[i]) for word in set(answers.modality)]
    return np.isin(np.arange(len(accuracy)), best).astype(np.float32)


def _pool(answers: Answers, weight: NDArray[np.float32]) -> Combine:
    heat = temperatures(answers)
    evidence = calibrated_evidence(answers, heat, weight)
    return lambda posteriors: log_pool(temper(posteriors, heat), weight, evidence)


def modality_weights(answers: Answers) -> NDArray[np.float32]:
    """Weights that give every modality as much as every other, shared equally by its models, (m,)."""
    return np.array([1 / answers.modality.count(word) for word in answers.modality], np.float32)


def calibrated_evidence(answers: Answers, heat: NDArray[np.float32], weight: NDArray[np.float32]) -> float:
    """The `evidence` of `EVIDENCE` under which the pool is as often right as it is sure: the least calibration error."""
    tempered = temper(answers.posteriors, heat)
    return min(EVIDENCE, key=lambda evidence: answered_error(log_pool(tempered, weight, evidence), answers.truth))


def answered_error(posteriors: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    """Calibration error of the rows that have an answer."""
    known = ~np.isnan(posteriors).any(axis=1)
    return calibration_error(posteriors[known], truth[known])


def by_confusion(preferred: str | None = None) -> Callable[[Answers, np.random.Generator], Combine]:
    """Weighted sum with a weight for each class and model out of confusion matrices; see `confusion_weights`."""

    def fit(answers: Answers, rng: np.random.Generator) -> Combine:
        own = weights(answers, preferred)
        return lambda posteriors: mean_pool(posteriors, own)

    return fit


def best_subset(answers: Answers, rng: np.random.Generator) -> Combine:
    """Mean of the best of all subsets of models."""
    chosen = np.zeros(len(answers.models))
    chosen[list(rank(answers)[0].models)] = 1

    return lambda posteriors: mean_pool(posteriors, chosen)


def searched(search: Search | None = None) -> Callable[[Answers, np.random.Generator], Combine]:
    """Random search over a weight for each model and class."""

    def fit(answers: Answers, rng: np.random.Generator) -> Combine:
        found = search_weights(answers.posteriors, answers.truth, rng, search).weights
        return lambda posteriors: mean_pool(posteriors, found)

    return fit


def bagged(searches: int = 350, search: Search | None = None) -> Callable[[Answers, np.random.Generator], Combine]:
    """The mean of the weights that random searches on bootstrap samples find."""

    def fit(answers: Answers, rng: np.random.Generator) -> Combine:
        found = bagged_search(answers.posteriors, answers.truth, rng, searches, search)
        return lambda posteriors: mean_pool(posteriors, found)

    return fit


def stacked(classifier: Fit) -> Callable[[Answers, np.random.Generator], Combine]:
    """A classifier on concatenated scores."""

    def fit(answers: Answers, rng: np.random.Generator) -> Combine:
        stack = Stack(list(answers.posteriors), answers.truth, answers.group, answers.classes, classifier)
        return lambda posteriors: stack.predict(list(posteriors))

    return fit


def rules(preferences: tuple[str, ...] = ("face", "voice")) -> tuple[Rule, ...]:
    """All rules on posteriors, with their defaults.

    Args:
        preferences: modalities that are preferred in turn where weights come out of confusion matrices.
    """
    return (
        Rule("mean of posteriors", mean),
        Rule("calibrated mean, weighted by recall", calibrated_mean),
        Rule("calibrated logarithmic pool", calibrated_pool),
        Rule("the same of the best model of each modality", best_of_each),
        Rule("weights by confusion matrix", by_confusion()),
        *(Rule(f"weights by confusion matrix, preferring {word}", by_confusion(word)) for word in preferences),
        Rule("best subset average", best_subset),
        Rule("random search, then local", searched()),
        Rule("random search, bagged", bagged()),
        Rule("RBF SVM on scores", stacked(rbf_svm())),
        Rule("MLP on scores", stacked(mlp())),
    )


def square_root_prior(posteriors: NDArray[np.float32], frequency: NDArray[np.floating]) -> NDArray[np.float32]:
    """Posteriors weighted by the square root of how frequent each class is, where that is known beforehand.

    Args:
        posteriors: (n, k).
        frequency: (k,) counts or shares of the classes.

    Returns:
        (n, k) rows that sum to 1.

    Raises:
        InputError: a frequency is negative, or all are 0.

    Source: Knyazev et al. 2017, Convolutional neural networks pretrained on large face recognition datasets for emotion
    classification from video, on class weights.
    """
    given = np.asarray(frequency, np.float32)
    if (given < 0).any() or not given.any() or len(given) != posteriors.shape[1]:
        raise InputError(f"frequencies {given.tolist()} of {posteriors.shape[1]} classes; expected one of 0 or more for each")
    weighted = posteriors * np.sqrt(given)
    return np.asarray(weighted / weighted.sum(axis=1, keepdims=True), np.float32)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a rule does: on held-out clips that it was not fitted on, on the test part, and seconds to fit it once."""

    name: str
    held_out: Judged
    test: Judged
    seconds: float


def out_of_group(rule: Rule, answers: Answers, seed: int) -> NDArray[np.float32]:
    """What a rule says of each group's clips when fitted on those of the others, (n, k).

    Raises:
        InputError: there is only one group.
    """
    groups = np.unique(answers.group)
    if len(groups) < 2:
        raise InputError(f"{len(groups)} group among {len(answers)} clips; to leave one out, two or more are needed")
    found = np.full((len(answers), answers.classes), np.nan, np.float32)
    for group in groups:
        left = answers.group == group
        found[left] = rule.fit(answers[~left], np.random.default_rng(seed))(answers.posteriors[:, left])
    return found


def compare(held_out: Answers, test: Answers, chosen: tuple[Rule, ...], seed: int = 0) -> list[Outcome]:
    """Every rule on both parts, in the order given.

    Raises:
        InputError: the held-out clips are of one group only.
    """
    outcomes = []
    for rule in chosen:
        left_out = judge(out_of_group(rule, held_out, seed), held_out.truth)
        begun = time.perf_counter()
        combine = rule.fit(held_out, np.random.default_rng(seed))
        seconds = time.perf_counter() - begun
        outcomes.append(Outcome(rule.name, left_out, judge(combine(test.posteriors), test.truth), seconds))
    return outcomes
