"""Emotions: windows of planted faces and voices, and of the real clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emotrace import emotions
from emotrace.analysis import Analysis
from emotrace.api import analyze
from emotrace.emotions import Heard, Shown, faces_of, seven
from emotrace.frames import lasts
from emotrace.scheme import EXPRESSION_7, FUSED, VOICE_EXPRESSION

HAPPY, SAD = EXPRESSION_7.labels.index("happiness"), EXPRESSION_7.labels.index("sadness")
WINDOW = 2.0


def says(label: int, sure: float = 0.9) -> np.ndarray:
    """Seven probabilities for one label, valence and arousal."""
    row = np.full(9, (1 - sure) / 6, np.float32)
    row[label], row[7:] = sure, (0.5, 0.25)
    return row


def shown(*people: tuple[int, int, float, float]) -> Shown:
    """Faces at 10 frames a second: (person, label, from, to) each."""
    tenths = [(who, label, range(round(first * 10), round(last * 10))) for who, label, first, last in people]
    rows = [(t / 10, who, says(label)) for who, label, span in tenths for t in span]
    rows.sort(key=lambda row: row[0])
    time, person, values = zip(*rows, strict=True)
    return Shown(np.array(time), np.array(person), np.stack(values), np.ones(len(time), bool))


def silent(n: int) -> Heard:
    return Heard(np.zeros(n, bool), np.full(n, -1), np.full((n, 9), np.nan, np.float32))


FRAMES, TENTH = np.arange(40) / 10, np.full(40, 0.1)
START = np.array([0.0, 1.0, 2.0])


def table(faces: Shown, heard: Heard) -> list[dict]:
    return emotions.table(faces, FRAMES, TENTH, heard, START, WINDOW, ["P1", "P2"]).to_pylist()


def test_faces_are_averaged_over_the_time_in_which_they_are_measured() -> None:
    faces = shown((0, HAPPY, 0, 4), (1, SAD, 0, 1))
    late = (faces.person == 0) & (faces.time >= 3)
    faces.values[late], faces.measured[late] = np.nan, False
    mean, share, seen = faces_of(faces, FRAMES, TENTH, START, WINDOW, 2)
    assert share[:, 0] == pytest.approx([1, 1, 0.5])
    assert share[:, 1] == pytest.approx([0.5, 0, 0])
    assert mean[2, 0, HAPPY] == pytest.approx(0.9)
    assert seen.tolist() == [[True, True], [True, False], [True, False]]
    assert np.isnan(mean[1:, 1]).all()


def test_a_face_is_fused_whatever_else_of_it_is_left_out() -> None:
    faces = shown((0, HAPPY, 0, 4))
    faces.values[:, 7:] = np.nan   # valence and arousal were not asked for
    for row in table(faces, silent(3)):
        assert (row["face"], row["rests_on"], row["expression"]) == (1.0, "face", "happiness")
        assert np.isnan([row["valence"], row["arousal"]]).all()


def test_a_face_whose_expression_was_not_asked_for_is_measured_all_the_same() -> None:
    faces = shown((0, HAPPY, 0, 4))
    faces.values[:] = np.nan
    for row in table(faces, silent(3)):
        assert (row["face"], row["rests_on"], row["expression"]) == (1.0, "", None)


def test_valence_rests_on_what_the_expression_rests_on() -> None:
    heard = silent(3)
    heard.speech[1], heard.speaker[1], heard.values[1, 7:] = True, 0, (-1.0, -1.0)   # a voice without its expression
    (row,) = (row for row in table(shown((0, HAPPY, 0, 4)), heard) if row["start"] == 1)
    assert row["rests_on"] == "face"
    assert (row["valence"], row["arousal"]) == pytest.approx((0.5, 0.25))


def test_a_glimpse_of_a_face_is_not_taken_for_two_seconds_of_it() -> None:
    mean, share, _ = faces_of(shown((0, HAPPY, 0, 0.1)), FRAMES, TENTH, START, WINDOW, 1)
    assert share[0, 0] == pytest.approx(0.05)
    assert np.isnan(mean[0, 0]).all()


def test_a_frame_counts_in_each_window_for_as_long_as_it_is_shown_there() -> None:
    faces = shown((0, HAPPY, 0, 1.5), (0, SAD, 1.5, 4))
    kept = (FRAMES < 1.6) | (FRAMES >= 2.5)   # the first sad one is shown for a second
    faces = Shown(faces.time[kept], faces.person[kept], faces.values[kept], faces.measured[kept])
    time = FRAMES[kept]
    mean, share, _ = faces_of(faces, time, lasts(time, time), START, WINDOW, 1)
    assert share[:, 0] == pytest.approx([1, 1, 1])
    happy = np.array([0.75, 0.25, 0])
    assert mean[:, 0, HAPPY] == pytest.approx(0.9 * happy + 0.1 / 6 * (1 - happy))


def test_a_window_beyond_the_pictures_is_measured_where_there_are_some() -> None:
    faces = shown((0, HAPPY, 0, 0.3))
    few = FRAMES[:3]
    mean, share, _ = faces_of(faces, few, lasts(few, few), START[:1], WINDOW, 1)
    assert share[0, 0] == pytest.approx(0.15)
    mean, share, _ = faces_of(shown((0, HAPPY, 0, 0.1)), few[:1], TENTH[:1], START[:1], WINDOW, 1)
    assert share[0, 0] == pytest.approx(0.05)
    assert mean[0, 0, HAPPY] == pytest.approx(0.9)   # no glimpse: it is in all pictures that there are


def test_the_last_window_of_a_recording_says_how_much_of_it_was_seen(woman_analysis: Analysis) -> None:
    last = woman_analysis.to_pandas("emotions").iloc[-1]
    assert last.start == 18
    assert last.face == pytest.approx((19.686 - 18) / 2, abs=1e-3)   # s; its last frame ends in the middle of the window


def test_a_photo_is_seen_throughout(five_people: Path, tmp_path: Path) -> None:
    rows = analyze(five_people, tmp_path / "out", report=False).to_pandas("emotions")
    assert rows.face.tolist() == [1.0] * 5
    assert (rows.rests_on == "face").any()


def test_the_voice_goes_to_the_speaker_only() -> None:
    heard = silent(3)
    heard.speech[1], heard.speaker[1], heard.values[1] = True, 1, says(SAD)
    rows = table(shown((0, HAPPY, 0, 4), (1, SAD, 0, 4)), heard)
    assert [(row["person"], row["speaking"], row["rests_on"]) for row in rows if row["start"] == 1] == [
        ("P1", False, "face"), ("P2", True, "face+voice"),
    ]  # fmt: skip
    alone, both = (row for row in rows if row["person"] == "P2" and row["start"] in (0, 1))
    assert alone["expression"] == both["expression"] == "sadness"
    assert both["confidence"] > alone["confidence"]   # two that agree are surer than one
    assert sum(both[name] for name in FUSED.columns) == pytest.approx(1, abs=1e-5)
    assert (both["valence"], both["arousal"]) == pytest.approx((0.5, 0.25))


def test_a_voice_of_nobody_visible_has_a_row_of_its_own() -> None:
    heard = silent(3)
    heard.speech[2], heard.values[2] = True, says(HAPPY)
    rows = table(shown((0, SAD, 0, 1)), heard)
    row = next(row for row in rows if row["start"] == 2)
    assert (row["person"], row["rests_on"], row["expression"], row["speaking"]) == (None, "voice", "happiness", False)


def test_where_nothing_is_sure_nothing_is_said() -> None:
    faces = shown((0, HAPPY, 0, 4))
    faces.values[:, :7] = 1 / 7
    for row in table(faces, silent(3)):
        assert row["expression"] is None
        assert row["rests_on"] == ""
        assert np.isnan([row["confidence"], row["valence"], row["emotion_anger"]]).all()


def test_a_calm_voice_counts_as_neutral() -> None:
    voice = np.zeros((1, 8), np.float32)
    voice[0, VOICE_EXPRESSION.labels.index("calm")], voice[0, VOICE_EXPRESSION.labels.index("neutral")] = 0.75, 0.25
    assert seven(voice)[0].tolist() == [0, 0, 0, 0, 0, 0, 1]


def test_the_laughing_woman_is_fused_from_her_face_alone(woman_analysis: Analysis) -> None:
    rows = woman_analysis.to_pandas("emotions")
    assert set(rows.person) == {"P1"}
    assert not rows.speaking.any()
    late = rows[(rows.start >= 15) & (rows.end <= 19)]
    assert (late.expression == "happiness").all()
    assert (late.valence > 0.3).all()
    assert (rows.end - rows.start == 2).all()
    assert np.allclose(np.diff(rows.start), 1)
