"""Head pose against MediaPipe's own transform, and against rotations that are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emotrace.face.canonical import canonical_face
from emotrace.face.pose import FIELD_OF_VIEW, MeshPose, PnpPose, angles, from_angles, rotations
from emotrace.tracks import Tracks
from emotrace.views import FaceSamples

REFERENCE = json.loads((Path(__file__).parent / "mediapipe_reference.json").read_text())["frames"]


def planted(pitch: float, yaw: float, roll: float, size: tuple[int, int] = (640, 480)) -> np.ndarray:
    """The canonical face at 60 cm in front of the camera, turned, as a mesh in pixels (1, 478, 3)."""
    face = canonical_face().vertices @ from_angles(np.array([[pitch, yaw, roll]]))[0].T + [0, 0, -60.0]
    focal = size[1] / 2 / np.tan(FIELD_OF_VIEW / 2)
    depth = -face[:, 2]
    x, y = size[0] / 2 + focal * face[:, 0] / depth, size[1] / 2 - focal * face[:, 1] / depth
    z = (depth - depth.mean()) * focal / 60.0
    points = np.zeros((1, 478, 3), np.float32)
    points[0, :468] = np.stack([x, y, z], axis=1)
    points[0, 468:] = points[0, :468].mean(axis=0)   # irises, which are not used
    return points


def measured(pose: MeshPose | PnpPose, mesh: np.ndarray) -> np.ndarray:
    """Pitch, yaw and roll (3,) of a mesh (1, 478, 3) in a picture of 640 x 480."""
    number, box = np.zeros(1, np.int64), np.zeros((1, 4), np.float32)
    one = Tracks(number, np.zeros(1), number, box, np.ones(1, np.float32), mesh)
    return pose.extract(FaceSamples(one, np.zeros((1, 480, 640, 3), np.uint8), np.zeros(1, np.int64)))[0]


@pytest.mark.parametrize("reference", REFERENCE, ids=lambda reference: f"frame {reference['frame']}")
def test_the_rotation_is_that_of_mediapipe(reference: dict[str, Any]) -> None:
    ours = rotations(np.array([reference["points"]], np.float32), tuple(reference["size"]))[0]
    theirs = np.array(reference["matrix"])[:3, :3]
    theirs /= np.cbrt(np.linalg.det(theirs))
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_angles_and_rotations_are_each_others_inverse() -> None:
    degrees = np.array([[0, 0, 0], [20, -30, 10], [-60, 75, -40], [5, 120, 170]], float)
    np.testing.assert_allclose(angles(from_angles(degrees)), degrees, atol=1e-3)


@pytest.mark.parametrize(
    ("degrees", "seen"),
    [
        ((0, 30, 0), "nose right of the eyes' middle"),
        ((30, 0, 0), "nose high"),
        ((0, 0, 20), "right eye in the picture lower"),
    ],
)
def test_signs_are_as_the_scheme_says(degrees: tuple[float, float, float], seen: str) -> None:
    mesh, straight = planted(*degrees)[0], planted(0, 0, 0)[0]
    nose, nose_straight = (face[4] - (face[33] + face[263]) / 2 for face in (mesh, straight))   # from between the eyes
    if seen.startswith("nose right"):
        assert nose[0] > nose_straight[0] + 5
    elif seen.startswith("nose high"):
        assert nose[1] < nose_straight[1] - 5
    else:
        assert mesh[263, 1] > mesh[33, 1] + 5


@pytest.mark.parametrize("degrees", [(0, 0, 0), (15, 0, 0), (0, -35, 0), (0, 0, 25), (10, 30, -15)])
def test_a_turned_canonical_face_gives_its_angles_back(degrees: tuple[float, float, float]) -> None:
    found = angles(rotations(planted(*degrees), (640, 480)))[0]
    np.testing.assert_allclose(found, degrees, atol=2.5)   # the mesh's depth is that of a weak perspective


@pytest.mark.parametrize("degrees", [(0, 0, 0), (15, 0, 0), (0, -35, 0), (0, 0, 25), (10, 30, -15)])
def test_pnp_gives_the_angles_of_a_perspective_projection_back(degrees: tuple[float, float, float]) -> None:
    np.testing.assert_allclose(measured(PnpPose(), planted(*degrees)), degrees, atol=0.1)


def beside_the_axis(points: np.ndarray, yaw: float, pitch: float, size: tuple[int, int] = (640, 480)) -> np.ndarray:
    """A mesh (1, 478, 3) in the middle of the picture as a camera sees it that is turned away; depth is scaled as it is."""
    focal, middle = size[1] / 2 / np.tan(FIELD_OF_VIEW / 2), np.array(size) / 2
    turn = from_angles(np.array([[pitch, yaw, 0.0]]))[0]
    rays = np.concatenate([points[..., :2] - middle, np.full((*points.shape[:2], 1), focal)], axis=2) @ turn.T
    scale = (rays[:, :468, 2].mean() / np.linalg.norm(rays[:, :468].mean(axis=1))) ** 1.5
    return np.concatenate([rays[..., :2] * focal / rays[..., 2:] + middle, points[..., 2:] / scale], axis=2).astype(np.float32)


@pytest.mark.parametrize("degrees", [(0, 0, 0), (10, 30, -15), (0, -35, 20)])
@pytest.mark.parametrize("away", [(30, 0), (-30, 0), (0, 20), (0, -20)])
def test_a_face_beside_the_axis_is_turned_no_further(degrees: tuple[float, float, float], away: tuple[float, float]) -> None:
    mesh = planted(*degrees)
    moved = beside_the_axis(mesh, *away)
    assert np.abs(moved[0, 4, :2] - mesh[0, 4, :2]).max() > 100   # px
    np.testing.assert_allclose(measured(MeshPose(), moved), measured(MeshPose(), mesh), atol=1.0)


def test_no_faces_have_no_pose() -> None:
    assert rotations(np.zeros((0, 478, 3), np.float32), (640, 480)).shape == (0, 3, 3)
