"""The AFEW layout: what is read from it, and what is said of a folder that is not whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from emotrace.corpora import afew, catalogue
from emotrace.corpora.clips import Clips
from emotrace.errors import InputError, UnknownNameError
from emotrace.scheme import EXPRESSION_7
from recordings import encode


@pytest.fixture(scope="module")
def second(woman: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encode(tmp_path_factory.mktemp("clip") / "clip.mp4", woman, [Fraction(i, 25) for i in range(5)])


def put(clip: Path, *places: Path) -> None:
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(clip, place)


def crop(place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(place), np.full((8, 8), 90, np.uint8))


def test_parts_classes_and_an_unlabelled_test(second: Path, tmp_path: Path) -> None:
    put(second, tmp_path / "Train_AFEW/Angry/1.avi", tmp_path / "Val/Surprise/2.mp4", tmp_path / "Test_2016_No_Label/3.avi")
    clips = afew.read(tmp_path)
    named = ["" if i < 0 else EXPRESSION_7.labels[i] for i in clips.label]
    assert sorted(zip(clips.split.tolist(), named, strict=True)) == [("Test", ""), ("Train", "anger"), ("Val", "surprise")]
    assert set(clips.origin) == {"Train_AFEW/Angry/1.avi", "Val/Surprise/2.mp4", "Test_2016_No_Label/3.avi"}
    assert set(clips.subject) == {""}
    assert clips.of_split("Val").paths == [tmp_path / "Val/Surprise/2.mp4"]
    assert clips.unreadable() == {}


def test_the_challenges_face_crops_are_found_by_the_name_of_the_clip(second: Path, tmp_path: Path) -> None:
    put(second, tmp_path / "Train/Sad/000046280.avi", tmp_path / "Train/Sad/000046281.avi")
    crop(tmp_path / "Train/AlignedFaces_LBPTOP_Points/Faces/000046280/000046280-001.jpg")
    clips = afew.read(tmp_path)
    assert clips.faces == [tmp_path / "Train/AlignedFaces_LBPTOP_Points/Faces/000046280", None]


def test_a_part_of_face_crops_alone_is_read_as_clips(tmp_path: Path) -> None:
    crop(tmp_path / "Train/Happy/7/7-001.png")
    crop(tmp_path / "Train/Happy/7/7-002.png")
    clips = afew.read(tmp_path)
    assert (clips.paths, clips.faces) == ([tmp_path / "Train/Happy/7"],) * 2
    assert EXPRESSION_7.labels[clips.label[0]] == "happiness"
    assert clips.unreadable() == {}


def test_an_empty_class_counts_nothing(second: Path, tmp_path: Path) -> None:
    put(second, tmp_path / "Train/Angry/1.avi")
    (tmp_path / "Train/Disgust").mkdir()
    counts = afew.read(tmp_path).counts(EXPRESSION_7)
    assert (counts["anger"], counts["disgust"], sum(counts.values())) == (1, 0, 1)


def test_an_unreadable_clip_is_named_with_its_reason(second: Path, tmp_path: Path) -> None:
    put(second, tmp_path / "Train/Angry/good.avi")
    (tmp_path / "Train/Angry/bad.avi").write_bytes(b"no film at all" * 50)
    (tmp_path / "Train/Angry/empty.avi").touch()
    clips = afew.read(tmp_path)
    trouble = {clips.paths[row].name: reason for row, reason in clips.unreadable().items()}
    assert set(trouble) == {"bad.avi", "empty.avi"}
    nothing = tmp_path / "faces"
    nothing.mkdir()
    words = np.array([""])
    assert "no pictures" in Clips("AFEW", [nothing], np.zeros(1, np.int64), words, words, words, [nothing]).unreadable()[0]
    assert "is empty (0 bytes)" in trouble["empty.avi"]
    assert "not a video that can be read" in trouble["bad.avi"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], "expected the folders Train, Val and Test of AFEW; found nothing"),
        (["Testing/1.avi"], "expected the folders Train, Val and Test of AFEW; found Testing"),
        (["Train/Angry/notes.txt"], "no clips; expected files of .avi"),
        (["Train/Bored/1.avi"], r"Train/Bored/1.avi lies in no class; expected Train/Angry\|Disgust"),
    ],
)
def test_another_layout_is_refused_in_one_line(files: list[str], words: str, tmp_path: Path) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    with pytest.raises(InputError, match=words) as caught:
        afew.read(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"away: no such folder; expected one with the folders Train"):
        afew.read(tmp_path / "away")


def test_columns_of_different_length_are_refused() -> None:
    words, label = np.array(["", ""]), np.zeros(2, np.int64)
    with pytest.raises(InputError, match="AFEW: column faces must have 2 rows, got 1"):
        Clips("AFEW", [Path("a"), Path("b")], label, words, words, words, [None])


def test_clips_are_read_by_the_name_of_their_corpus(second: Path, tmp_path: Path) -> None:
    put(second, tmp_path / "Val/Fear/1.mp4")
    assert len(catalogue.read_clips("afew", tmp_path)) == 1
    with pytest.raises(UnknownNameError, match="no corpus of clips 'films'; there are: afew, paired"):
        catalogue.read_clips("films", tmp_path)


@pytest.mark.parametrize(
    ("read", "name", "words"),
    [
        (catalogue.read, "afew", "'afew' is a corpus of clips, expected one of pictures; it goes with the folder of a trained"),
        (catalogue.read, "ravdess", "'ravdess' is a corpus of voices, expected one of pictures; it goes with voice.emotion"),
        (catalogue.read_clips, "tfd", "'tfd' is a corpus of pictures, expected one of clips; it goes with face.expression"),
        (catalogue.read_voices, "paired", "'paired' is a corpus of clips, expected one of voices; .* one of ravdess, nemo"),
    ],
)
def test_a_corpus_of_another_kind_says_what_takes_it(
    read: Callable[[str, Path], object], name: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        read(name, tmp_path)
