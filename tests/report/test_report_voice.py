"""What the page is given of the sound and of fusion, and how much of it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from planted_folder import SAID, TURNS, Planted, plant
from test_report_series import opened

from emotrace.report import cards, facts, heard
from emotrace.report.content import content
from emotrace.report.fused import Fused
from emotrace.report.series import MOST_POINTS
from emotrace.spoken import NOBODY, Spoken

EVERYTHING = Planted(turns=TURNS, said=SAID)


def sound(level: np.ndarray, peak: np.ndarray | None = None) -> Spoken:
    nothing = np.zeros(len(level), np.float32)
    top = nothing if peak is None else peak.astype(np.float32)
    return Spoken(np.arange(len(level)) * 0.032, level.astype(np.float32), top, nothing, pa.table({}), np.zeros(0, int))


def test_a_short_sound_keeps_every_row_as_shares_of_full_scale() -> None:
    wave = heard.waveform(sound(np.array([-20.0, -40.0, np.nan, -120.0]), np.array([0.3, 0.02, np.nan, 0.0])))
    assert (wave["start"], wave["count"]) == (0.0, 4)
    assert wave["step"] == pytest.approx(0.032)
    np.testing.assert_allclose(opened(wave["level"], 4), [0.1, 0.01, np.nan, 1e-6], atol=1e-5)
    np.testing.assert_allclose(opened(wave["peak"], 4), [0.3, 0.02, np.nan, 0.0], atol=1e-5)


def test_an_hour_of_sound_is_a_few_kilobytes_and_keeps_its_loudest_moment() -> None:
    rng = np.random.default_rng(0)
    level, peak = rng.uniform(-60, -10, 112_500), rng.uniform(0, 0.5, 112_500)
    peak[70_000] = 0.99
    wave = heard.waveform(sound(level, peak))
    assert wave["count"] == MOST_POINTS
    assert len(json.dumps(wave)) < 20_000
    peaks = opened(wave["peak"], MOST_POINTS)
    assert np.nanmax(peaks) == pytest.approx(0.99, abs=1e-4)
    assert int(np.nanargmax(peaks)) == int(70_000 * MOST_POINTS / 112_500)
    first = opened(wave["level"], MOST_POINTS)[0]   # of 37.5 rows a bin
    assert first == pytest.approx(np.sqrt(np.mean(10 ** (level[:38] / 10))), rel=1e-3)


def test_turns_speech_and_windows_are_those_planted(tmp_path: Path) -> None:
    shown = content(plant(tmp_path, EVERYTHING))
    assert shown["sound"]["turns"] == [[0.0, 4.0, 0], [7.008, 11.008, 1], [13.024, 17.024, NOBODY]]
    assert shown["sound"]["speech"] == [[0.0, 4.0], [7.008, 11.008], [13.024, 17.024]]
    assert shown["windows"]["first"] == 0.0
    first, last = np.frombuffer(base64.b64decode(shown["windows"]["ms"]), "<i4").reshape(-1, 2).T
    assert first[:3].tolist() == [0, 1500, 2500]
    assert last.tolist() == [*first[1:].tolist(), 18_000]   # the last window reaches to the end of the pictures
    assert shown["span"] == (0.0, 18.0)


def test_a_sound_longer_than_the_pictures_makes_the_clock_longer(tmp_path: Path) -> None:
    shown = content(plant(tmp_path, Planted(turns=(*TURNS, ("", 9.6)))))
    assert shown["pictures"] == (0.0, 18.0)
    assert shown["span"] == (0.0, pytest.approx(27.584))


def test_fused_rows_tell_expression_abstention_absence_and_what_they_rest_on(tmp_path: Path) -> None:
    first, second, nobody = content(plant(tmp_path, EVERYTHING))["fused"]
    assert [row["person"] for row in (first, second, nobody)] == [0, 1, NOBODY]
    assert first["said"] == "6663-3     333333"   # neutral, happiness, no answer, happiness, not there, happiness
    assert first["rests"] == "33330100000111111"
    assert second["said"] == "     660000000000"
    assert nobody["said"] == "             444 "
    assert nobody["rests"] == "0" * 13 + "2220"
    assert opened(first["confidence"], 17)[:4] == pytest.approx([0.6] * 4, abs=1e-4)
    assert np.isnan(opened(first["confidence"], 17)[4])


def test_the_most_frequent_expression_is_told_with_its_share_and_the_share_without_an_answer(tmp_path: Path) -> None:
    analysis = plant(tmp_path, EVERYTHING)
    fused = Fused.of(analysis)
    assert fused is not None
    assert fused.mostly(0) == ("happiness", pytest.approx(8 / 12), pytest.approx(1 / 12))
    assert [person["said"] for person in content(analysis)["people"]] == [
        ["speaks 4.0 s (33 % of the speech)", "face and voice: happiness 67 % of the time, no answer 8 %"],
        ["speaks 4.0 s (33 % of the speech)", "face and voice: anger 83 % of the time"],
    ]


def test_what_cards_say_without_an_answer_without_sound_and_of_the_silent() -> None:
    assert cards.mostly("", 0.0, 1.0, True) == "face and voice: never sure enough for an answer"
    assert cards.mostly("fear", 1.0, 0.0, False) == "face, in windows of 2 s: fear 100 % of the time"
    assert cards.speaks(0.0, 9.0) == "never speaks"
    assert cards.speaks(0.0, 0.0) == ""


@pytest.mark.parametrize(
    ("components", "panels"),
    [
        (("voice.prosody",), ["voice.prosody"]),
        (("voice.prosody", "voice.emotion", "voice.valence_arousal"),
         ["voice.emotion", "voice.valence_arousal", "voice.prosody"]),
        (("voice.activity",), []),
    ],
)  # fmt: skip
def test_panels_of_the_voice_are_those_of_its_columns(tmp_path: Path, components: tuple[str, ...], panels: list[str]) -> None:
    shown = content(plant(tmp_path, Planted(components=("face.expression", *components), turns=TURNS, said=SAID)))
    assert [panel["component"] for panel in shown["voice"]["panels"]] == panels
    assert {"speech", "speaker_score"} <= set(shown["voice"]["series"])


def test_a_file_without_sound_and_one_from_before_sound_was_analysed_have_no_voice(tmp_path: Path) -> None:
    analysis = plant(tmp_path)
    assert content(analysis)["sound"] is None
    analysis.provenance["schema"] = 1
    for table in ("sound", "voice", "emotions"):
        (analysis.folder / f"{table}.parquet").unlink()
    shown = content(analysis)
    assert (shown["sound"], shown["voice"], shown["fused"]) == (None, None, [])
    assert [person["said"] for person in shown["people"]] == [[], []]


def test_a_recording_has_facts_and_notes_of_a_voice_and_none_of_a_face(tmp_path: Path) -> None:
    turns = (("", 4.0), ("silence", 1.984))
    analysis = plant(tmp_path, Planted(names=(), turns=turns, pictures=False, file="a.wav", end=5.984))
    assert facts.headline(analysis) == ["0:06.0", "no pictures", "sound 48 kHz"]
    shown = content(analysis)
    assert shown["span"] == (0.0, pytest.approx(5.984))
    assert not any("gaze" in note.lower() or "face mesh" in note for note in shown["notes"])
    assert any("Speech is told" in note for note in shown["notes"])
    assert facts.headline(plant(tmp_path / "film", EVERYTHING))[-1] == "sound 48 kHz"
    assert facts.headline(plant(tmp_path / "silent"))[-1] == "no sound"
