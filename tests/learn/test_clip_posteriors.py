"""Ten groups of frames, and the machine on them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs pip install 'emotrace[train]'")

from emotrace.errors import InputError
from emotrace.learn.clip_posteriors import Chosen, Grid, features_of, grouped, machine_of, search

FEW = Grid(costs=(1 / 32, 1.0), gammas=(2.0**-15, 2.0**-6), fine=(0.5, 2.0))
TRAIN, VALID, TEST = np.arange(0, 42), np.arange(42, 63), np.arange(63, 84)


@pytest.fixture(scope="module")
def clips() -> tuple[np.ndarray, np.ndarray]:
    """84 clips of 7 classes; frames say the truth in two thirds of what they say."""
    random = np.random.default_rng(0)
    labels = np.arange(84) % 7
    posteriors = [random.dirichlet(1 + 10 * np.eye(7)[label], random.integers(4, 30)).astype(np.float32) for label in labels]
    return features_of(posteriors), labels.astype(np.int64)


def test_groups_follow_each_other_and_are_averaged_exactly() -> None:
    frames = np.arange(25.0)[:, None] * [1, -1]
    found = grouped(frames).reshape(10, 2)
    bounds = [0, 2, 5, 7, 10, 12, 15, 17, 20, 22, 25]
    expected = [frames[a:b, 0].mean() for a, b in pairwise(bounds)]
    assert found[:, 0] == pytest.approx(expected)
    assert found[:, 1] == pytest.approx(-found[:, 0])


def test_fewer_frames_are_repeated_uniformly() -> None:
    assert grouped(np.array([[1.0], [2.0], [3.0]])).tolist() == [1, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert grouped(np.array([[4.0, 5.0]])).tolist() == [4, 5] * 10
    ten = np.random.default_rng(0).random((10, 7)).astype(np.float32)
    assert grouped(ten) == pytest.approx(ten.ravel())


def test_a_clip_without_frames_has_nan_and_other_shapes_are_refused() -> None:
    assert np.isnan(grouped(np.zeros((0, 7)))).all()
    assert features_of([]).shape == (0, 70)
    assert features_of([np.zeros((0, 7)), np.ones((3, 7))]).shape == (2, 70)
    with pytest.raises(InputError, match=r"must be \(f, k\)"):
        grouped(np.zeros(7))


def posteriors(features: np.ndarray, labels: np.ndarray, rows: np.ndarray, chosen: Chosen) -> np.ndarray:
    return machine_of(features, labels, rows, chosen).posteriors(features, 7)


def test_clips_are_named_better_than_by_chance_and_test_labels_are_not_looked_at(clips: tuple[np.ndarray, np.ndarray]) -> None:
    features, labels = clips
    hidden = labels.copy()
    hidden[TEST] = -1
    found = posteriors(features, hidden, TRAIN, search(features, hidden, TRAIN, VALID, FEW))
    assert found.shape == (84, 7)
    assert found.dtype == np.float32
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert (found[TEST].argmax(axis=1) == labels[TEST]).mean() > 0.8
    changed = features.copy()
    changed[TEST] = 0.5
    assert (posteriors(changed, labels, TRAIN, search(changed, labels, TRAIN, VALID, FEW))[:63] == found[:63]).all()


def test_a_clip_without_a_face_is_nan_and_an_empty_class_is_never_named(clips: tuple[np.ndarray, np.ndarray]) -> None:
    features, labels = clips
    features = features.copy()
    features[[0, 50, 70]] = np.nan
    found = posteriors(features, labels, TRAIN[labels[TRAIN] != 3], Chosen(1.0, 0.01, 0.0))
    assert np.flatnonzero(np.isnan(found).all(axis=1)).tolist() == [0, 50, 70]
    assert np.isfinite(np.delete(found, [0, 50, 70], axis=0)).all()
    assert np.nanmax(found[:, 3]) == 0


def test_the_accuracy_of_the_search_is_the_machines_and_no_validation_is_needed(clips: tuple[np.ndarray, np.ndarray]) -> None:
    features, labels = clips
    chosen = search(features, labels, TRAIN, VALID, FEW)
    machine = machine_of(features, labels, TRAIN, chosen)
    said = machine.posteriors(features[VALID], 7).argmax(axis=1)
    assert (said == labels[VALID]).mean() == pytest.approx(chosen.accuracy)
    assert chosen.gamma > 2.0**-12   # the smallest votes as well, but its posteriors are flat
    none = search(features, labels, TRAIN, VALID[:0])
    assert (none.cost, none.gamma) == (1.0, 1 / 70)
    assert machine.posteriors(features[:0], 7).shape == (0, 7)


def test_training_on_one_class_is_refused(clips: tuple[np.ndarray, np.ndarray]) -> None:
    features, labels = clips
    with pytest.raises(InputError, match="of 1 class; expected two"):
        search(features, labels, TRAIN[labels[TRAIN] == 2], VALID)
    with pytest.raises(InputError, match="0 training clips"):
        search(np.full_like(features, np.nan), labels, TRAIN, VALID)
