"""Isotropic smoothing: the fast solution is the solution, and light that was put on a face goes away."""

from __future__ import annotations

import numpy as np
import pytest

from emotrace.engine import grey
from emotrace.errors import InputError
from emotrace.face.align import warp
from emotrace.face.expression import FER2013_TEMPLATE
from emotrace.learn.light import FLOOR, PADDING, grey_levels, isotropic_smoothing, padded, smoothed, stretched


@pytest.fixture(scope="module")
def crops(faces):
    """The five faces of the photo, (5, 96, 96) grey."""
    matrices = FER2013_TEMPLATE.matrices(faces.tracks.mesh) * 2
    return grey(warp(faces.pictures(), matrices, 96))


def dense(h: int, w: int, smoothness: float) -> np.ndarray:
    """The system of the toolbox, entry by entry: 1 + 4λ on the diagonal, -λ for each neighbour in the picture."""
    system = np.zeros((h * w, h * w))
    for y in range(h):
        for x in range(w):
            system[y * w + x, y * w + x] = 1 + 4 * smoothness
            for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if 0 <= v < h and 0 <= u < w:
                    system[y * w + x, v * w + u] = -smoothness
    return system


@pytest.mark.parametrize("smoothness", [0.0, 0.5, 7.0, 200.0])
def test_the_sine_transform_gives_what_solving_the_whole_system_gives(smoothness):
    images = np.random.default_rng(0).random((3, 9, 14))
    slow = np.linalg.solve(dense(9, 14, smoothness), images.reshape(3, -1).T).T.reshape(images.shape)
    np.testing.assert_allclose(smoothed(images, smoothness), slow, rtol=1e-9)


def test_reflectance_is_the_picture_over_its_luminance(crops):
    reflectance, luminance = isotropic_smoothing(crops)
    bright = padded(stretched(crops))[:, PADDING:-PADDING, PADDING:-PADDING] + FLOOR
    np.testing.assert_allclose(reflectance * luminance, bright, rtol=1e-4)
    assert reflectance.mean() == pytest.approx(1, abs=0.05)
    assert 0 < luminance.min() < luminance.max() < 1.01


def likeness(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Correlation of the pixels of two stacks of pictures, (n,)."""
    return np.array([np.corrcoef(one.ravel(), other.ravel())[0, 1] for one, other in zip(a, b, strict=True)])


@pytest.mark.parametrize("across", [True, False])
def test_light_from_one_side_is_taken_away_again(crops, across):
    ramp = np.linspace(0.15, 1, 96)
    lit = np.rint(crops * (ramp if across else ramp[:, None])).astype(np.uint8)
    before, after = likeness(crops, lit), likeness(*(isotropic_smoothing(part)[0] for part in (crops, lit)))
    assert after.min() > 0.9
    assert (1 - after.mean()) < 0.3 * (1 - before.mean())


def test_half_the_light_changes_next_to_nothing(crops):
    half = isotropic_smoothing((crops // 2).astype(np.uint8))[0]
    assert np.abs(half - isotropic_smoothing(crops)[0]).mean() < 0.02


def test_grey_levels_put_the_mean_in_the_middle_and_flat_pictures_give_no_nan(crops):
    levels = grey_levels(isotropic_smoothing(crops)[0])
    assert levels.dtype == np.uint8
    assert levels.mean() == pytest.approx(127, abs=8)
    assert np.isfinite(isotropic_smoothing(np.full((1, 48, 48), 90, np.uint8))[0]).all()


def test_no_pictures_give_none_and_one_gives_what_it_gives_among_others(crops):
    assert isotropic_smoothing(np.zeros((0, 48, 48), np.uint8))[0].shape == (0, 48, 48)
    np.testing.assert_array_equal(isotropic_smoothing(crops)[0][2:3], isotropic_smoothing(crops[2:3])[0])


def test_what_is_no_stack_of_pictures_is_refused():
    with pytest.raises(InputError, match=r"expected \(n, h, w\)"):
        isotropic_smoothing(np.zeros((48, 48), np.uint8))
