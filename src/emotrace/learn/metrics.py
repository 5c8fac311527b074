"""Scores of a classifier, and its calibration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

NAMED = 5   # of what cannot be read, in a sentence


@dataclass(frozen=True, slots=True)
class Scores:
    """What `evaluate` says of a classifier.

    Args:
        n: rows with a label.
        accuracy: share of rows named right, 0..1.
        uar: unweighted mean of the classes' recalls, of classes that occur, 0..1.
        ece: expected calibration error of the answers in 15 bins of confidence, 0..1.
        per_class: label -> precision, recall (NaN where there is none to count) and support.
        confusion: (k, k) rows = truth, columns = prediction, counts.
        labels: k labels, in order.
        confidence: (n,) probability of each answer, 0..1; 0 where there is none.
        right: (n,) whether it was right.
        unreadable: pictures, recordings or clips that cannot be read, and why, a line each.
    """

    n: int
    accuracy: float
    uar: float
    ece: float
    per_class: dict[str, dict[str, float]]
    confusion: NDArray[np.int64]
    labels: tuple[str, ...]
    confidence: NDArray[np.float32]
    right: NDArray[np.bool_]
    unreadable: tuple[str, ...] = ()

    @property
    def damage(self) -> tuple[str, ...]:
        """A sentence that says what cannot be read, naming five; none where all can."""
        count = len(self.unreadable)
        if not count:
            return ()
        more = f"; and {count - NAMED} more" if count > NAMED else ""
        named = "; ".join(self.unreadable[:NAMED])
        return (f"{count} of {self.n} cannot be read, and what is not answered counts as wrong: {named}{more}",)


def score(
    probabilities: NDArray[np.float32], truth: NDArray[np.int64], labels: tuple[str, ...], unreadable: Iterable[str] = ()
) -> Scores:
    """Scores of predictions; rows whose truth is negative are left out.

    Args:
        probabilities: (n, k), rows sum to 1; a row of NaN is no answer: it counts as wrong, in no column of `confusion`.
        truth: (n,) positions in labels.
        labels: k labels.
        unreadable: as of `Scores`.
    """
    kept = truth >= 0
    probabilities, truth = probabilities[kept], truth[kept]
    answered = ~np.isnan(probabilities).any(axis=1)
    table = confusion(probabilities[answered].argmax(axis=1), truth[answered], len(labels))
    right, support = table.diagonal().astype(float), np.bincount(truth, minlength=len(labels))
    with np.errstate(invalid="ignore"):
        recall, precision = right / support, right / table.sum(axis=0)
    return Scores(
        n=len(truth),
        accuracy=float(right.sum() / max(len(truth), 1)),
        uar=float(np.nanmean(recall)) if len(truth) else float("nan"),
        ece=calibration_error(probabilities[answered], truth[answered]),
        per_class={
            label: {"precision": float(precision[i]), "recall": float(recall[i]), "support": int(support[i])}
            for i, label in enumerate(labels)
        },
        confusion=table,
        labels=labels,
        confidence=np.nan_to_num(probabilities).max(axis=1, initial=0),
        right=answered & (np.nan_to_num(probabilities).argmax(axis=1) == truth),
        unreadable=tuple(unreadable),
    )


def confusion(predicted: NDArray[np.int64], truth: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """(k, k) counts, rows = truth, columns = prediction."""
    return np.bincount(truth * k + predicted, minlength=k * k).reshape(k, k).astype(np.int64)


def calibration_error(probabilities: NDArray[np.float32], truth: NDArray[np.int64], bins: int = 15) -> float:
    """Expected calibration error: |accuracy - confidence| averaged over equal bins of confidence, weighted by count.

    Source: Guo et al. 2017, On Calibration of Modern Neural Networks, eq. 3.
    """
    if not len(truth):
        return float("nan")
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = (probabilities.argmax(axis=1) == truth).astype(np.float64)
    which = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(which, right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(truth))


def surprise(logits: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Negative logarithm of the probability that logits (n, k) give to the truth, (n,)."""
    peak = logits.max(axis=1, keepdims=True)
    partition = np.log(np.exp(logits - peak).sum(axis=1)) + peak[:, 0]
    return np.asarray(partition - logits[np.arange(len(logits)), truth])


def temperature(logits: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    """The temperature that makes softmax(logits / T) most likely given the truth.

    Source: Guo et al. 2017, section 4.2.
    """
    kept = truth >= 0
    logits64 = logits[kept].astype(np.float64)

    def loss(log_temperature: float) -> float:
        return float(surprise(logits64 / np.exp(log_temperature), truth[kept]).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded").x))


def pool_weight(
    logits: NDArray[np.float32], others: NDArray[np.float32], truth: NDArray[np.int64], counts: NDArray[np.floating]
) -> float:
    """The weight w of other logits that makes softmax(logits + w others) most likely given the truth, 0..3.

    Args:
        logits, others: (n, k).
        truth: (n,) labels.
        counts: (n,) how much each row counts.

    Source: Genest & Zidek 1986, Combining Probability Distributions, section 3 (logarithmic pool).
    """
    first, second = logits.astype(np.float64), others.astype(np.float64)

    def loss(weight: float) -> float:
        return float(np.average(surprise(first + weight * second, truth), weights=counts))

    return float(minimize_scalar(loss, bounds=(0.0, 3.0), method="bounded").x)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities of logits, (n, k)."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def concordance(said: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Concordance correlation coefficient: 1 where values are the same, 0 where they have nothing in common.

    NaN where there is nothing to say it of: both are one and the same constant, or empty.

    Source: Lin 1989, A Concordance Correlation Coefficient to Evaluate Reproducibility, Biometrics 45(1), with n in the
    denominators.
    """
    if (np.stack([said, truth]) == truth[:1]).all():
        return float("nan")
    covariance = np.cov(said.astype(np.float64), truth.astype(np.float64), ddof=0)
    return float(2 * covariance[0, 1] / (covariance.trace() + (said.mean() - truth.mean()) ** 2))
