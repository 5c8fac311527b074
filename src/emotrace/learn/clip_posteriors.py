"""From what a network says of frames to what is said of a clip.

    frames (f, 7) ─10 groups in time, averaged─▶ (70,) ─RBF SVM with probabilities─▶ (7,)
                                              C and gamma: coarse grid, then fine, by accuracy on validation

Source: Kahou et al. 2015, EmoNets, section 3.1 (ten groups, frames repeated uniformly where there are fewer, LIBSVM with an RBF
kernel, gamma and C tuned coarse then fine on the validation clips). Ours: features are standardised, classes are weighted by
their rarity, probabilities come from sigmoids as in `emotrace.learn.svm`, and the grids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotrace.errors import InputError
from emotrace.fuse import SMALLEST
from emotrace.learn.labelled import Rows, described
from emotrace.learn.support_vectors import SupportVectors
from emotrace.learn.svm import fit_svm
from emotrace.scheme import EXPRESSION_7

GROUPS = 10


@dataclass(frozen=True, slots=True)
class Grid:
    """What the search tries: costs, gammas, and the factors of both around the best of them."""

    costs: tuple[float, ...] = tuple(2.0**power for power in range(-5, 12, 2))
    gammas: tuple[float, ...] = tuple(2.0**power for power in range(-15, 2, 2))
    fine: tuple[float, ...] = tuple(2.0**power for power in (-1.0, -0.5, 0.0, 0.5, 1.0))


@dataclass(frozen=True, slots=True)
class Chosen:
    """Constants of the machine, and how many of the validation clips it names right with them, 0..1 (NaN without any)."""

    cost: float
    gamma: float
    accuracy: float


def grouped(posteriors: NDArray[np.floating], groups: int = GROUPS) -> NDArray[np.float32]:
    """Frames averaged in groups that follow each other in time and differ in size by one frame at most.

    Args:
        posteriors: (f, k); fewer frames than groups are first repeated, each about as often.
        groups: how many.

    Returns:
        (groups * k,) the groups one after the other; NaN where f is 0.

    Raises:
        InputError: posteriors are not (f, k).
    """
    if posteriors.ndim != 2:
        raise InputError(f"posteriors of frames must be (f, k), got {posteriors.shape}")
    frames, k = posteriors.shape
    if not frames:
        return np.full(groups * k, np.nan, np.float32)
    if frames < groups:
        posteriors = posteriors[np.arange(groups) * frames // groups]
    starts = np.arange(groups + 1) * len(posteriors) // groups
    sums = np.add.reduceat(posteriors.astype(np.float64), starts[:-1], axis=0)
    return np.asarray(sums / np.diff(starts)[:, None], np.float32).ravel()


def features_of(posteriors: Sequence[NDArray[np.floating]]) -> NDArray[np.float32]:
    """Features of n clips from the (f, 7) of each, (n, 70); NaN rows for clips without frames."""
    rows = [grouped(frames) for frames in posteriors]
    return np.stack(rows) if rows else np.zeros((0, GROUPS * len(EXPRESSION_7)), np.float32)


def search(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    train_rows: Rows,
    valid_rows: Rows,
    grid: Grid | None = None,
    seed: int = 0,
) -> Chosen:
    """Cost and gamma by the accuracy of the posteriors on the validation rows: a coarse grid, then a fine one around its best.

    Of equals the one that gives the truth the highest likelihood counts, since posteriors are what is combined later; a machine
    of tiny cost and gamma may vote as well, and yet say nearly the same of every clip. Without validation clips that have
    features, the cost is 1 and gamma 1 / d.

    Args:
        features: (n, d); rows with NaN are left out.
        labels: (n,) positions in EXPRESSION_7; only those of the rows given are looked at.
        train_rows: positions of the training clips.
        valid_rows: positions of the validation clips.
        grid: constants that are tried.
        seed: of the folds that the sigmoids are fitted on.

    Raises:
        InputError: fewer than two classes have training clips with features.
    """
    train, valid = described(train_rows, features), described(valid_rows, features)
    if (classes := len(np.unique(labels[train]))) < 2:
        raise InputError(f"{len(train)} training clips with a face, of {classes} class; expected two classes")
    if not len(valid):
        return Chosen(1.0, 1 / features.shape[1], float("nan"))

    def tried(cost: float, gamma: float) -> tuple[Chosen, float]:
        machine = machine_of(features, labels, train, Chosen(cost, gamma, float("nan")), seed)
        said = machine.posteriors(features[valid], len(EXPRESSION_7))
        likelihood = np.log(np.maximum(said[np.arange(len(valid)), labels[valid]], SMALLEST)).mean()
        return Chosen(cost, gamma, float((said.argmax(axis=1) == labels[valid]).mean())), float(likelihood)

    grid = grid or Grid()
    coarse = [tried(cost, gamma) for cost in grid.costs for gamma in grid.gammas]
    near, _ = max(coarse, key=_merit)
    fine = [tried(near.cost * c, near.gamma * g) for c in grid.fine for g in grid.fine]
    return max([*coarse, *fine], key=_merit)[0]


def machine_of(
    features: NDArray[np.float32], labels: NDArray[np.int64], rows: Rows, chosen: Chosen, seed: int = 0
) -> SupportVectors:
    """The machine fitted on some rows with constants that were chosen; arguments as of `search`.

    Raises:
        InputError: fewer than two classes have clips with features among the rows.
    """
    known = described(rows, features)
    return fit_svm(features[known], labels[known], cost=chosen.cost, gamma=chosen.gamma, seed=seed)


def _merit(tried: tuple[Chosen, float]) -> tuple[float, float]:
    chosen, likelihood = tried
    return chosen.accuracy, likelihood
