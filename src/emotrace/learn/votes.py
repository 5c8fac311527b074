"""What the votes of several raters say: their shares, and the hard label that such votes go with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from emotrace.corpora.table import Faces
from emotrace.scheme import EXPRESSION_7, EXPRESSION_8

SHRINK = 1e-4  # of the logistic regression's weights, enough to keep it finite


def shares(faces: Faces) -> NDArray[np.float32]:
    """FER+ votes as a distribution over EXPRESSION_8, (n, 8); all 0 where nobody voted for an expression."""
    votes = np.nan_to_num(faces.votes[:, :len(EXPRESSION_8)])
    return np.asarray(votes / np.maximum(votes.sum(axis=1, keepdims=True), 1), np.float32)


def hard_given_votes(votes: NDArray[np.float32], label: NDArray[np.int64]) -> NDArray[np.float32]:
    """What votes say of the hard label: multinomial logistic regression of one on the other.

    Args:
        votes: (n, 8) shares.
        label: (n,) positions in EXPRESSION_7.

    Returns:
        (n, 7) float32, rows sum to 1.
    """
    inputs = np.column_stack([votes, np.ones(len(votes))]).astype(np.float64)  # (n, 9), the last for the bias
    truth = np.eye(len(EXPRESSION_7))[label]

    def predicted(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        powers = np.exp(inputs @ weights.reshape(-1, len(EXPRESSION_7)))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float64)

    def loss_and_slope(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        given = predicted(weights)
        slope = inputs.T @ (given - truth) / len(truth) + 2 * SHRINK * weights.reshape(-1, len(EXPRESSION_7))
        return -float(np.log((given * truth).sum(axis=1)).mean()) + SHRINK * float(weights @ weights), slope.ravel()

    start = np.zeros(inputs.shape[1] * len(EXPRESSION_7))
    return predicted(minimize(loss_and_slope, start, jac=True, method="L-BFGS-B").x).astype(np.float32)
