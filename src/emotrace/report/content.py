"""Content: all that the report of a video shows, as JSON values.

Columns of faces.parquet are read one at a time and reduced at once, so that an hour needs the memory of one column.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from emotrace import parquet
from emotrace.analysis import Analysis
from emotrace.face.valence_arousal import PLACES
from emotrace.report import boxes, cards, facts, panels, systems
from emotrace.report.events import Clock, Event, Search, strongest
from emotrace.report.series import PIXELS, Grid, Seen, means, moments, packed, spans
from emotrace.report.voice import Voice
from emotrace.scheme import FUSED

MOST_PEOPLE = 24      # with timelines in the page; a crowd's other faces stay in the tables
UNTOLD = ("neutral",)   # it falls because another expression rises, and that one is the news


@dataclass(frozen=True, slots=True)
class Faces:
    """Who is where in faces.parquet, r rows.

    Args:
        frame: (r,) int64 number of the frame.
        time: (r,) float64 s.
        track: (r,) int64.
        person: (r,) int64 index into the people of the analysis, -1 where the track is unassigned.
        score: (r,) float32 presence.
    """

    frame: NDArray[np.int64]
    time: NDArray[np.float64]
    track: NDArray[np.int64]
    person: NDArray[np.int64]
    score: NDArray[np.float32]

    @classmethod
    def of(cls, analysis: Analysis) -> Faces:
        """Read what tells the rows apart."""
        table = analysis.table("faces", ["frame", "time", "track", "score"])
        frame, time, track, score = (table[name].to_numpy() for name in ("frame", "time", "track", "score"))
        return cls(frame, time, track, _person_index(analysis), score)


def content(analysis: Analysis) -> dict[str, object]:
    """What the page of a finished analysis shows; every number is finite."""
    grid, cuts = _frames(analysis)
    faces = Faces.of(analysis)
    analysis.frames_of(faces.frame, grid.frames)   # raises where one of them is not there
    seen = Seen.of(grid, faces.frame, faces.person, faces.score, min(len(analysis.people), MOST_PEOPLE))
    drawn = panels.available(parquet.names(analysis.folder / "faces.parquet"))
    series, events = _measure(analysis, grid, seen, drawn)
    voice = Voice.of(analysis, _span(grid))
    settings, measured = analysis.provenance.get("settings", {}), _measured(analysis, voice)
    return {
        "title": facts.title(analysis),
        "headline": facts.headline(analysis),
        "warnings": [*analysis.warnings, *_left_out(analysis)],
        "media": facts.media(analysis),
        "times": np.round(grid.times, 4).tolist(),
        "ends": np.round(grid.ends, 4).tolist(),
        "pictures": _span(grid),
        "span": voice.span,
        "step": round(grid.step, 6),
        "cuts": cuts,
        "shots": grid.shots.tolist(),
        "panels": [panel.described() for panel in drawn],
        "people": _people(analysis, grid, seen, series, voice),
        "unassigned": _unassigned(grid, faces),
        "boxes": boxes.packed(lambda name: _values(analysis, name), faces.track, faces.time, faces.person),
        "windows": moments(voice.cells),
        "sound": voice.sound(),
        "sought": voice.sought,
        "voice": voice.described(),
        "labels": FUSED.labels,
        "fused": voice.fused_rows(seen.people),
        "systems": systems.rows(analysis),
        "events": [asdict(event) for event in events],
        "places": PLACES,
        "min_quality": settings.get("min_quality"),
        "tables": facts.tables(analysis),
        "notes": [*facts.notes(measured), *panels.elsewhere(measured)],
    }


def _measured(analysis: Analysis, voice: Voice) -> list[str]:
    """Components that could say something of this file, "fusion" where it did, and "systems" where some were asked."""
    components = analysis.provenance.get("settings", {}).get("components", [])
    views = [view for view, there in (("face.", facts.has_pictures(analysis)), ("voice.", voice.spoken)) if there]
    over_time = voice.fused is not None and voice.span[1] > voice.span[0]
    asked = ["systems"] if analysis.provenance.get("systems") else []
    return [*(name for name in components if name.startswith(tuple(views))), *(["fusion"] if over_time else []), *asked]


def _frames(analysis: Analysis) -> tuple[Grid, list[float]]:
    """The x axis, and the times of the cuts."""
    table = analysis.table("frames", ["frame", "time", "analysed", "cut", "shot"])
    number, time, analysed, cut, shot = (table[name].to_numpy() for name in ("frame", "time", "analysed", "cut", "shot"))
    grid = Grid.of(number[analysed], time[analysed], every=time, shot=shot[analysed])
    start, stop = _span(grid)
    return grid, [round(float(t), 3) for t in time[cut] if start < t < stop]


def _span(grid: Grid) -> tuple[float, float]:
    """First time, and the time at which the last analysed frame ends, s."""
    if len(grid) == 0:
        return 0.0, 0.0
    return round(float(grid.times[0]), 4), round(float(grid.ends[-1]), 4)


def _values(analysis: Analysis, name: str) -> NDArray[np.float32]:
    """One column of faces.parquet, (r,)."""
    return np.asarray(analysis.table("faces", [name])[name].to_numpy(), np.float32)


def _person_index(analysis: Analysis) -> NDArray[np.int64]:
    """(r,) index into `analysis.people` of each row of faces.parquet, -1 where unassigned."""
    names = analysis.table("faces", ["person"])["person"].combine_chunks().dictionary_encode()
    index = {person.name: i for i, person in enumerate(analysis.people)}
    unassigned = len(names.dictionary)
    of_code = np.asarray([*(index.get(name, -1) for name in names.dictionary.to_pylist()), -1], np.int64)
    codes = np.asarray(names.indices.fill_null(unassigned).to_numpy(zero_copy_only=False), np.int64)
    return np.asarray(of_code[codes], np.int64)


def _measure(
    analysis: Analysis, grid: Grid, seen: Seen, drawn: list[panels.Panel]
) -> tuple[dict[str, NDArray[np.float32]], list[Event]]:
    """Series (people, bins) by column name, and events; each column is read once."""
    cells, weights = seen.cells(grid), grid.weights[seen.frame]
    clock = Clock.of(grid.frame_times, grid.weights, grid.shot)
    search = Search(clock, seen, [person.name for person in analysis.people[: seen.people]])
    series: dict[str, NDArray[np.float32]] = {}
    for panel in drawn:
        for name, label in zip(panel.columns, panel.shown, strict=True):
            values = _values(analysis, name)[seen.rows]
            series[name] = means(values, weights, cells, (seen.people, len(grid)))
            if panel.events and label not in UNTOLD:
                search.look(label, values)
    return series, strongest(search.found)


def _people(
    analysis: Analysis, grid: Grid, seen: Seen, series: dict[str, NDArray[np.float32]], voice: Voice
) -> list[dict[str, object]]:
    start, stop = _span(grid)
    length = 0.0 if analysis.video.get("is_image") else grid.length
    return [
        {
            **cards.card(person, analysis.folder, length),
            "said": voice.said_of(i),
            "spans": spans(grid, seen.frame[seen.of_person(i)], (stop - start) / PIXELS),
            "series": {name: packed(values[i]) for name, values in series.items()},
        }
        for i, person in enumerate(analysis.people[: seen.people])
    ]


def _unassigned(grid: Grid, faces: Faces) -> list[list[float]]:
    """When faces are seen that belong to nobody known."""
    start, stop = _span(grid)
    frames = np.searchsorted(grid.frames, np.unique(faces.frame[faces.person < 0]))
    return spans(grid, frames, (stop - start) / PIXELS)


def _left_out(analysis: Analysis) -> list[str]:
    more = len(analysis.people) - MOST_PEOPLE
    who = "1 more person is" if more == 1 else f"{more} more people are"
    return [f"{who} not shown here; their numbers are in faces.parquet"] if more > 0 else []
