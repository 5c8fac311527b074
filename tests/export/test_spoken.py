"""Turns against the definition: each moment of speech belongs to the speaker of the window that stands for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotrace.api import analyze
from emotrace.export import export, segments
from emotrace.settings import Settings
from emotrace.spoken import NOBODY, SILENT, Spoken, Turn, cells, holds_there, turns, windows

NONE = np.zeros((0, 2))


def test_windows_that_overlap_meet_in_the_middle_of_what_they_share() -> None:
    start = np.array([0.0, 1.0, 2.0, 7.0])
    np.testing.assert_array_equal(cells(start, start + 2), [[0, 1.5], [1.5, 2.5], [2.5, 4], [7, 9]])
    assert cells(start[:0], start[:0]).shape == (0, 2)


def test_nothing_is_said_of_a_face_in_a_second_without_it(face_noface: Path, tmp_path: Path) -> None:
    analysis = analyze(face_noface, tmp_path / "out", settings=Settings(end=6.0), report=False)
    last = analysis.to_pandas("faces").time.max()   # 2.37 s; he is in the window from 2 to 4 s, whose middle is empty
    emotions = analysis.table("emotions")
    said = [(start, there) for start, there, person in zip(
        emotions["start"].to_pylist(), holds_there(analysis, emotions).tolist(), emotions["person"].to_pylist(), strict=True
    ) if person == "P1"]  # fmt: skip
    assert said == [(0.0, True), (1.0, True), (2.0, False)]
    assert all(segment.start < last for segment in segments.fused(analysis)["P1"])
    text = export(analysis, "webvtt", tmp_path)[1].read_text(encoding="utf-8")
    assert "P1" in text
    assert "00:00:02.500 -->" not in text


def test_a_face_that_is_looked_at_every_two_seconds_is_there_between(single_face: Path, tmp_path: Path) -> None:
    analysis = analyze(single_face, tmp_path / "out", settings=Settings(rate=0.5), report=False)
    emotions = analysis.table("emotions")
    assert len(emotions) >= 2
    assert holds_there(analysis, emotions).all()


def test_turns_change_between_windows_and_end_with_the_speech() -> None:
    cell = np.array([[0.0, 1.5], [1.5, 2.5], [2.5, 4.0], [4.0, 5.0]])
    speech = np.array([[0.5, 2.0], [2.2, 4.6]])
    found = turns(speech, cell, np.array([0, 1, 1, SILENT]))
    assert found == [Turn(0.5, 1.5, 0), Turn(1.5, 2.0, 1), Turn(2.2, 4.0, 1)]


def test_no_speech_and_no_windows_give_no_turns() -> None:
    assert turns(NONE, np.array([[0.0, 1.0]]), np.array([0])) == []
    assert turns(np.array([[0.0, 1.0]]), NONE, np.zeros(0, int)) == []
    assert turns(NONE, NONE, np.zeros(0, int)) == []


@given(st.lists(st.integers(1, 30), min_size=2, max_size=20), st.lists(st.sampled_from([SILENT, NOBODY, 0, 1]), max_size=30))
def test_every_moment_has_the_speaker_of_its_window_where_somebody_speaks(gaps: list[int], speaker: list[int]) -> None:
    edges = np.cumsum(gaps)[: len(gaps) // 2 * 2] / 10
    speech, cell = edges.reshape(-1, 2), np.stack([np.arange(len(speaker)), np.arange(len(speaker)) + 1], axis=1).astype(float)
    found = turns(speech, cell, np.array(speaker, int))
    for time in np.arange(0.05, 40, 0.1):
        spoken = ((speech[:, 0] <= time) & (time < speech[:, 1])).any()
        expected = speaker[int(time)] if spoken and time < len(speaker) else SILENT
        assert [turn.person for turn in found if turn.start <= time < turn.end] == [expected] * (expected != SILENT)


def test_stretches_follow_the_clock_of_the_sound_and_close_gaps_that_cannot_be_seen(plant) -> None:
    analysis = plant({}, times=[], turns=[("silence", 0.64), ("", 0.96), ("silence", 0.32), ("", 0.96)])
    spoken = Spoken.of(analysis)
    assert spoken is not None
    np.testing.assert_allclose(spoken.stretches(), [[0.64, 1.6], [1.92, 2.88]], atol=1e-9)
    np.testing.assert_allclose(spoken.stretches(0.4), [[0.64, 2.88]], atol=1e-9)
    assert spoken.span == pytest.approx((0, 2.88))


def test_without_sound_nothing_is_spoken(plant) -> None:
    assert Spoken.of(plant({"P1": [("fear", 1.0)]})) is None


def test_windows_of_two_tables_are_one_clock(plant) -> None:
    analysis = plant({"P1": [("fear", 4.0)]}, turns=[("P1", 2.56)], said={"P1": [("fear", "face")] * 3})
    whole = windows(analysis.table("voice"), analysis.table("emotions"), None)
    assert whole.tolist() == [[0, 2], [1, 3], [2, 4]]
    assert windows(None).shape == (0, 2)
