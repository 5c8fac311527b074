"""Emotions: per person and window, what face and voice say together.

    faces of a person ─mean over the window─┐
    voice of the window, if theirs ─────────┴─ fuse.late_fusion ─▶ emotions.parquet
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emotrace import columns
from emotrace.frames import covered, divided
from emotrace.fuse import FACE, VOICE, late_fusion, named
from emotrace.scheme import EXPRESSION_7, FUSED, VALENCE_AROUSAL, VOICE_EXPRESSION

if TYPE_CHECKING:
    import pyarrow as pa

MIN_FACE = 0.1   # share of what a window has of pictures; less is a glimpse of a face, and its mean is noise
AFFECT = len(VALENCE_AROUSAL)


@dataclass(frozen=True, slots=True)
class Shown:
    """What faces show, one row a face of a known person.

    Args:
        time: (r,) s.
        person: (r,) int64.
        values: (r, 7 + 2) expression, valence, arousal; NaN where not measured.
        measured: (r,) True where the face was good enough to be measured.
    """

    time: NDArray[np.float64]
    person: NDArray[np.int64]
    values: NDArray[np.float32]
    measured: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Heard:
    """What the voice says, one row a window.

    Args:
        speech: (n,) True where somebody speaks.
        speaker: (n,) int64 person, -1 where nobody visible.
        values: (n, 7 + 2) expression, valence, arousal; NaN where not measured.
    """

    speech: NDArray[np.bool_]
    speaker: NDArray[np.int64]
    values: NDArray[np.float32]


def seven(voice: NDArray[np.float32]) -> NDArray[np.float32]:
    """The voice's eight probabilities as seven: a calm voice is taken for a neutral one, as faces have no calm."""
    calm, neutral = VOICE_EXPRESSION.labels.index("calm"), EXPRESSION_7.labels.index("neutral")
    merged = voice[:, : len(EXPRESSION_7)].copy()
    merged[:, neutral] += voice[:, calm]
    return merged


def faces_of(
    shown: Shown, frames: NDArray[np.float64], lasts: NDArray[np.float64], start: NDArray[np.float64],
    window: float, people: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:  # fmt: skip
    """Means over time of the faces of each person in each window.

    Args:
        shown: faces in order of time.
        frames: (f,) times of the analysed frames, s.
        lasts: (f,) how long each of them is shown, s, above 0.
        start: (n,) s.
        window: s.
        people: how many there are.

    Returns:
        (n, people, 9) means, NaN below MIN_FACE, and of what was not asked for; (n, people) share of the window in which the
        face was measured, less than 1 where the window reaches beyond the pictures; (n, people) True where the person is seen
        at all.
    """
    shape = (len(start), people, shown.values.shape[1])
    mean, share, seen = np.full(shape, np.nan, np.float32), np.zeros(shape[:2], np.float32), np.zeros(shape[:2], bool)
    if len(frames) == 0:
        return mean, share, seen
    usual = float(np.median(lasts))
    row, begin, weights = divided(shown.time, lasts[np.searchsorted(frames, shown.time)], usual)
    _, picture, seconds = divided(frames, lasts, usual)
    of_faces, of_pictures = (np.searchsorted(times, [start, start + window]) for times in (begin, picture))
    there = covered(frames, lasts, start, window)
    for i, (first, last) in enumerate(of_faces.T.tolist()):
        own, weight = row[first:last], weights[first:last]
        person, values, measured = shown.person[own], shown.values[own].astype(np.float64), shown.measured[own]
        finite = np.isfinite(values)
        total, count = np.zeros((people, shape[2])), np.zeros((people, shape[2]))
        np.add.at(total, person, np.where(finite, values, 0) * weight[:, None])
        np.add.at(count, person, finite * weight[:, None])
        good = np.bincount(person[measured], weight[measured], minlength=people)
        part = np.minimum(good / max(seconds[slice(*of_pictures[:, i])].sum(), 1e-9), 1)   # of the pictures
        share[i] = part * there[i]
        seen[i] = np.bincount(person, minlength=people) > 0
        known = (count > 0) & (part >= MIN_FACE - 1e-6)[:, None]
        mean[i][known] = (total[known] / count[known]).astype(np.float32)
    return mean, share, seen


def table(
    shown: Shown, frames: NDArray[np.float64], lasts: NDArray[np.float64], heard: Heard, start: NDArray[np.float64],
    window: float, names: list[str],
) -> pa.Table:  # fmt: skip
    """The table `emotions`: a row for each person seen or heard in a window, and for a voice that is nobody's.

    Args:
        shown: faces in order of time.
        frames: (f,) times of the analysed frames, s.
        lasts: (f,) how long each of them is shown, s, above 0.
        heard: n windows.
        start: (n,) s.
        window: s.
        names: of the people, in order of their numbers.
    """
    import pyarrow as pa

    mean, share, seen = faces_of(shown, frames, lasts, start, window, len(names))
    speaking = heard.speaker[:, None] == np.arange(len(names))
    nobody = heard.speech & (heard.speaker < 0)
    row, who = np.nonzero(np.column_stack([seen | speaking, nobody]))   # person len(names) is nobody visible
    unseen = np.full((len(start), 1, mean.shape[2]), np.nan, np.float32)
    face = np.concatenate([mean, unseen], axis=1)[row, who]   # (rows, 9)
    talks = np.column_stack([speaking, nobody])[row, who]
    voice = np.where(talks[:, None], heard.values[row], np.float32(np.nan))
    found: dict[str, object] = {
        "start": start[row], "end": start[row] + window,
        "person": pa.array([names[k] if k < len(names) else None for k in who.tolist()], pa.string()),
        "speaking": talks & (who < len(names)), "face": np.column_stack([share, np.zeros(len(start), np.float32)])[row, who],
        **_together(np.stack([face, voice])),
    }  # fmt: skip
    schema = columns.schema(columns.EMOTIONS)
    return pa.table([pa.array(found[field.name], field.type) for field in schema], schema=schema)


def _together(said: NDArray[np.float32]) -> dict[str, object]:
    """Columns of what face and voice, (2, rows, 7 + 2), say together."""
    fused, confidence = late_fusion(said[:, :, :-AFFECT], np.stack([FACE, VOICE]))
    there = np.isfinite(fused[:, 0]) & np.isfinite(said[:, :, 0])   # (2, rows)
    affect = _affect(np.where(there[:, :, None], said[:, :, -AFFECT:], np.float32(np.nan)))
    return {
        **dict(zip(FUSED.columns, fused.T, strict=True)), "expression": named(fused, EXPRESSION_7.labels),
        "confidence": confidence, "valence": affect[:, 0], "arousal": affect[:, 1],
        "rests_on": np.array(["", "face", "voice", "face+voice"])[there.T @ [1, 2]].tolist(),
    }  # fmt: skip


def _affect(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of what modalities say of valence and arousal, (m, rows, 2) -> (rows, 2); NaN where none does."""
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0).sum(axis=0) / count
    return np.where(known.any(axis=0), mean, np.nan).astype(np.float32)
