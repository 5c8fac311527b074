"""How the parts of a system for clips do, as a table: what `fit` of a recipe gives and what its run's folder keeps.

    posteriors (n, 7) of all clips ─row─▶ Row: accuracy and recall of each split, seconds, the published figure beside them
    rows ─▶ Scoreboard ─write─▶ FOLDER/scores.json, scores.md, confusion/<row>-<split>.svg

A clip of which a model says nothing (a row of NaN) counts as wrong. Which row is the system's answer is chosen on Val; Test
is only reported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.afew import SPLITS
from emotrace.corpora.clips import Clips
from emotrace.errors import InputError
from emotrace.learn.answers import Judged, judge
from emotrace.learn.facts import SCORES
from emotrace.learn.labelled import labelled
from emotrace.learn.log import Say
from emotrace.learn.metrics import confusion
from emotrace.learn.plots import confusion_svg
from emotrace.scheme import EXPRESSION_7

CLASSES = len(EXPRESSION_7)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table.

    Args:
        name: "ConvNet on face tubes"; no two rows of a scoreboard share it.
        table: title of the table it belongs to, "Single models".
        scores: split -> accuracy, unweighted recall and share of clips answered; only splits that have labelled clips.
        confusion: split -> (7, 7) counts, rows = truth, columns = answer, of the clips that got an answer.
        seconds: that fitting it took, what others were fitted before left out; NaN where it was not measured.
        published: split -> accuracy on AFEW in the paper, 0..1; empty where it gives none.
    """

    name: str
    table: str
    scores: Mapping[str, Judged]
    confusion: Mapping[str, NDArray[np.int64]]
    seconds: float = float("nan")
    published: Mapping[str, float] = field(default_factory=dict)


def row(
    name: str,
    posteriors: NDArray[np.float32],
    clips: Clips,
    table: str = "",
    seconds: float = float("nan"),
    splits: Collection[str] = SPLITS,
) -> Row:
    """A line from what a model says of every clip.

    Args:
        name: of the line.
        posteriors: (n, 7) in the order of EXPRESSION_7; NaN rows where it says nothing.
        clips: n clips; those without a label, or with contempt, are left out.
        table: title of its table.
        seconds: that fitting took.
        splits: parts to be counted; those that a model was fitted on can be left out.

    Raises:
        InputError: the shapes do not agree.
    """
    if posteriors.shape != (len(clips), CLASSES):
        raise InputError(f"{name}: posteriors are {posteriors.shape}; expected ({len(clips)}, {CLASSES}), a row for each clip")
    parts = {split: labelled(clips, split) for split in SPLITS if split in splits}
    there = {split: rows for split, rows in parts.items() if len(rows)}
    scores = {split: judge(posteriors[rows], clips.label[rows]) for split, rows in there.items()}
    counts = {split: _counts(posteriors[rows], clips.label[rows]) for split, rows in there.items()}
    return Row(name, table, scores, counts, seconds)


def _counts(posteriors: NDArray[np.float32], truth: NDArray[np.int64]) -> NDArray[np.int64]:
    answered = ~np.isnan(posteriors).any(axis=1)
    return confusion(posteriors[answered].argmax(axis=1), truth[answered], CLASSES)


@dataclass(frozen=True, slots=True)
class Scoreboard:
    """The tables of a system.

    Args:
        system: "EmoNets".
        rows: in the order to be shown; those of a table one after the other.
        chosen: name of the row that is the system's answer; taken by its score on Val, never on Test.
        notes: sentences below the tables.

    Raises:
        InputError: two rows share a name, or none has the name that was chosen.
    """

    system: str
    rows: tuple[Row, ...]
    chosen: str
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        names = [line.name for line in self.rows]
        if twice := [name for name in names if names.count(name) > 1]:
            raise InputError(f"{self.system}: two rows are named {twice[0]!r}; give each its own name")
        if self.chosen not in names:
            raise InputError(f"{self.system}: no row is named {self.chosen!r}; there are: {', '.join(names) or 'none'}")

    def __getitem__(self, name: str) -> Row:
        """The row of a name.

        Raises:
            KeyError: there is none.
        """
        found = {line.name: line for line in self.rows}
        return found[name]

    @property
    def summary(self) -> str:
        """One line: what was chosen, and how it does."""
        scores = self[self.chosen].scores
        parts = [f"{split} accuracy {scores[split].accuracy:.4f} uar {scores[split].uar:.4f}" for split in scores]
        return f"{self.system}, {self.chosen}: {'; '.join(parts)}"

    def markdown(self) -> str:
        """The tables as Markdown; the chosen row is bold."""
        lines: list[str] = []
        for title in dict.fromkeys(line.table for line in self.rows):
            own = [line for line in self.rows if line.table == title]
            lines += [*([f"## {title}", ""] if title else []), *_table(own, self.chosen), ""]
        return "\n".join([*lines, *(f"{note}\n" for note in self.notes)])

    def content(self) -> dict[str, object]:
        """The same as plain values, for JSON; what was not measured is null."""
        rows = [
            {
                "name": line.name,
                "table": line.table,
                "chosen": line.name == self.chosen,
                "scores": {
                    split: {"accuracy": judged.accuracy, "uar": judged.uar, "answered": judged.answered,
                            "confusion": line.confusion[split].tolist()}
                    for split, judged in line.scores.items()
                },
                "seconds": None if np.isnan(line.seconds) else line.seconds,
                "published": dict(line.published),
            }
            for line in self.rows
        ]  # fmt: skip
        return {"system": self.system, "labels": EXPRESSION_7.labels, "chosen": self.chosen, "rows": rows, "notes": self.notes}

    def write(self, folder: Path, pictured: Collection[str] = ()) -> list[Path]:
        """Write scores.md, confusion matrices as SVG, and scores.json last, with which the run is whole; the files written.

        Args:
            folder: of the run.
            pictured: names of rows whose confusion matrices of Val and Test are drawn, beside the chosen one.

        Raises:
            InputError: a file cannot be written.
        """
        files = {folder / "scores.md": self.markdown()}
        for line in self.rows:
            if line.name == self.chosen or line.name in pictured:
                for split in line.scores.keys() & {"Val", "Test"}:
                    file = folder / "confusion" / f"{slug(line.name)}-{split}.svg"
                    files[file] = confusion_svg(line.confusion[split], EXPRESSION_7.labels)
        files[folder / SCORES] = json.dumps(self.content(), indent=1)
        for file, text in files.items():
            draft = file.with_name("." + file.name)
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                draft.write_text(text, encoding="utf-8")
                draft.replace(file)
            except OSError as error:
                raise InputError(f"{file}: cannot be written ({error.strerror}); give another folder") from error
        return list(files)


def begin(folder: Path, clips: Clips, report: Say) -> tuple[str, ...]:
    """Take away what says that the run in a folder is whole, before anything is fitted anew, and say which clips are damaged.

    Returns:
        What was said, for the notes below the tables.
    """
    (folder / SCORES).unlink(missing_ok=True)
    damage = clips.damage()
    for line in damage:
        report(line)
    return damage


def best(rows: Collection[Row], split: str = "Val") -> str:
    """Name of the row with the highest accuracy on a split, the first of equals.

    Raises:
        InputError: no row was measured on it.
    """
    measured = [line for line in rows if split in line.scores]
    if not measured:
        raise InputError(f"no row was measured on {split}; a corpus with labelled clips in {split} is needed")
    return max(measured, key=lambda line: line.scores[split].accuracy).name


def published(rows: Iterable[Row], figures: Mapping[str, Mapping[str, float]]) -> list[Row]:
    """The rows with the paper's accuracy on AFEW beside them: name of a row -> split -> 0..1."""
    return [replace(line, published=figures.get(line.name, {})) for line in rows]


def beside_best(singles: Collection[Row], answer: Row) -> str:
    """A sentence on what a system is worth: its answer beside the single model that Val would choose, both on Test.

    Raises:
        InputError: no single model was measured on Val.
    """
    alone = next(line for line in singles if line.name == best(singles))
    if "Test" not in alone.scores or "Test" not in answer.scores:
        return f"The best single model on Val is {alone.name}."
    parts = [f"{100 * line.scores['Test'].accuracy:.1f} %" for line in (alone, answer)]
    return f"The best single model on Val, {alone.name}, names {parts[0]} of Test, the system's answer {parts[1]}."


def silent(rows: Collection[Row]) -> tuple[str, ...]:
    """A sentence that names the models that say nothing of any clip, as of silent films; none where there are none."""
    names = [line.name for line in rows if not any(judged.answered for judged in line.scores.values())]
    return (f"Left out, as there was nothing to learn from: {', '.join(names)}.",) if names else ()


def slug(name: str) -> str:
    """A name as part of a file's: "SVM, C = 1" -> "svm-c-1"."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _table(rows: list[Row], chosen: str) -> list[str]:
    """One table in Markdown: a column of each split that is measured, seconds, and what is published where anything is.

    Where some clips got no answer there is a column with the shares that got one.
    """
    ours = [split for split in SPLITS if any(split in line.scores for line in rows)]
    theirs = [split for split in SPLITS if any(split in line.published for line in rows)]
    timed = any(not np.isnan(line.seconds) for line in rows)
    measured, given = [f"{split} accuracy (UAR)" for split in ours], [f"AFEW {split}" for split in theirs]
    partly = any(judged.answered < 1 for line in rows for judged in line.scores.values())
    head = ["", *measured, *([f"answered, {', '.join(ours)}"] if partly else []), *(["s"] if timed else []), *given]
    lines = [_line(head), _line(["---"] * len(head))]
    for line in rows:
        name = f"**{line.name}** (chosen)" if line.name == chosen else line.name
        scores = [_percent(line.scores[split]) if split in line.scores else "" for split in ours]
        shares = ", ".join(f"{100 * line.scores[split].answered:.1f} %" if split in line.scores else "–" for split in ours)
        seconds = [] if not timed else ["" if np.isnan(line.seconds) else f"{line.seconds:.0f}"]
        published = [f"{100 * line.published[split]:.2f} %" if split in line.published else "" for split in theirs]
        lines.append(_line([name, *scores, *([shares] if partly else []), *seconds, *published]))
    return lines


def _percent(judged: Judged) -> str:
    return f"{100 * judged.accuracy:.1f} % ({100 * judged.uar:.1f} %)" if judged.answered else "–"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
