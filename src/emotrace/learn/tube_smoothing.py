"""Squares that follow a face smoothly: what a tube of detections is cropped by.

    boxes ─moving average of 11─▶ boxes ─largest centred square─▶ sides ─constant, or a line where it matters─▶ squares

Source: Kahou et al. 2015, EmoNets, section 2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WINDOW = 11   # frames of the two-sided moving average
SLOPE = 1.5   # px that the sides' line must rise or fall over a tube, to be taken instead of their mean


def moving_average(values: NDArray[np.floating], window: int = WINDOW) -> NDArray[np.float64]:
    """Two-sided moving average over rows, (n, k) -> (n, k).

    Towards both ends the window becomes narrower and stays two-sided, so that steady motion is not slowed down there (ours: the
    paper does not say what it does at the ends).
    """
    n = len(values)
    rows = np.arange(n)
    half = np.minimum(window // 2, np.minimum(rows, n - 1 - rows))
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0, dtype=np.float64)])
    return np.asarray((sums[rows + half + 1] - sums[rows - half]) / (2 * half + 1)[:, None], np.float64)


def squares(box: NDArray[np.floating], window: int = WINDOW, slope: float = SLOPE) -> NDArray[np.float64]:
    """Smooth squares of boxes.

    The centre of averaged corners is the averaged centre, so both are smoothed at once. Sides are the mean of the largest
    centred squares' sides, or their least-squares line where it rises or falls by more than `slope` over the n frames.

    Args:
        box: (n, 4) x1 y1 x2 y2 px, n at least 1.
        window: frames of the moving average.
        slope: px.

    Returns:
        (n, 4) x1 y1 x2 y2 px, as wide as high.
    """
    corners = moving_average(box, window).reshape(-1, 2, 2)
    side = sides((corners[:, 1] - corners[:, 0]).min(axis=1), slope)
    centre = corners.mean(axis=1)
    return np.concatenate([centre - side[:, None] / 2, centre + side[:, None] / 2], axis=1)


def sides(side: NDArray[np.float64], slope: float = SLOPE) -> NDArray[np.float64]:
    """A constant, or a line where |slope x length| exceeds `slope`; (n,) px -> (n,) px, 1 or more."""
    rows = np.arange(len(side)) - (len(side) - 1) / 2
    rise = float(rows @ side) / max(float(rows @ rows), 1e-9)
    line = rise * rows if abs(rise * len(side)) > slope else np.zeros(len(side))
    return np.asarray(np.maximum(side.mean() + line, 1.0), np.float64)
