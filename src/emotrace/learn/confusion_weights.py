"""Weights for each modality and class out of confusion matrices: who has been right about a class is believed about it.

    equal      a class's weights are the models' recalls of it
    preferring one modality's recalls are its weights, and the other models share what is left (1 - recall) by their recalls

Source: a UPC thesis (2017) on bimodal emotion recognition, whose decision fusion has a weight for each emotion and modality,
computed from confusion matrices, in one table that prefers video and one that prefers audio. The formulas are ours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emotrace.fuse import there
from emotrace.learn.answers import Answers
from emotrace.learn.metrics import confusion


def recalls(answers: Answers) -> NDArray[np.float32]:
    """Recall of every class by every model on the clips that it says something of, (m, k); 0 where there are none."""
    present = there(answers.posteriors)
    tables = np.stack(
        [
            confusion(values[here].argmax(axis=1), answers.truth[here], answers.classes)
            for values, here in zip(answers.posteriors, present, strict=True)
        ]
    )
    support = tables.sum(axis=2)
    return np.asarray(np.diagonal(tables, axis1=1, axis2=2) / np.maximum(support, 1), np.float32)


def weights(answers: Answers, preferred: str | None = None) -> NDArray[np.float32]:
    """Weights of every model and class, (m, k); they sum to 1 over the models.

    Args:
        answers: on held-out clips.
        preferred: a modality; None: none is. Its models share its weight by their recalls.
    """
    recall = recalls(answers)
    if preferred is None or not len(answers.of_modality(preferred)):
        return _shared(recall, np.ones(answers.classes, np.float32))
    first = np.array([word == preferred for word in answers.modality])
    if first.all():
        return _shared(recall, np.ones(answers.classes, np.float32))
    believed = recall[first].mean(axis=0)
    own = np.empty_like(recall)
    own[first], own[~first] = _shared(recall[first], believed), _shared(recall[~first], 1 - believed)
    return own


def _shared(recall: NDArray[np.float32], amount: NDArray[np.float32]) -> NDArray[np.float32]:
    """An amount for each class, shared among models by their recalls; equally where all of these are 0."""
    total = recall.sum(axis=0)
    parts = np.where(total > 0, recall / np.where(total > 0, total, 1), 1 / len(recall))
    return np.asarray(parts * amount, np.float32)
