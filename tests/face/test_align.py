"""Alignment: planted transforms come back, and a similarity keeps proportions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotrace.errors import InputError
from emotrace.face.align import SFACE_112, affine, dlib_template, similarity, warp
from emotrace.views import FaceSamples

TEMPLATE = np.array(SFACE_112.points)


@given(st.floats(-3.1, 3.1), st.floats(0.2, 5), st.floats(-200, 200), st.floats(-200, 200))
def test_a_planted_similarity_comes_back(angle: float, scale: float, x: float, y: float) -> None:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (TEMPLATE - [x, y]) @ np.linalg.inv(turn).T
    found = similarity(points[None], TEMPLATE)[0]
    np.testing.assert_allclose(found, np.column_stack([turn, [x, y]]), atol=1e-6 * max(1, abs(x), abs(y)))


def test_a_similarity_never_mirrors_or_shears() -> None:
    squeezed = TEMPLATE * [0.5, 1.0]
    linear = similarity(squeezed[None], TEMPLATE)[0, :, :2]
    np.testing.assert_allclose(linear[0, 0], linear[1, 1])
    np.testing.assert_allclose(linear[0, 1], -linear[1, 0])
    mirrored = similarity((TEMPLATE * [-1, 1])[None], TEMPLATE)[0, :, :2]
    assert np.linalg.det(mirrored) > 0


def test_an_affine_map_takes_a_squeezed_face_back() -> None:
    squeezed = TEMPLATE * [0.5, 1.3] + [7, -3]
    matrix = affine(squeezed[None], TEMPLATE)[0]
    np.testing.assert_allclose(squeezed @ matrix[:, :2].T + matrix[:, 2], TEMPLATE, atol=1e-6)


def test_the_similarity_is_the_best_of_all() -> None:
    points = TEMPLATE + np.random.default_rng(0).normal(0, 3, TEMPLATE.shape)
    best = similarity(points[None], TEMPLATE)[0]

    def error(matrix: np.ndarray) -> float:
        return float(((points @ matrix[:, :2].T + matrix[:, 2] - TEMPLATE) ** 2).sum())

    for change in np.random.default_rng(1).normal(0, 0.01, (50, 4)):
        a, b = best[0, 0] + change[0], best[1, 0] + change[1]
        assert error(np.array([[a, -b, best[0, 2] + change[2]], [b, a, best[1, 2] + change[3]]])) >= error(best)


@pytest.mark.parametrize(("fit", "k"), [(similarity, 1), (affine, 2)])
def test_too_few_points_are_refused(fit: object, k: int) -> None:
    with pytest.raises(InputError, match="k >="):
        fit(np.zeros((1, k, 2)), np.zeros((k, 2)))  # type: ignore[operator]


def test_a_template_is_fitted_by_a_similarity_or_on_request_by_an_affine_map(faces: FaceSamples) -> None:
    plain, stretched = SFACE_112.matrices(faces.tracks.mesh), SFACE_112.matrices(faces.tracks.mesh, affine)
    np.testing.assert_allclose(plain[:, 0, 0], plain[:, 1, 1])
    assert np.abs(stretched[:, 0, 0] - stretched[:, 1, 1]).max() > 0.01


def test_no_faces_give_no_crops() -> None:
    assert warp([], np.zeros((0, 2, 3)), 64).shape == (0, 64, 64, 3)


def test_eyes_and_mouth_of_a_real_face_come_to_lie_on_the_template(faces: FaceSamples) -> None:
    for template in (SFACE_112, dlib_template(64)):
        matrices = template.matrices(faces.tracks.mesh)
        found = np.stack([faces.tracks.mesh[:, list(points), :2].mean(axis=1) for points in template.mesh], axis=1)
        moved = np.einsum("nij,nkj->nki", matrices[:, :, :2], found) + matrices[:, None, :, 2]
        assert np.abs(moved - np.array(template.points)).max() < 0.09 * template.size
