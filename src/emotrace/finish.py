"""Finishing: from the parts of an analysis to its tables, people, thumbnails and report, with bounded memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from emotrace import audiovisual, columns, parquet
from emotrace.face.identity import unit
from emotrace.frames import lasts
from emotrace.hearing import WINDOW
from emotrace.people import NO_PORTRAIT, Appearances, Grouping, Portraits, group, person_name
from emotrace.scheme import EXPRESSION_7, QUALITY, VALENCE_AROUSAL
from emotrace.settings import Settings
from emotrace.store import Store

AVERAGED = (*EXPRESSION_7.columns, *VALENCE_AROUSAL.columns)


class Averages:
    """What people.parquet reports of each person over time, added up part by part; no frame lies in two parts.

    Args:
        people: how many there are.
        least: quality from which a face counts as measured.
    """

    def __init__(self, people: int, least: float) -> None:
        self.least = least
        self.frames, self.measured = np.zeros(people, np.int64), np.zeros(people, np.int64)
        shape = (people, len(AVERAGED))
        self.total, self.seconds = np.zeros(shape), np.zeros(shape)   # of values times s, and of s in which there is a value

    def add(self, person: NDArray[np.int64], faces: pa.Table, lasts: NDArray[np.float64]) -> None:
        """Take in the faces of a part: whose each is, -1 nobody's, and for how long (s, above 0) its frame is shown."""
        known = person >= 0
        own, frame = person[known], faces["frame"].to_numpy()[known]
        self.frames += self._frames(own, frame)
        good = measured(faces, self.least)[known]
        self.measured += self._frames(own[good], frame[good])
        names = set(faces.column_names)
        for k, column in enumerate(AVERAGED):
            if column not in names:
                continue
            values = faces[column].to_numpy()[known].astype(np.float64)
            finite = np.isfinite(values)
            who, weight = own[finite], lasts[known][finite]
            self.total[:, k] += np.bincount(who, values[finite] * weight, minlength=len(self.frames))
            self.seconds[:, k] += np.bincount(who, weight, minlength=len(self.frames))

    def mean(self, person: int, column: str) -> float:
        """Mean of a column over the time in which it was measured of a person."""
        k = AVERAGED.index(column)
        return float(self.total[person, k] / self.seconds[person, k]) if self.seconds[person, k] else math.nan

    def _frames(self, person: NDArray[np.int64], frame: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many frames each person is in, who may be in one of them twice."""
        seen = np.unique(np.stack([person, frame]), axis=1)[0]
        return np.bincount(seen, minlength=len(self.frames))


def finish(store: Store, settings: Settings) -> Grouping:
    """Write all tables and the thumbnails from the parts.

    Returns:
        Who is who.
    """
    rows, every = _analysed(store)
    seen = _appearances(store, rows, every)
    portraits = _portraits(store)
    people = group(seen, portraits, settings)
    store.write_table("frames", columns.schema(columns.FRAMES), store.read("frames"))
    schema = columns.schema(columns.faces(settings.components, settings.mesh))
    averages = Averages(people.people, settings.min_quality)
    store.write_table("faces", schema, _named(store, people, averages, rows))
    store.write_table("tracks", columns.schema(columns.TRACKS), iter([_tracks(people)]))
    thumbnails = _thumbnails(store, people, portraits)
    store.write_table("people", columns.schema(columns.PEOPLE), iter([_people(people, portraits, averages, thumbnails)]))
    audiovisual.write(store, settings, rows, people.people)
    return people


def _analysed(store: Store) -> tuple[audiovisual.FaceRows, NDArray[np.float64]]:
    """The analysed frames, to which faces can be added, and the times of all frames, s."""
    frames = _whole(store, "frames", ["frame", "time", "analysed", "shot"], columns.FRAMES)
    chosen = frames["analysed"].to_numpy()
    number, time, shot = (frames[key].to_numpy()[chosen] for key in ("frame", "time", "shot"))
    every = frames["time"].to_numpy()
    return audiovisual.FaceRows(shot, number, time, lasts(time, every, WINDOW)), every


def _appearances(store: Store, frames: audiovisual.FaceRows, every: NDArray[np.float64]) -> Appearances:
    corners = ["x1", "y1", "x2", "y2"]
    faces = _whole(store, "faces", ["frame", "time", "track", *corners], columns.FACES)
    shown = lasts(frames.time, every)
    row = frames.rows(faces)
    frame, time, track = (faces[name].to_numpy() for name in ("frame", "time", "track"))
    box = np.column_stack([faces[name].to_numpy() for name in corners])
    return Appearances(frame, time, track, frames.shot[row], shown[row], box)


def _portraits(store: Store) -> Portraits:
    parts = list(store.read("portraits", ["track", "quality", "age", "female", "embedding"]))
    if not parts:
        nothing = np.zeros(0, np.float32)
        return Portraits(np.zeros(0, np.int64), nothing, np.zeros((0, 128), np.float32), nothing, nothing)
    table = pa.concat_tables(parts).combine_chunks()
    embedding = np.asarray(pa.chunked_array(table["embedding"]).combine_chunks().flatten()).reshape(-1, 128)
    values = [table[key].to_numpy() for key in ("track", "quality", "age", "female")]
    return Portraits(values[0], values[1], embedding, values[2], values[3])


def _whole(store: Store, table: str, only: list[str], known: tuple[columns.Column, ...]) -> pa.Table:
    return parquet.joined(columns.schema([column for column in known if column.name in only]), store.read(table, only))


def measured(faces: pa.Table, least: float) -> NDArray[np.bool_]:
    """Which faces were good enough to be measured; all where quality was not looked at."""
    quality = QUALITY.columns[0]
    if quality not in faces.column_names:
        return np.ones(len(faces), np.bool_)
    return np.asarray(faces[quality].to_numpy() >= least, np.bool_)


def _named(store: Store, people: Grouping, averages: Averages, rows: audiovisual.FaceRows) -> Iterator[pa.Table]:
    """The parts of faces with the person's name put in; adds up averages and collects rows on the way."""
    for part in store.read("faces"):
        tracks = part["track"].to_numpy()
        person = people.of(tracks)
        averages.add(person, part, rows.lasts[rows.rows(part)])
        rows.add(person, part, measured(part, averages.least))
        names = pa.array(people.names(tracks), pa.string())
        yield part.set_column(part.column_names.index("person"), "person", names)


def _tracks(people: Grouping) -> pa.Table:
    rows = [
        {
            "track": fact.track, "person": person_name(int(k)), "why": "" if k >= 0 else NO_PORTRAIT, "shot": fact.shot,
            "first": fact.first, "last": fact.last, "frames": fact.frames, "portraits": fact.portraits,
        }
        for fact, k in zip(people.facts, people.person, strict=True)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, columns.schema(columns.TRACKS))


def _thumbnails(store: Store, people: Grouping, portraits: Portraits) -> list[str]:
    """Write the picture of each person's best portrait; names relative to the folder, "" where there is none."""
    person = people.of(portraits.track)
    quality = np.where(np.arange(people.people)[:, None] == person, portraits.quality, -np.inf)   # (people, portraits)
    best = enumerate(quality.argmax(axis=1)) if len(person) else ()
    wanted = {int(row): k for k, row in best if np.isfinite(quality[k, row])}
    names = [""] * people.people
    row = 0
    for part in store.read("portraits", ["picture"]):
        for picture in part["picture"]:
            if row in wanted:
                names[wanted[row]] = f"thumbnails/{person_name(wanted[row])}.jpg"
                store.write_bytes(names[wanted[row]], picture.as_py())
            row += 1
    return names


def _people(people: Grouping, portraits: Portraits, averages: Averages, thumbnails: list[str]) -> pa.Table:
    rows = [_person(k, people, portraits, averages, thumbnails[k]) for k in range(people.people)]
    return pa.Table.from_pylist(rows, columns.schema(columns.PEOPLE))


def _person(k: int, people: Grouping, portraits: Portraits, averages: Averages, thumbnail: str) -> dict[str, Any]:
    facts = people.facts_of(k)
    tracks = [fact.track for fact in facts]
    own = np.isin(portraits.track, tracks)
    means = [averages.mean(k, column) for column in EXPRESSION_7.columns]
    seen = any(math.isfinite(mean) for mean in means)
    embedding = unit(portraits.embedding[own].mean(axis=0)) if own.any() else np.full(128, np.nan, np.float32)
    return {
        "person": person_name(k),
        "seconds": people.seconds[k],
        "first": min(fact.first for fact in facts),
        "last": max(fact.last for fact in facts),
        "frames": int(averages.frames[k]),
        "measured": int(averages.measured[k]),
        "tracks": tracks,
        "age": _mean(portraits.age[own]),
        "age_spread": float(portraits.age[own].std()) if own.sum() > 1 else math.nan,
        "female": _mean(portraits.female[own]),
        "valence": averages.mean(k, "valence"),
        "arousal": averages.mean(k, "arousal"),
        "expression": EXPRESSION_7.labels[int(np.nanargmax(means))] if seen else None,
        "thumbnail": thumbnail,
        "embedding": embedding.tolist(),
    }


def _mean(values: NDArray[np.float32]) -> float:
    return float(values.mean()) if len(values) else math.nan
