"""How long frames are shown, what of it lies where, and where runs of equal ones begin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

HOLE = 1.0      # s; a frame that would be shown so much longer than usual is followed by a hole in the file
FINEST = 0.01   # s; frames are not divided more finely, as stamps may lie close


def lasts(time: NDArray[np.float64], every: NDArray[np.float64], alone: float = 0.0) -> NDArray[np.float64]:
    """For how long each analysed frame of a video stands for what is seen, (n,) s.

    Until the next one, but at most HOLE longer than usual. The last one stands as long as usual, but not beyond the end of the
    video, which is a usual step after the last of all frames; if it is the only one, it stands until that end.

    Args:
        time: (n,) s, increasing; the frames that were analysed.
        every: (m,) s, increasing; all frames.
        alone: s, of the only frame of a file.
    """
    if len(time) == 0:
        return np.zeros(0)
    left = every[-1] + (float(np.median(np.diff(every))) if len(every) > 1 else alone) - time[-1]
    step = np.diff(time)
    if len(step) == 0:
        return np.array([left])
    usual = float(np.median(step))
    return np.append(np.minimum(step, usual + HOLE), min(usual, left))


def divided(
    time: NDArray[np.float64], shown: NDArray[np.float64], usual: float
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Frames that are shown for longer than usual as several of about the usual length, so that each lies where it is shown.

    Args:
        time: (n,) s, not decreasing.
        shown: (n,) s, how long each is; see `lasts`.
        usual: s, how long frames are shown usually; FINEST where it is less.

    Returns:
        Of m >= n parts, in order of time: (m,) position of its frame; (m,) s, when it begins; (m,) s, how long it is shown.
    """
    count = np.maximum(np.rint(shown / max(usual, FINEST)), 1).astype(np.int64)
    row = np.repeat(np.arange(len(time)), count)
    part = (shown / count)[row]
    begin = time[row] + (np.arange(len(row)) - (np.cumsum(count) - count)[row]) * part
    order = np.argsort(begin, kind="stable")
    return row[order], begin[order], part[order]


def covered(
    time: NDArray[np.float64], shown: NDArray[np.float64], start: NDArray[np.float64], window: float
) -> NDArray[np.float64]:
    """The share of windows in which there is a frame, (w,) 0..1.

    Args:
        time: (n,) s, increasing; n is not 0.
        shown: (n,) s, how long each is; see `lasts`.
        start: (w,) s, first moments of the windows.
        window: s.
    """
    before = np.append(0, np.cumsum(shown))
    edges, total = np.stack([time, time + shown], axis=1).ravel(), np.stack([before[:-1], before[1:]], axis=1).ravel()
    there = np.interp(start + window, edges, total) - np.interp(start, edges, total)
    return np.asarray(np.clip(there / window, 0, 1), np.float64)


def edges_of(values: NDArray[np.generic]) -> NDArray[np.int64]:
    """First position of each of m runs of equal values (n,), then n; (m + 1,), [0] where there are no values."""
    begins = np.flatnonzero(values[1:] != values[:-1]) + 1
    return np.unique(np.concatenate([[0], begins, [len(values)]])).astype(np.int64)
