"""Spoken: of an analysis, when somebody speaks and who, and for which part of the clock each window stands.

    sound.parquet ─stretches─▶ from when to when somebody speaks ─┐
    voice.parquet ─cells─────▶ windows without their overlaps ────┴─turns─▶ from when to when who speaks

Windows overlap; what is drawn or exported needs one answer a moment, so each stands for its middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emotrace.analysis import Analysis, changed
from emotrace.columns import EMOTIONS, SOUND, SYSTEMS, VOICE, TableName
from emotrace.frames import lasts
from emotrace.hearing import MIN_SPEECH, WINDOW
from emotrace.voice.activity import segments
from emotrace.voice.speaker import often_enough

if TYPE_CHECKING:
    import pyarrow as pa

NOBODY = -1   # the speaker is not in the pictures
SILENT = -2   # nobody speaks
SINCE = 2     # schema from which on there are the tables of what was heard
ALWAYS = {"sound": SOUND, "voice": VOICE, "emotions": EMOTIONS, "systems": SYSTEMS}   # columns that these tables have


@dataclass(frozen=True, slots=True)
class Turn:
    """From `start` to `end` (s) a person speaks: index into the people of the analysis, or NOBODY."""

    start: float
    end: float
    person: int


@dataclass(frozen=True, slots=True)
class Spoken:
    """The tables `sound` and `voice` of a file with sound.

    Args:
        time: (m,) float64 s, first moment of each stretch of 32 ms.
        level: (m,) float32 dB, NaN where there is no sound.
        peak: (m,) float32.
        speech: (m,) float32 probability.
        voice: n rows of voice.parquet.
        speaker: (n,) int64 index of the person who speaks in each, NOBODY or SILENT.
    """

    time: NDArray[np.float64]
    level: NDArray[np.float32]
    peak: NDArray[np.float32]
    speech: NDArray[np.float32]
    voice: pa.Table
    speaker: NDArray[np.int64]

    @classmethod
    def of(cls, analysis: Analysis) -> Spoken | None:
        """Read the tables; None where the file has no sound, or was analysed before sound was."""
        sound = table_of(analysis, "sound")
        if sound is None or not np.isfinite(sound["level"].to_numpy()).any():
            return None
        voice = _whole(analysis, "voice")
        who = people_of(analysis, voice["speaker"].to_pylist())
        speaker = np.where(voice["speech"].to_numpy() >= MIN_SPEECH, who, SILENT)   # in less, nobody is looked for
        time, level, peak, speech = (sound[name].to_numpy() for name in ("time", "level", "peak", "speech"))
        return cls(time, level, peak, speech, voice, speaker)

    @property
    def step(self) -> float:
        """Time from one row of sound to the next, s."""
        return float(np.median(np.diff(self.time))) if len(self.time) > 1 else 0.0

    @property
    def span(self) -> tuple[float, float]:
        """First and last moment of the sound, s."""
        there = self.time[np.isfinite(self.level)]
        return float(there[0]), float(there[-1]) + self.step

    def stretches(self, gap: float = 0.0) -> NDArray[np.float64]:
        """(k, 2) s from when to when somebody speaks; gaps of at most `gap` s are closed."""
        if self.step == 0:
            return np.zeros((0, 2))
        found = segments(self.speech, self.step) + self.time[0]
        parted = found[1:, 0] - found[:-1, 1] > gap
        first, last = np.append(True, parted)[: len(found)], np.append(parted, True)[: len(found)]
        return np.stack([found[first, 0], found[last, 1]], axis=1)

    def turns(self) -> list[Turn]:
        """The stretches of speech, each part given to the speaker of its window."""
        start, end = (np.asarray(self.voice[name].to_numpy(), np.float64) for name in ("start", "end"))
        return turns(self.stretches(), cells(start, end), self.speaker)


def table_of(analysis: Analysis, name: TableName) -> pa.Table | None:
    """A table of a finished analysis; None where it has no rows, the folder is older than the table, or no system was asked.

    Raises:
        FolderError: it is missing, or was changed.
    """
    if analysis.provenance["schema"] < SINCE or (name == "systems" and not analysis.provenance.get("systems")):
        return None
    table = _whole(analysis, name)
    return table if len(table) else None


def _whole(analysis: Analysis, name: TableName) -> pa.Table:
    """A table with all columns that it has whatever is measured."""
    table = analysis.table(name)
    if missing := [column.name for column in ALWAYS[name] if column.name not in table.column_names]:
        raise changed(analysis.folder, name, f"it has no column {missing[0]}")
    return table


def speakers_sought(analysis: Analysis) -> bool:
    """False where too few pictures a second were analysed to see who speaks: a voice is then somebody's, visible or not."""
    video = analysis.video
    rate: float | None = analysis.provenance["settings"].get("rate")
    return not video.get("has_pictures", True) or often_enough(rate, video.get("rate"), WINDOW)


def holds_there(analysis: Analysis, emotions: pa.Table) -> NDArray[np.bool_]:
    """Which rows of the table `emotions` say something of the part of the clock that their window stands for.

    Those of who speaks do, and those of a person whose face is in the picture in that part; the others rest on the window's
    margins, where the person comes or goes.

    Returns:
        (rows,).
    """
    voice = table_of(analysis, "voice")
    whole = windows(emotions, voice)
    cell = cells(whole[:, 0], whole[:, 1])[np.searchsorted(whole[:, 0], emotions["start"].to_numpy())]
    frames, faces = analysis.table("frames", ["time", "analysed"]), analysis.table("faces", ["time", "person"])
    every = frames["time"].to_numpy()
    shown, time = every[frames["analysed"].to_numpy()], faces["time"].to_numpy()
    end = time + lasts(shown, every)[analysis.frames_of(time, shown)]
    face, who = (people_of(analysis, table["person"].to_pylist()) for table in (faces, emotions))
    found = (who == NOBODY) | emotions["speaking"].to_numpy()
    for k in range(len(analysis.people)):
        own, theirs = np.flatnonzero(who == k), face == k
        found[own] |= np.searchsorted(time[theirs], cell[own, 1]) > np.searchsorted(end[theirs], cell[own, 0], "right")
    return np.asarray(found, np.bool_)


def people_of(analysis: Analysis, names: list[str | None]) -> NDArray[np.int64]:
    """Index of each named person; NOBODY where the name is missing."""
    number = {person.name: k for k, person in enumerate(analysis.people)}
    return np.array([NOBODY if name is None else number.get(name, NOBODY) for name in names], np.int64)


def windows(*tables: pa.Table | None) -> NDArray[np.float64]:
    """Starts and ends (n, 2) in s of all windows of tables with `start` and `end`, each once, in order."""
    edges = [np.stack([table["start"].to_numpy(), table["end"].to_numpy()], axis=1) for table in tables if table is not None]
    return np.unique(np.concatenate([np.zeros((0, 2)), *edges]), axis=0)


def cells(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """For which part of the clock each window stands: up to the middle of what it shares with its neighbours.

    Args:
        start: (n,) s, increasing.
        end: (n,) s, increasing.

    Returns:
        (n, 2) s; they do not overlap.
    """
    shared = start[1:] < end[:-1]
    middle = (start[1:] + end[:-1]) / 2
    left, right = start.astype(np.float64), end.astype(np.float64)
    left[1:][shared], right[:-1][shared] = middle[shared], middle[shared]
    return np.stack([left, right], axis=1)


def turns(speech: NDArray[np.float64], cell: NDArray[np.float64], speaker: NDArray[np.int64]) -> list[Turn]:
    """From when to when who speaks.

    Args:
        speech: (k, 2) s, increasing, without overlap.
        cell: (n, 2) s of windows, increasing, without overlap.
        speaker: (n,) person, NOBODY or SILENT; speech in a SILENT window, or in none, is in no turn.
    """
    edges = np.unique(np.concatenate([speech.ravel(), cell.ravel()]))
    middle = (edges[1:] + edges[:-1]) / 2
    spoken, window = _holding(speech, middle), _holding(cell, middle)
    who = np.where((spoken >= 0) & (window >= 0), np.append(speaker, SILENT)[window], SILENT)
    changes = who[1:] != who[:-1]
    first, last = np.append(True, changes)[: len(who)], np.append(changes, True)[: len(who)]
    parts = zip(edges[:-1][first].tolist(), edges[1:][last].tolist(), who[first].tolist(), strict=True)
    return [Turn(start, end, person) for start, end, person in parts if person != SILENT]


def _holding(spans: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.int64]:
    """Which of the spans (k, 2) holds each moment, -1 where none."""
    found = np.searchsorted(spans[:, 0], at, side="right") - 1
    return np.where((found >= 0) & (at < np.append(spans[:, 1], -np.inf)[found]), found, -1)
