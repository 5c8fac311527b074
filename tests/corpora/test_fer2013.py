"""FER2013 and FER+, from the published csv and from parquet."""

from __future__ import annotations

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
    with pytest.raises(InputError, match="expected the head emotion,pixels,Usage, found label,image"):
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


def test_the_real_parquet_has_the_published_numbers_of_rows(data):
    faces = fer2013.read(data / "fer2013" / "fer2013.parquet")
    assert [len(faces.of_split(split)) for split in ("Training", "PublicTest")] == [28709, 3589]
    assert np.bincount(faces.of_split("PublicTest").label).tolist() == [467, 56, 496, 895, 653, 415, 607]  # as published
    with pytest.raises(InputError, match="no split 'PrivateTest'; it has: PublicTest, Training"):
        faces.of_split("PrivateTest")
