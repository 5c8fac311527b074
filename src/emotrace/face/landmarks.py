"""Landmarks: the 478-point mesh of a face, and 68 of its points in iBUG order.

Source: Kartynnik et al. 2019; the crop (square, 1.5 times the face, turned so that the eyes are level, found from the face's
own points in the frame before) is that of MediaPipe's face landmarker.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrace.engine import LiteRtNetwork, prepare
from emotrace.face.canonical import LANDMARKER, landmarker_members
from emotrace.tracks import MESH_POINTS
from emotrace.weights import entry

MARGIN = 1.5    # side of the crop over the longer side of the face's box

# The mesh points at the places of the 68 iBUG landmarks: jaw, right and left brow, nose ridge and base, right eye, left eye,
# outer lips, inner lips. Jaw points are the nearest contour points: the mesh has no points of that definition.
IBUG_68 = np.array(
    [
        127, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 356,
        70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
        168, 6, 195, 4, 98, 97, 2, 326, 327,
        33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
        61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,
        78, 82, 13, 312, 308, 317, 14, 87,
    ]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Region:
    """A square turned by an angle: centre x, y and side in px, angle in radians (clockwise in the picture)."""

    x: float
    y: float
    side: float
    angle: float

    def to_crop(self, size: int) -> NDArray[np.float64]:
        """Matrix (2, 3) from picture to a crop of size x size px."""
        scale = size / self.side
        cos, sin = scale * np.cos(self.angle), scale * np.sin(self.angle)
        half = size / 2
        return np.array(
            [
                [cos, sin, half - cos * self.x - sin * self.y],
                [-sin, cos, half + sin * self.x - cos * self.y],
            ]
        )


def region_of_mesh(points: NDArray[np.float32]) -> Region:
    """Where to look for a face in the next frame, from its mesh (478, 3) in this one."""
    right, left = points[33, :2], points[263, :2]
    return _region(points[:, :2], float(np.arctan2(left[1] - right[1], left[0] - right[0])))


def region_of_detection(box: NDArray[np.float32], points: NDArray[np.float32]) -> Region:
    """Where to look for a face that was just detected: box (4,), five points (5, 2)."""
    right, left = points[0], points[1]
    corners = box.reshape(2, 2)
    angle = float(np.arctan2(left[1] - right[1], left[0] - right[0]))
    centre = corners.mean(axis=0)
    return Region(float(centre[0]), float(centre[1]), float(MARGIN * (corners[1] - corners[0]).max()), angle)


def _region(points: NDArray[np.float32], angle: float) -> Region:
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    upright = points @ turn.T
    low, high = upright.min(axis=0), upright.max(axis=0)
    centre = turn.T @ ((low + high) / 2)
    return Region(float(centre[0]), float(centre[1]), float(MARGIN * (high - low).max()), angle)


class Mesh:
    """The mesh network. Not for use from two threads at once: make one each."""

    def __init__(self) -> None:
        self.feed = entry(LANDMARKER).input
        self.network = LiteRtNetwork(landmarker_members()["face_landmarks_detector.tflite"])

    def locate(self, image: NDArray[np.uint8], region: Region) -> tuple[NDArray[np.float32], float]:
        """Find a face's points in a region of a picture.

        Args:
            image: (H, W, 3) RGB uint8.
            region: where to look.

        Returns:
            (478, 3) float32 px in the picture (z on the scale of x), and the presence of a face there, 0..1.
        """
        size = self.feed.size
        matrix = region.to_crop(size)
        crop = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        points, presence, *_ = self.network.run(prepare(np.asarray(crop, np.uint8)[None], self.feed))
        scale = region.side / size
        found = points.reshape(MESH_POINTS, 3)
        back = cv2.invertAffineTransform(matrix)
        xy = found[:, :2] @ back[:, :2].T + back[:, 2]
        mesh = np.concatenate([xy, found[:, 2:] * scale], axis=1).astype(np.float32)
        return mesh, float(1 / (1 + np.exp(-presence.reshape(-1)[0])))


def box_of_mesh(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Box x1 y1 x2 y2 around a mesh, (478, 3) -> (4,)."""
    return np.concatenate([points[:, :2].min(axis=0), points[:, :2].max(axis=0)])


def ibug_68(mesh: NDArray[np.float32]) -> NDArray[np.float32]:
    """The 68 landmarks of meshes, (n, 478, 3) -> (n, 68, 2) px."""
    return mesh[:, IBUG_68, :2]
