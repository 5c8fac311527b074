"""Series: an hour of measurements as a few thousand points.

    frames.parquet ─Grid.of()─▶ bins of consecutive frames of one shot, one x axis for every plot; each holds up to the next
    faces.parquet  ─Seen.of()─▶ which rows are shown, in order of person and frame
    one column     ─means()──▶ mean over time per person and bin ─packed()─▶ base64 of int16

Columns are read and reduced one at a time, so that memory holds one column of the video, never all.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotrace.frames import lasts

MOST_POINTS = 3000    # of a series: more than a screen has pixels in a row
PIXELS = 1500         # of the widest timeline; a gap below one pixel cannot be seen
_STEPS = 32000        # int16 has 32767; NaN is the lowest number
_NOT_MEASURED = -32768


@dataclass(frozen=True, slots=True)
class Grid:
    """Bins of consecutive analysed frames of one shot.

    Args:
        frames: (n,) int64 numbers of the analysed frames, increasing.
        frame_times: (n,) float64 s.
        frame_ends: (n,) float64 s, until when each stands for what is seen (see `emotrace.frames.lasts`).
        shot: (n,) int32 number of the shot each lies in, not decreasing.
        bins: (n,) int64 which bin each frame lies in, 0..b-1, not decreasing.
    """

    frames: NDArray[np.int64]
    frame_times: NDArray[np.float64]
    frame_ends: NDArray[np.float64]
    shot: NDArray[np.int32]
    bins: NDArray[np.int64]

    @classmethod
    def of(
        cls, frames: NDArray[np.int64], times: NDArray[np.float64], most: int = MOST_POINTS,
        every: NDArray[np.float64] | None = None, shot: NDArray[np.int32] | None = None,
    ) -> Grid:
        """One bin for each frame, or, of more frames, `most` bins whose sizes differ by one at most; a cut ends its bin.

        Args:
            frames: (n,) numbers of the analysed frames.
            times: (n,) s.
            most: bins of a video without cuts.
            every: (m,) s, times of all frames; None: all were analysed.
            shot: (n,) number of the shot each lies in, not decreasing; None: there is one.
        """
        shot = np.zeros(len(frames), np.int32) if shot is None else shot
        evenly = np.arange(len(frames)) * min(len(frames), most) // max(len(frames), 1)
        begins = (np.diff(evenly, prepend=0) > 0) | (np.diff(shot, prepend=shot[:1]) > 0)
        return cls(frames, times, times + lasts(times, times if every is None else every), shot, np.cumsum(begins))

    def __len__(self) -> int:
        return int(self.bins[-1]) + 1 if len(self.bins) else 0

    @property
    def times(self) -> NDArray[np.float64]:
        """(b,) s, first moment of each bin."""
        return self.frame_times[np.searchsorted(self.bins, np.arange(len(self)))]

    @property
    def ends(self) -> NDArray[np.float64]:
        """(b,) s, until when each bin holds: up to the next one, less where the file has a hole."""
        return self.frame_ends[np.searchsorted(self.bins, np.arange(len(self)), side="right") - 1]

    @property
    def shots(self) -> NDArray[np.int64]:
        """(s,) the first bin of each shot that has any."""
        return self.bins[np.flatnonzero(np.diff(self.shot, prepend=-1))]

    @property
    def weights(self) -> NDArray[np.float64]:
        """(n,) how much each frame counts in a mean: for as long as it is shown, s; 1 where there is only one frame."""
        return self.frame_ends - self.frame_times if len(self.frames) > 1 else np.ones(len(self.frames))

    @property
    def length(self) -> float:
        """From the first frame to the end of the last one, s; not rounded, as shares are taken of it."""
        return float(self.frame_ends[-1] - self.frame_times[0]) if len(self) else 0.0

    @property
    def step(self) -> float:
        """Typical time from one analysed frame to the next, s; 0 where there is only one."""
        return float(np.median(np.diff(self.frame_times))) if len(self.frame_times) > 1 else 0.0


@dataclass(frozen=True, slots=True)
class Seen:
    """Rows of faces.parquet in order of person and frame, one row for each.

    Args:
        rows: (m,) int64 positions in faces.parquet.
        frame: (m,) int64 positions in `Grid.frames`.
        starts: (people + 1,) int64; person i has rows starts[i] to starts[i + 1].
    """

    rows: NDArray[np.int64]
    frame: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        grid: Grid,
        frame: NDArray[np.int64],
        person: NDArray[np.int64],
        score: NDArray[np.float32],
        people: int,
    ) -> Seen:
        """Choose rows.

        Args:
            grid: frames of the video.
            frame: (r,) number of each row's frame.
            person: (r,) index of the row's person; rows below 0 or from `people` on are left out.
            score: (r,) presence; of two faces of a person in a frame the surer one is taken.
            people: how many people are shown.
        """
        shown = np.flatnonzero((person >= 0) & (person < people))
        rows = shown[np.lexsort((score[shown], frame[shown], person[shown]))]
        who, when = person[rows], frame[rows]
        surest = np.ones(len(rows), bool)
        surest[:-1] = (who[1:] != who[:-1]) | (when[1:] != when[:-1])
        rows = rows[surest]
        starts = np.searchsorted(person[rows], np.arange(people + 1))
        return cls(rows, np.searchsorted(grid.frames, frame[rows]), starts)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def people(self) -> int:
        """How many people are shown."""
        return len(self.starts) - 1

    def of_person(self, index: int) -> slice:
        """Where the rows of one person lie."""
        return slice(int(self.starts[index]), int(self.starts[index + 1]))

    def cells(self, grid: Grid) -> NDArray[np.int64]:
        """(m,) person * bins + bin."""
        person = np.repeat(np.arange(self.people), np.diff(self.starts))
        return person * len(grid) + grid.bins[self.frame]


def means(
    values: NDArray[np.float32], weights: NDArray[np.float64], cells: NDArray[np.int64], shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Mean over time of the measured values of each cell, NaN where there is none.

    Args:
        values: (m,) NaN where not measured.
        weights: (m,) above 0.
        cells: (m,) person * bins + bin.
        shape: (people, bins).

    Returns:
        (people, bins).
    """
    measured = np.isfinite(values)
    size = shape[0] * shape[1]
    own, weight = cells[measured], weights[measured]
    total = np.bincount(own, values[measured] * weight, size)
    with np.errstate(invalid="ignore"):
        return np.asarray((total / np.bincount(own, weight, size)).reshape(shape), np.float32)


def spans(grid: Grid, frame: NDArray[np.int64], gap: float) -> list[list[float]]:
    """From when to when something is seen, (start, end) in s.

    Args:
        grid: of the analysed frames.
        frame: (m,) increasing positions among these.
        gap: s; shorter gaps are closed, because no pixel could show them.
    """
    if len(frame) == 0:
        return []
    seen = grid.frame_times[frame]
    breaks = np.flatnonzero((np.diff(frame) > 1) & (np.diff(seen) > gap + grid.step))
    starts = np.concatenate([[seen[0]], seen[breaks + 1]])
    ends = grid.frame_ends[frame[np.append(breaks, -1)]]
    return [[round(float(a), 3), round(float(b), 3)] for a, b in zip(starts, ends, strict=True)]


def packed(values: NDArray[np.float32]) -> dict[str, object]:
    """A series for the page: `start`, `scale` and the base64 of little-endian int16; value = number * scale.

    NaN before the first and after the last measured point are left out; NaN between is -32768.
    """
    measured = np.flatnonzero(np.isfinite(values))
    if len(measured) == 0:
        return {"start": 0, "scale": 1.0, "data": ""}
    cut = values[measured[0] : measured[-1] + 1]
    scale = float(np.nanmax(np.abs(cut))) / _STEPS or 1.0
    numbers = np.where(np.isfinite(cut), np.round(cut / scale), _NOT_MEASURED)
    return {"start": int(measured[0]), "scale": scale, "data": base64_of(numbers.astype("<i2"))}


def moments(times: NDArray[np.float64]) -> dict[str, object]:
    """Times (n,) or (n, 2) s for the page: the `first`, and base64 of int32 `ms` from there on; some clocks count from 1970."""
    first = round(float(times.flat[0]), 3) if len(times) else 0.0
    return {"first": first, "ms": base64_of(np.round((times - first) * 1000).astype(np.int32))}


def base64_of(numbers: NDArray[np.int16] | NDArray[np.int32]) -> str:
    """Little-endian bytes of numbers as base64."""
    return base64.b64encode(numbers.astype(numbers.dtype.newbyteorder("<")).tobytes()).decode("ascii")
