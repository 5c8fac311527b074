"""Faces of whole pictures are found, framed and read as `analyze` does."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from emotrace.corpora.table import decode, table
from emotrace.face.expression import Expression
from emotrace.learn import shipped
from emotrace.learn.evaluate import as_json
from emotrace.learn.whole_pictures import WholePictures
from emotrace.scheme import EXPRESSION_7
from emotrace.video import Video
from recordings import samples_of


@pytest.fixture
def photo(five_people: Path) -> np.ndarray:
    """RGB, of five faces, of which four smile."""
    return next(Video.open(five_people).chunks()).images[0]


def encoded(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", np.ascontiguousarray(image[..., ::-1]))[1].tobytes()


def test_the_largest_face_is_read_as_analyze_reads_it(photo: np.ndarray) -> None:
    samples = samples_of(photo)
    box = samples.tracks.box
    largest = int((box[:, 2:] - box[:, :2]).prod(axis=1).argmax())
    model = shipped.component("face.expression")
    crop = WholePictures().crop(decode(encoded(photo)), model.size)
    assert crop.shape == (48, 48)
    assert model.predict(crop[None])[0] == pytest.approx(Expression().extract(samples)[largest], abs=0.05)


def test_a_picture_without_a_face_counts_as_wrong_and_changes_nothing_of_others(photo: np.ndarray) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 300)).astype(np.uint8)
    dot = np.zeros((1, 1), np.uint8)
    label = int(Expression().extract(samples_of(photo)).mean(axis=0).argmax())
    corpus = table("made", [noise, encoded(photo), dot, encoded(photo)], [label] * 4, ["a", "b", "c", "d"])
    scores = shipped.measure(shipped.component("face.expression"), corpus, find=True)
    assert (scores.n, scores.accuracy, scores.confusion.sum()) == (4, 0.5, 2)
    assert scores.right.tolist() == [False, True, False, True]
    assert scores.confidence[1] == scores.confidence[3]
    assert json.loads(json.dumps(as_json(scores), allow_nan=False))["per_class"][EXPRESSION_7.labels[label]]["recall"] == 0.5


def test_a_damaged_picture_counts_as_wrong_and_is_named(photo: np.ndarray) -> None:
    whole = encoded(photo)
    corpus = table("made", [whole, whole[:9]], [3, 3], ["a.png", "b.png"])
    scores = shipped.measure(shipped.component("face.expression"), corpus, find=True)
    assert (scores.n, scores.right.tolist(), scores.confusion.sum()) == (2, [True, False], 1)
    assert len(scores.unreadable) == 1
    assert scores.unreadable[0].startswith("b.png (9 bytes) is no image that can be decoded")


def test_no_face_in_any_picture_is_an_accuracy_of_nothing() -> None:
    corpus = table("made", [np.zeros((100, 100), np.uint8)] * 2, [3, 4], ["a", "b"])
    scores = shipped.measure(shipped.component("face.expression"), corpus, find=True)
    assert (scores.n, scores.accuracy, scores.confusion.sum()) == (2, 0, 0)
