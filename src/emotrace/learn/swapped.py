"""Swapped predictions: what models say of clips that they were not fitted on, for all clips of Train and Val.

    fitted on Train ─▶ says of Val   ┐
    fitted on Val   ─▶ says of Train ┴▶ side by side: what a combination learns from       fitted on both ─▶ says of Test

A model has seen its training clips and is right about them far more often than about others. A combination that learns from
what models say of their own training clips trusts those that have learnt them by heart; from swapped predictions it learns
how far each is to be trusted on strangers, from twice as many clips as Val alone has.

Source: Kahou et al. 2016, EmoNets, section 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotrace.errors import InputError
from emotrace.learn.labelled import Rows

Fit = Callable[[Rows, Rows], NDArray[np.float32]]  # rows to fit on, rows to choose constants on -> posteriors (n, k) of all


@dataclass(frozen=True, slots=True)
class ThreeFits:
    """Posteriors (n, k) of all clips by one kind of model, fitted three times.

    Args:
        train: fitted on Train, constants chosen on Val.
        val: fitted on Val, constants chosen on Train.
        both: fitted on Train and Val.

    Raises:
        InputError: they differ in shape.
    """

    train: NDArray[np.float32]
    val: NDArray[np.float32]
    both: NDArray[np.float32]

    def __post_init__(self) -> None:
        if not self.train.shape == self.val.shape == self.both.shape:
            shapes = f"{self.train.shape}, {self.val.shape} and {self.both.shape}"
            raise InputError(f"posteriors are {shapes}; expected the same three times")

    def swapped(self, split: NDArray[np.str_]) -> NDArray[np.float32]:
        """What is said of each clip by the fit that has not seen it, (n, k).

        Args:
            split: (n,) "Train", "Val"; the clips of any other part are those of the fit on both.
        """
        train, val = (split == "Train")[:, None], (split == "Val")[:, None]
        return np.where(train, self.val, np.where(val, self.train, self.both))


def three_fits(train_rows: Rows, valid_rows: Rows, fit: Fit, refit: Callable[[Rows], NDArray[np.float32]]) -> ThreeFits:
    """Fit a model on Train, on Val, and on both.

    Args:
        train_rows: positions of Train's clips.
        valid_rows: positions of Val's clips.
        fit: fits on the first rows with constants chosen on the second.
        refit: fits on rows with the constants that the first fit, on Train, has chosen.

    Raises:
        InputError: a clip is in both parts.
    """
    if len(shared := np.intersect1d(train_rows, valid_rows)):
        raise InputError(f"{len(shared)} clips are in Train and in Val, row {shared[0]} is the first; each belongs to one part")
    on_train = fit(train_rows, valid_rows)
    return ThreeFits(on_train, fit(valid_rows, train_rows), refit(np.concatenate([train_rows, valid_rows])))
