"""Head pose in degrees, by two methods.

`MeshPose` fits the canonical face to the mesh as MediaPipe's Face Geometry does; `PnpPose` solves the perspective projection of
68 landmarks. Both assume a camera with a vertical field of view of 63 degrees, looking along the picture's centre, and both
are relative to the line of sight: 0 is a face turned towards the camera, wherever in the picture it is.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrace.face.canonical import canonical_face
from emotrace.face.landmarks import IBUG_68
from emotrace.scheme import HEAD_POSE, HEAD_POSE_PNP
from emotrace.views import FaceSamples

FIELD_OF_VIEW = np.deg2rad(63.0)   # vertical, as in MediaPipe's face geometry environment
NEAR = 1.0                         # cm, near plane of that camera


class MeshPose:
    """Head pose from the similarity transform between the canonical face and the mesh, seen by a camera turned towards it.

    Source: MediaPipe, face_geometry/libs/geometry_pipeline.cc, all steps in float64 and for all faces at once. We deviate: the
    camera is turned first, since a third of the angle at which a face stands beside its axis would become yaw and pitch.
    """

    scheme = HEAD_POSE

    def extract(self, samples: FaceSamples) -> NDArray[np.float32]:
        """Pitch, yaw and roll, (n, 3) degrees; see the scheme for signs."""
        return angles(rotations(panned(samples.tracks.mesh, samples.size), samples.size))


class PnpPose:
    """Head pose from 68 landmarks by perspective-n-point (Levenberg-Marquardt), with the canonical face as object.

    The solution is relative to the camera's axis; it is turned to be relative to the line of sight, as the mesh's pose is.
    """

    scheme = HEAD_POSE_PNP

    def extract(self, samples: FaceSamples) -> NDArray[np.float32]:
        """Pitch, yaw and roll, (n, 3) degrees; NaN where no solution is found."""
        width, height = samples.size
        focal = focal_length(height)
        camera = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
        flip = np.diag([1.0, -1.0, -1.0])   # from y up, z towards the camera, to y down, z away
        model = canonical_face().vertices[IBUG_68] @ flip
        landmarks = np.ascontiguousarray(samples.tracks.mesh[:, IBUG_68, :2], np.float64)
        found = [self._solve(model, points, camera) for points in landmarks]
        turned = flip @ np.stack(found) @ flip if found else np.zeros((0, 3, 3))
        return angles(np.asarray(turned))

    @staticmethod
    def _solve(
        model: NDArray[np.float64], points: NDArray[np.float64], camera: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        start = np.zeros((3, 1)), np.array([[0.0], [0.0], [60.0]])   # facing the camera, 60 cm away
        solved, rotation, shift = cv2.solvePnP(
            model, points, camera, None, start[0], start[1], True, cv2.SOLVEPNP_ITERATIVE
        )
        if not solved:
            return np.full((3, 3), np.nan)
        return np.asarray(_to_axis(shift.T)[0] @ cv2.Rodrigues(rotation)[0])


def focal_length(height: int) -> float:
    """Focal length of the camera that is assumed, px, for pictures that are `height` px high."""
    return float(height / 2 / np.tan(FIELD_OF_VIEW / 2))


def _to_axis(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """The smallest rotations (n, 3, 3) that take directions (n, 3) to the z axis; none of them points against it."""
    x, y, z = (directions / np.linalg.norm(directions, axis=1, keepdims=True)).T
    turn = np.zeros((len(directions), 3, 3))   # the cross product with the axis of rotation
    turn[:, 0, 2], turn[:, 1, 2], turn[:, 2, 0], turn[:, 2, 1] = -x, -y, x, y
    return np.asarray(np.eye(3) + turn + turn @ turn / (1 + z)[:, None, None])


def panned(mesh: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float64]:
    """Meshes as a camera sees them that is turned, each time, towards the middle of the face.

    Args:
        mesh: (n, k, 3) px.
        size: width and height of the picture in px.

    Returns:
        (n, k, 3) px, faces in the middle of the picture. Depth is scaled as the face is, by the root of its area.
    """
    focal, middle = focal_length(size[1]), np.asarray(size, np.float64) / 2
    rays = np.concatenate([mesh[:, :, :2] - middle, np.full((*mesh.shape[:2], 1), focal)], axis=2)
    towards = (rays / np.linalg.norm(rays, axis=2, keepdims=True)).mean(axis=1)
    turned = np.einsum("nij,nkj->nki", _to_axis(towards), rays)
    cosine = towards[:, 2] / np.linalg.norm(towards, axis=1)
    depth = mesh[:, :, 2:] * cosine[:, None, None] ** 1.5
    return np.concatenate([turned[:, :, :2] * focal / turned[:, :, 2:] + middle, depth], axis=2)


def angles(rotation: NDArray[np.float64]) -> NDArray[np.float32]:
    """Pitch, yaw and roll in degrees of rotations (n, 3, 3) from face to camera (x right, y up, z towards the camera).

    The rotation is Ry(yaw) Rx(-pitch) Rz(-roll), so yaw and pitch are the direction in which the face looks.
    """
    forward = rotation[:, :, 2]
    yaw = np.arctan2(forward[:, 0], forward[:, 2])
    pitch = np.arcsin(np.clip(forward[:, 1], -1, 1))
    roll = -np.arctan2(rotation[:, 1, 0], rotation[:, 1, 1])
    return np.asarray(np.rad2deg(np.stack([pitch, yaw, roll], axis=1)), np.float32)


def from_angles(degrees: NDArray[np.floating]) -> NDArray[np.float64]:
    """The rotations (n, 3, 3) of pitch, yaw and roll in degrees (n, 3); the inverse of `angles`."""
    pitch, yaw, roll = np.deg2rad(np.asarray(degrees, np.float64)).T
    zero, one = np.zeros_like(pitch), np.ones_like(pitch)

    def matrix(*cells: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack(cells, axis=1).reshape(-1, 3, 3)

    about_y = matrix(np.cos(yaw), zero, np.sin(yaw), zero, one, zero, -np.sin(yaw), zero, np.cos(yaw))
    about_x = matrix(one, zero, zero, zero, np.cos(pitch), np.sin(pitch), zero, -np.sin(pitch), np.cos(pitch))
    about_z = matrix(np.cos(roll), np.sin(roll), zero, -np.sin(roll), np.cos(roll), zero, zero, zero, one)
    return np.asarray(about_y @ about_x @ about_z)


def rotations(mesh: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.float64]:
    """Rotation of the head in each mesh.

    Args:
        mesh: (n, 468 or more, 3) px.
        size: width and height of the picture in px.

    Returns:
        (n, 3, 3) from the canonical face to the camera: x right, y up, z towards the camera.
    """
    face = canonical_face()
    screen = _near_plane(mesh[:, : len(face.vertices)].astype(np.float64), size)
    depth = screen[:, :, 2].mean(axis=1)

    first = _scale(face.vertices, screen * [1, 1, -1], face.weights)
    rescaled = _unproject(screen, depth, first)
    second = _scale(face.vertices, rescaled, face.weights)
    metric = _unproject(screen, depth, first * second)
    return _procrustes(face.vertices, metric, face.weights)[0]


def _near_plane(mesh: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """Pixels to the camera's near plane, y up; z keeps the scale of x."""
    width, height = size
    pixel = 2 * NEAR * np.tan(FIELD_OF_VIEW / 2) / height   # cm a pixel
    return np.asarray((mesh * [1, -1, 1] + [-width / 2, height / 2, 0]) * pixel)


def _unproject(
    screen: NDArray[np.float64], depth: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Points on the near plane to metric space, z towards the camera negative in front of it (MoveAndRescaleZ, UnprojectXY)."""
    z = (screen[:, :, 2] - depth[:, None] + NEAR) / scale[:, None]
    return np.stack([screen[:, :, 0] * z / NEAR, screen[:, :, 1] * z / NEAR, -z], axis=2)


def _scale(source: NDArray[np.float64], target: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return _procrustes(source, target, weights)[1]


def _procrustes(
    source: NDArray[np.float64], target: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weighted extended orthogonal Procrustes: rotation (n, 3, 3) and scale (n,) that take source to target.

    Args:
        source: (k, 3).
        target: (n, k, 3).
        weights: (k,).

    Source: Akca 2003, Generalized Procrustes Analysis and its Applications in Photogrammetry, as in MediaPipe's
    procrustes_solver.cc.
    """
    share = weights / weights.sum()
    from_mean = source - share @ source
    to_mean = target - np.einsum("k,nkj->nj", share, target)[:, None]
    design = np.einsum("k,nki,kj->nij", share, to_mean, from_mean)
    left, _, right = np.linalg.svd(design)
    mirrored = np.linalg.det(left) * np.linalg.det(right) < 0
    left[mirrored, :, 2] *= -1
    rotation = left @ right
    spread = np.einsum("k,ki,ki->", share, from_mean, from_mean)
    return rotation, np.einsum("nij,nij->n", rotation, design) / spread
