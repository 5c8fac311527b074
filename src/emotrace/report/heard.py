"""Heard: the sound and its windows, reduced to what the page can draw."""

from __future__ import annotations

import numpy as np

from emotrace.report.series import Grid, packed
from emotrace.spoken import Spoken


def waveform(spoken: Spoken) -> dict[str, object]:
    """The sound as a band of `count` bins, from `start` (s) on, every `step` (s).

    Returns:
        Besides these, the series `level` (root mean square) and `peak` (the loudest) of each bin, as shares of full scale.
    """
    grid = Grid.of(np.arange(len(spoken.time)), spoken.time)
    there = np.isfinite(spoken.level)
    power = np.where(there, 10 ** (np.nan_to_num(spoken.level) / 10), 0.0)
    count = np.bincount(grid.bins, there, len(grid))
    peak = np.zeros(len(grid))
    np.maximum.at(peak, grid.bins, np.where(there, spoken.peak, 0.0))
    with np.errstate(invalid="ignore"):
        level = np.sqrt(np.bincount(grid.bins, power, len(grid)) / count)
    return {
        "start": round(float(spoken.time[0]), 4),
        "step": len(spoken.time) / len(grid) * spoken.step,
        "count": len(grid),
        "level": packed(level.astype(np.float32)),
        "peak": packed(np.where(count > 0, peak, np.nan).astype(np.float32)),
    }
