"""What is learnt of a recording of a voice: its label, which expressions its corpus has, and derived valence and arousal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from emotrace.corpora.voices import Voices
from emotrace.learn.fit import Loss
from emotrace.learn.losses import balanced_weights
from emotrace.learn.networks.voice import EXPRESSIONS
from emotrace.learn.voice_protocol import affect


def targets(corpus: Voices, balance: float) -> NDArray[np.float32]:
    """What is learnt of each recording, (n, 8 + 8 + 2): label times weight of the class, expressions of its corpus, affect.

    Args:
        corpus: all of its rows have a label.
        balance: power of the class weights, 1 = all classes count the same.
    """
    labels = corpus.label
    weights = balanced_weights(labels, EXPRESSIONS, balance).numpy()
    hard = np.eye(EXPRESSIONS, dtype=np.float32)[labels]
    possible = np.tile((np.bincount(labels, minlength=EXPRESSIONS) > 0).astype(np.float32), (len(labels), 1))
    return np.concatenate([hard * weights[labels, None], possible, affect(corpus)], axis=1)


def loss_of(smoothing: float, affect_weight: float) -> Loss:
    """Cross-entropy over the expressions that a recording's corpus has, and squared error of valence and arousal.

    Args:
        smoothing: share of a label that is spread over the expressions its corpus has.
        affect_weight: of the squared error, beside the cross-entropy.
    """
    def loss(outputs: Tensor, wanted: Tensor) -> Tensor:
        label, place = wanted[:, :EXPRESSIONS], wanted[:, 2 * EXPRESSIONS :]
        possible = (wanted[:, EXPRESSIONS : 2 * EXPRESSIONS] > 0).float()
        said = (outputs[:, :EXPRESSIONS] - 1e4 * (1 - possible)).log_softmax(1).clamp(min=-100)
        weight = label.sum(1, keepdim=True)
        smooth = (1 - smoothing) * label + smoothing * weight * possible / possible.sum(1, keepdim=True)
        named = -(smooth * said).sum(1).mean()
        total: Tensor = named + affect_weight * (outputs[:, EXPRESSIONS:] - place).square().sum(1).mean()
        return total

    return loss
