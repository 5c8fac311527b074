"""Segments against planted truth."""

from __future__ import annotations

import time

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotrace.export import segments
from emotrace.export.segments import SHORTEST, Segment
from emotrace.scheme import EXPRESSION_7
from emotrace.timeline import Timeline


def spans(found: list[Segment]) -> list[tuple[float, float, str]]:
    return [(round(s.start, 6), round(s.end, 6), s.label) for s in found]


def timeline(codes: list[int], rate: float = 25.0) -> Timeline:
    """A timeline sure of label `code` in each row; -1 is unmeasured."""
    values = np.zeros((len(codes), 7), np.float32)
    for row, code in zip(values, codes, strict=True):
        row[:] = np.nan if code < 0 else np.eye(7)[code]
    return Timeline(np.arange(len(codes)) / rate, values, EXPRESSION_7, "planted", "P1")


def cut(codes: list[int]) -> list[tuple[float, float, str]]:
    line = timeline(codes)
    return spans(segments.dominant(line, line.times + 0.04))


def test_expressions_begin_and_end_where_they_were_planted(plant):
    analysis = plant({"P1": [("neutral", 2.0), ("happiness", 3.0), ("sadness", 1.0)]})
    found = segments.expressions(analysis, "P1")
    assert spans(found) == [(0.0, 2.0, "neutral"), (2.0, 5.0, "happiness"), (5.0, 6.0, "sadness")]


def test_the_value_is_the_mean_probability_of_the_label(plant):
    found = segments.expressions(plant({"P1": [("fear", 2.0)]}), "P1")
    assert [s.value for s in found] == [pytest.approx(0.88, abs=1e-6)]


def test_a_flicker_is_smoothed_away(plant):
    analysis = plant({"P1": [("happiness", 1.0), ("anger", 0.24), ("happiness", 1.0)]})   # long enough to stay by itself
    assert spans(segments.expressions(analysis, "P1")) == [(0.0, 2.24, "happiness")]


def test_time_that_is_not_measured_is_a_gap_however_short(plant):
    runs = [("happiness", 1.0), ("unmeasured", 0.08), ("happiness", 1.0), ("absent", 0.52), ("happiness", 0.4)]
    found = segments.expressions(plant({"P1": runs}), "P1")
    assert spans(found) == [(0.0, 1.0, "happiness"), (1.08, 2.08, "happiness"), (2.6, 3.0, "happiness")]


def test_a_short_stretch_joins_its_longer_neighbour():
    assert cut([3] * 10 + [0] * 4 + [6] * 20) == [(0.0, 0.4, "happiness"), (0.4, 1.36, "neutral")]


def test_of_two_short_stretches_the_shorter_one_is_joined_first_and_may_save_the_other():
    # 0.12 s of anger go to the 0.16 s of fear, which then last 0.28 s and stay
    assert cut([3] * 3 + [0] * 4 + [6] * 20) == [(0.0, 0.28, "anger"), (0.28, 1.08, "neutral")]


def test_the_two_sides_of_a_joined_stretch_become_one_when_they_show_the_same():
    assert cut([3] * 10 + [0] * 2 + [3] * 10) == [(0.0, 0.88, "happiness")]


def test_exactly_the_shortest_length_stays():
    assert cut([3] * 10 + [0] * 5 + [3] * 10) == [(0.0, 0.4, "happiness"), (0.4, 0.6, "anger"), (0.6, 1.0, "happiness")]


def test_a_short_stretch_alone_between_gaps_stays():
    assert cut([-1, 3, -1]) == [(0.04, 0.08, "happiness")]


def test_the_value_is_the_mean_over_time_not_over_frames():
    times = np.array([0.0, 0.1, 0.2, 1.0])
    values = np.zeros((4, 7), np.float32)
    values[:, 3] = [0.5, 0.5, 0.9, 0.5]
    (found,) = segments.dominant(Timeline(times, values, EXPRESSION_7, "planted"), np.append(times[1:], 1.1))
    assert (found.start, found.end, found.value) == (0.0, 1.1, pytest.approx((0.3 * 0.5 + 0.8 * 0.9) / 1.1))


def test_what_is_before_a_cut_says_nothing_of_what_is_behind_it(plant):
    # smoothed or joined across the cuts, the face would never be happy
    runs = [("anger", 1.0), ("happiness", 0.12), ("sadness", 1.0)]
    assert spans(segments.expressions(plant({"P1": runs}, cuts=[1.0, 1.12]), "P1")) == [
        (0.0, 1.0, "anger"), (1.0, 1.12, "happiness"), (1.12, 2.12, "sadness")]


def test_a_short_stretch_is_given_to_no_neighbour_behind_a_cut():
    line, shot = timeline([3] * 20 + [6] * 2 + [0] * 3), np.repeat([0, 1], [20, 5]).astype(np.int32)
    found = segments.dominant(line, line.times + 0.04, shot)
    assert spans(found) == [(0.0, 0.8, "happiness"), (0.8, 1.0, "anger")]   # its longer neighbour lies behind the cut


def test_what_is_the_same_on_both_sides_of_a_cut_is_one_stretch(plant):
    found = segments.expressions(plant({"P1": [("fear", 2.0)]}, cuts=[0.5, 1.5]), "P1")
    assert spans(found) == [(0.0, 2.0, "fear")]


def test_nothing_measured_gives_no_segments():
    assert cut([-1] * 5) == []
    assert cut([]) == []


@given(st.lists(st.integers(-1, 3), max_size=120))
def test_segments_cover_exactly_the_measured_time_and_are_short_only_when_alone(codes):
    line = timeline(codes)
    found = segments.dominant(line, line.times + 0.04)
    covered = np.zeros(len(codes), int)
    for s in found:
        covered[round(s.start * 25) : round(s.end * 25)] += 1
    assert covered.tolist() == [int(code >= 0) for code in codes]
    for before, this, behind in zip([None, *found], found, [*found[1:], None], strict=False):
        if this.end - this.start < SHORTEST - 1e-5:
            assert before is None or before.end < this.start - 1e-6
            assert behind is None or this.end < behind.start - 1e-6
        if behind is not None and this.end > behind.start - 1e-6:
            assert this.label != behind.label


def test_presence_counts_faces_that_cannot_be_measured(plant):
    analysis = plant({"P1": [("absent", 1.0), ("unmeasured", 1.0), ("fear", 1.0)], "P2": [("fear", 0.4)]})
    found = segments.presence(analysis)
    assert {name: spans(seen) for name, seen in found.items()} == {"P1": [(1.0, 3.0, "seen")], "P2": [(0.0, 0.4, "seen")]}


def test_a_hole_in_the_file_is_not_time_for_which_anything_was_seen(plant):
    times = [*np.arange(25) / 25, *(10 + np.arange(25) / 25)]   # 9 s are missing
    analysis = plant({"P1": [("happiness", 2.0)]}, times=times)
    assert spans(segments.expressions(analysis, "P1")) == [(0.0, 2.0, "happiness"), (10.0, 11.0, "happiness")]
    assert spans(segments.presence(analysis)["P1"]) == [(0.0, 2.0, "seen"), (10.0, 11.0, "seen")]


def test_shots_meet_at_the_cuts(plant):
    analysis = plant({"P1": [("fear", 4.0)]}, cuts=[1.0, 3.0])
    assert spans(segments.shots(analysis)) == [(0.0, 1.0, "shot 0"), (1.0, 3.0, "shot 1"), (3.0, 4.0, "shot 2")]


def test_frames_that_were_not_analysed_do_not_shorten_segments(plant):
    analysed = [i % 5 == 0 for i in range(50)]   # --rate 5
    analysis = plant({"P1": [("happiness", 2.0)]}, analysed=analysed)
    faces = pq.read_table(analysis.folder / "faces.parquet").take(np.flatnonzero(analysed))
    pq.write_table(faces, analysis.folder / "faces.parquet")
    assert spans(segments.expressions(analysis, "P1")) == [(0.0, 2.0, "happiness")]
    assert spans(segments.presence(analysis)["P1"]) == [(0.0, 2.0, "seen")]


def test_an_hour_of_flicker_is_joined_in_seconds():
    values = np.random.default_rng(0).random((108_000, 7)).astype(np.float32)
    line = Timeline(np.arange(108_000) / 30, values, EXPRESSION_7, "noise").smooth(0.5)
    started = time.perf_counter()
    found = segments.dominant(line, line.times + 1 / 30)
    assert time.perf_counter() - started < 30
    assert min(s.end - s.start for s in found) >= SHORTEST - 1e-5
    assert (found[0].start, found[-1].end) == (0.0, pytest.approx(3600))
