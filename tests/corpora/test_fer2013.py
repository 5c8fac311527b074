"""FER2013 and FER+, from the published csv and from parquet."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emotrace.corpora import fer2013
from emotrace.corpora.table import VOTE_COLUMNS
from emotrace.errors import InputError
from emotrace.scheme import EXPRESSION_8

VOTE_HEAD = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
VOTES = [
    "Training,fer0.png,4,0,0,1,3,2,0,0,0,0",
    "PublicTest,fer1.png,0,0,0,0,0,0,0,0,0,10",
    "Training,fer2.png,0,5,5,0,0,0,0,0,0,0",
]


def pixels(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (48, 48)).astype(np.uint8)


def write_csv(folder, votes=True):
    rows = [f"{label},{' '.join(map(str, pixels(i).ravel()))},{usage}"
            for i, (label, usage) in enumerate([(0, "Training"), (6, "PublicTest"), (3, "Training")])]  # fmt: skip
    (folder / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    if votes:
        (folder / "fer2013new.csv").write_text("\n".join([VOTE_HEAD, *VOTES]) + "\n")
    return folder


def write_parquet(path, **more):
    encoded = [cv2.imencode(".png", pixels(i))[1].tobytes() for i in range(3)]
    columns = {"image": encoded, "label": ["angry", "neutral", "happy"], "usage": ["Training", "PublicTest", "Training"]}
    pq.write_table(pa.table(columns | more), path)
    return path


def test_the_published_csv_gives_pictures_labels_splits_and_votes(tmp_path):
    faces = fer2013.read(write_csv(tmp_path))
    assert [EXPRESSION_8.labels[i] for i in faces.label] == ["anger", "neutral", "happiness"]
    assert faces.split.tolist() == ["Training", "PublicTest", "Training"]
    assert (faces.images() == np.stack([pixels(i) for i in range(3)])).all()
    first = dict(zip(VOTE_COLUMNS, faces.votes[0].tolist(), strict=True))
    assert first == {**dict.fromkeys(VOTE_COLUMNS, 0), "neutral": 4, "sadness": 1, "anger": 3, "disgust": 2}
    assert faces.origin[1] == "fer2013.csv:3"


def test_without_the_votes_file_votes_are_not_a_number(tmp_path):
    faces = fer2013.read(write_csv(tmp_path, votes=False) / "fer2013.csv")
    assert np.isnan(faces.votes).all()
    assert fer2013.shows_a_face(faces).all()
    assert (fer2013.majority(faces) == -1).all()


def test_rows_that_raters_called_no_face_and_level_votes_are_known(tmp_path):
    faces = fer2013.read(write_csv(tmp_path))
    assert fer2013.shows_a_face(faces).tolist() == [True, False, True]
    assert fer2013.majority(faces).tolist() == [EXPRESSION_8.labels.index("neutral"), -1, -1]


def test_rows_with_one_of_the_seven_labels_are_told_from_others(tmp_path):
    faces = fer2013.read(write_parquet(tmp_path / "f.parquet", label=["contempt", None, "happy"]))
    assert faces.label.tolist() == [7, -1, 3]
    assert fer2013.labelled(faces).origin.tolist() == ["f.parquet:2"]
    with pytest.raises(InputError, match="FER2013: none of 2 rows has one of the seven labels"):
        fer2013.labelled(faces[np.arange(2)])


def test_parquet_gives_the_same_as_csv(tmp_path):
    votes = np.array([[int(v) for v in line.split(",")[2:]] for line in VOTES], np.int8).T
    names = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "nf")
    path = write_parquet(tmp_path / "f.parquet", **{f"ferplus_{n}": column for n, column in zip(names, votes, strict=True)})
    ours, published = fer2013.read(path), fer2013.read(write_csv(tmp_path))
    assert (ours.images() == published.images()).all()
    assert (ours.votes == published.votes).all()
    assert ours.label.tolist() == published.label.tolist()
    assert np.isnan(fer2013.read(write_parquet(tmp_path / "bare.parquet")).votes).all()


def test_another_layout_says_what_was_found_and_what_was_expected(tmp_path):
    with pytest.raises(InputError, match=r"no such file; expected fer2013.csv"):
        fer2013.read(tmp_path)
    (tmp_path / "fer2013.csv").write_text("label,image\n")
    with pytest.raises(InputError, match="no column 'emotion'; expected emotion, pixels, Usage; found label, image"):
        fer2013.read(tmp_path)
    (tmp_path / "fer2013.csv").write_text("emotion,pixels,Usage\n0,1 2 3,Training\n")
    with pytest.raises(InputError, match=r"fer2013.csv:2: expected 2304 grey levels \(48 x 48\), found 3"):
        fer2013.read(tmp_path)
    pq.write_table(pa.table({"image": [b""], "usage": ["Training"]}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match="no column 'label'; expected image, label, usage; found image, usage"):
        fer2013.read(tmp_path / "x.parquet")
    write_csv(tmp_path)
    (tmp_path / "fer2013new.csv").write_text(VOTE_HEAD + "\n" + VOTES[0] + "\n")
    with pytest.raises(InputError, match=r"1 rows, but fer2013.csv beside it has 3"):
        fer2013.read(tmp_path)


GREY = " ".join(["7"] * 48 * 48)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        *((f"{label},{GREY},Training", f"fer2013.csv:2: '{label}' is no label; expected 0..6, or -1 for none")
          for label in ("7", "-2", "nan", "3.0", "happy")),
        ("0", "fer2013.csv:2: expected 3 cells as in the head, found 1; complete the row or take it out"),
        (f"0,{GREY},Training,1", "fer2013.csv:2: expected 3 cells as in the head, found 4"),
        *((f"0,{level}{GREY[1:]},Training", "fer2013.csv:2: expected grey levels 0..255 with blanks between them")
          for level in ("300", "-1", "x")),
    ],
)  # fmt: skip
def test_a_row_of_the_csv_that_cannot_be_read_is_named(tmp_path, row, words):
    (tmp_path / "fer2013.csv").write_text(f"emotion,pixels,Usage\n{row}\n")
    with pytest.raises(InputError, match=words):
        fer2013.read(tmp_path)


@pytest.mark.parametrize("content", [b"\xff\xfee\x00m\x00o\x00", b"\x89PNG\r\n\x1a\n\x00\x00"])
def test_a_csv_that_is_no_text_in_utf_8_says_so(tmp_path, content):
    (tmp_path / "fer2013.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"fer2013.csv: is no table of text in UTF-8 .*; expected the columns emotion, pixels"):
        fer2013.read(tmp_path)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="only Linux has such a file")
def test_a_csv_that_cannot_be_read_says_so():
    with pytest.raises(InputError, match=r"/proc/self/mem: cannot be read \(Input/output error\); expected the columns"):
        fer2013.read(Path("/proc/self/mem"))


@pytest.mark.parametrize("label", ["-1", ""])
def test_a_row_of_the_csv_without_a_label_has_none_and_a_byte_order_mark_is_no_harm(tmp_path, label):
    (tmp_path / "fer2013.csv").write_text(f"emotion,pixels,Usage\n{label},{GREY},Training\n", encoding="utf-8-sig")
    assert fer2013.read(tmp_path).label.tolist() == [-1]


def test_text_in_the_votes_of_the_csv_is_named(tmp_path):
    write_csv(tmp_path)
    (tmp_path / "fer2013new.csv").write_text("\n".join([VOTE_HEAD, *VOTES]).replace("10", "ten"))
    with pytest.raises(InputError, match=r"fer2013new.csv:3: nf is 'ten'; expected a number"):
        fer2013.read(tmp_path)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ({"label": [0, 6, 3]}, r"f.parquet:0: label is 0; expected a word as angry"),
        ({"label": [float("nan"), 0, 0]}, r"f.parquet:0: label is nan; expected a word as angry"),
        ({"label": ["angry", "sleepy", "sad"]}, r"f.parquet:1: 'sleepy' is no known expression"),
        ({"image": [b"1", None, b"3"]}, r"f.parquet:1: image holds no bytes, got NoneType; expected an encoded picture"),
        ({"image": ["1.png", "2.png", "3.png"]}, r"f.parquet:0: image holds no bytes, got str"),
        ({"image": [{"bytes": None, "path": "1.png"}] * 3}, r"f.parquet:0: image holds no bytes, got NoneType"),
        ({f"ferplus_{word}": ["0", "2", "many"] for word in fer2013.FERPLUS_WORDS}, r"f.parquet:0: ferplus_anger is '0'; exp"),
    ],
)
def test_a_row_of_the_parquet_that_cannot_be_read_is_named(tmp_path, column, words):
    with pytest.raises(InputError, match=words):
        fer2013.read(write_parquet(tmp_path / "f.parquet", **column))


@pytest.mark.parametrize("content", [b"", b"no parquet at all", b"PAR1 cut PAR1"])
def test_a_file_that_is_no_parquet_says_so_in_one_line(tmp_path, content):
    (tmp_path / "f.parquet").write_bytes(content)
    with pytest.raises(InputError, match=r"f.parquet: is no parquet file that can be read .*; expected image, label") as caught:
        fer2013.read(tmp_path / "f.parquet")
    assert "\n" not in str(caught.value)


def test_pictures_with_their_path_as_hugging_face_writes_them_and_null_labels_are_read(tmp_path):
    encoded = [{"bytes": cv2.imencode(".png", pixels(i))[1].tobytes(), "path": f"{i}.png"} for i in range(3)]
    faces = fer2013.read(write_parquet(tmp_path / "f.parquet", image=encoded, label=["angry", None, "happy"]))
    assert (faces.images() == np.stack([pixels(i) for i in range(3)])).all()
    assert faces.label.tolist() == [0, -1, 3]


def test_parts_and_labels_that_are_null_are_none_whatever_else_the_parquet_holds_and_however_it_is_called(tmp_path):
    more = {"usage": ["Training", None, None], "label": ["angry", None, ""], "more": [[1], [], None]}
    faces = fer2013.read(write_parquet(tmp_path / "F.PARQUET", **more))
    assert (faces.split.tolist(), faces.label.tolist()) == (["Training", "", ""], [0, -1, -1])
    with pytest.raises(InputError, match="has no split 'None'"):
        faces.of_split("None")


def test_a_parquet_is_found_in_its_folder(tmp_path):
    write_parquet(tmp_path / "fer2013.parquet")
    assert fer2013.read(tmp_path).label.tolist() == [0, 6, 3]


def test_the_csv_that_kaggle_also_offers_is_found_in_its_folder(tmp_path):
    rows = [f"{i}, {usage}, {' '.join(map(str, pixels(i).ravel()))}" for i, usage in ((0, "Training"), (3, "PublicTest"))]
    (tmp_path / "icml_face_data.csv").write_text("\n".join(["emotion, Usage, pixels", *rows]))
    faces = fer2013.read(tmp_path)
    assert (faces.label.tolist(), faces.split.tolist()) == ([0, 3], ["Training", "PublicTest"])
    assert (faces.images() == np.stack([pixels(0), pixels(3)])).all()


def test_a_picture_of_the_parquet_that_cannot_be_decoded_is_named_by_its_row(tmp_path):
    faces = fer2013.read(write_parquet(tmp_path / "f.parquet", image=[b"7 bytes", b"", b""]))
    with pytest.raises(InputError, match=r"f.parquet:0 \(7 bytes\) is no image that can be decoded"):
        faces.images()
    with pytest.raises(InputError, match=r"f.parquet:2 \(0 bytes\) is no image that can be decoded"):
        faces[np.array([2])].images()


def test_the_real_parquet_has_the_published_numbers_of_rows(data):
    faces = fer2013.read(data / "fer2013" / "fer2013.parquet")
    assert [len(faces.of_split(split)) for split in ("Training", "PublicTest")] == [28709, 3589]
    assert np.bincount(faces.of_split("PublicTest").label).tolist() == [467, 56, 496, 895, 653, 415, 607]  # as published
    with pytest.raises(InputError, match="no split 'PrivateTest'; it has: PublicTest, Training"):
        faces.of_split("PrivateTest")
