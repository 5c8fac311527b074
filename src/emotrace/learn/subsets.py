"""Averages of all 2^m - 1 subsets of m models, ranked.

Source: Kahou et al. 2016, EmoNets, section 4 (the average of every subset of models, the best on validation clips taken).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotrace.errors import InputError
from emotrace.fuse import there
from emotrace.learn.answers import Answers

MOST = 16      # models; 65,535 subsets
CHUNK = 256    # subsets at a time


@dataclass(frozen=True, slots=True)
class Subset:
    """A subset of models, by position, and the accuracy of its average, 0..1."""

    models: tuple[int, ...]
    accuracy: float


def rank(answers: Answers) -> list[Subset]:
    """All subsets, best first; among equals those with fewer models, then those that come first.

    A model that is missing in a clip is left out of the average there; a clip that none of a subset speaks of counts as wrong.

    Raises:
        InputError: there are more than 16 models, or no clips.
    """
    m = len(answers.models)
    if not 0 < m <= MOST or not len(answers):
        raise InputError(f"{m} models on {len(answers)} clips; expected 1 to {MOST} models and some clips")
    numbers = np.arange(1, 2**m)
    members = (numbers[:, None] >> np.arange(m) & 1).astype(np.float32)  # (s, m)
    parts = [_accuracy(members[i : i + CHUNK], answers) for i in range(0, len(members), CHUNK)]
    found = [
        Subset(tuple(int(i) for i in np.flatnonzero(row)), float(accuracy))
        for row, accuracy in zip(members, np.concatenate(parts), strict=True)
    ]
    return sorted(found, key=lambda subset: (-subset.accuracy, len(subset.models), subset.models))


def _accuracy(members: NDArray[np.float32], answers: Answers) -> NDArray[np.float64]:
    """Accuracy of each subset's average, (s, m) -> (s,); a sum has the same largest label as the mean."""
    present = members @ there(answers.posteriors).astype(np.float32)  # (s, n) models that speak
    sums = np.tensordot(members, np.nan_to_num(answers.posteriors), axes=1)  # (s, n, k)
    right = (sums.argmax(axis=2) == answers.truth) & (present > 0)
    return np.asarray(right.mean(axis=1), np.float64)
