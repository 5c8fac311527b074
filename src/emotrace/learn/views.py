"""Faces of frames as a network wants them: points on its template, and mirrored, turned or scaled where asked.

    FrameFaces ─points on the network's template, then a view─▶ (n, size, size, 3) uint8

Source: Knyazev et al. 2017: mirror images, rotations and scales, 18 views in all. By how much faces are
turned and scaled is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrace.face.align import similarity
from emotrace.learn.frame_faces import FrameFaces
from emotrace.learn.trunks import Trunk

TURN, ZOOM = 10.0, 1.1  # degrees to either side, and factor up and down


@dataclass(frozen=True, slots=True)
class View:
    """A way to look at a face.

    Args:
        mirrored: left and right are exchanged.
        degrees: it is turned clockwise, about the middle of the crop.
        zoom: it is enlarged by this factor.
    """

    mirrored: bool = False
    degrees: float = 0.0
    zoom: float = 1.0

    def matrix(self, size: int) -> NDArray[np.float64]:
        """The map of px of a crop of `size` px to the same crop in this view, (3, 3)."""
        angle, middle = np.radians(self.degrees), (size - 1) / 2
        a, b = self.zoom * np.cos(angle), self.zoom * np.sin(angle)
        side = -1 if self.mirrored else 1
        linear = np.array([[side * a, -side * b], [b, a]])
        shift = middle - linear @ np.full(2, middle)
        return np.array([[*linear[0], shift[0]], [*linear[1], shift[1]], [0, 0, 1]])


PLAIN = (View(),)
EIGHTEEN = tuple(
    View(mirrored, degrees, zoom)
    for mirrored, degrees, zoom in product((False, True), (0.0, -TURN, TURN), (1.0, 1 / ZOOM, ZOOM))
)


def seen(faces: FrameFaces, trunk: Trunk, view: View = PLAIN[0]) -> NDArray[np.uint8]:
    """Faces as a network wants them, in one view; pictures whose face has no points are taken whole.

    Returns:
        (n, size, size, 3) uint8; beyond a picture's edge its last pixels are repeated.
    """
    n, size = len(faces), trunk.size
    scale = size / max(1, faces.pictures.shape[1])
    whole = np.array([[scale, 0, (scale - 1) / 2], [0, scale, (scale - 1) / 2]])
    matrices = np.repeat(whole[None], n, axis=0)
    bent = ~np.isnan(faces.points).any(axis=(1, 2)) & (trunk.template is not None)
    if trunk.template is not None and bent.any():
        matrices[bent] = similarity(faces.points[bent], np.asarray(trunk.template.points))
    found = np.zeros((n, size, size, 3), np.uint8)
    turned = view.matrix(size)
    for i, picture in enumerate(faces.pictures):
        matrix = (turned @ np.vstack([matrices[i], [0, 0, 1]]))[:2]
        cv2.warpAffine(
            picture, matrix, (size, size), dst=found[i], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    return found
