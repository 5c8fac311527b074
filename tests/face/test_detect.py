"""Detection: the faces a person counts, at their places."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from emotrace.errors import InputError
from emotrace.face.detect import Detector, overlap
from emotrace.video import Video


@pytest.fixture(scope="module")
def photo(five_people: Path) -> np.ndarray:
    return next(Video.open(five_people).chunks()).images[0]


def test_all_five_people_of_the_photo_are_found(photo: np.ndarray) -> None:
    found = Detector().detect(photo)
    assert len(found) == 5
    assert (found.score > 0.8).all()


def test_the_default_finds_faces_of_40_px_in_720p(photo: np.ndarray) -> None:
    canvas = np.full((720, 1280, 3), 90, np.uint8)
    scale = 40 / 91   # the smallest of the five is found 91 px wide
    small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas[200 : 200 + small.shape[0], 300 : 300 + small.shape[1]] = small
    found = Detector().detect(canvas)
    assert len(found) == 5
    assert (found.box[:, 2] - found.box[:, 0]).min() < 43


def test_a_smaller_smallest_face_finds_smaller_faces(photo: np.ndarray) -> None:
    canvas = np.full((720, 1280, 3), 90, np.uint8)
    small = cv2.resize(photo, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA)   # faces of 16 to 21 px
    canvas[100 : 100 + small.shape[0], 100 : 100 + small.shape[1]] = small
    assert len(Detector(min_face=15).detect(canvas)) > len(Detector(min_face=80).detect(canvas))
    assert len(Detector(min_face=15).detect(canvas)) == 5


def test_boxes_and_points_are_in_pixels_of_the_picture_given(photo: np.ndarray) -> None:
    plain, large = Detector().detect(photo), Detector().detect(cv2.resize(photo, None, fx=2, fy=2))
    order = plain.box[:, 0].argsort(), large.box[:, 0].argsort()
    np.testing.assert_allclose(large.box[order[1]], 2 * plain.box[order[0]], atol=12)
    eyes, mouth = plain.points[:, :2, 1].mean(axis=1), plain.points[:, 3:, 1].mean(axis=1)
    assert (eyes < mouth).all()


def test_colours_reach_the_network_in_its_own_order(photo: np.ndarray) -> None:
    assert len(Detector().detect(np.ascontiguousarray(photo))) == 5
    score = Detector().detect(photo).score.mean()
    assert score >= Detector().detect(np.ascontiguousarray(photo[..., ::-1])).score.mean() - 0.02


def test_an_empty_picture_has_no_face() -> None:
    assert len(Detector().detect(np.zeros((360, 640, 3), np.uint8))) == 0


def test_a_smallest_face_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="more than 0 px"):
        Detector(min_face=0)


def test_overlap_is_intersection_over_union() -> None:
    a = np.array([[0, 0, 10, 10]], np.float32)
    b = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], np.float32)
    np.testing.assert_allclose(overlap(a, b), [[1, 50 / 150, 0]], atol=1e-6)
    assert overlap(a[:0], b).shape == (0, 3)
