"""Which files of a folder belong to a corpus."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from emotrace.corpora import afew, catalogue
from emotrace.corpora.clips import pictures_of
from emotrace.corpora.files import pictures, recordings
from emotrace.errors import InputError

PUBLISHED = {
    "jaffe": ("jaffedbase", "KA.AN1.39.tiff"),
    "radboud": ("RafD", "Rafd090_01_Caucasian_female_angry_frontal.jpg"),
    "ck+": ("anger", "S010_004_00000017.png"),
    "sfew": ("Train/Angry", "a.png"),
    "folder": ("happy", "a.png"),
    "ravdess": ("Actor_01", "03-01-06-01-02-01-12.wav"),
    "savee": ("AudioData/DC", "a01.wav"),
}


def touch(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_macos_adds_to_archives_is_no_row(name: str, tmp_path: Path) -> None:
    folder, file = PUBLISHED[name]
    touch(tmp_path / folder / file, tmp_path / folder / f"._{file}", tmp_path / "__MACOSX" / folder / file)
    read = catalogue.read if name in catalogue.CORPORA else catalogue.read_voices
    assert read(name, tmp_path).origin.tolist() == [f"{folder}/{file}"]


@pytest.mark.parametrize("name", ["folder", "ravdess"])
def test_rows_are_taken_by_mask_position_or_slice_and_a_mask_of_another_table_is_refused(name: str, tmp_path: Path) -> None:
    folder, file = PUBLISHED[name]
    touch(*(tmp_path / folder / file.replace("12.", f"0{i}.").replace("a.", f"{i}.") for i in range(1, 4)))
    read = catalogue.read if name in catalogue.CORPORA else catalogue.read_voices
    table = read(name, str(tmp_path))
    for rows in (slice(1, None), np.array([1, 2]), np.array([False, True, True])):
        assert table[rows].origin.tolist() == table.origin.tolist()[1:]
    with pytest.raises(IndexError, match="boolean"):
        table[np.array([True, False])]


def test_hidden_pictures_are_no_face_crops_of_a_clip(tmp_path: Path) -> None:
    crops = Path("AlignedFaces_LBPTOP_Points/Faces/7")
    touch(tmp_path / "Train/Sad/7.avi", tmp_path / "Train" / crops / "7-001.jpg", tmp_path / "Train" / crops / "._7-001.jpg")
    touch(tmp_path / "Train/Sad/._7.avi", tmp_path / "Train/__MACOSX" / crops / "7-001.jpg")
    clips = afew.read(tmp_path)
    assert (clips.origin.tolist(), clips.faces) == (["Train/Sad/7.avi"], [tmp_path / "Train" / crops])
    assert [file.name for file in pictures_of(tmp_path / "Train" / crops)] == ["7-001.jpg"]


def test_a_folder_that_is_a_link_is_opened_and_one_that_leads_back_is_not(tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere" / "1.png", tmp_path / "corpus" / "sad" / "2.png")
    for name, target in (("happy", "../elsewhere"), ("fear", "../elsewhere"), ("anger", "."), ("no", "gone"), ("su", "su")):
        (tmp_path / "corpus" / name).symlink_to(target)
    assert catalogue.read("folder", tmp_path / "corpus").origin.tolist() == ["fear/1.png", "happy/1.png", "sad/2.png"]


def test_files_are_in_the_order_of_their_folders_and_names_whatever_the_case_of_their_endings(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("b/1.PNG", "a/2.jpeg", "a/10.Tif", "a-/1.bmp", "a.png", "a/notes.txt", "a/s.oga")))
    found = [file.relative_to(tmp_path).as_posix() for file in pictures(tmp_path)]
    assert found == ["a/10.Tif", "a/2.jpeg", "a-/1.bmp", "a.png", "b/1.PNG"]
    assert recordings(tmp_path) == [tmp_path / "a/s.oga"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is closed to this user")
def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    touch(tmp_path / "sad" / "1.png")
    (tmp_path / "happy").mkdir(mode=0)
    with pytest.raises(InputError, match=r"happy: cannot be read \(Permission denied\); expected a folder of a corpus"):
        pictures(tmp_path)
