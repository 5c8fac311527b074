"""Combinations of models that were fitted three times, as a table: on Val alone, and on swapped predictions.

    Val: what models fitted on Train say of it ─────────▶ rule ─▶ Test: what models fitted on Train say
    Train and Val, swapped: what is said by strangers ──▶ rule ─▶ Test: what models fitted on both say

What stands for a part that a rule is fitted on is measured out of fold: each fifth of its clips (no speaker in two) by the rule
fitted on the rest. So rules can be compared, and one be chosen, on Val.

Source: Kahou et al. 2016, EmoNets, section 4; that combinations are judged out of fold is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.clips import Clips
from emotrace.fuse import mean_pool
from emotrace.learn import fusion
from emotrace.learn.answers import Answers
from emotrace.learn.clip_parts import FittedPart
from emotrace.learn.fusion import Rule
from emotrace.learn.labelled import Rows
from emotrace.learn.scoreboard import Row, row
from emotrace.learn.stopwatch import Stopwatch
from emotrace.learn.svm import folds_of

Fits = Literal["train", "both"]
LEARNT_FROM: dict[Fits, str] = {"train": "Val", "both": "swapped predictions"}


@dataclass(frozen=True, slots=True)
class Lessons:
    """What rules learn from.

    Args:
        fits: which fits of the models answer strangers.
        rows: positions of the clips that rules are fitted on.
        answers: of the models on these clips; `group` says which fold a clip is in.
        every: (m, n, k) what these fits say of all clips.
    """

    fits: Fits
    rows: Rows
    answers: Answers
    every: NDArray[np.float32]

    def title(self, rule: Rule) -> str:
        """Name of a rule that learns from these, as in tables: "average of all (Val)"."""
        return f"{rule.name} ({LEARNT_FROM[self.fits]})"


def lessons(parts: Sequence[FittedPart], clips: Clips, train: Rows, valid: Rows) -> list[Lessons]:
    """Both ways to learn to combine: from Val, and from swapped predictions of Train and Val."""
    swapped = np.stack([part.said.swapped(clips.split) for part in parts])
    on_train, on_both = (np.stack([getattr(part.said, fits) for part in parts]) for fits in ("train", "both"))
    both = np.sort(np.concatenate([train, valid]))
    return [
        Lessons("train", valid, _answers(parts, on_train[:, valid], clips, valid), on_train),
        Lessons("both", both, _answers(parts, swapped[:, both], clips, both), on_both),
    ]


def _answers(parts: Sequence[FittedPart], said: NDArray[np.float32], clips: Clips, rows: Rows) -> Answers:
    names, modality = tuple(part.part.name for part in parts), tuple(part.part.modality for part in parts)
    return Answers(names, modality, said, clips.label[rows], folds(clips.label[rows], clips.subject[rows]))


def folds(labels: NDArray[np.int64], subjects: NDArray[np.str_]) -> NDArray[np.str_]:
    """Up to five folds as groups, (n,) "0", "1", ...: no speaker in two where they are known, classes in balance."""
    known = subjects if (subjects != "").all() else None
    row = np.arange(len(labels)) if known is None else np.unique(known, return_inverse=True)[1]
    fold = row % 2   # where a class has a single clip
    for number, (_, left) in enumerate(folds_of(labels, known)):
        fold[left] = number
    return fold.astype(str).astype(np.str_)


def combined(lesson: Lessons, rules: Sequence[Rule], clips: Clips, seed: int, watch: Stopwatch) -> list[Row]:
    """A row for each rule: out of fold where it was fitted, by the rule fitted on all of it elsewhere.

    Raises:
        InputError: the clips to learn from cannot be split, as they are too few.
    """
    table = f"Combinations fitted on {LEARNT_FROM[lesson.fits]}"
    rows = []
    for rule in rules:
        name = lesson.title(rule)
        with watch.time(name):
            said = rule.fit(lesson.answers, np.random.default_rng(seed))(lesson.every)
        with watch.time(f"{name}, out of fold"):
            said[lesson.rows] = fusion.out_of_group(rule, lesson.answers, seed)
        rows.append(row(name, said, clips, table, watch.seconds(name)))
    return rows


def averages(lesson: Lessons, clips: Clips) -> list[Row]:
    """A row for the average of each subset of two and more models; nothing is fitted."""
    models = lesson.answers.models
    sets = [some for size in range(2, len(models) + 1) for some in combinations(range(len(models)), size)]
    table = "Averages of subsets, models fitted on Train"
    names = [f"average of {', '.join(models[i] for i in some)}" for some in sets]
    said = [mean_pool(lesson.every[list(some)], np.ones(len(some))) for some in sets]
    return [row(name, posteriors, clips, table) for name, posteriors in zip(names, said, strict=True)]


def singles(parts: Sequence[FittedPart], clips: Clips, watch: Stopwatch) -> list[Row]:
    """Two rows for each model: fitted on Train, and fitted on Train and Val, where Test alone is counted."""
    rows = []
    for part in parts:
        seconds = watch.seconds(f"{part.part.name}, features", f"{part.part.name}, fits")
        rows.append(row(part.part.name, part.said.train, clips, "Single models, fitted on Train", seconds))
    for part in parts:
        name = f"{part.part.name} (Train and Val)"
        rows.append(row(name, part.said.both, clips, "Single models, fitted on Train and Val", splits=("Test",)))
    return rows
