"""Events are found where changes were planted, with the size they were planted with, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from emotrace.frames import lasts
from emotrace.report.events import Change, Clock, Windows, changes, changes_of, strongest

RATE = 25.0


def clock(seconds: float, cuts: tuple[float, ...] = (), rate: float = RATE) -> Clock:
    times = np.arange(round(seconds * rate)) / rate
    return clock_at(times, cuts)


def clock_at(times: NDArray[np.float64], cuts: tuple[float, ...] = ()) -> Clock:
    return Clock.of(times, lasts(times, times), np.searchsorted(cuts, times, side="right").astype(np.int32))


def curve(clock: Clock, *steps: tuple[float, float]) -> NDArray[np.float32]:
    """0, and from each step's time on its level."""
    values = np.zeros(len(clock.times))
    for time, level in steps:
        values[clock.times >= time] = level
    return values.astype(np.float32)


def found(clock: Clock, values: NDArray[np.float32], what: str = "valence") -> list[Change]:
    windows = Windows.of(clock, np.arange(len(values)), np.isfinite(values))
    return changes_of(windows, "P1", what, values)


def test_a_step_is_found_at_its_first_frame_with_its_size() -> None:
    ten = clock(10)
    (change,) = found(ten, curve(ten, (4.0, 0.6)))
    assert change.time == 4.0
    assert change.change == pytest.approx(0.6, abs=1e-6)


def test_a_fall_is_a_negative_change() -> None:
    ten = clock(10)
    rise, fall = found(ten, curve(ten, (3.0, 0.7), (7.0, 0.1)))
    assert (rise.time, fall.time) == (3.0, 7.0)
    assert fall.change == pytest.approx(-0.6, abs=1e-6)


def test_changes_equal_the_definition_on_random_values_with_gaps_and_uneven_times() -> None:
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.uniform(0.01, 0.09, 400))
    whole = clock_at(times, (times[150],))
    values = rng.normal(size=400).astype(np.float32)
    values[rng.random(400) < 0.4] = np.nan
    got = changes(Windows.of(whole, np.arange(400), np.isfinite(values)), values)
    shown = lasts(times, times)
    for i, t in enumerate(times):
        start, end = (times[0], times[150]) if i < 150 else (times[150], times[-1] + shown[-1])
        expected = np.nan
        if t - 1 >= start and t + 1 <= end:
            seconds = [(times >= t - 1) & (times < t), (times >= t) & (times < t + 1)]
            good = [second & np.isfinite(values) for second in seconds]
            if all(shown[own].sum() * 2 >= shown[second].sum() for own, second in zip(good, seconds, strict=True)):
                before, after = (np.average(values[own], weights=shown[own]) for own in good)
                expected = after - before
        assert got[i] == pytest.approx(expected, abs=1e-5, nan_ok=True), i


def test_a_frame_that_is_shown_long_counts_for_as_long() -> None:
    times = np.concatenate([np.arange(50) / RATE, [2.0], 2.8 + np.arange(50) / RATE])   # one frame for 0.8 s
    uneven = clock_at(times)
    values = (times == 2.0).astype(np.float32)
    got = changes(Windows.of(uneven, np.arange(101), np.isfinite(values)), values)
    assert got[50] == pytest.approx(0.8)


def test_a_step_at_a_cut_is_no_event() -> None:
    cut = clock(10, cuts=(4.0,))
    assert found(cut, curve(cut, (4.0, 0.9))) == []


def test_a_step_within_a_second_of_a_cut_or_an_end_is_told_only_where_whole_seconds_can_be_compared() -> None:
    cut = clock(10, cuts=(4.0,))
    for time in (0.5, 3.5, 4.5, 9.5):
        for change in found(cut, curve(cut, (time, 0.9))):
            assert 1 <= change.time <= 3 or 5 <= change.time <= 9
    assert [change.time for change in found(cut, curve(cut, (5.0, 0.9)))] == [5.0]
    assert [change.time for change in found(cut, curve(cut, (9.0, 0.9)))] == [9.0]


@pytest.mark.parametrize(("share", "change"), [(0.6, 0.9), (0.4, np.nan)])
def test_a_second_must_be_measured_at_least_half(share: float, change: float) -> None:
    ten = clock(10)
    values = curve(ten, (5.0, 0.9))
    values[ten.times >= 5.0 + share] = np.nan
    got = changes(Windows.of(ten, np.arange(250), np.isfinite(values)), values)
    assert got[125] == pytest.approx(change, nan_ok=True)


@pytest.mark.parametrize(("back", "change"), [(5.4, 1.0), (5.6, np.nan)])
def test_frames_without_the_person_count_as_not_measured(back: float, change: float) -> None:
    ten = clock(10)
    frame = np.flatnonzero((ten.times < 5.0) | (ten.times >= back))
    values = (ten.times[frame] >= 5.0).astype(np.float32)
    got = changes(Windows.of(ten, frame, np.ones(len(frame), bool)), values)
    first_back = int(np.searchsorted(ten.times[frame], back))
    assert got[first_back] == pytest.approx(change, nan_ok=True)


def test_events_of_a_person_are_two_seconds_apart() -> None:
    twenty = clock(20)
    values = curve(twenty, *[(t, 0.8 * (i % 2)) for i, t in enumerate(np.arange(1.0, 19.0, 0.7))])
    times = sorted(event.time for event in strongest(found(twenty, values)))
    assert len(times) > 3
    assert np.all(np.diff(times) >= 2.0 - 1e-9)


def test_small_changes_are_no_events() -> None:
    ten = clock(10)
    assert found(ten, curve(ten, (5.0, 0.1))) == []
    assert found(ten, np.full(250, np.nan, np.float32)) == []


def test_no_frames_and_one_frame_give_no_events() -> None:
    for seconds in (0.0, 1 / RATE):
        short = clock(seconds)
        assert found(short, curve(short)) == []


def test_what_changes_together_is_one_event_named_after_the_strongest() -> None:
    ten = clock(10)
    all_found = [
        *found(ten, curve(ten, (4.0, 0.5)), "happiness"),
        *found(ten, curve(ten, (4.2, 0.8)), "AU12"),
        *found(ten, curve(ten, (4.0, 0.2)), "AU25"),
    ]
    (event,) = strongest(all_found)
    assert (event.time, event.person, event.what) == (4.2, "P1", "AU12")
    assert event.text == "AU12 lip corner puller rises by 0.80, with happiness +0.50"


def test_a_fall_is_told_with_a_real_minus() -> None:
    ten = clock(10)
    both = [*found(ten, curve(ten, (0.0, 0.9), (5.0, 0.0)), "sadness"), *found(ten, curve(ten, (0, 0.6), (5.0, 0.0)), "AU04")]
    assert strongest(both)[0].text == "sadness falls by 0.90, with AU04 brow lowerer −0.60"


def test_two_people_have_their_own_events() -> None:
    same = [Change(4.0, "P1", "valence", 0.5), Change(4.1, "P2", "valence", -0.6)]
    assert [(event.person, event.change) for event in strongest(same)] == [("P2", -0.6), ("P1", 0.5)]


def test_at_most_twelve_events_sorted_by_strength() -> None:
    many = [Change(5.0 * i, "P1", "valence", 0.2 + 0.01 * i) for i in range(30)]
    events = strongest(many)
    assert [event.change for event in events] == pytest.approx([0.2 + 0.01 * i for i in range(29, 17, -1)])
