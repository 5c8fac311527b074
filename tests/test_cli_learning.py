"""corpora, train and evaluate on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from emotrace.face.align import warp
from emotrace.face.expression import FER2013_TEMPLATE, Expression
from emotrace.video import Video
from recordings import samples_of


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "emotrace", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def smiles(five_people: Path, tmp_path: Path) -> Path:
    """The five faces of the photo as crops: four who smile and one who does not, sorted into folders."""
    faces = samples_of(next(Video.open(five_people).chunks()).images[0])
    crops = warp(faces.pictures(), FER2013_TEMPLATE.matrices(faces.tracks.mesh), FER2013_TEMPLATE.size)
    happy = Expression().extract(faces)[:, 3] > 0.8
    for k, (crop, smiling) in enumerate(zip(crops, happy, strict=True)):
        folder = tmp_path / "corpus" / ("happy" if smiling else "neutral")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{k}.png").write_bytes(cv2.imencode(".png", np.ascontiguousarray(crop[..., ::-1]))[1].tobytes())
    return tmp_path / "corpus"


def test_a_component_is_evaluated_as_shipped(smiles: Path, tmp_path: Path) -> None:
    done = run("evaluate", "face.expression", "--corpus", f"folder={smiles}", "--json", tmp_path / "scores.json",
               "--plots", tmp_path / "plots")  # fmt: skip
    assert done.returncode == 0, done.stderr
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert {"accuracy", "uar", "per_class", "confusion", "ece", "n"} <= set(scores)
    assert scores["n"] == 5
    assert scores["per_class"]["happiness"]["recall"] == 1.0
    assert np.array(scores["confusion"]).sum() == 5
    assert {file.name for file in (tmp_path / "plots").iterdir()} == {"confusion.svg", "reliability.svg"}


def test_a_damaged_picture_does_not_end_an_evaluation(smiles: Path, tmp_path: Path) -> None:
    (smiles / "happy" / "x.png").write_bytes(b"cut off")
    done = run("evaluate", "face.expression", "--corpus", f"folder={smiles}", "--json", tmp_path / "scores.json")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("warning: 1 of 6 cannot be read, and what is not answered counts as wrong: ")
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert (scores["n"], np.array(scores["confusion"]).sum(), len(scores["unreadable"])) == (6, 5, 1)


@pytest.mark.parametrize("option", ["--json", "--plots"])
def test_places_that_cannot_be_written_are_said_before_anything_is_measured(option: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    done = run("evaluate", "face.expression", "--corpus", f"folder={tmp_path / 'none'}", option, tmp_path / "file" / "x")
    assert done.returncode == 2
    assert f"{tmp_path / 'file' / 'x'}" in done.stderr
    assert "cannot be written" in done.stderr
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("option", ["--json", "--plots"])
def test_an_empty_place_is_not_the_working_directory(option: str, tmp_path: Path) -> None:
    done = run("evaluate", "face.expression", "--corpus", f"folder={tmp_path}", option, "")
    assert done.returncode == 2
    assert "it is empty; give a file or a folder" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has such a file")
def test_scores_are_said_when_the_disk_is_full_afterwards(smiles: Path) -> None:
    done = run("evaluate", "face.expression", "--corpus", f"folder={smiles}", "--json", "/dev/full")
    assert done.returncode == 2
    assert done.stdout.startswith("accuracy ")
    assert "/dev/full: cannot be written (No space left on device)" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate", "face.smell", "--corpus", "folder=x"], "no component"),
        (["evaluate", "face.pose", "--corpus", "folder=x"], "face.expression"),
        (["evaluate", "face.expression", "--corpus", "fer2013.parquet"], "NAME=PATH"),
        (["evaluate", "face.expression", "--corpus", "imagenet=x"], "no corpus 'imagenet'"),
        (["evaluate", "face.expression", "--corpus", "fer2013=x", "--by-speaker"], "--by-speaker is for voices"),
        (["evaluate", "voice.emotion", "--corpus", "ravdess=x", "--truth", "votes"], "--truth votes is for faces"),
        (["evaluate", "voice.emotion", "--corpus", "ravdess=x", "--find-faces"], "--find-faces is for pictures"),
        (["train", "magic", "--corpus", "x", "--out", "y"], "no recipe 'magic'"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(arguments: list[str], words: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_corpora_are_listed_by_kind_with_layout_source_terms_and_paper() -> None:
    said = run("corpora").stdout
    pictures, clips, voices = (part.splitlines() for part in said.split("Corpora of ")[1:])
    assert [part[0] for part in (pictures, voices)] == ["pictures, for face.expression", "voices, for voice.emotion"]
    heads = [f"    {what:7}" for what in ("path:", "from:", "terms:", "cite:")]
    for part, name in ((pictures, "fer2013"), (clips, "afew"), (voices, "ravdess")):
        first = next(i for i, line in enumerate(part) if line.startswith(f"  {name}: "))
        assert [line[:11] for line in part[first + 1 : first + 5]] == heads
    assert sum(line.startswith("  folder: ") for line in (*pictures, *voices)) == 2
