"""Registration: planted shapes are found again, and crops of differently framed sets become alike."""

from __future__ import annotations

import numpy as np
import pytest

from emotrace.errors import InputError
from emotrace.face.landmarks import ibug_68
from emotrace.learn.registration import crops, each, inner, inside, mean_shape, moved, whole_set


@pytest.fixture(scope="module")
def shape(faces):
    """The 51 points of a real face, scaled to lie in 48 px."""
    points = inner(ibug_68(faces.tracks.mesh))[0]
    low, high = points.min(axis=0), points.max(axis=0)
    return (points - low) / (high - low).max() * 24 + 12


def scattered(shape: np.ndarray, n: int, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """Copies of a shape, each turned, scaled and moved its own way, with noise on its points."""
    random = np.random.default_rng(seed)
    angle, scale = random.uniform(-0.6, 0.6, n), random.uniform(0.7, 1.4, n)
    linear = scale[:, None, None] * np.stack(
        [np.stack([np.cos(angle), -np.sin(angle)], 1), np.stack([np.sin(angle), np.cos(angle)], 1)], 1
    )
    copies = np.einsum("nij,kj->nki", linear, shape - shape.mean(axis=0)) + random.normal(24, 4, (n, 1, 2))
    return copies + random.normal(0, noise, copies.shape)


def up_to_similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Largest distance of two shapes when one is moved onto the other, in parts of its size."""
    return float(np.abs(moved(a[None], each(a[None], b))[0] - b).max() / np.linalg.norm(b - b.mean(axis=0)))


def test_the_contour_is_left_out():
    landmarks = np.arange(2 * 68 * 2, dtype=np.float32).reshape(2, 68, 2)
    assert (inner(landmarks) == landmarks[:, 17:]).all()
    with pytest.raises(InputError, match="68"):
        inner(landmarks[:, :51])


def test_the_mean_shape_is_the_shape_that_was_planted(shape):
    assert up_to_similarity(mean_shape(scattered(shape, 40)), shape) < 1e-6
    assert up_to_similarity(mean_shape(scattered(shape, 400, noise=0.5)), shape) < 0.005


def test_the_mean_shape_is_as_large_as_the_shapes_are_where_the_plain_mean_shrinks(shape):
    shapes = scattered(shape, 200)
    sizes = np.linalg.norm(shapes - shapes.mean(axis=1, keepdims=True), axis=(1, 2))
    mean = mean_shape(shapes)
    assert np.linalg.norm(mean - mean.mean(axis=0)) == pytest.approx(sizes.mean(), rel=1e-6)
    plain = shapes.mean(axis=0)
    assert np.linalg.norm(plain - plain.mean(axis=0)) < 0.97 * sizes.mean()
    np.testing.assert_allclose(mean.mean(axis=0), plain.mean(axis=0), atol=1e-6)


def test_no_similarity_about_the_mean_brings_the_shapes_closer_together(shape):
    """What generalised Procrustes minimises: the shapes' distances to their mean, at equal size."""
    shapes = scattered(shape, 30, noise=1.0)
    mean = mean_shape(shapes)

    def spread(target: np.ndarray) -> float:
        target = (target - target.mean(axis=0)) / np.linalg.norm(target - target.mean(axis=0))
        return float(((moved(shapes, each(shapes, target)) - target) ** 2).sum())

    best = spread(mean)
    for seed in range(20):
        assert spread(mean + np.random.default_rng(seed).normal(0, 0.3, mean.shape)) >= best


def test_a_similarity_brings_each_face_to_the_target_and_an_affine_map_also_a_squeezed_one(shape):
    shapes = scattered(shape, 10)
    np.testing.assert_allclose(moved(shapes, each(shapes, shape)), np.broadcast_to(shape, shapes.shape), atol=1e-9)
    squeezed = shapes * [1.0, 0.6]
    gap = [np.abs(moved(squeezed, each(squeezed, shape, kind)) - shape).max() for kind in ("similarity", "affine")]
    assert gap[0] > 1
    assert gap[1] < 1e-6


def test_faces_without_landmarks_stay_where_they_are(shape):
    shapes = scattered(shape, 3)
    shapes[1] = np.nan
    matrices = each(shapes, shape)
    np.testing.assert_array_equal(matrices[1], np.eye(2, 3))
    assert not np.allclose(matrices[0], np.eye(2, 3))


def test_a_whole_set_gets_one_map_that_changes_its_framing_and_not_its_faces(shape):
    tight = scattered(shape, 50) * 2 - 16
    matrix = whole_set(tight, shape)
    after = moved(tight, np.repeat(matrix[None], 50, axis=0))
    np.testing.assert_allclose(after.mean(axis=(0, 1)), shape.mean(axis=0), atol=1e-9)
    ratio = np.linalg.norm(after - after.mean(axis=1, keepdims=True), axis=(1, 2)) / np.linalg.norm(
        tight - tight.mean(axis=1, keepdims=True), axis=(1, 2)
    )
    np.testing.assert_allclose(ratio, ratio[0])


def test_a_crop_is_the_picture_where_there_is_one_and_noise_where_there_is_none():
    pictures = np.full((2, 48, 48), 100, np.uint8)
    smaller = np.tile([[0.5, 0, 12], [0, 0.5, 12.0]], (2, 1, 1))
    found = crops(pictures, smaller, 48, np.random.default_rng(0))
    middle = found[:, 13:35, 13:35]
    assert (middle == 100).all()
    border = np.concatenate([found[:, :11].ravel(), found[:, 37:].ravel()])
    assert border.std() == pytest.approx(255 / np.sqrt(12), rel=0.05)
    assert np.abs(np.corrcoef(found[0, :11].ravel(), found[1, :11].ravel())[0, 1]) < 0.1
    assert (crops(pictures, smaller, 48) == 100).all()


def test_a_crop_that_lies_within_the_picture_has_no_noise():
    pictures = np.random.default_rng(0).integers(0, 256, (3, 60, 50), np.uint8)
    matrices = np.tile([[1.5, 0, -15], [0, 1.5, -15.0]], (3, 1, 1))
    assert inside(matrices, 48, (60, 50)).all()
    np.testing.assert_array_equal(crops(pictures, matrices, 48, np.random.default_rng(0)), crops(pictures, matrices, 48))


def test_tight_and_loose_crops_of_the_same_faces_become_alike_inside(shape):
    """The same picture cut tightly and loosely: after registration the faces agree, and only the surroundings differ."""
    random = np.random.default_rng(1)
    large = np.asarray(np.kron(random.integers(0, 256, (24, 24)), np.ones((8, 8))), np.uint8)  # 192 px
    points = (shape - 24) * 2 + 96
    tight, loose = large[None, 60:132, 60:132], large[None, 16:176, 16:176]
    target = shape
    pair = [
        crops(part, each((points - corner)[None], target), 48, np.random.default_rng(2))[0].astype(float)
        for part, corner in ((tight, 60), (loose, 16))
    ]
    face = inside(each((points - 60)[None], target), 48, (72, 72))[0]
    face &= np.roll(face, 1, 0) & np.roll(face, -1, 0) & np.roll(face, 1, 1) & np.roll(face, -1, 1)
    assert 0.3 < face.mean() < 0.9
    assert np.abs(pair[0] - pair[1])[face].max() <= 2
    assert np.abs(pair[0] - pair[1])[~face].mean() > 20


def test_no_faces_give_no_crops_and_no_mean():
    assert crops(np.zeros((0, 48, 48), np.uint8), np.zeros((0, 2, 3)), 48).shape == (0, 48, 48)
    with pytest.raises(InputError, match="at least one"):
        mean_shape(np.zeros((0, 51, 2)))
