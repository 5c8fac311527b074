"""Timelines: gaps stay gaps, and time is the clock, not the row number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotrace.errors import InputError, UnknownNameError
from emotrace.scheme import VALENCE_AROUSAL
from emotrace.timeline import Timeline


def line(times: list[float], valence: list[float]) -> Timeline:
    values = np.stack([valence, np.zeros(len(times))], axis=1).astype(np.float32)
    return Timeline(np.array(times, float), values, VALENCE_AROUSAL, "rater:anna", "P1")


def test_values_of_the_wrong_shape_are_refused() -> None:
    with pytest.raises(InputError, match=r"\(2, 3\), expected \(2, 2\)"):
        Timeline(np.arange(2.0), np.zeros((2, 3), np.float32), VALENCE_AROUSAL, "x")


@pytest.mark.parametrize("times", [[0, 0], [1, 0], [0, np.nan]])
def test_times_that_do_not_increase_are_refused(times: list[float]) -> None:
    with pytest.raises(InputError, match="strictly increasing"):
        line(times, [0, 0])


def test_a_label_gives_its_column_and_a_wrong_one_names_those_there_are() -> None:
    assert line([0, 1], [0.5, -0.5])["valence"].tolist() == [0.5, -0.5]
    with pytest.raises(UnknownNameError, match="valence, arousal"):
        line([0], [0])["dominance"]


def test_crop_takes_the_start_and_leaves_the_stop() -> None:
    assert line([0, 1, 2, 3], [0, 1, 2, 3]).crop(1, 3)["valence"].tolist() == [1, 2]


def test_shift_undoes_a_raters_lag() -> None:
    assert line([3.0, 4.0], [0, 1]).shift(-2.5).times.tolist() == [0.5, 1.5]


def test_interpolation_is_linear_and_never_bridges_a_gap() -> None:
    found = line([0, 1, 2, 3], [0, 1, np.nan, 3]).at(np.array([-0.1, 0.0, 0.25, 1.0, 1.5, 2.5, 3.0, 3.1]))["valence"]
    np.testing.assert_array_equal(found, np.array([np.nan, 0, 0.25, 1, np.nan, np.nan, 3, np.nan], np.float32))


def test_interpolation_of_nothing_is_nan() -> None:
    assert np.isnan(line([], []).at(np.array([0.0, 1.0])).values).all()


def test_resample_ticks_from_the_first_row() -> None:
    found = line([0.5, 1.5], [0, 1]).resample(4)
    assert found.times.tolist() == [0.5, 0.75, 1.0, 1.25, 1.5]
    assert found["valence"].tolist() == [0, 0.25, 0.5, 0.75, 1]


@pytest.mark.parametrize("rate", [12, 24, 25, 30, 30000 / 1001, 60])
@pytest.mark.parametrize("start", [0.0, 1 / 3, 100.123])
def test_resampling_at_the_own_rate_loses_no_row_however_its_times_are_rounded(rate: float, start: float) -> None:
    valence = [float(i) for i in range(200)]
    valence[100:110] = [np.nan] * 10
    for times in (start + np.arange(200) * (1 / rate), np.round(start + np.arange(200) / rate, 6)):
        found = line(times.tolist(), valence).resample(rate)["valence"]
        np.testing.assert_allclose(found, valence, atol=1e-3)


def test_a_time_as_good_as_a_rows_is_that_rows() -> None:
    found = line([0, 1, 2], [5, np.nan, 7]).at(np.array([-5e-7, 5e-7, 1e-4, 2 - 5e-7, 2 + 5e-7, 2 + 1e-4]))["valence"]
    np.testing.assert_array_equal(found, np.array([5, 5, np.nan, 7, 7, np.nan], np.float32))


def test_other_times_may_be_given_as_a_list() -> None:
    assert line([], []).at([0, 1]).times.dtype == np.float64
    assert line([0, 1], [0, 1]).at([0.5])["valence"].tolist() == [0.5]


def test_times_of_more_than_one_dimension_are_refused() -> None:
    with pytest.raises(InputError, match=r"times have shape \(2, 1\)"):
        Timeline(np.array([[0.0], [1.0]]), np.zeros((2, 2), np.float32), VALENCE_AROUSAL, "x")


@pytest.mark.parametrize("number", [-1.0, np.nan])
def test_windows_and_rates_that_are_none_are_refused(number: float) -> None:
    with pytest.raises(InputError, match="0 s or more"):
        line([0, 1], [0, 1]).smooth(number)
    for rate in (number, 0.0, np.inf):
        with pytest.raises(InputError, match="positive and finite"):
            line([0, 1], [0, 1]).resample(rate)


def test_smoothing_averages_over_time_not_rows() -> None:
    found = line([0.0, 0.1, 0.2, 5.0], [0, 1, 2, 9]).smooth(0.25)["valence"]
    np.testing.assert_allclose(found, [0.5, 1.0, 5 / 3, 9.0], atol=1e-6)   # the frame at 0.2 s is still there at 0.3 s


def test_a_frame_that_is_shown_long_counts_for_as_long_in_the_average() -> None:
    found = line([0.0, 0.1, 0.2, 0.3, 0.9, 1.0, 1.1], [0, 0, 0, 1, 0, 0, 0]).smooth(1.2)["valence"]
    np.testing.assert_allclose(found[[3, 4]], [6 / 10, 6 / 9], atol=1e-6)   # 0.3 to 0.9 s of 0 to 1 s, and of 0.3 to 1.2 s


@pytest.mark.parametrize("rate", [12, 20, 24, 25, 30, 60])
def test_smoothing_leaves_a_straight_ramp_as_it_is(rate: int) -> None:
    time = (np.arange(60 * rate) / rate).tolist()
    inner = slice(rate, -rate)
    np.testing.assert_allclose(line(time, time).smooth(0.5)["valence"][inner], time[inner], atol=1e-5)


def test_smoothing_leaves_what_was_not_measured_unmeasured() -> None:
    found = line([0.0, 0.1, 0.2], [1, np.nan, 3]).smooth(1.0)["valence"]
    np.testing.assert_array_equal(found, np.array([2, np.nan, 2], np.float32))


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=50))
def test_interpolation_onto_its_own_times_changes_nothing(values: list[float]) -> None:
    own = line([0.04 * i for i in range(len(values))], values)
    np.testing.assert_array_equal(own.at(own.times).values, own.values)


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=50), st.floats(0.01, 3))
def test_smoothing_stays_inside_the_values_it_averages(values: list[float], seconds: float) -> None:
    own = line([0.04 * i for i in range(len(values))], values)
    smooth = own.smooth(seconds)["valence"]
    assert smooth.min() >= min(values) - 1e-5
    assert smooth.max() <= max(values) + 1e-5


def test_a_table_carries_time_labels_and_who_said_so() -> None:
    table = line([0, 1], [0, 1]).to_arrow()
    assert table.column_names == ["time", "valence", "arousal"]
    assert table.schema.metadata[b"source"] == b"rater:anna"
    assert table.schema.metadata[b"subject"] == b"P1"
