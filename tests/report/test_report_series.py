"""Series keep the truth of what they reduce: means, gaps, bounds of error."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from emotrace.report import boxes
from emotrace.report.series import MOST_POINTS, Grid, Seen, means, moments, packed, spans


def grid(count: int, rate: float = 25.0, most: int = MOST_POINTS) -> Grid:
    return Grid.of(np.arange(count), np.arange(count) / rate, most)


def opened(packed_series: dict[str, object], count: int) -> np.ndarray:
    numbers = np.frombuffer(base64.b64decode(str(packed_series["data"])), "<i2")
    values = np.full(count, np.nan)
    start = int(str(packed_series["start"]))
    values[start : start + len(numbers)] = np.where(numbers == -32768, np.nan, numbers * float(str(packed_series["scale"])))
    return values


def test_a_short_video_keeps_every_frame() -> None:
    short = grid(500)
    np.testing.assert_allclose(short.times, np.arange(500) / 25)
    np.testing.assert_array_equal(short.bins, np.arange(500))


@pytest.mark.parametrize("count", [3001, 108_000])
def test_a_long_video_has_3000_bins_of_nearly_equal_size(count: int) -> None:
    long = grid(count)
    sizes = np.bincount(long.bins)
    assert len(long) == len(sizes) == MOST_POINTS
    assert sizes.max() - sizes.min() <= 1
    assert np.all(np.diff(long.times) > 0)


def test_bins_hold_from_their_first_frame_to_the_next_bin_or_to_a_hole() -> None:
    time = np.array([0.0, 0.1, 0.2, 0.3, 3.0, 3.1, 3.2])
    three = Grid.of(np.arange(7), time, 3)
    np.testing.assert_allclose(three.times, [0.0, 0.3, 3.1])
    np.testing.assert_allclose(three.ends, [0.3, 3.1, 3.3])
    each = Grid.of(np.arange(7), time)
    np.testing.assert_allclose(each.times, time)
    np.testing.assert_allclose(each.ends, [0.1, 0.2, 0.3, 1.4, 3.1, 3.2, 3.3])   # at most a second longer than usual


def test_no_frames_give_no_bins() -> None:
    assert len(grid(0)) == len(grid(0).times) == len(grid(0).ends) == 0
    assert grid(1).step == 0.0


def test_a_bin_is_the_mean_of_what_was_measured_in_it_and_nan_where_nothing_was() -> None:
    six = grid(6, most=3)
    values = np.array([1, 3, np.nan, 5, np.nan, np.nan], np.float32)
    seen = Seen.of(six, np.arange(6), np.zeros(6, int), np.ones(6, np.float32), 1)
    np.testing.assert_array_equal(means(values[seen.rows], np.ones(6), seen.cells(six), (1, 3)), [[2, 5, np.nan]])


def test_in_the_mean_of_a_bin_a_frame_counts_for_as_long_as_it_is_shown() -> None:
    two = Grid.of(np.arange(6), np.array([0.0, 0.1, 0.5, 0.6, 0.7, 0.8]), 2)
    np.testing.assert_allclose(two.weights, [0.1, 0.4, 0.1, 0.1, 0.1, 0.1])
    values = np.array([0, 1, 0, 0, np.nan, 1], np.float32)
    np.testing.assert_allclose(means(values, two.weights, two.bins, (1, 2)), [[4 / 6, 1 / 2]])


def test_no_bin_lies_on_both_sides_of_a_cut() -> None:
    three = Grid.of(np.arange(9), np.arange(9) / 10, 3, shot=np.array([0, 0, 0, 0, 1, 1, 1, 1, 3], np.int32))
    assert three.bins.tolist() == [0, 0, 0, 1, 2, 2, 3, 3, 4]
    np.testing.assert_allclose(three.times, [0, 0.3, 0.4, 0.6, 0.8])
    np.testing.assert_allclose(three.ends, [0.3, 0.4, 0.6, 0.8, 0.9])
    assert three.shots.tolist() == [0, 2, 4]


def test_means_equal_a_loop_over_rows_for_several_people() -> None:
    rng = np.random.default_rng(0)
    frame, person = np.repeat(np.arange(200), 3), np.tile([0, 1, -1], 200)
    kept = rng.random(600) < 0.7
    frame, person = frame[kept], person[kept]
    values = rng.normal(size=len(frame)).astype(np.float32)
    values[rng.random(len(frame)) < 0.3] = np.nan
    hundred = grid(200, most=30)
    seen = Seen.of(hundred, frame, person, np.ones(len(frame), np.float32), 2)
    got = means(values[seen.rows], hundred.weights[seen.frame], seen.cells(hundred), (2, 30))
    for who in range(2):
        for b in range(30):
            mine = values[(person == who) & (hundred.bins[frame] == b)]
            mine = mine[np.isfinite(mine)]
            assert got[who, b] == pytest.approx(mine.mean() if len(mine) else np.nan, abs=1e-5, nan_ok=True)


def test_of_two_faces_of_a_person_in_one_frame_the_surer_one_is_taken() -> None:
    two = grid(2)
    seen = Seen.of(two, np.array([0, 0, 1]), np.zeros(3, int), np.array([0.9, 0.6, 0.7], np.float32), 1)
    np.testing.assert_array_equal(seen.rows, [0, 2])


def test_frames_that_were_not_analysed_do_not_shift_the_rows() -> None:
    every_third = Grid.of(np.array([0, 3, 6]), np.array([0.0, 0.1, 0.2]))
    seen = Seen.of(every_third, np.array([3, 6]), np.zeros(2, int), np.ones(2, np.float32), 1)
    np.testing.assert_array_equal(seen.frame, [1, 2])


def test_packing_loses_less_than_a_thirty_thousandth_of_the_range_and_keeps_gaps() -> None:
    values = np.sin(np.arange(300) / 20).astype(np.float32) * 40
    values[:7], values[100:120], values[290:] = np.nan, np.nan, np.nan
    got = opened(packed(values), 300)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(values))
    assert np.nanmax(np.abs(got - values)) <= 40 / 32000


def test_what_was_never_measured_is_packed_as_nothing_and_zeros_stay_zeros() -> None:
    assert packed(np.full(5, np.nan, np.float32))["data"] == ""
    np.testing.assert_array_equal(opened(packed(np.zeros(5, np.float32)), 5), np.zeros(5))


def test_spans_break_where_the_face_is_gone_and_last_as_long_as_the_last_frame_is_shown() -> None:
    grid = Grid.of(np.arange(100), np.arange(100) / 10)
    frame = np.r_[10:20, 40:60]
    assert spans(grid, frame, 0.0) == [[1.0, 2.0], [4.0, 6.0]]
    assert spans(grid, frame, 5.0) == [[1.0, 6.0]]
    assert spans(grid, frame[:0], 0.0) == []
    seldom = Grid.of(np.arange(0, 95, 10), np.arange(0, 95, 10) / 10, every=np.arange(95) / 10)
    assert spans(seldom, np.array([8, 9]), 0.0) == [[8.0, 9.5]]   # no bar is longer than the video


def test_boxes_are_kept_ten_times_a_second_with_both_ends_of_every_track() -> None:
    time = np.arange(300) / 30
    track = np.where(time < 4, 1, 2)
    rows = boxes.chosen(track, time)
    assert {0, 119, 120, 299} <= set(rows.tolist())
    assert len(rows) <= 10 * 10 + 4
    assert np.diff(time[rows]).max() <= 0.1 + 1e-9


def test_a_crowded_hour_has_no_more_boxes_than_fit_the_page() -> None:
    time = np.tile(np.arange(36_000) / 10, 5)
    track = np.repeat(np.arange(5), 36_000)
    assert len(boxes.chosen(track, time, most=10_000)) <= 10_000 + 10


def test_times_of_a_clock_that_counts_from_1970_are_kept_to_the_millisecond() -> None:
    now = 1_764_000_000.0
    kept = moments(np.array([[now + 0.5, now + 1.5], [now + 1.5, now + 3.042]]))
    assert kept["first"] == now + 0.5
    assert np.frombuffer(base64.b64decode(str(kept["ms"])), "<i4").tolist() == [0, 1000, 1000, 2542]


def test_no_faces_are_no_boxes() -> None:
    none = np.zeros(0, int)
    packed_boxes = boxes.packed(lambda name: np.zeros(0, np.float32), none, np.zeros(0), none)
    assert packed_boxes["starts"] == [0]
    assert packed_boxes["person"] == []
