"""Losses of classifiers, for hard and for soft targets alike."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, smoothing: float = 0.0, weights: Tensor | None = None) -> Tensor:
    """Mean cross-entropy against distributions.

    Args:
        logits: (n, k).
        targets: (n, k), rows sum to 1; a row of zeros (nothing known) costs nothing but counts as a row.
        smoothing: share of each target that is spread evenly over the classes (Szegedy et al. 2016, section 7).
        weights: (k,) of the classes.

    Returns:
        A scalar.
    """
    known = targets.sum(1, keepdim=True)
    targets = (1 - smoothing) * targets + smoothing * known / targets.shape[1]
    if weights is not None:
        targets = targets * weights.to(targets.device)
    return -(targets * logits.log_softmax(1)).sum(1).mean()


def balanced_weights(labels: NDArray[np.int64], k: int, power: float = 1.0) -> Tensor:
    """Class weights that are higher the rarer a class is, with mean 1 over the rows.

    Args:
        labels: (n,) of 0..k-1.
        k: number of classes.
        power: 1 = every class counts the same in all, 0 = every row does, 0.5 = between.

    Returns:
        (k,) float32; 0 for classes that do not occur.
    """
    counts = np.bincount(labels, minlength=k).astype(np.float64)
    weights = np.where(counts > 0, np.maximum(counts, 1) ** -power, 0.0)
    return torch.from_numpy((weights * counts.sum() / (weights * counts).sum()).astype(np.float32))
