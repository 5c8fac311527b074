"""Picture and sound together, at the end of an analysis: who speaks, and what each person's face and voice say.

    faces, as they are named ─▶ FaceRows ─┬─ mouths ─▶ speaker of each window ─▶ voice.parquet
    parts of sound and voice ─────────────┴──────────▶ fusion by person and window ─▶ emotions.parquet

Of each face a few numbers are kept (some 10 MB an hour), of the sound its level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from emotrace import columns, emotions, parquet
from emotrace.hearing import MIN_SPEECH, STEP, WINDOW, starts
from emotrace.people import person_name
from emotrace.scheme import EXPRESSION_7, VALENCE_AROUSAL, VOICE_EXPRESSION, VOICE_VALENCE_AROUSAL
from emotrace.settings import Settings
from emotrace.store import Store
from emotrace.voice.speaker import Loudness, Mouths, Pictures, opening, speakers

SHOWN = (*EXPRESSION_7.columns, *VALENCE_AROUSAL.columns)
TOLD = (*VOICE_EXPRESSION.columns, *VOICE_VALENCE_AROUSAL.columns)


@dataclass(frozen=True, slots=True)
class _Faces:
    """(n,) time s, person, shot, opening of the mouth; (n, 9) SHOWN; (n,) True where measured."""

    time: NDArray[np.float64]
    person: NDArray[np.int64]
    shot: NDArray[np.int32]
    gap: NDArray[np.float32]
    values: NDArray[np.float32]
    measured: NDArray[np.bool_]


NO_FACES = _Faces(
    np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32), np.zeros((0, len(SHOWN)), np.float32),
    np.zeros(0, np.bool_),
)  # fmt: skip


@dataclass(slots=True)
class FaceRows:
    """Collects, part by part, what is needed of the faces to find who speaks and to fuse face and voice.

    Args:
        shot: (frames,) shot of each analysed frame.
        number: (frames,) number of each analysed frame.
        time: (frames,) s.
        lasts: (frames,) s, how long each of them is shown; above 0.
    """

    shot: NDArray[np.int32]
    number: NDArray[np.int64]
    time: NDArray[np.float64]
    lasts: NDArray[np.float64]
    parts: list[_Faces] = field(default_factory=lambda: [NO_FACES])

    def add(self, person: NDArray[np.int64], faces: pa.Table, measured: NDArray[np.bool_]) -> None:
        """Take in the faces of a part, whose people are known by now, and which of them were good enough to be measured."""
        x, y = (_lists(faces[f"landmarks_{axis}"], 68) for axis in "xy")
        missing = np.full(len(faces), np.nan, np.float32)
        names = set(faces.column_names)
        values = np.column_stack([faces[column].to_numpy() if column in names else missing for column in SHOWN])
        shot = self.shot[self.rows(faces)]
        self.parts.append(_Faces(faces["time"].to_numpy(), person, shot, opening(x, y), values.astype(np.float32), measured))

    def rows(self, faces: pa.Table) -> NDArray[np.int64]:
        """The position of each face's frame among the analysed ones."""
        return np.asarray(np.searchsorted(self.number, faces["frame"].to_numpy()), np.int64)

    def mouths(self) -> Mouths:
        """The mouths of all faces."""
        whole = self._whole()
        return Mouths(whole.time, whole.person, whole.shot, whole.gap)

    def shown(self) -> emotions.Shown:
        """What the faces of known people show."""
        whole = self._whole()
        known = whole.person >= 0
        return emotions.Shown(whole.time[known], whole.person[known], whole.values[known], whole.measured[known])

    def _whole(self) -> _Faces:
        return _Faces(*(np.concatenate([getattr(part, column.name) for part in self.parts]) for column in fields(_Faces)))


def _lists(column: pa.ChunkedArray, k: int) -> NDArray[np.float32]:
    return np.asarray(column.combine_chunks().flatten(), np.float32).reshape(-1, k)


def write(store: Store, settings: Settings, faces: FaceRows, people: int) -> None:
    """Write the tables `sound`, `voice` and `emotions` from the parts.

    Args:
        store: with all parts of pictures and sound.
        settings: what was measured.
        faces: of the whole video.
        people: how many are known.
    """
    names = [str(person_name(k)) for k in range(people)]
    store.write_table("sound", columns.schema(columns.SOUND), store.read("sound"))
    voice = _voice(store, settings, faces, names)
    store.write_table("voice", voice.schema, iter([voice]))
    start = _windows(voice, faces.time)
    heard = _heard(voice, start, names)
    table = emotions.table(faces.shown(), faces.time, faces.lasts, heard, start, WINDOW, names)
    store.write_table("emotions", table.schema, iter([table]))


def _voice(store: Store, settings: Settings, faces: FaceRows, names: list[str]) -> pa.Table:
    """The table `voice` with the speakers put in."""
    schema = columns.schema(columns.voice(settings.components))
    table = parquet.joined(schema, store.read("voice"))
    levels = [(part["time"].to_numpy(), part["level"].to_numpy()) for part in store.read("sound", ["time", "level"])]
    if not levels:
        return table
    sound = Loudness(*(np.concatenate(column) for column in zip(*levels, strict=True)))
    spoken = np.flatnonzero(table["speech"].to_numpy() >= MIN_SPEECH)
    shown = Pictures(faces.time, faces.shot)
    who, score = speakers(faces.mouths(), shown, sound, table["start"].to_numpy()[spoken], WINDOW)
    person, likely = np.full(len(table), -1), np.full(len(table), np.nan, np.float32)
    person[spoken], likely[spoken] = who, score
    speaker = pa.array([names[k] if k >= 0 else None for k in person.tolist()], pa.string())
    table = table.set_column(schema.get_field_index("speaker"), schema.field("speaker"), speaker)
    return table.set_column(schema.get_field_index("speaker_score"), schema.field("speaker_score"), pa.array(likely))


def _windows(voice: pa.Table, frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """First moments (s) of the windows over sound and pictures, whole seconds."""
    start = voice["start"].to_numpy()
    if len(frames):
        origin = math.floor(frames[0])
        start = np.union1d(start, origin + starts(float(frames[-1]) - origin + 1e-3))
    if len(start) == 0:
        return np.zeros(0)
    return np.arange(start[0], start[-1] + STEP / 2, STEP)


def _heard(voice: pa.Table, start: NDArray[np.float64], names: list[str]) -> emotions.Heard:
    """The voice on the windows of both; windows without sound are silent."""
    values = np.full((len(start), len(TOLD)), np.nan, np.float32)
    speech, speaker = np.zeros(len(start), bool), np.full(len(start), -1, np.int64)
    row = np.searchsorted(start, voice["start"].to_numpy() - STEP / 2)
    known = set(voice.column_names)
    for k, column in enumerate(TOLD):
        if column in known:
            values[row, k] = voice[column].to_numpy()
    speech[row] = voice["speech"].to_numpy() >= MIN_SPEECH
    number = {person: k for k, person in enumerate(names)}
    speaker[row] = [number.get(person, -1) for person in voice["speaker"].to_pylist()]
    k = len(VOICE_EXPRESSION)
    return emotions.Heard(speech, speaker, np.column_stack([emotions.seven(values[:, :k]), values[:, k:]]))
