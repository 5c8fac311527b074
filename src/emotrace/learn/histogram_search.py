"""A face found again by its colours, where a detector has missed it.

    box, histogram ─▶ window around the box ─small, 16 levels─▶ integral histograms ─every place, three sizes─▶ best box

Integral histograms give the histogram of any rectangle from four of their entries, so that all places are compared at once.

Source: Kahou et al. 2015, EmoNets, section 2, which searches the neighbourhood of the closest box for the most similar colour
histogram; Porikli 2005, Integral histogram. Levels, sizes, measure and reach are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

LEVELS = 16                # of each of the three colours
SIDE = 32                  # px to which the box is shrunk before it is compared: finer than that is noise
SIZES = (1.0, 0.9, 1.1)    # times the box that is looked for
CLEARLY = 0.02             # more similar than the sizes before it, a size counts: a part of a face has much of its colours
REACH = 0.5                # of the box's sides, how far its place may have moved to each side


@dataclass(frozen=True, slots=True)
class Match:
    """The most similar region: box (4,) float32 x1 y1 x2 y2 px, and how similar its colours are, 0..1."""

    box: NDArray[np.float32]
    similarity: float


def histogram(image: NDArray[np.uint8], box: NDArray[np.floating]) -> NDArray[np.float64]:
    """How often each level of each colour occurs within a box.

    Args:
        image: (H, W, 3) RGB uint8.
        box: (4,) x1 y1 x2 y2 px; what lies beyond the picture is left out.

    Returns:
        (48,): 16 levels of red, of green, of blue; the sum is 1, or 0 where no pixel of the picture lies in the box.
    """
    small, _, _ = _shrunk(image, np.asarray(box, np.float64), 0.0)
    if not small.size:
        return np.zeros(3 * LEVELS)
    levels = small.reshape(-1, 3) // (256 // LEVELS) + LEVELS * np.arange(3)
    return np.bincount(levels.ravel(), minlength=3 * LEVELS) / levels.size


def search(image: NDArray[np.uint8], wanted: NDArray[np.float64], box: NDArray[np.floating], reach: float = REACH) -> Match:
    """The region near a box whose colours are most like those wanted.

    Args:
        image: (H, W, 3) RGB uint8.
        wanted: (48,) as `histogram` gives it.
        box: (4,) x1 y1 x2 y2 px, where to look.
        reach: times its sides that the region may lie beside it.

    Returns:
        The best match by histogram intersection, of equals the closest; the box itself with similarity 0 where it lies outside
        the picture or nothing is similar.
    """
    given = np.asarray(box, np.float64)
    small, origin, scale = _shrunk(image, given, reach)
    extent, middle = given[2:] - given[:2], given.reshape(2, 2).mean(axis=0)
    best = Match(np.asarray(box, np.float32), 0.0)
    if not small.size:
        return best
    sums = _integral(small)
    for size in SIZES:
        width, height = np.maximum(np.rint(extent * size * scale), 1).astype(int)
        similar = _similarities(sums, int(width), int(height), wanted)
        if not similar.size:
            continue
        rows, columns = np.indices(similar.shape)
        centres = origin + (np.stack([columns + width / 2, rows + height / 2], axis=-1)) / scale   # (h, w, 2) px
        away = np.linalg.norm((centres - middle) / extent, axis=-1)
        place = np.unravel_index(np.argmax(similar - 1e-6 * away), similar.shape)
        if similar[place] > best.similarity + CLEARLY:
            corner = centres[place] - extent * size / 2
            best = Match(np.concatenate([corner, corner + extent * size]).astype(np.float32), float(similar[place]))
    return best


def _shrunk(
    image: NDArray[np.uint8], box: NDArray[np.float64], reach: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.float64]]:
    """The surroundings of a box so small that the box is SIDE px, their corner, and their px for one px in x and y."""
    extent, limit = box[2:] - box[:2], np.array(image.shape[1::-1])
    low = np.clip(np.floor(box[:2] - reach * extent), 0, limit).astype(int)
    high = np.clip(np.ceil(box[2:] + reach * extent), 0, limit).astype(int)
    part = image[low[1] : high[1], low[0] : high[0]]
    if not part.size or extent.min() <= 0:
        return np.zeros((0, 0, 3), np.uint8), low.astype(np.float64), np.ones(2)
    factor = min(1.0, SIDE / float(extent.max()))
    size = np.maximum(np.rint((high - low) * factor), 1).astype(int)
    small = cv2.resize(part, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), low.astype(np.float64), size / (high - low)


def _integral(small: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Counts of each level above and left of every corner, (h, w, 3) -> (h + 1, w + 1, 48)."""
    height, width, _ = small.shape
    level = small // (256 // LEVELS)
    counts = (level[..., None] == np.arange(LEVELS, dtype=np.uint8)).reshape(height, width, -1)
    sums = np.zeros((height + 1, width + 1, 3 * LEVELS), np.int32)
    sums[1:, 1:] = counts.cumsum(axis=0, dtype=np.int32).cumsum(axis=1)
    return sums


def _similarities(sums: NDArray[np.int32], width: int, height: int, wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Histogram intersection of every place of a rectangle, (h, w, 48) -> (h - height, w - width), empty if too large."""
    if height >= sums.shape[0] or width >= sums.shape[1]:
        return np.zeros((0, 0))
    counts = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    return np.asarray(np.minimum(counts / (3 * width * height), wanted).sum(axis=2), np.float64)
