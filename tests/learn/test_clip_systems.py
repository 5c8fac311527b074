"""Recipes of clips on the command line: a small one that is planted, trained, and evaluated from its folder."""

from __future__ import annotations

import csv
import json
import types
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from emotrace.corpora import catalogue as corpora
from emotrace.corpora import paired
from emotrace.corpora.clips import Clips
from emotrace.corpora.table import Faces, table
from emotrace.errors import InputError
from emotrace.learn.metrics import score
from emotrace.learn.scoreboard import Scoreboard, row
from emotrace.recipes import Published, catalogue, trained
from emotrace.recipes.__main__ import run
from emotrace.scheme import EXPRESSION_7


@dataclass(frozen=True, slots=True)
class Config:
    """Nothing to be set but what is said of every clip."""

    answer: int = 3


def says(clips: Clips, config: Config) -> np.ndarray:
    posteriors = np.tile(np.eye(7, dtype=np.float32)[config.answer], (len(clips), 1))
    posteriors[[path.stem == "mute" for path in clips.paths]] = np.nan
    return posteriors


@pytest.fixture
def stubborn(monkeypatch: pytest.MonkeyPatch) -> list[list[Faces]]:
    """A recipe that says happiness of every clip and nothing of one named mute; the stills that it was given."""
    given: list[list[Faces]] = []

    def fit(corpus: Path, folder: Path, config: Config, stills: list[Faces]) -> Scoreboard:
        given.append(stills)
        clips = corpora.clips_at(corpus)
        board = Scoreboard("Stubborn", (row("always", says(clips, config), clips),), "always")
        board.write(folder)
        return board

    module = types.SimpleNamespace(
        PUBLISHED=Published(None, "accuracy", "Test", "none"), HEADS=(EXPRESSION_7,), Config=Config, fit=fit,
        predict=lambda clips, folder, config: says(clips, config), check=lambda folder, config: None,
    )  # fmt: skip
    monkeypatch.setitem(catalogue.RECIPES, "stubborn", catalogue.Recipe("stubborn", "", "afew", "", stills="fer2013"))
    monkeypatch.setattr(catalogue, "module", lambda name: module)
    return given


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Five files in the layout of AFEW, none of which is a film."""
    for name in ("Train/Happy/a", "Val/Sad/b", "Test/Happy/c", "Test/Happy/mute", "Test/Sad/d"):
        file = tmp_path / "AFEW" / f"{name}.mp4"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return tmp_path / "AFEW"


def test_a_recipe_of_clips_is_trained_and_its_folder_evaluated(
    stubborn: list[list[Faces]], films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("stubborn", films, tmp_path / "run")
    assert "Stubborn, always: Train accuracy 1.0000" in capsys.readouterr().out
    scores = trained.measure(str(tmp_path / "run"), f"afew={films}", "Test")
    assert (scores.n, scores.accuracy, scores.uar) == (3, pytest.approx(1 / 3), 0.25)
    assert scores.confusion.sum() == 2  # nothing was said of one
    films_of_test = [str(films / "Test" / f"{name}.mp4") for name in ("Happy/c", "Happy/mute", "Sad/d")]
    assert [line.split(":")[0] for line in scores.unreadable] == films_of_test
    board = json.loads((tmp_path / "run" / "scores.json").read_text())
    assert board["rows"][0]["scores"]["Test"]["accuracy"] == pytest.approx(scores.accuracy)
    with pytest.raises(InputError, match=r"none of the 3 clips has a vote in expression_7"):
        trained.measure(str(tmp_path / "run"), f"afew={films}", "Test", "votes")


def test_a_run_is_gone_on_with_by_its_own_constants_and_kept_from_others(
    stubborn: list[list[Faces]], films: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    run("stubborn", films, folder)
    run("stubborn", films, folder)
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    with pytest.raises(InputError, match=r"run: holds a run with answer = 3, not 2; use another folder"):
        run("stubborn", films, folder, changes=["answer=2"])
    assert len(stubborn) == 2
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before


def test_stills_are_given_by_name_and_only_to_recipes_that_take_them(
    stubborn: list[list[Faces]], films: Path, tmp_path: Path
) -> None:
    import cv2

    (tmp_path / "stills" / "happy").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "stills" / "happy" / "1.png"), np.zeros((48, 48), np.uint8))
    run("stubborn", films, tmp_path / "run", stills=[f"folder={tmp_path / 'stills'}"])
    assert [len(faces) for faces in stubborn[0]] == [1]
    with pytest.raises(InputError, match=r"--stills must be NAME=PATH, as in fer2013=fer2013\.csv"):
        run("stubborn", films, tmp_path / "run", stills=["fer2013.csv"])
    with pytest.raises(InputError, match="expression_compact learns from its corpus alone; leave out --stills x=y"):
        run("expression_compact", films, tmp_path / "other", stills=["x=y"])


def test_stills_that_a_clip_shows_are_left_out(tmp_path: Path) -> None:
    faces = table("FER2013", [np.zeros((48, 48), np.uint8)] * 4, [0] * 4, list("abcd"), split=["Training"] * 4)
    assert len(paired.unshown(faces, tmp_path)) == 4
    with (tmp_path / paired.LIST).open("w", newline="") as stream:
        rows = csv.DictWriter(stream, ["clip", "row"])
        rows.writeheader()
        rows.writerows({"clip": str(row), "row": row} for row in (1, 2))
    assert paired.unshown(faces, tmp_path).origin.tolist() == ["a", "d"]
    with pytest.raises(InputError, match="shows row 2 of FER2013, the table given has 2"):
        paired.unshown(faces[np.array([0, 1])], tmp_path)


def test_a_row_without_answer_is_wrong_and_in_no_column() -> None:
    said = np.array([[1, 0], [0, 1], [np.nan, np.nan]], np.float32)
    scores = score(said, np.array([0, 1, 0]), ("a", "b"))
    assert (scores.n, scores.accuracy, scores.uar) == (3, pytest.approx(2 / 3), 0.75)
    assert scores.confusion.tolist() == [[1, 0], [0, 1]]
    assert scores.per_class["a"] == {"precision": 1.0, "recall": 0.5, "support": 2}
    assert scores.right.tolist() == [True, True, False]
    assert scores.ece == 0
