"""A region is found again by its colours, as a slow search over every place finds it."""

from __future__ import annotations

import numpy as np
import pytest

from emotrace.learn.histogram_search import LEVELS, histogram, search


def coloured(seed: int, shape: tuple[int, int] = (60, 80)) -> np.ndarray:
    """A grey noisy ground."""
    grey = np.random.default_rng(seed).integers(90, 150, (*shape, 1))
    return np.repeat(grey, 3, axis=2).astype(np.uint8)


def planted(image: np.ndarray, x: int, y: int, side: int) -> np.ndarray:
    """A patch with a red upper, green lower and bright middle part."""
    shown = image.copy()
    shown[y : y + side, x : x + side] = (230, 30, 30)
    shown[y + side // 2 : y + side, x : x + side] = (30, 200, 30)
    shown[y + side // 3 : y + 2 * side // 3, x + side // 3 : x + 2 * side // 3] = 250
    return shown


def slow(image: np.ndarray, wanted: np.ndarray, box: np.ndarray, reach: float) -> float:
    """The highest intersection over every place of a box of one size."""
    width, height = (box[2:] - box[:2]).astype(int)
    best = 0.0
    for y in range(max(0, int(box[1] - reach * height)), min(image.shape[0] - height, int(box[1] + reach * height)) + 1):
        for x in range(max(0, int(box[0] - reach * width)), min(image.shape[1] - width, int(box[0] + reach * width)) + 1):
            part = image[y : y + height, x : x + width]
            counts = [np.bincount(part[..., c].ravel() // (256 // LEVELS), minlength=LEVELS) for c in range(3)]
            best = max(best, float(np.minimum(np.concatenate(counts) / part.size, wanted).sum()))
    return best


def test_a_histogram_counts_the_levels_of_each_colour() -> None:
    image = np.zeros((10, 20, 3), np.uint8)
    image[:, 10:] = (255, 16, 0)
    found = histogram(image, np.array([5, 0, 15, 10]))
    assert found[[0, LEVELS - 1, LEVELS, LEVELS + 1, 2 * LEVELS]] == pytest.approx(np.array([1, 1, 1, 1, 2]) / 6)
    assert found.sum() == pytest.approx(1)


def test_a_box_beside_the_picture_has_no_histogram_and_no_match() -> None:
    image, box = coloured(0), np.array([200, 10, 220, 30])
    assert histogram(image, box).sum() == 0
    match = search(image, np.full(48, 1 / 48), box)
    assert match.similarity == 0
    assert match.box.tolist() == box.tolist()


@pytest.mark.parametrize("seed", range(4))
def test_the_best_place_is_that_of_a_slow_search(seed: int) -> None:
    random = np.random.default_rng(seed)
    x, y = random.integers(20, 40), random.integers(15, 25)
    wanted = histogram(planted(coloured(1), 30, 20, 18), np.array([30, 20, 48, 38]))
    image = planted(coloured(2), int(x), int(y), 18)
    match = search(image, wanted, np.array([30, 20, 48, 38]), reach=0.7)
    assert match.similarity == pytest.approx(slow(image, wanted, np.array([30, 20, 48, 38]), 0.7), abs=1e-9)
    assert match.box == pytest.approx(np.array([x, y, x + 18, y + 18]), abs=1.01)


def test_a_large_region_that_moved_and_grew_is_found() -> None:
    wanted = histogram(planted(coloured(1, (400, 500)), 150, 120, 120), np.array([150, 120, 270, 240]))
    match = search(planted(coloured(2, (400, 500)), 190, 100, 132), wanted, np.array([150, 120, 270, 240]))
    assert match.box.reshape(2, 2).mean(axis=0) == pytest.approx([256, 166], abs=8)
    assert match.similarity > 0.85


def test_a_ground_without_the_colours_is_not_similar() -> None:
    wanted = histogram(planted(coloured(1), 30, 20, 18), np.array([30, 20, 48, 38]))
    assert search(coloured(2), wanted, np.array([30, 20, 48, 38])).similarity < 0.3
