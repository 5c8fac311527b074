"""Cards say what was measured, in words, and say nothing where nothing was."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from emotrace.analysis import Person
from emotrace.report.cards import MOST_THUMBNAIL, apparent_age, card, labelled, measured, picture, seen

NAN = float("nan")
ANNA = Person(
    name="P1", seconds=9.0, first=0.0, last=12.0, frames=225, measured=180, tracks=(1,), age=34.4, age_spread=4.2,
    female=0.93, valence=0.31, arousal=-0.12, expression="happiness", thumbnail="thumbnails/1.jpg",
)  # fmt: skip


def but(**changes: object) -> Person:
    return dataclasses.replace(ANNA, **changes)   # type: ignore[arg-type]


def test_age_is_apparent_and_has_its_spread() -> None:
    assert apparent_age(ANNA) == "looks 34 years old (between frames ± 4; errors of ten years are common)"
    assert apparent_age(but(age_spread=NAN)) == "looks 34 years old (errors of ten years are common)"
    assert apparent_age(but(age=NAN)) == ""


@pytest.mark.parametrize(
    ("female", "words"),
    [
        (0.93, "labelled female with 0.93"),
        (0.12, "labelled male with 0.88"),
        (0.998, "labelled female with over 0.99"),
        (NAN, ""),
    ],
)
def test_gender_is_a_label_with_a_probability(female: float, words: str) -> None:
    assert labelled(but(female=female)) == words


def test_presence_is_told_in_seconds_and_as_a_share_of_the_video() -> None:
    assert seen(ANNA, 18.0) == "seen 9.0 s (50 %)"
    assert seen(but(seconds=3599.0), 3600.0) == "seen 59:59.0 (99 %)"
    assert seen(but(seconds=0.04), 3600.0) == "seen 0.0 s (under 1 %)"
    assert seen(ANNA, 0.0) == ""


def test_all_is_said_only_where_all_was_measured() -> None:
    assert measured(ANNA, 18.0) == "80 % of it measured"
    assert measured(but(measured=224), 18.0) == "99 % of it measured"
    assert measured(but(measured=225), 18.0) == "100 % of it measured"
    assert measured(but(measured=0), 18.0) == "never good enough to be measured"


def test_what_is_not_a_number_is_left_out(tmp_path: Path) -> None:
    shown = card(but(age=NAN, female=NAN, valence=NAN, arousal=NAN, expression=""), tmp_path, 18.0)
    assert shown["looks"] == []
    assert shown["valence"] is None
    assert shown["picture"] is None


def test_a_thumbnail_is_embedded(tmp_path: Path) -> None:
    (tmp_path / "face.png").write_bytes(b"abc")
    assert picture(tmp_path, "face.png") == "data:image/png;base64,YWJj"


@pytest.mark.parametrize("name", ["../secret.png", "/etc/hostname", "analysis.json", "missing.jpg", "", "large.jpg"])
def test_only_small_pictures_inside_the_folder_are_embedded(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "clip.emotrace"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(b"secret")
    (folder / "analysis.json").write_bytes(b"{}")
    (folder / "large.jpg").write_bytes(bytes(MOST_THUMBNAIL + 1))
    assert picture(folder, name) is None
