"""Squares of tubes: exact averages, exact sides."""

from __future__ import annotations

import numpy as np
import pytest

from emotrace.learn.tube_smoothing import moving_average, sides, squares


def test_the_average_is_that_of_eleven_frames_and_of_fewer_towards_the_ends() -> None:
    values = np.zeros((21, 1))
    values[10] = 11
    expected = [0] * 5 + [1] * 11 + [0] * 5
    assert moving_average(values)[:, 0] == pytest.approx(expected)
    values = np.zeros((4, 1))
    values[1] = 3
    assert moving_average(values)[:, 0] == pytest.approx([0, 1, 1, 0])


def test_steady_motion_is_not_slowed_down_at_the_ends() -> None:
    line = np.arange(30)[:, None] * np.array([2.0, -1.0]) + 5
    assert moving_average(line) == pytest.approx(line)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_few_frames_are_enough(n: int) -> None:
    box = np.tile([10.0, 20.0, 50.0, 80.0], (n, 1))
    assert squares(box) == pytest.approx(np.tile([10.0, 30.0, 50.0, 70.0], (n, 1)))


def test_the_square_is_the_largest_one_around_the_centre() -> None:
    assert squares(np.tile([0.0, 0.0, 60.0, 40.0], (12, 1)))[5] == pytest.approx([10, 0, 50, 40])


def test_sides_are_their_mean_where_they_hardly_change_and_a_line_where_they_do() -> None:
    hardly = 50 + 1.4 / 20 * np.arange(20)
    assert sides(hardly) == pytest.approx(np.full(20, hardly.mean()))
    clearly = 50 + 1.6 / 20 * np.arange(20)
    assert sides(clearly) == pytest.approx(clearly)
    assert sides(clearly[::-1]) == pytest.approx(clearly[::-1])


def test_jitter_around_a_growing_face_is_taken_away() -> None:
    random, n = np.random.default_rng(0), 60
    side = 40 + 0.5 * np.arange(n)
    box = np.stack([100 - side / 2, 80 - side / 2, 100 + side / 2, 80 + side / 2], axis=1)
    found = squares(box + random.normal(0, 2, box.shape))
    width = found[:, 2] - found[:, 0]
    assert width == pytest.approx(found[:, 3] - found[:, 1])
    assert np.diff(width) == pytest.approx(np.full(n - 1, np.diff(width)[0]))
    assert np.diff(width)[0] == pytest.approx(0.5, abs=0.05)
    assert found[10:-10].mean(axis=0) == pytest.approx(box[10:-10].mean(axis=0), abs=1.5)
