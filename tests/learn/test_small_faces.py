"""Faces in 48 px: found where the large picture has them, and ready for the extractors."""

from __future__ import annotations

import numpy as np
import pytest

from emotrace.engine import grey
from emotrace.face.align import warp
from emotrace.face.expression import FER2013_TEMPLATE
from emotrace.face.landmarks import ibug_68
from emotrace.learn.registration import inner, moved
from emotrace.learn.small_faces import SmallFaces


@pytest.fixture(scope="module")
def small(faces):
    """The five faces of the photo as FER2013 would frame them, (5, 48, 48), and their landmarks there."""
    matrices = FER2013_TEMPLATE.matrices(faces.tracks.mesh)
    crops = grey(warp(faces.pictures(), matrices, FER2013_TEMPLATE.size))
    return crops, moved(ibug_68(faces.tracks.mesh), matrices)


def test_landmarks_of_small_faces_lie_where_the_large_picture_has_them(small):
    crops, expected = small
    found = SmallFaces().landmarks(crops)
    assert np.isfinite(found).all()
    assert np.linalg.norm(inner(found) - inner(expected), axis=2).mean() < 1.0  # px of 48


def test_where_no_face_is_there_are_no_landmarks(small):
    crops, _ = small
    pictures = np.stack([crops[0], np.full((48, 48), 120, np.uint8), crops[1]])
    found = SmallFaces().landmarks(pictures)
    assert np.isnan(found).all(axis=(1, 2)).tolist() == [False, True, False]
    rows, samples = zip(*SmallFaces().samples(pictures, batch=2), strict=True)
    assert np.concatenate(rows).tolist() == [0, 2]
    assert [len(part) for part in samples] == [1, 1]
    assert samples[1].tracks.mesh.shape == (1, 478, 3)


def test_no_pictures_give_no_landmarks():
    assert SmallFaces().landmarks(np.zeros((0, 48, 48), np.uint8)).shape == (0, 68, 2)
