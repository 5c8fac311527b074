"""The tables `sound`, `voice` and `emotions` of a planted folder, of which it is known who speaks when and what is fused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from emotrace import columns
from emotrace.columns import Column, TableName
from emotrace.hearing import MIN_SPEECH, WINDOW, starts
from emotrace.scheme import FUSED

HOP = 0.032
SILENCE, UNSEEN = "silence", ""
LOUD, FAINT = 0.1, 0.001       # root mean square of speech and of what is between
PITCH = {"P1": 210.0, "P2": 120.0, UNSEEN: 160.0}
SURE = 0.6                     # of every fused expression
Turns = Sequence[tuple[str, float]]                   # who speaks (a name, UNSEEN or SILENCE), and for how long (s)
Said = Mapping[str, Sequence[tuple[str, str] | None]]   # of each person, a window a second: expression ("" abstains), rests on


def plant_sound(folder: Path, turns: Turns, said: Said | None, components: Sequence[str]) -> None:
    """Write the three tables; empty ones without turns and without anything said."""
    who = np.array([name for name, seconds in turns for _ in range(round(seconds / HOP))], object)
    heard = who != SILENCE
    level = np.where(heard, LOUD, FAINT)
    _write(folder, "sound", columns.SOUND, {
        "time": np.arange(len(who)) * HOP, "level": 20 * np.log10(level), "peak": 2 * level, "speech": heard.astype(float),
    })  # fmt: skip
    _write(folder, "voice", columns.voice(components), _voice(who, components))
    _write(folder, "emotions", columns.EMOTIONS, _emotions(said or {}, turns))


def speaker_at(turns: Turns, time: float) -> str:
    """Who speaks at a moment."""
    ends = np.cumsum([seconds for _, seconds in turns])
    k = int(np.searchsorted(ends, time, side="right"))
    return turns[k][0] if k < len(turns) else SILENCE


def _voice(who: np.ndarray, components: Sequence[str]) -> dict[str, object]:
    start = starts(len(who) * HOP) if len(who) else np.zeros(0)
    parts = [who[round(first / HOP) : round((first + WINDOW) / HOP)] for first in start]
    share = np.array([np.sum(part != SILENCE) * HOP / WINDOW for part in parts])
    spoken = share >= MIN_SPEECH
    names = np.array([Counter(part[part != SILENCE]).most_common(1)[0][0] if kept else UNSEEN
                      for part, kept in zip(parts, spoken, strict=True)], object)  # fmt: skip
    values: dict[str, object] = {
        "start": start, "end": start + WINDOW, "speech": share,
        "speaker": [name if name and kept else None for name, kept in zip(names, spoken, strict=True)],
        "speaker_score": np.where(spoken, 0.9, np.nan),
    }  # fmt: skip
    for column in columns.voice(components)[len(columns.VOICE) :]:
        value = np.zeros(len(start)) + {"voice_happiness": 0.7, "voice_calm": 0.3, "voice_valence": 0.4}.get(column.name, 0.0)
        if column.name == "pitch":
            value = np.array([PITCH.get(name, 0.0) for name in names])
        values[column.name] = np.where(spoken, value, np.nan)
    return values


def _emotions(said: Said, turns: Turns) -> dict[str, object]:
    rows = sorted((float(k), name, what) for name, line in said.items() for k, what in enumerate(line) if what is not None)
    label = np.array([what[0] for _, _, what in rows], object)
    known = label != ""
    values: dict[str, object] = {
        "start": [start for start, _, _ in rows], "end": [start + WINDOW for start, _, _ in rows],
        "person": [name or None for _, name, _ in rows],
        "speaking": [name != UNSEEN and speaker_at(turns, start + WINDOW / 2) == name for start, name, _ in rows],
        "face": [0.0 if what[1] == "voice" else 1.0 for _, _, what in rows],
        "expression": [text or None for text in label.tolist()], "confidence": np.where(known, SURE, np.nan),
        "valence": np.where(known, 0.5, np.nan), "arousal": np.where(known, -0.2, np.nan),
        "rests_on": [what[1] for _, _, what in rows],
    }  # fmt: skip
    for name in FUSED.labels:
        values[FUSED.prefix + name] = np.where(known, np.where(label == name, SURE, (1 - SURE) / 6), np.nan)
    return values


def _write(folder: Path, name: TableName, what: Sequence[Column], values: Mapping[str, object]) -> None:
    schema = columns.schema(what)
    arrays = [pa.array(list(values[field.name]), field.type) for field in schema]   # type: ignore[call-overload]
    pq.write_table(pa.table(arrays, schema=schema), folder / f"{name}.parquet")
