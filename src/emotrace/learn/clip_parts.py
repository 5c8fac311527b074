"""One model of a system for clips, in the steps that can be kept, used on other clips, and fitted on other rows.

    clips ─learn, without labels─▶ arrays ─features─▶ one array a clip ─fit, on rows─▶ arrays ─answer─▶ posteriors (n, 7)

All that is learnt are plain arrays (learn/arrays.py), so that one way of keeping (`Kept`) serves every model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.clips import Clips
from emotrace.errors import FolderError, InputError
from emotrace.learn.arrays import Arrays
from emotrace.learn.kept import Kept
from emotrace.learn.labelled import Rows
from emotrace.learn.stopwatch import Stopwatch
from emotrace.learn.swapped import ThreeFits, three_fits

Features = Sequence[NDArray[np.float32]]


class Part(Protocol):
    """A model of one modality."""

    @property
    def name(self) -> str:
        """As in tables."""

    @property
    def modality(self) -> str:
        """ "face", "voice" or "scene"."""

    @property
    def settings(self) -> object:
        """All that its results depend on beside the clips; told apart by `repr`."""

    def learn(self, clips: Clips, train: Rows, valid: Rows) -> Arrays:
        """What describes clips, learnt without their labels from the training rows.

        Raises:
            InputError: they have nothing to learn from, as sound.
        """

    def features(self, learnt: Arrays, clips: Clips) -> Features:
        """One array a clip; empty, or NaN, for a clip that has nothing to describe."""

    def blank(self, learnt: Arrays) -> Features:
        """Features as wide as those of any clip, of one that is black and silent."""

    def fit(self, learnt: Arrays, features: Features, labels: NDArray[np.int64], rows: Rows, valid: Rows) -> Arrays:
        """A classifier and its constants, fitted on rows, constants chosen on other rows.

        Raises:
            InputError: the rows that can be described are of fewer than two classes.
        """

    def refit(self, learnt: Arrays, features: Features, labels: NDArray[np.int64], rows: Rows, fitted: Arrays) -> Arrays:
        """A classifier fitted on rows with the constants of one that was fitted before; errors as of `fit`."""

    def answer(self, learnt: Arrays, fitted: Arrays, features: Features) -> NDArray[np.float32]:
        """Posteriors (n, 7) in the order of EXPRESSION_7; NaN for a clip that cannot be described."""


@dataclass(frozen=True, slots=True)
class FittedPart:
    """A model that was fitted three times.

    Args:
        part: the model.
        learnt: without labels.
        fitted: "train", "val" and "both" -> classifier fitted there.
        said: of all clips.
    """

    part: Part
    learnt: Arrays
    fitted: dict[str, Arrays]
    said: ThreeFits


def fit_part(part: Part, clips: Clips, train: Rows, valid: Rows, kept: Kept, watch: Stopwatch) -> FittedPart:
    """Learn and fit a model on Train, on Val and on both, or go on with what was kept.

    Args:
        part: the model.
        clips: corpus.
        train: positions of the labelled clips of Train.
        valid: positions of those of Val.
        kept: of the run.
        watch: times `part.name, features` and `part.name, fits`.

    Raises:
        InputError: there is nothing to learn from.
    """
    with watch.time(f"{part.name}, features"):
        learnt = kept.arrays(f"{part.name} learnt", part.settings, lambda: part.learn(clips, train, valid))
        features = part.features(learnt, clips)
    fitted: dict[str, Arrays] = {}

    def fit(rows: Rows, chosen_on: Rows) -> NDArray[np.float32]:
        where = "val" if fitted else "train"
        name = f"{part.name} on {where}"
        fitted[where] = kept.arrays(name, part.settings, lambda: part.fit(learnt, features, clips.label, rows, chosen_on))
        return part.answer(learnt, fitted[where], features)

    def refit(rows: Rows) -> NDArray[np.float32]:
        name = f"{part.name} on both"
        fitted["both"] = kept.arrays(
            name, part.settings, lambda: part.refit(learnt, features, clips.label, rows, fitted["train"])
        )
        return part.answer(learnt, fitted["both"], features)

    with watch.time(f"{part.name}, fits"):
        return FittedPart(part, learnt, fitted, three_fits(train, valid, fit, refit))


def fit_parts(
    models: Sequence[Part], clips: Clips, train: Rows, valid: Rows, kept: Kept, watch: Stopwatch
) -> tuple[list[FittedPart], list[str]]:
    """Every model that finds something to learn from, and a sentence for each that does not, as where clips have no sound.

    Raises:
        InputError: none does.
        FolderError: what was kept is damaged, or of another run; that is no reason to leave a model out.
    """
    fitted, notes = [], []
    for part in models:
        try:
            fitted.append(fit_part(part, clips, train, valid, kept, watch))
        except FolderError:
            raise
        except InputError as error:
            notes.append(f"Left out: {part.name} ({error}).")
    if not fitted:
        raise InputError(" ".join(notes))
    return fitted, notes
