"""Scores by group: planted groups come out, and estimates of small faces go with those of large ones."""

from __future__ import annotations

import numpy as np
import pytest

from emotrace.corpora.table import table
from emotrace.engine import grey
from emotrace.errors import InputError
from emotrace.face.age_gender import AgeGender
from emotrace.face.align import warp
from emotrace.face.expression import FER2013_TEMPLATE
from emotrace.learn.groups import estimated, measure
from emotrace.learn.shipped import Classifier
from emotrace.scheme import EXPRESSION_7

BY_GREY = Classifier(lambda images: np.eye(7, dtype=np.float32)[images[:, 24, 24] // 10], EXPRESSION_7, 48)


def test_a_model_that_is_right_of_women_only_shows_so():
    said, label = [0, 1, 2, 3], [0, 1, 3, 2]
    pictures = [np.full((48, 48), 10 * k, np.uint8) for k in said]
    faces = table("made", pictures, label, list("abcd"))
    age_gender = np.array([[10, 0.9], [30, 0.8], [30, 0.1], [np.nan, np.nan]], np.float32)
    found = {group.name: group for group in measure(BY_GREY, faces, age_gender)}
    assert (found["all"].n, found["all"].accuracy) == (4, 0.5)
    assert (found["apparently female (0.7 or surer)"].n, found["apparently female (0.7 or surer)"].accuracy) == (2, 1.0)
    assert (found["apparently male (0.7 or surer)"].n, found["apparently male (0.7 or surer)"].accuracy) == (1, 0.0)
    assert found["apparent age 0 to 18"].accuracy == 1
    assert found["apparent age 18 to 35"].error == pytest.approx(np.sqrt(0.25 / 2))
    assert found["no face found for an estimate"].n == 1
    assert "apparent age 55 and more" not in found


def test_a_corpus_without_labels_says_so():
    faces = table("made", [np.zeros((48, 48), np.uint8)], [-1], ["a"])
    with pytest.raises(InputError, match="none of the 1 rows has a label"):
        measure(BY_GREY, faces, np.zeros((1, 2), np.float32))


def test_the_gender_of_a_small_face_is_that_of_the_same_face_when_it_is_large(faces):
    crops = grey(warp(faces.pictures(), FER2013_TEMPLATE.matrices(faces.tracks.mesh), FER2013_TEMPLATE.size))
    large, small = AgeGender("cpu").extract(faces), estimated(crops)
    sure = np.abs(large[:, 1] - 0.5) > 0.4
    assert sure.sum() >= 3
    assert ((small[:, 1] > 0.5) == (large[:, 1] > 0.5))[sure].mean() >= 0.8
    assert np.isnan(estimated(np.full((2, 48, 48), 90, np.uint8))).all()
