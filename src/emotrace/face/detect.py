"""Face detection with YuNet, at the smallest picture size that still shows the faces asked for."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrace.engine import FaceDetectorNetwork
from emotrace.errors import InputError

NETWORK_MIN_FACE = 14.0       # px; measured: all five faces of the sample photo are still found at 9 px
DEFAULT_MIN_FACE = 40 / 720   # of the picture's shorter side: 40 px in 720p
SCORE = 0.6


@dataclass(frozen=True, slots=True)
class Detections:
    """Faces found in one picture, best first.

    Args:
        box: (n, 4) float32 x1 y1 x2 y2 px.
        points: (n, 5, 2) float32 px: the person's right eye, left eye, nose tip, right and left mouth corner.
        score: (n,) float32 0..1.
    """

    box: NDArray[np.float32]
    points: NDArray[np.float32]
    score: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.box)


class Detector:
    """Finds faces.

    Args:
        min_face: width in px of the smallest face to find; None: 40 px in 720p, and as much of the picture in others.
        score: detections below this are dropped.

    Raises:
        InputError: min_face is not positive.

    Source: Wu, Peng & Yu 2023, YuNet.
    """

    def __init__(self, min_face: float | None = None, score: float = SCORE) -> None:
        if min_face is not None and min_face <= 0:
            raise InputError(f"the smallest face must be more than 0 px wide, got {min_face}")
        self.min_face = min_face
        self.network = FaceDetectorNetwork(score)

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Faces in one RGB picture (H, W, 3)."""
        height, width = image.shape[:2]
        min_face = self.min_face if self.min_face is not None else DEFAULT_MIN_FACE * min(height, width)
        scale = min(1.0, NETWORK_MIN_FACE / min_face)
        size = max(32, round(width * scale)), max(32, round(height * scale))
        small = image if size == (width, height) else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        found = self.network.run(np.asarray(small, np.uint8))
        stretch = np.asarray([width / size[0], height / size[1]], np.float32)
        corner, extent = found[:, :2] * stretch, found[:, 2:4] * stretch
        points = found[:, 4:14].reshape(-1, 5, 2) * stretch
        return Detections(np.concatenate([corner, corner + extent], axis=1), points, found[:, 14])


def overlap(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of every box of a with every box of b, (n, 4) and (m, 4) -> (n, m)."""
    corner = np.maximum(a[:, None, :2], b[None, :, :2])
    extent = np.clip(np.minimum(a[:, None, 2:], b[None, :, 2:]) - corner, 0, None)
    inside = extent[..., 0] * extent[..., 1]
    area_a, area_b = ((box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1]) for box in (a, b))
    return np.asarray(inside / np.maximum(area_a[:, None] + area_b[None] - inside, 1e-9), np.float32)
