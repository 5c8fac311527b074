"""Fusion of features: its sizes, what it gives, and what is done where a modality is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs pip install 'emotrace[train]'")

from sklearn.decomposition import PCA
from sklearn.neural_network import MLPClassifier

from emotrace.errors import InputError
from emotrace.learn import feature_fusion as fusion
from emotrace.learn.arrays import keep, loaded


def clips(n: int = 210, classes: int = 7, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Face features that tell some classes apart, voice features that tell the others."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    face, voice = rng.normal(size=(n, 256)), rng.normal(size=(n, 68))
    face[:, :20] += 3 * rng.normal(size=(8, 20))[labels // 2]
    voice[:, :20] += 3 * rng.normal(size=(8, 20))[7 * (labels % 2)]
    return face.astype(np.float32), voice.astype(np.float32), labels


def test_256_and_68_are_324_and_become_68_14_and_7() -> None:
    face, voice, labels = clips()
    both = fusion.side_by_side(face, voice)
    assert both.shape == (210, 324)
    reduction = fusion.fit_reduction(both)
    assert reduction.of(both).shape == (210, 68)
    network = fusion.fit_perceptron(reduction.of(both), labels, 7)
    assert (network.inner.shape, network.outer.shape) == ((68, 14), (14, 7))
    said = network.probabilities(reduction.of(both))
    assert said.shape == (210, 7)
    assert said.sum(axis=1) == pytest.approx(np.ones(210), abs=1e-5)


def test_components_are_those_of_scikit_learn_on_standardised_features() -> None:
    both = fusion.side_by_side(*clips()[:2])
    both[:, 5] = 2.0  # a feature that never changes
    standard = (both - both.mean(axis=0)) / np.where(both.std(axis=0) > 0, both.std(axis=0), 1)
    expected = PCA(68, svd_solver="full").fit_transform(standard)
    expected /= np.sqrt(expected.var(axis=0, ddof=1).mean())
    found = fusion.fit_reduction(both).of(both)
    assert found.var(axis=0, ddof=1).mean() == pytest.approx(1, abs=1e-4)
    assert found[:, 0].var() > 2 * found[:, 67].var()  # narrow directions stay narrow
    assert np.abs(found) == pytest.approx(np.abs(expected), abs=1e-3)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("classes", [2, 5])
def test_the_perceptron_as_arrays_says_what_scikit_learn_s_says(classes: int) -> None:
    rng = np.random.default_rng(1)
    labels = np.array([0, 2, 3, 5, 6])[:classes][np.arange(80) % classes]
    features = (rng.normal(size=(7, 6)) * 2)[labels].astype(np.float32) + rng.normal(size=(80, 6)).astype(np.float32)
    reference = MLPClassifier((14,), batch_size=32, max_iter=30, n_iter_no_change=30, random_state=3).fit(features, labels)
    said = fusion.fit_perceptron(features, labels, 7, epochs=30, seed=3).probabilities(features)
    assert said[:, np.unique(labels)] == pytest.approx(reference.predict_proba(features), abs=1e-5)
    absent = np.setdiff1d(np.arange(7), labels)
    assert not said[:, absent].any()  # an empty class is never named


def test_together_they_name_what_neither_names_alone() -> None:
    face, voice, labels = clips()
    right = {}
    for name, blocks in {"face": (face,), "voice": (voice,), "both": (face, voice)}.items():
        joined = fusion.side_by_side(*blocks)
        reduction = fusion.fit_reduction(joined[:140])
        network = fusion.fit_perceptron(reduction.of(joined[:140]), labels[:140], 7)
        right[name] = (network.probabilities(reduction.of(joined[140:])).argmax(axis=1) == labels[140:]).mean()
    assert right["both"] > max(right["face"], right["voice"]) + 0.15
    assert right["both"] > 0.8


def test_a_clip_that_lacks_a_modality_is_answered_by_the_other_alone() -> None:
    nothing = np.full((1, 7), np.nan, np.float32)
    sure = np.eye(7, dtype=np.float32)
    face = np.concatenate([sure[:1], nothing, sure[2:3], nothing])
    voice = np.concatenate([nothing, sure[1:2], sure[3:4], nothing])
    fused = np.concatenate([nothing, nothing, sure[4:5], nothing])
    said = fusion.instead(fused, face, voice)
    assert said[:3].argmax(axis=1).tolist() == [0, 1, 4]
    assert np.isnan(said[3]).all()
    joined = fusion.side_by_side(np.ones((2, 3), np.float32), np.array([[1.0], [np.nan]], np.float32))
    assert joined[0].tolist() == [1, 1, 1, 1]
    assert np.isnan(joined[1]).all()


def test_few_clips_leave_few_components_and_too_few_are_refused() -> None:
    both = fusion.side_by_side(*clips(9)[:2])
    assert fusion.fit_reduction(both).components.shape == (8, 324)
    with pytest.raises(InputError, match="1 clip with face and voice"):
        fusion.fit_reduction(both[:1])
    with pytest.raises(InputError, match="3 clips of 1 class"):
        fusion.fit_perceptron(both[:3], np.zeros(3, np.int64), 7)


def test_what_is_kept_in_a_file_says_the_same(tmp_path: Path) -> None:
    face, voice, labels = clips(70)
    both = fusion.side_by_side(face, voice)
    reduction = fusion.fit_reduction(both)
    network = fusion.fit_perceptron(reduction.of(both), labels, 7, epochs=5)
    keep(tmp_path / "pca.npz", reduction)
    keep(tmp_path / "fc.npz", network)
    again = loaded(fusion.Reduction, tmp_path / "pca.npz"), loaded(fusion.Perceptron, tmp_path / "fc.npz")
    assert np.array_equal(again[1].probabilities(again[0].of(both)), network.probabilities(reduction.of(both)))
    with pytest.raises(InputError, match=r"not the \.npz of Perceptron"):
        loaded(fusion.Perceptron, tmp_path / "pca.npz")
