"""Bag of mouths: each step against a slow one, and clips told apart by what is planted around the mouth."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs pip install 'emotrace[train]'")

from sklearn.linear_model import LogisticRegression

from emotrace.errors import InputError
from emotrace.learn.bag_of_mouths import (
    Mouths,
    book_of,
    codebook,
    encoded,
    features_of,
    normalised,
    patches_of,
    regression,
    search,
    sections_of,
    triangle,
    whitened_by,
)
from emotrace.learn.facetubes import spread

SMALL = Mouths(centroids=12, stride=4, frames=4, patches=400)
TRAIN, VALID, TEST = np.arange(0, 28), np.arange(28, 42), np.arange(42, 56)


def mouth(label: int, random: np.random.Generator, frames: int) -> np.ndarray:
    """Noisy faces with stripes of a direction of their own where the mouth is."""
    y, x = np.mgrid[:96, :96]
    angle = np.pi * label / 7
    stripes = 60 * np.sin((x * np.cos(angle) + y * np.sin(angle)) * 0.9 + random.uniform(0, 6))
    found = 120 + random.normal(0, 8, (frames, 96, 96))
    found[:, 60:90, 26:70] += stripes[60:90, 26:70]
    return np.clip(found, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def clips() -> tuple[list[np.ndarray], np.ndarray]:
    random = np.random.default_rng(0)
    labels = (np.arange(56) % 7).astype(np.int64)
    return [mouth(int(label), random, int(random.integers(1, 7))) for label in labels], labels


def test_the_triangle_is_that_of_a_slow_one() -> None:
    random = np.random.default_rng(0)
    patches, centroids = random.normal(size=(2, 5, 9)).astype(np.float32), random.normal(size=(6, 9)).astype(np.float32)
    found = triangle(patches, centroids)
    for i in range(2):
        for j in range(5):
            distance = [float(np.sqrt(sum((patches[i, j] - centroid) ** 2))) for centroid in centroids]
            expected = [max(0.0, sum(distance) / 6 - one) for one in distance]
            assert found[i, j] == pytest.approx(expected, abs=1e-5)


def test_patches_are_those_cut_one_by_one_and_lie_in_sixteen_sections() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 96, 96), np.uint8)
    config = Mouths()
    found, places = patches_of(frames, config), sections_of(config)
    assert found.shape == (2, len(places), 64)
    assert sorted(set(places)) == list(range(16))
    n = 0
    for y in range(56, 96 - 7, 2):
        for x in range(20, 76 - 7, 2):
            assert (found[1, n] == frames[1, y : y + 8, x : x + 8].ravel()).all()
            assert places[n] == int((y + 4 - 56) // 10) * 4 + int((x + 4 - 20) // 14)
            n += 1
    assert n == len(places)


def test_contrast_and_brightness_are_taken_away() -> None:
    patch = np.random.default_rng(0).normal(0, 30, (4, 64)).astype(np.float32)
    assert normalised(patch).mean(axis=1) == pytest.approx(0, abs=1e-5)
    assert normalised(3 * patch + 50) == pytest.approx(normalised(patch), abs=0.05)
    assert normalised(np.full((1, 64), 90, np.float32)).tolist() == [[0.0] * 64]


def test_whitened_components_are_uncorrelated_and_keep_nine_tenths() -> None:
    random = np.random.default_rng(0)
    scales = np.array([10, 5, 3, 0.5, 0.1], np.float32)
    patches = (random.normal(size=(5000, 5)) * scales + 7).astype(np.float32)
    mean, whitening = whitened_by(patches, 0.9)
    assert whitening.shape == (5, 2)    # 100 + 25 of 134.3 is 93 %, 100 alone is 74 %
    covariance = np.cov(((patches - mean) @ whitening).T)
    assert covariance == pytest.approx(np.diag(1 / (1 + np.array([1.0, 4.0]) / 100)), abs=0.02)
    assert whitened_by(patches, 1.0)[1].shape == (5, 5)


@pytest.mark.parametrize("pooling", ["mean", "deviation"])
def test_features_are_activations_pooled_in_sections(clips: tuple[list[np.ndarray], np.ndarray], pooling: str) -> None:
    config = replace(SMALL, pooling=pooling)
    book = codebook(clips[0][:10], 0, config)
    found = encoded(clips[0][0], book)
    assert found.shape == (len(clips[0][0]), 16 * 12)
    white = (normalised(patches_of(clips[0][0][:1], config)) - book.mean) @ book.whitening
    active = triangle(white[0, sections_of(config) == 5], book.centroids[5])
    expected = active.mean(axis=0) if pooling == "mean" else active.std(axis=0)
    assert found[0, 60:72] == pytest.approx(expected, abs=1e-5)
    assert encoded(clips[0][0][:0], book).shape == (0, 192)


def test_the_published_size_is_6400() -> None:
    random = np.random.default_rng(0)
    book = codebook([mouth(i, random, 8) for i in range(7)], 0, Mouths(patches=1000))
    assert encoded(mouth(0, random, 1), book).shape == (1, 6400)


def fitted(frames: list[np.ndarray], labels: np.ndarray) -> np.ndarray:
    """What is said of all clips by what the training clips taught, its cost chosen on the validation clips."""
    features = features_of(frames, book_of([frames[row] for row in TRAIN], 1, SMALL))
    return regression(features, labels, TRAIN, search(features, labels, TRAIN, VALID, SMALL)).of_clips(features)


def test_clips_are_told_apart_by_their_mouths(clips: tuple[list[np.ndarray], np.ndarray]) -> None:
    frames, labels = list(clips[0]), clips[1].copy()
    frames[3] = frames[50] = np.zeros((0, 96, 96), np.uint8)
    labels[TEST] = -1
    found = fitted(frames, labels)
    assert found.shape == (56, 7)
    assert found.dtype == np.float32
    assert np.flatnonzero(np.isnan(found).all(axis=1)).tolist() == [3, 50]
    seen = np.setdiff1d(TEST, [50])
    assert (found[seen].argmax(axis=1) == clips[1][seen]).mean() > 0.8
    assert found[seen].sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(found, fitted(frames, labels), equal_nan=True)


def test_a_class_without_clips_is_never_named_and_one_class_is_refused(clips: tuple[list[np.ndarray], np.ndarray]) -> None:
    frames, labels = clips
    features = features_of(frames, book_of([frames[row] for row in TRAIN], 0, SMALL))
    found = regression(features, labels, TRAIN[labels[TRAIN] != 6], 1e-3).of_clips(features)
    assert found[:, 6].max() == 0
    assert search(features, labels, TRAIN, VALID[:0]) == sorted(SMALL.costs)[2]
    with pytest.raises(InputError, match="of 1 class"):
        regression(features, labels, TRAIN[labels[TRAIN] == 0], 1e-3)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_regression_as_plain_arrays_says_what_scikit_learn_says(classes: int) -> None:
    random = np.random.default_rng(0)
    labels = (np.arange(12) % classes + 2).astype(np.int64)
    features = [random.normal(label, 1, (3, 5)).astype(np.float32) for label in labels]
    found = regression(features, labels, np.arange(12), 0.1)
    x, y = np.concatenate(features), np.repeat(labels, 3)
    expected = LogisticRegression(C=0.1, max_iter=200, class_weight="balanced").fit((x - x.mean(0)) / x.std(0), y)
    frames = found.of_frames(features[0])
    assert frames[:, 2 : 2 + classes] == pytest.approx(expected.predict_proba((features[0] - x.mean(0)) / x.std(0)), abs=1e-3)
    assert frames.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert found.of_clips(features)[0] == pytest.approx(frames.mean(axis=0))


def test_frames_are_spread_over_the_clip() -> None:
    frames = np.arange(40, dtype=np.uint8)[:, None, None]
    assert spread(frames, 4).ravel().tolist() == [5, 15, 25, 35]
    assert len(spread(frames[:3], 4)) == 3


def test_frames_of_another_size_and_clips_without_faces_are_refused(clips: tuple[list[np.ndarray], np.ndarray]) -> None:
    small = [cv2.resize(clip[0], (48, 48))[None] for clip in clips[0]]
    with pytest.raises(InputError, match="the mouth model needs"):
        book_of(small, config=SMALL)
    with pytest.raises(InputError, match="without a single face"):
        book_of([np.zeros((0, 96, 96), np.uint8)] * 56, config=SMALL)
