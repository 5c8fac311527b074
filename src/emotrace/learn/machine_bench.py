"""Linear machines fitted on features of clips, each timed, and kept by the name of its row in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.clips import Clips
from emotrace.learn.aggregation import Normalisation
from emotrace.learn.labelled import described, labelled
from emotrace.learn.linear_machine import LinearMachine, fit_machine
from emotrace.learn.scoreboard import Row, row
from emotrace.learn.stopwatch import Stopwatch
from emotrace.scheme import EXPRESSION_7

CLASSES = len(EXPRESSION_7)
LARGER_COSTS = (1e-2, 1e-1, 1.0, 10.0, 100.0)  # tried, too, where features are not standardised, and so are small


@dataclass(frozen=True, slots=True)
class Bench:
    """What machines are fitted with.

    Args:
        clips: n clips, of all parts.
        watch: times the fits.
        costs: values of C that are tried.
        folds: of their choice.
        sigmoid_folds: of the probabilities.
        seed: of all chance.
        machines: what was fitted, by the name of its row.
    """

    clips: Clips
    watch: Stopwatch
    costs: Sequence[float]
    folds: int
    sigmoid_folds: int
    seed: int
    machines: dict[str, LinearMachine] = field(default_factory=dict)

    def said(
        self, name: str, features: NDArray[np.float32], how: Normalisation | None = None, parts: Sequence[str] = ("Train",)
    ) -> NDArray[np.float32]:
        """Fit a machine on the clips of some parts; what it says of all, (n, 7), NaN where the features (n, d) are.

        Where those clips have features of fewer than two classes, as without a face or a voice, it says nothing of any.
        """
        rows = described(labelled(self.clips, *parts), features)
        if len(np.unique(self.clips.label[rows])) < 2:
            return np.full((len(self.clips), CLASSES), np.nan, np.float32)
        costs = self.costs if how is None or how.standardise else (*self.costs, *LARGER_COSTS)
        with self.watch.time(name):
            self.machines[name] = fit_machine(
                features[rows], self.clips.label[rows], self.clips.subject[rows], how=how, costs=costs,
                folds=self.folds, sigmoid_folds=self.sigmoid_folds, seed=self.seed,
            )  # fmt: skip
        return self.machines[name].probabilities(features, CLASSES)

    def row(self, name: str, posteriors: NDArray[np.float32], table: str, *parts: str) -> Row:
        """A line of a table, with the seconds of the parts that it took: its own where none is named."""
        return row(name, posteriors, self.clips, table, self.watch.seconds(*(parts or (name,))))
