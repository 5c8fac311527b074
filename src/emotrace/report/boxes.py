"""Boxes: where each tracked face lies in the picture, at most ten times a second.

The page draws them over the video, in straight lines between the kept ones. A track never crosses a cut, so no line does.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from emotrace.report.series import base64_of, moments

RATE = 10.0           # boxes a second; a head hardly turns round between two
MOST = 120_000        # boxes of a video; beyond, fewer a second: 1.2 MB of the page


def chosen(
    track: NDArray[np.int64], time: NDArray[np.float64], rate: float = RATE, most: int = MOST
) -> NDArray[np.int64]:
    """Rows to keep, in order of track and time: the first and last of each track, and `rate` a second between.

    Args:
        track: (r,) track of each row of faces.parquet.
        time: (r,) s.
        rate: rows a second.
        most: the rate is lowered until about this many are left.
    """
    order = np.lexsort((time, track))
    if len(order) == 0:
        return order
    ordered, seconds = track[order], time[order]
    new_track = np.append(True, ordered[1:] != ordered[:-1])
    last_of_track = np.append(new_track[1:], True)
    length = float(np.sum(seconds[last_of_track] - seconds[new_track]))
    slot = np.floor(seconds * min(rate, most / max(length, 1.0)) + 1e-6)
    new_slot = np.append(True, slot[1:] != slot[:-1])
    return np.asarray(order[new_track | last_of_track | new_slot], np.int64)


def packed(
    column: Callable[[str], NDArray[np.float32]],
    track: NDArray[np.int64],
    time: NDArray[np.float64],
    person: NDArray[np.int64],
) -> dict[str, object]:
    """All boxes for the page.

    Args:
        column: reads one column of faces.parquet, (r,).
        track: (r,) track of each row.
        time: (r,) s.
        person: (r,) index of the row's person, -1 where the track is unassigned.

    Returns:
        `starts` of each track in the arrays and its `person`, `times` as `moments` gives them, and base64 of `x1` to `y2`
        (int16 px).
    """
    rows = chosen(track, time)
    starts = np.flatnonzero(np.append(True, np.diff(track[rows]) != 0)) if len(rows) else rows
    corners = {name: base64_of(_pixels(column(name)[rows])) for name in ("x1", "y1", "x2", "y2")}
    return {
        "starts": [*starts.tolist(), len(rows)],
        "person": person[rows][starts].tolist(),
        "times": moments(time[rows]),
        **corners,
    }


def _pixels(values: NDArray[np.float32]) -> NDArray[np.int16]:
    limits = np.iinfo(np.int16)
    return np.clip(np.round(np.nan_to_num(values)), limits.min, limits.max).astype(np.int16)
