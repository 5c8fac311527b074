"""A ConvNet from stills: what it learns from, and what decides when it stops."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import made_fer2013
import numpy as np
import pytest
import scipy.io

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from emotrace.corpora import fer2013, tfd  # noqa: E402
from emotrace.errors import InputError  # noqa: E402
from emotrace.learn import stills  # noqa: E402
from emotrace.learn.light import unlit  # noqa: E402
from emotrace.learn.plan import Plan  # noqa: E402
from emotrace.learn.registered_tubes import MEAN_FACE  # noqa: E402

QUICK = stills.ConvNetPlan(replace(Plan(), epochs=2, batch=10, method="sgd", rate=0.001, device="cpu"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_fer2013.write(tmp_path_factory.mktemp("fer") / "fer2013.parquet", no_face=(3,))


def test_what_shows_no_face_or_is_held_out_is_not_learnt_from(corpus: Path) -> None:
    lessons = stills.read([fer2013.read(corpus)])
    assert len(lessons.label) == 41
    assert lessons.label[:5].tolist() == [0, 1, 2, 4, 5]


def test_toronto_adds_its_labelled_pictures(corpus: Path, tmp_path: Path) -> None:
    images = np.random.default_rng(1).integers(0, 256, (4, 48, 48), np.uint8)
    scipy.io.savemat(tmp_path / "TFD_48x48.mat", {
        "images": images, "labs_ex": np.array([[4], [-1], [7], [1]]), "labs_id": np.ones((4, 1)), "folds": np.ones((4, 5)),
    })  # fmt: skip
    both = stills.read([fer2013.read(corpus), tfd.read(tmp_path / "TFD_48x48.mat")])
    assert both.label[-3:].tolist() == [3, 6, 0]
    assert (both.images[-3:] == images[[0, 2, 3]]).all()


def test_pictures_are_registered_where_landmarks_are_known() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (12, 12)).astype(np.uint8)
    image = cv2.resize(picture, (48, 48))
    landmarks = np.full((2, 68, 2), np.nan)
    landmarks[0] = 0
    landmarks[0, 17:] = np.add(MEAN_FACE, [4, 0])
    found = stills.prepared(np.stack([image, image]), landmarks)
    assert found.shape == (2, 48, 48)
    plain = stills.prepared(image[None])[0]
    assert (found[1] == plain).all()
    middle = found[0, 10:38, 10:34].astype(float)
    assert np.corrcoef(middle.ravel(), plain[10:38, 14:38].ravel())[0, 1] > 0.95


def test_validation_clips_choose_the_epoch_and_a_run_goes_on(corpus: Path, tmp_path: Path) -> None:
    lessons = stills.read([fer2013.read(corpus)])
    random = np.random.default_rng(0)
    clips = [random.integers(0, 256, (n, 48, 48), np.uint8) for n in (0, 3, 25)]
    labels, told = np.array([1, 2, 3]), list[dict[str, float]]()
    network = stills.fit(lessons, clips, labels, tmp_path / "run", QUICK, told.append)
    assert [numbers["epoch"] for numbers in told] == [1, 2]
    assert {numbers["accuracy"] for numbers in told} <= {0.0, 0.5, 1.0}   # of the two validation clips that have frames
    again = stills.fit(lessons, clips, labels, tmp_path / "run", QUICK, told.append)
    assert len(told) == 2
    posteriors = stills.frame_posteriors(network, clips[2])
    assert posteriors.shape == (25, 7)
    assert posteriors.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert (stills.frame_posteriors(again, clips[2]) == posteriors).all()
    assert stills.frame_posteriors(network, clips[0]).shape == (0, 7)


def test_validation_clips_without_faces_are_refused(corpus: Path, tmp_path: Path) -> None:
    lessons, nothing = stills.read([fer2013.read(corpus)]), [np.zeros((0, 48, 48), np.uint8)] * 2
    with pytest.raises(InputError, match="no validation clip of 2 clips has a face"):
        stills.fit(lessons, nothing, np.array([0, 1]), tmp_path, QUICK)


def test_without_pictures_there_is_nothing_to_learn(corpus: Path) -> None:
    with pytest.raises(InputError, match="no labelled pictures"):
        stills.read([])
    with pytest.raises(InputError, match="no labelled pictures"):
        stills.read([fer2013.read(corpus).of_split("PublicTest")])


def test_networks_see_stills_and_clips_alike() -> None:
    image = np.random.default_rng(0).integers(0, 256, (1, 48, 48), np.uint8)
    assert (stills.prepared(image) == unlit(image)).all()
