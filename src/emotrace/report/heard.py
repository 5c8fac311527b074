"""Heard: what the page shows of the sound - its waveform, when somebody speaks, and who.

    sound.parquet ─waveform()─▶ level and peak in at most 3000 bins    ─stretches()─▶ from when to when somebody speaks
    voice.parquet ─cells()────▶ the part of the clock each window speaks for ─turns()─▶ from when to when who speaks

Windows overlap; on the page each stands for its middle, so that they tile the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from emotrace.analysis import Analysis
from emotrace.columns import TableName
from emotrace.report.series import Grid, base64_of, packed

NOBODY = -1            # speaks whom the pictures do not show
SILENT = -2            # nobody speaks


@dataclass(frozen=True, slots=True)
class Heard:
    """The tables `sound` and `voice`.

    Args:
        time: (m,) float64 s, first moment of each stretch of 32 ms.
        level: (m,) float32 dB, NaN where there is no sound.
        peak: (m,) float32.
        speech: (m,) float32 probability.
        voice: n rows of voice.parquet.
        speaker: (n,) int64 index of the person who speaks, NOBODY or SILENT.
    """

    time: NDArray[np.float64]
    level: NDArray[np.float32]
    peak: NDArray[np.float32]
    speech: NDArray[np.float32]
    voice: pa.Table
    speaker: NDArray[np.int64]

    @classmethod
    def of(cls, analysis: Analysis) -> Heard | None:
        """Read the tables; None where the file has no sound, or was analysed before sound was."""
        sound = existing(analysis, "sound")
        if sound is None or not np.isfinite(sound["level"].to_numpy()).any():
            return None
        voice = analysis.table("voice")
        time, level, peak, speech = (sound[name].to_numpy() for name in ("time", "level", "peak", "speech"))
        return cls(time, level, peak, speech, voice, _speaker(analysis, voice))

    @property
    def step(self) -> float:
        """Time from one row of sound to the next, s."""
        return float(np.median(np.diff(self.time))) if len(self.time) > 1 else 0.0

    @property
    def span(self) -> tuple[float, float]:
        """First and last moment of the sound, s."""
        there = self.time[np.isfinite(self.level)]
        return float(there[0]), float(there[-1]) + self.step


def existing(analysis: Analysis, name: TableName) -> pa.Table | None:
    """A table of a finished analysis; None where it has no rows, or the folder is older than the table."""
    if not (analysis.folder / f"{name}.parquet").is_file():
        return None
    table = analysis.table(name)
    return table if len(table) else None


def _speaker(analysis: Analysis, voice: pa.Table) -> NDArray[np.int64]:
    """(n,) who speaks; below the least speech nothing of a voice is measured, and nobody is looked for."""
    from emotrace.hearing import MIN_SPEECH  # brings the networks' libraries

    number = {person.name: k for k, person in enumerate(analysis.people)}
    who = np.array([number.get(name, NOBODY) for name in voice["speaker"].to_pylist()], np.int64)
    return np.where(voice["speech"].to_numpy() >= MIN_SPEECH, who, SILENT)


def cells(start: NDArray[np.float64], end: NDArray[np.float64], span: tuple[float, float]) -> NDArray[np.float64]:
    """From when to when each window is shown: to the middle of what it shares with its neighbours.

    Args:
        start: (n,) s, increasing.
        end: (n,) s, increasing.
        span: first and last moment of the page's clock, s.

    Returns:
        (n, 2) s inside the span.
    """
    shared = start[1:] < end[:-1]
    middle = (start[1:] + end[:-1]) / 2
    left, right = start.copy(), end.copy()
    left[1:][shared], right[:-1][shared] = middle[shared], middle[shared]
    return np.clip(np.stack([left, right], axis=1), *span)


def waveform(heard: Heard) -> dict[str, object]:
    """The sound as a band: `start`, `step` and of each bin the loudest peak and the level, as numbers of full scale."""
    grid = Grid.of(np.arange(len(heard.time)), heard.time)
    there = np.isfinite(heard.level)
    power = np.where(there, 10 ** (np.nan_to_num(heard.level) / 10), 0.0)
    count = np.bincount(grid.bins, there, len(grid))
    peak = np.zeros(len(grid))
    np.maximum.at(peak, grid.bins, np.where(there, heard.peak, 0.0))
    with np.errstate(invalid="ignore"):
        level = np.sqrt(np.bincount(grid.bins, power, len(grid)) / count)
    return {
        "start": round(float(heard.time[0]), 4),
        "step": len(heard.time) / len(grid) * heard.step,
        "count": len(grid),
        "level": packed(level.astype(np.float32)),
        "peak": packed(np.where(count > 0, peak, np.nan).astype(np.float32)),
    }


def stretches(heard: Heard, gap: float) -> NDArray[np.float64]:
    """(k, 2) s from when to when somebody speaks; gaps below `gap` s are closed, because no pixel could show them."""
    from emotrace.voice.activity import segments  # brings the networks' libraries

    found = segments(heard.speech, heard.step) + heard.time[0] if heard.step else np.zeros((0, 2))
    parted = found[1:, 0] - found[:-1, 1] > gap
    return np.stack([found[np.append(True, parted)[: len(found)], 0], found[np.append(parted, True)[: len(found)], 1]], axis=1)


def turns(spoken: NDArray[np.float64], cell: NDArray[np.float64], speaker: NDArray[np.int64]) -> list[list[float]]:
    """From when to when who speaks: the stretches of speech, each part given to the speaker of its window.

    Args:
        spoken: (k, 2) s of speech, increasing.
        cell: (n, 2) s of windows, increasing, without overlap.
        speaker: (n,) person, NOBODY or SILENT; what lies in a SILENT window is in no turn.

    Returns:
        (start, end, person) of each turn, s.
    """
    edges = np.unique(np.concatenate([spoken.ravel(), cell.ravel()]))
    middle = (edges[1:] + edges[:-1]) / 2
    speech, window = _holding(spoken, middle), _holding(cell, middle)
    who = np.where((speech >= 0) & (window >= 0), np.append(speaker, SILENT)[window], SILENT)
    last = np.append(who[1:] != who[:-1], True)[: len(who)]
    first = np.append(True, last[:-1])[: len(who)]
    parts = zip(edges[:-1][first], edges[1:][last], who[first], strict=True)
    return [[round(float(a), 3), round(float(b), 3), int(k)] for a, b, k in parts if k != SILENT]


def _holding(spans: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.int64]:
    """Which of the spans (k, 2) holds each moment, -1 where none."""
    found = np.searchsorted(spans[:, 0], at, side="right") - 1
    return np.where((found >= 0) & (at < np.append(spans[:, 1], -np.inf)[found]), found, -1)


def windows(cell: NDArray[np.float64]) -> dict[str, str]:
    """Cells for the page: base64 of int32 ms."""
    ms = np.round(cell * 1000).astype(np.int32)
    return {"from": base64_of(ms[:, 0].copy()), "to": base64_of(ms[:, 1].copy())}


def speaking(found: Sequence[Sequence[float]]) -> dict[int, float]:
    """Seconds for which each person (or NOBODY) speaks in turns."""
    total: dict[int, float] = {}
    for start, end, who in found:
        total[int(who)] = total.get(int(who), 0.0) + end - start
    return total
