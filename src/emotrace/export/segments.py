"""Stretches of time in which one thing holds: an expression, a person's presence, a shot.

    expression timeline ─smooth─▶ strongest label of each frame ─runs─▶ segments ─join the short─▶ segments
                    (both within each shot: what is behind a cut may be another moment)
    emotions.parquet ─cells─▶ windows without overlap ─runs of one expression, resting on the same─▶ segments
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from emotrace.analysis import Analysis
from emotrace.export import tables
from emotrace.frames import edges_of, lasts
from emotrace.scheme import SYSTEM
from emotrace.spoken import NOBODY, Spoken, cells, holds_there, people_of, table_of, windows
from emotrace.timeline import Timeline

SMOOTHING = 0.5   # s; a classifier of single frames flickers, an expression lasts 0.5 to 4 s (Ekman 2003)
SHORTEST = 0.2    # s; what is shorter, after smoothing, is joined to a neighbour
EPSILON = 1e-6    # s; five frames at 25 a second are not shorter than 0.2 s


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch.

    Args:
        start: s on the container's clock, the time of its first frame.
        end: s, the time of the first frame behind it.
        label: what holds.
        value: mean of the label's value over the time of the stretch, 0..1; NaN where the label has no value.
    """

    start: float
    end: float
    label: str
    value: float = np.nan


@dataclass(frozen=True, slots=True)
class Fused(Segment):
    """A stretch of windows with one fused expression; `value` is its mean probability.

    Args:
        rests_on: "face", "voice" or "face+voice".
        valence: mean over the stretch, -1..1; NaN where not measured.
        arousal: the same.
    """

    rests_on: str = ""
    valence: float = np.nan
    arousal: float = np.nan


def expressions(analysis: Analysis, person: str) -> list[Segment]:
    """When a person shows which expression; no segment where it could not be measured.

    Raises:
        UnknownNameError: no such person, or expression was not part of the analysis.
    """
    timeline = analysis.timeline("face.expression", person)
    frames = analysis.table("frames", ["analysed", "shot"])
    shot = frames["shot"].to_numpy()[frames["analysed"].to_numpy()]
    return dominant(_smoothed(timeline, shot), ends(analysis, timeline.times), shot)


def _smoothed(timeline: Timeline, shot: NDArray[np.int32]) -> Timeline:
    """The mean over SMOOTHING around each of n rows, of those that lie in the same shot (n,)."""
    parts = [
        replace(timeline, times=timeline.times[i:j], values=timeline.values[i:j]).smooth(SMOOTHING).values
        for i, j in pairwise(edges_of(shot).tolist())
    ]
    return replace(timeline, values=np.concatenate([timeline.values[:0], *parts]))


def presence(analysis: Analysis) -> dict[str, list[Segment]]:
    """When each person's face is in the picture, also where it is too small or too turned to be measured."""
    table = analysis.table("frames", ["frame", "time", "analysed"])
    chosen = table["analysed"].to_numpy()
    frames, times = table["frame"].to_numpy()[chosen], table["time"].to_numpy()[chosen]
    seen = {person.name: np.zeros(len(frames), np.bool_) for person in analysis.people}
    for batch in tables.batches(analysis, "faces", ["frame", "person"]):
        rows = analysis.frames_of(batch["frame"].to_numpy(), frames)
        who = batch["person"].to_numpy(zero_copy_only=False)
        for name, mask in seen.items():
            mask[rows[who == name]] = True
    last = ends(analysis, times)
    return {
        name: [Segment(float(times[i]), float(last[j - 1]), "seen") for i, j in _stretches(mask, times, last)]
        for name, mask in seen.items()
    }


def speech(analysis: Analysis) -> dict[str, list[Segment]]:
    """When each person speaks; under "" when somebody does who is not in the pictures. No segments without sound."""
    spoken = Spoken.of(analysis)
    found: dict[str, list[Segment]] = {name: [] for name in (*(person.name for person in analysis.people), "")}
    for turn in spoken.turns() if spoken else ():
        name = "" if turn.person == NOBODY else analysis.people[turn.person].name
        found[name].append(Segment(turn.start, turn.end, "speaks"))
    return found


def fused(analysis: Analysis, by_source: bool = True) -> dict[str, list[Fused]]:
    """What face and voice say together of each person; under "" what a voice of nobody visible says.

    No segment lies where fusion abstains. Windows overlap; each counts for its middle.

    Args:
        analysis: a finished one.
        by_source: a stretch ends also where its expression rests on something else; `rests_on` is that of its first window.
    """
    found: dict[str, list[Fused]] = {name: [] for name in (*(person.name for person in analysis.people), "")}
    table = table_of(analysis, "emotions")
    if table is None:
        return found
    cell = cells_of(analysis)
    starts = list(cell)
    texts = [[text or "" for text in table[name].to_pylist()] for name in ("expression", "rests_on")]
    numbers = np.stack([table[name].to_numpy() for name in ("confidence", "valence", "arousal")], axis=1).astype(np.float64)
    place, who = np.searchsorted(starts, table["start"].to_numpy()), people_of(analysis, table["person"].to_pylist())
    there = holds_there(analysis, table)
    for name, person in zip(found, (*range(len(analysis.people)), NOBODY), strict=True):
        rows = [row for row in np.flatnonzero((who == person) & there).tolist() if texts[0][row]]
        for run in _same(rows, place, list(zip(*texts, strict=True)) if by_source else texts[0]):
            start, end = cell[starts[place[run[0]]]][0], cell[starts[place[run[-1]]]][1]
            value, valence, arousal = numbers[run].mean(axis=0).tolist()
            found[name].append(Fused(start, end, texts[0][run[0]], value, texts[1][run[0]], valence, arousal))
    return found


def cells_of(analysis: Analysis) -> dict[float, tuple[float, float]]:
    """By its start, for which part of the clock (s) each window of an analysis stands; in order, inside pictures and sound."""
    spoken = Spoken.of(analysis)
    whole = windows(table_of(analysis, "emotions"), spoken and spoken.voice)
    cell = np.clip(cells(whole[:, 0], whole[:, 1]), *span(analysis)).tolist()
    return {start: (first, last) for start, (first, last) in zip(whole[:, 0].tolist(), cell, strict=True)}


def span(analysis: Analysis) -> tuple[float, float]:
    """First and last moment of pictures and sound, s; 0 and 0 where there is neither."""
    frames = analysis.table("frames", ["time", "analysed"])
    times = frames["time"].to_numpy()[frames["analysed"].to_numpy()]
    spoken = Spoken.of(analysis)
    known = [spoken.span] if spoken else []
    if len(times):
        known.append((float(times[0]), float(ends(analysis, times)[-1])))
    return min((start for start, _ in known), default=0.0), max((end for _, end in known), default=0.0)


def shots(analysis: Analysis) -> list[Segment]:
    """The shots of the video, named by their numbers from 0; they meet at the cuts."""
    table = analysis.table("frames", ["time", "shot"])
    times, shot = table["time"].to_numpy(), table["shot"].to_numpy()
    if len(times) == 0:
        return []
    edges = edges_of(shot)
    numbers = shot[edges[:-1]]
    clock = np.append(times, ends(analysis, times)[-1])[edges].tolist()
    return [Segment(i, j, f"shot {number}") for i, j, number in zip(clock[:-1], clock[1:], numbers, strict=True)]


def systems(analysis: Analysis) -> dict[str, list[Segment]]:
    """What each trained system says of the pieces of the video, by its name; no segment where it gives no answer."""
    table = table_of(analysis, "systems")
    found: dict[str, list[Segment]] = {}
    for row in [] if table is None else table.to_pylist():
        own = found.setdefault(row["system"], [])
        if row["expression"] is not None:
            own.append(Segment(row["start"], row["end"], row["expression"], row[SYSTEM.prefix + row["expression"]]))
    return found


def dominant(timeline: Timeline, last: NDArray[np.float64], shot: NDArray[np.int32] | None = None) -> list[Segment]:
    """Stretches with one strongest label, those under SHORTEST joined to their longer neighbour in the same shot.

    Args:
        timeline: n rows of probabilities, NaN where nothing could be measured; there no segment lies.
        last: (n,) s at which each row ends.
        shot: (n,) number of the shot each lies in, not decreasing; None: there is one.
    """
    measured = np.asarray(np.isfinite(timeline.values).all(axis=1), np.bool_)
    codes = np.nan_to_num(timeline.values).argmax(axis=1)
    shot = np.zeros(len(codes), np.int32) if shot is None else shot
    found = []
    for first, stop in _stretches(measured, timeline.times, last):
        clock = np.append(timeline.times[first:stop], last[stop - 1])
        own = codes[first:stop]
        for i, j in pairwise(edges_of(shot[first:stop]).tolist()):
            _join(own[i:j], clock[i : j + 1])
        for i, j in pairwise(edges_of(own).tolist()):
            label = int(own[i])
            value = float(np.average(timeline.values[first + i : first + j, label], weights=np.diff(clock[i : j + 1])))
            found.append(Segment(float(clock[i]), float(clock[j]), timeline.scheme.labels[label], value))
    return found


def ends(analysis: Analysis, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """When each of some frames, which were analysed, ends, (n,) s; see `emotrace.frames.lasts`."""
    rate = analysis.video.get("rate")
    every = analysis.table("frames", ["time"])["time"].to_numpy()
    return np.asarray(times + lasts(times, every, 1 / rate if rate and rate > 0 else 0.0), np.float64)


def _stretches(
    holds: NDArray[np.bool_], times: NDArray[np.float64], last: NDArray[np.float64]
) -> list[tuple[int, int]]:
    """First row and the row behind the last of each stretch that holds without a hole in the file."""
    follows = np.zeros(len(holds), np.bool_)
    follows[1:] = holds[1:] & holds[:-1] & (times[1:] <= last[:-1] + EPSILON)
    goes_on = np.zeros(len(holds), np.bool_)
    goes_on[:-1] = follows[1:]
    begins, stops = np.flatnonzero(holds & ~follows), np.flatnonzero(holds & ~goes_on) + 1
    return list(zip(begins.tolist(), stops.tolist(), strict=True))


def _same(rows: list[int], place: NDArray[np.intp], said: Sequence[object]) -> list[list[int]]:
    """Runs of rows in windows that follow each other and say the same."""
    runs: list[list[int]] = []
    for row in rows:
        if runs and place[row] == place[runs[-1][-1]] + 1 and said[row] == said[runs[-1][-1]]:
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs


def _join(codes: NDArray[np.intp], clock: NDArray[np.float64]) -> None:
    """Give each run of equal codes that is too short, the shortest first, to its longer neighbour.

    Args:
        codes: (n,) of the rows of one stretch; changed.
        clock: (n + 1,) s at which each row begins, and the last one ends.
    """
    edges = edges_of(codes)
    runs = codes[edges[:-1]]
    while len(runs) > 1:
        length = np.diff(clock[edges])
        short = int(length.argmin())
        if length[short] >= SHORTEST - EPSILON:
            break
        before = length[short - 1] if short > 0 else -1.0
        behind = length[short + 1] if short + 1 < len(runs) else -1.0
        runs[short] = runs[short - 1] if before >= behind else runs[short + 1]
        same = np.flatnonzero(runs[1:] == runs[:-1]) + 1
        edges, runs = np.delete(edges, same), np.delete(runs, same)
    codes[:] = np.repeat(runs, np.diff(edges))
