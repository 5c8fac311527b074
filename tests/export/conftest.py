"""A planted output folder: what every person shows is known frame by frame, so that every export has a truth to be held to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from planted_sound import Said, Turns, plant_sound

from emotrace import columns, load, registry
from emotrace.analysis import Analysis
from emotrace.columns import TableName
from emotrace.scheme import EXPRESSION_7, SYSTEM

RATE = 25.0
SURE = 0.88   # probability of the planted expression; the other six share the rest
Runs = Sequence[tuple[str, float]]   # what is shown, and for how long (s): a label, "unmeasured" or "absent"
Plant = Callable[..., Analysis]


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """`plant({"P1": [("happiness", 2.0), ("absent", 1.0)]})` writes clip.emotrace and loads it.

    People without a name ("") are tracks that could not be assigned. Further arguments: `measured` gives columns of
    faces.parquet other values than NaN, `cuts` the times of cuts, `times` another clock, `analysed` a mask, `components` what
    is measured, `video` other facts, `finished`, and `folder`; `turns` are who speaks, `said` what is fused
    (planted_sound.py).
    """

    def write(
        shown: Mapping[str, Runs] | Sequence[tuple[str, Runs]],
        *,
        measured: Mapping[str, Any] | None = None,
        cuts: Sequence[float] = (),
        times: Sequence[float] | None = None,
        analysed: Sequence[bool] | None = None,
        components: Sequence[str] | None = None,
        video: Mapping[str, Any] | None = None,
        finished: bool = True,
        folder: Path | None = None,
        turns: Turns = (),
        said: Said | None = None,
    ) -> Analysis:
        chosen = list(registry.default_names() if components is None else components)
        chosen = [line.name for line in registry.with_needs(chosen)]
        tracks = list(shown.items() if isinstance(shown, Mapping) else shown)
        frames = [_frames(runs) for _, runs in tracks]
        count = len(times) if times is not None else max((len(one) for one in frames), default=0)
        clock = np.arange(count) / RATE if times is None else np.asarray(times, np.float64)
        home = folder or tmp_path / "clip.emotrace"
        home.mkdir(parents=True, exist_ok=True)
        shot = np.searchsorted(np.asarray(cuts), clock, side="right") if cuts else np.zeros(count, int)
        seen = np.ones(count, bool) if analysed is None else np.asarray(analysed)
        _write(home, "frames", {
            "frame": np.arange(count), "time": clock, "analysed": seen, "damaged": np.zeros(count, bool),
            "cut": np.diff(shot, prepend=shot[:1]) > 0, "shot": shot, "faces": np.zeros(count, int),
        })  # fmt: skip
        _write_faces(home, tracks, frames, clock, chosen, measured or {})
        _write_people(home, tracks, clock)
        plant_sound(home, turns, said, [name for name in chosen if name.startswith("voice.")])
        facts = {
            "name": "clip.mp4", "path": str(home.parent / "clip.mp4"), "relative": "../clip.mp4", "width": 640,
            "height": 360, "rotation": 0, "duration": count / RATE, "rate": RATE, "codec": "h264", "has_sound": True,
            "is_image": False, "pixel_aspect": 1.0, "fingerprint": "0",
        }  # fmt: skip
        (home / "analysis.json").write_text(json.dumps({
            "schema": columns.SCHEMA_VERSION, "finished": finished, "created": "2025-03-01T12:00:00+00:00",
            "video": {**facts, **(video or {})}, "settings": {"components": chosen}, "counts": {}, "warnings": [],
        }), encoding="utf-8")  # fmt: skip
        return load(home)

    return write


def _frames(runs: Runs) -> list[str]:
    return [what for what, seconds in runs for _ in range(round(seconds * RATE))]


def _write_faces(
    home: Path,
    tracks: list[tuple[str, Runs]],
    frames: list[list[str]],
    clock: np.ndarray,
    components: list[str],
    measured: Mapping[str, Any],
) -> None:
    rows = [
        (frame, track, person, what)
        for track, ((person, _), shown) in enumerate(zip(tracks, frames, strict=True))
        for frame, what in enumerate(shown)
        if what != "absent"
    ]
    rows.sort(key=lambda row: row[:2])
    labels = [what for _, _, _, what in rows]
    number = np.array([frame for frame, _, _, _ in rows], int)
    values: dict[str, Any] = {
        "frame": number, "time": clock[number], "track": np.array([row[1] for row in rows], int),
        "person": [row[2] for row in rows], "score": np.full(len(rows), 0.75),
        **{f"expression_{label}": _probability(labels, label) for label in EXPRESSION_7.labels},
        **measured,
    }  # fmt: skip
    known = columns.schema(columns.faces(components))
    arrays = []
    for field in known:
        if pa.types.is_fixed_size_list(field.type):
            size = field.type.list_size
            points = np.asarray(values.get(field.name, np.full((len(rows), size), np.nan)), np.float32).reshape(-1)
            arrays.append(pa.FixedSizeListArray.from_arrays(pa.array(points), size))
        else:
            one = values.get(field.name, np.nan)
            arrays.append(pa.array(np.full(len(rows), one) if np.isscalar(one) else one).cast(field.type))
    pq.write_table(pa.Table.from_arrays(arrays, schema=known), home / "faces.parquet", row_group_size=7)


def _probability(shown: list[str], label: str) -> np.ndarray:
    return np.array(
        [np.nan if what == "unmeasured" else SURE if what == label else (1 - SURE) / 6 for what in shown], np.float32
    )


def _write_people(home: Path, tracks: list[tuple[str, Runs]], clock: np.ndarray) -> None:
    names = list(dict.fromkeys(name for name, _ in tracks if name))
    _write(home, "tracks", {
        "track": list(range(len(tracks))), "person": [name for name, _ in tracks],
        "why": ["" if name else "no portrait" for name, _ in tracks],
        "shot": [0] * len(tracks), "first": [0.0] * len(tracks), "last": [float(clock[-1])] * len(tracks) if tracks else [],
        "frames": [1] * len(tracks), "portraits": [1] * len(tracks),
    })  # fmt: skip
    n = len(names)
    _write(home, "people", {
        "person": names, "seconds": [1.0] * n, "first": [0.0] * n, "last": [1.0] * n, "frames": [25] * n,
        "measured": [25] * n, "tracks": [[k for k, (name, _) in enumerate(tracks) if name == who] for who in names],
        "age": [30.5] * n, "age_spread": [np.nan] * n, "female": [0.25] * n, "valence": [0.5] * n,
        "arousal": [np.nan] * n, "expression": ["happiness"] * n, "thumbnail": [f"thumbnails/{who}.jpg" for who in names],
        "embedding": [[0.5] * 128] * n,
    })  # fmt: skip


def _write(home: Path, table: TableName, values: Mapping[str, Any]) -> None:
    known = columns.schema(columns.table(table))
    arrays = [pa.array(values[field.name]).cast(field.type) if len(values[field.name]) else pa.array([], field.type)
              for field in known]  # fmt: skip
    pq.write_table(pa.Table.from_arrays(arrays, schema=known), home / f"{table}.parquet")


@pytest.fixture
def say():
    """Plant what trained systems say of pieces: rows of system, start and end (s), and label or None."""
    def planted(analysis: Analysis, answers: list[tuple[str, float, float, str | None]]) -> None:
        rows = [
            {"system": name, "recipe": "emonets", "start": start, "end": end, "expression": said,
             **{SYSTEM.prefix + label: 0.7 if label == said else 0.05 for label in SYSTEM.labels}}
            for name, start, end, said in answers
        ]  # fmt: skip
        pq.write_table(pa.Table.from_pylist(rows, columns.schema(columns.SYSTEMS)), analysis.folder / "systems.parquet")
        names = dict.fromkeys(name for name, *_ in answers)
        analysis.provenance["systems"] = [{"system": name, "recipe": "emonets"} for name in names]

    return planted
