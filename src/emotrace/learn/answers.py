"""What several models say of the same labelled clips: what fusion learns from and is judged on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotrace.errors import InputError
from emotrace.fuse import SMALLEST, there
from emotrace.learn.metrics import temperature


@dataclass(frozen=True, slots=True)
class Answers:
    """Posteriors of m models on n clips.

    Args:
        models: m names.
        modality: m words, as "face" or "voice".
        posteriors: (m, n, k) float32; the k of a clip that a model says nothing of are NaN.
        truth: (n,) int64 labels, 0..k-1.
        group: (n,) who speaks, or whatever must not be on both sides of a split; all "" where not known.

    Raises:
        InputError: the shapes do not agree.
    """

    models: tuple[str, ...]
    modality: tuple[str, ...]
    posteriors: NDArray[np.float32]
    truth: NDArray[np.int64]
    group: NDArray[np.str_]

    def __post_init__(self) -> None:
        m, n = len(self.models), len(self.truth)
        if len(self.modality) != m or self.posteriors.shape[:2] != (m, n) or self.posteriors.ndim != 3 or len(self.group) != n:
            raise InputError(
                f"{m} models, {len(self.modality)} modalities, posteriors {self.posteriors.shape}, {n} labels, "
                f"{len(self.group)} groups; expected (models, clips, labels)"
            )

    def __len__(self) -> int:
        return len(self.truth)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Answers:
        """The clips of a mask or of positions."""
        return Answers(self.models, self.modality, self.posteriors[:, rows], self.truth[rows], self.group[rows])

    @property
    def classes(self) -> int:
        """Number of labels k."""
        return int(self.posteriors.shape[2])

    def of_modality(self, modality: str) -> NDArray[np.int64]:
        """Positions of the models of a modality."""
        return np.flatnonzero([word == modality for word in self.modality])


@dataclass(frozen=True, slots=True)
class Judged:
    """How good answers are, 0..1 each: accuracy, unweighted average recall, and the share of clips that got an answer."""

    accuracy: float
    uar: float
    answered: float


def judge(values: NDArray[np.float32], truth: NDArray[np.int64]) -> Judged:
    """Scores of (n, k) values whose largest is the answer; a clip without answer (NaN) counts as wrong.

    Classes that do not occur in `truth` are left out of the unweighted recall.
    """
    answered = ~np.isnan(values).any(axis=1)
    right = answered & (np.nan_to_num(values).argmax(axis=1) == truth)
    recall = [float(right[truth == label].mean()) for label in np.unique(truth)]
    return Judged(float(right.mean()), float(np.mean(recall)), float(answered.mean()))


def temperatures(answers: Answers) -> NDArray[np.float32]:
    """The temperature that calibrates each model on the clips that it says something of, (m,); 1 for one that never does."""
    found = np.ones(len(answers.models), np.float32)
    for i, present in enumerate(there(answers.posteriors)):
        if present.any():
            found[i] = temperature(np.log(np.maximum(answers.posteriors[i, present], SMALLEST)), answers.truth[present])
    return found
