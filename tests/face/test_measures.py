"""Quality, expression, valence and arousal, age and gender, portraits: planted values, and what can be seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from emotrace.analysis import Analysis
from emotrace.api import analyze
from emotrace.face.identity import Embedding
from emotrace.face.portraits import FIRST_GAP, PortraitChooser, thumbnails
from emotrace.face.quality import laplacian_variance
from emotrace.face.valence_arousal import PLACES, Circumplex
from emotrace.scheme import EXPRESSION_7
from emotrace.testing import measured
from emotrace.tracks import Tracks
from emotrace.video import Video
from emotrace.views import FaceSamples
from recordings import samples_of


def test_sharpness_is_the_variance_of_opencvs_laplacian() -> None:
    image = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    expected = cv2.Laplacian(image, cv2.CV_64F)[1:-1, 1:-1].var()
    assert laplacian_variance(image[None])[0] == pytest.approx(expected)


@pytest.mark.parametrize("harm", ["blur", "shrink"])
def test_a_blurred_or_tiny_face_is_of_low_quality(harm: str, five_people: Path) -> None:
    image = next(Video.open(five_people).chunks()).images[0]
    good = measured(samples_of(image), ["face.quality"])["face.quality"][:, 0]
    whole = samples_of(image)
    if harm == "blur":
        bad = FaceSamples(whole.tracks, cv2.GaussianBlur(image, None, 12)[None], whole.image)
    else:
        small = cv2.resize(image, None, fx=0.12, fy=0.12, interpolation=cv2.INTER_AREA)
        tracks = replace(whole.tracks, mesh=whole.tracks.mesh * np.float32(0.12))
        bad = FaceSamples(tracks, small[None], whole.image)
    assert (good > 0.9).all()
    assert (measured(bad, ["face.quality"])["face.quality"][:, 0] < 0.2).all()


def test_certain_expressions_lie_at_their_places_in_the_circumplex(faces: FaceSamples) -> None:
    certain = np.eye(7, dtype=np.float32)
    found = Circumplex().extract(faces[np.zeros(7, np.int64)].having({"face.expression": certain}))
    np.testing.assert_allclose(found, [PLACES[label] for label in EXPRESSION_7.labels], atol=1e-6)
    half = Circumplex().extract(faces[:1].having({"face.expression": (certain[3] + certain[6])[None] / 2}))
    np.testing.assert_allclose(found[3] / 2, half[0], atol=1e-6)


@pytest.mark.parametrize("portrait", ["angry", "happy", "neutral", "surprised"])
def test_an_unmistakable_portrait_is_named(portrait: str, data: Path, tmp_path: Path) -> None:
    names = {"angry": "anger", "happy": "happiness", "neutral": "neutral", "surprised": "surprise"}
    found = analyze(data / "portraits" / f"stable_diffusion_{portrait}.png", tmp_path / "out.emotrace", report=False)
    assert found.people[0].expression == names[portrait]


@pytest.mark.parametrize("name", ["face.expression", "face.expression_mini_xception", "face.expression_densenet"])
def test_four_of_the_five_in_the_photo_smile(name: str, faces: FaceSamples) -> None:
    happy = measured(faces, [name])[name][:, EXPRESSION_7.labels.index("happiness")]
    assert (happy > 0.8).sum() == 4


def test_the_same_face_is_alike_and_others_are_not(faces: FaceSamples, woman_analysis: Analysis) -> None:
    vectors = Embedding("cpu").extract(faces)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    others = (vectors @ vectors.T)[~np.eye(5, dtype=bool)]
    assert others.max() < 0.45
    darker = FaceSamples(faces.tracks, (faces.images * 0.7).astype(np.uint8), faces.image)
    assert (Embedding("cpu").extract(darker) * vectors).sum(axis=1).min() > 0.8


def planted(times: list[float], quality: list[float], yaw: list[float]) -> FaceSamples:
    n = len(times)
    empty = Tracks.empty()
    tracks = Tracks(
        np.arange(n), np.array(times, float), np.zeros(n, np.int64), np.zeros((n, 4), np.float32), np.ones(n, np.float32),
        np.zeros((n, *empty.mesh.shape[1:]), np.float32),
    )  # fmt: skip
    pose = np.stack([np.zeros(n), yaw, np.zeros(n)], axis=1).astype(np.float32)
    values = {"face.quality": np.array(quality, np.float32)[:, None], "face.pose": pose}
    return FaceSamples(tracks, np.zeros((1, 8, 8, 3), np.uint8), np.zeros(n, np.int64), values)


def test_portraits_are_good_frontal_and_further_and_further_apart() -> None:
    times = [i / 10 for i in range(80)]
    quality = [0.1] * 3 + [0.9] * 77
    yaw = [0.0] * 3 + [60.0] + [5.0] * 76
    chosen = PortraitChooser().choose(planted(times, quality, yaw))
    assert [times[row] for row in chosen] == pytest.approx([0.4, 0.4 + FIRST_GAP, 0.9 + 1, 1.9 + 2, 3.9 + 4])


def test_choosing_in_parts_is_choosing_in_one_go() -> None:
    whole = planted([i / 10 for i in range(80)], [0.9] * 80, [0.0] * 80)
    chooser = PortraitChooser()
    parts = [chooser.choose(whole[slice(i, i + 7)]) + i for i in range(0, 80, 7)]
    np.testing.assert_array_equal(np.concatenate(parts), PortraitChooser().choose(whole))


def test_a_thumbnail_is_a_picture_of_the_face(faces: FaceSamples) -> None:
    pictures = thumbnails(faces)
    assert len(pictures) == 5
    image = cv2.imdecode(np.frombuffer(pictures[0], np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (160, 160, 3)
    assert thumbnails(faces[:0]) == []
