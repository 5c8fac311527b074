"""Alignment: move faces onto a template, so that a network sees them as it was trained.

A 2-D similarity (rotation, one scale, shift) keeps the face's proportions; an affine map does not, and is there as an option.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrace.errors import InputError

if TYPE_CHECKING:
    from emotrace.views import FaceSamples

Fit = Callable[[NDArray[np.floating], NDArray[np.floating]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Template:
    """Where points of the mesh should come to lie.

    Args:
        size: side of the crop in px.
        points: template position (x, y) in px of each point.
        mesh: for each point the mesh indices whose mean is that point.
    """

    size: int
    points: tuple[tuple[float, float], ...]
    mesh: tuple[tuple[int, ...], ...]

    def crops(self, samples: FaceSamples) -> NDArray[np.uint8]:
        """Faces as this template frames them, (n, size, size, 3)."""
        return warp(samples.pictures(), self.matrices(samples.tracks.mesh), self.size)

    def matrices(self, mesh: NDArray[np.float32], fit: Fit | None = None) -> NDArray[np.float64]:
        """Map from picture to crop for each face, (n, 478, 3) -> (n, 2, 3).

        Args:
            mesh: (n, 478, 3) px.
            fit: `similarity` (also where None) or `affine`.
        """
        found = np.stack([mesh[:, list(indices), :2].mean(axis=1) for indices in self.mesh], axis=1)
        return (fit or similarity)(found, np.asarray(self.points))

    def resized(self, size: int) -> Template:
        """The same for crops of another side in px; pixel i covers i to i + 1."""
        factor = size / self.size
        points = tuple(((x + 0.5) * factor - 0.5, (y + 0.5) * factor - 0.5) for x, y in self.points)
        return Template(size, points, self.mesh)


PADDING = 0.2           # of dlib's chips on each side, over the size of the face
RIGHT_EYE = (33, 133)   # the person's right: outer and inner corner
LEFT_EYE = (263, 362)

# The five points of ArcFace and SFace on 112 px: right eye, left eye, nose tip, right and left mouth corner.
# Source: OpenCV, modules/objdetect/src/face_recognize.cpp.
SFACE_112 = Template(
    112,
    ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)),
    (RIGHT_EYE, LEFT_EYE, (4,), (61,), (291,)),
)


def dlib_template(size: int) -> Template:
    """dlib's five-point face chip (eye corners and the base of the nose), as its age and gender networks were trained.

    Source: dlib, image_transforms/interpolation.h, get_face_chip_details.
    """
    mean = (
        (0.8595674595992, 0.2134981538014), (0.6460604764104, 0.2289674387677), (0.1205750620789, 0.2137274526848),
        (0.3340850613712, 0.2290642403242), (0.4901123135679, 0.6277975316475),
    )  # fmt: skip
    points = tuple(((PADDING + x) / (2 * PADDING + 1) * size, (PADDING + y) / (2 * PADDING + 1) * size) for x, y in mean)
    return Template(size, points, ((263,), (362,), (33,), (133,), (2,)))


def similarity(points: NDArray[np.floating], template: NDArray[np.floating]) -> NDArray[np.float64]:
    """Least-squares similarity that maps points onto a template.

    Args:
        points: (n, k, 2) with k >= 2.
        template: (k, 2), or (n, k, 2).

    Returns:
        (n, 2, 3) matrices; NaN where all points of a face coincide.

    Raises:
        InputError: fewer than two points, or shapes that do not agree.

    Source: Umeyama 1991, IEEE TPAMI 13, without reflections; in two dimensions the rotation has a closed form.
    """
    if points.ndim != 3 or points.shape[1] < 2 or points.shape[1:] != template.shape[-2:]:
        raise InputError(f"points have shape {points.shape}, template {template.shape}; expected (n, k, 2) and (k, 2), k >= 2")
    target = np.broadcast_to(np.asarray(template, np.float64), points.shape)
    source_mean, target_mean = points.mean(axis=1), target.mean(axis=1)
    x, y = np.moveaxis(points - source_mean[:, None], 2, 0).astype(np.float64)
    u, v = np.moveaxis(target - target_mean[:, None], 2, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = (x * x + y * y).sum(axis=1)
        a = (x * u + y * v).sum(axis=1) / spread
        b = (x * v - y * u).sum(axis=1) / spread
    linear = np.stack([np.stack([a, -b], axis=1), np.stack([b, a], axis=1)], axis=1)   # (n, 2, 2)
    shift = target_mean - np.einsum("nij,nj->ni", linear, source_mean)
    return np.concatenate([linear, shift[:, :, None]], axis=2)


def affine(points: NDArray[np.floating], template: NDArray[np.floating]) -> NDArray[np.float64]:
    """Least-squares affine map of points onto a template; arguments as in `similarity`, with k >= 3.

    Raises:
        InputError: fewer than three points, or shapes that do not agree.
    """
    if points.ndim != 3 or points.shape[1] < 3 or points.shape[1:] != template.shape[-2:]:
        raise InputError(f"points have shape {points.shape}, template {template.shape}; expected (n, k, 2) and (k, 2), k >= 3")
    target = np.broadcast_to(np.asarray(template, np.float64), points.shape)
    ones = np.ones((*points.shape[:2], 1))
    return np.moveaxis(np.linalg.pinv(np.concatenate([points, ones], axis=2)) @ target, 1, 2)


def warp(images: Iterable[NDArray[np.uint8]], matrices: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """Crops, one for each picture and matrix.

    Args:
        images: n pictures (H, W, 3) or (H, W) uint8.
        matrices: (n, 2, 3) from picture to crop.
        size: side of the crops in px.

    Returns:
        (n, size, size, 3) uint8; beyond the picture's edge its last pixels are repeated.
    """
    crops = [
        cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for image, matrix in zip(images, matrices, strict=True)
    ]
    return np.stack(crops).astype(np.uint8, copy=False) if crops else np.zeros((0, size, size, 3), np.uint8)
