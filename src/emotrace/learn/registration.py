"""Registration: faces of one set, or of several, brought to one shape.

    68 landmarks ─contour left out─▶ 51 ─generalised Procrustes─▶ mean shape ─a map for each face─▶ crops, noise beyond the edge
                                                      └─one map for a whole set─▶ a set framed like another

The contour is left out because its points slide along the cheek. Where a crop reaches beyond the picture, there is noise: a set
of tight crops then has no edges, and no smears of edge pixels, that a network could tell it by from a set of loose ones.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emotrace.errors import InputError
from emotrace.face.align import affine, similarity, warp

INNER = slice(17, 68)   # brows, nose, eyes and mouth of the 68 iBUG landmarks
Kind = Literal["similarity", "affine"]
FITS = {"similarity": similarity, "affine": affine}
ROUNDS = 20
SETTLED = 1e-9   # of the shape's size


def inner(landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """The 51 landmarks inside a face, (n, 68, 2) -> (n, 51, 2).

    Raises:
        InputError: there are not 68 landmarks.
    """
    if landmarks.ndim != 3 or landmarks.shape[1:] != (68, 2):
        raise InputError(f"expected (n, 68, 2) landmarks in iBUG order, got {landmarks.shape}")
    return np.asarray(landmarks[:, INNER], np.float64)


def mean_shape(shapes: NDArray[np.floating]) -> NDArray[np.float64]:
    """The shape that the shapes of a set have in common, where the set has it.

    Place, size and turn of each shape are taken away before they are averaged; the plain mean shrinks what is turned. The
    result has the middle and turn of the plain mean, and the mean of the sizes.

    Args:
        shapes: (n, k, 2), without NaN.

    Returns:
        (k, 2) in the units of the shapes.

    Raises:
        InputError: there are no shapes, or points that are not numbers.

    Source: Gower 1975, Generalized Procrustes analysis.
    """
    if not len(shapes) or not np.isfinite(shapes).all():
        raise InputError(f"a mean shape needs at least one shape and no NaN, got {shapes.shape}")
    plain = shapes.mean(axis=0, dtype=np.float64)
    mean = plain
    for _ in range(ROUNDS):
        before = mean
        mean = _sized(moved(shapes, similarity(shapes, before)).mean(axis=0), before)
        if np.abs(mean - before).max() <= SETTLED * _size(before):
            break
    sizes = np.sqrt(((shapes - shapes.mean(axis=1, keepdims=True)) ** 2).sum(axis=(1, 2)))
    upright = moved(mean[None], similarity(mean[None], plain))[0]
    centre = upright.mean(axis=0)
    return np.asarray((upright - centre) * (sizes.mean() / _size(upright)) + centre, np.float64)


def moved(points: NDArray[np.floating], matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points after a map each, (n, k, 2) and (n, 2, 3) -> (n, k, 2)."""
    return np.asarray(np.einsum("nij,nkj->nki", matrices[:, :, :2], points) + matrices[:, None, :, 2], np.float64)


def each(shapes: NDArray[np.floating], target: NDArray[np.floating], kind: Kind = "similarity") -> NDArray[np.float64]:
    """A map for each face, which brings it as close to the target shape as its kind can.

    Args:
        shapes: (n, k, 2); faces with NaN are not registered.
        target: (k, 2), where the points are to lie in the crop.
        kind: "similarity" (turn, one scale, shift) keeps a face's proportions; "affine" does not.

    Returns:
        (n, 2, 3) from picture to crop; the identity for faces without landmarks.
    """
    matrices = np.tile(np.eye(2, 3), (len(shapes), 1, 1))
    known = np.isfinite(shapes).all(axis=(1, 2))
    if known.any():
        matrices[known] = FITS[kind](shapes[known], target)
    return matrices


def whole_set(shapes: NDArray[np.floating], target: NDArray[np.floating]) -> NDArray[np.float64]:
    """One similarity for all faces of a set: its mean points onto the target shape.

    Faces keep the differences in place, size and turn that they have within their set; only the set's framing changes.

    Args:
        shapes: (n, k, 2), without NaN; best of frontal faces only.
        target: (k, 2), the mean points of the set whose framing is wanted.

    Returns:
        (2, 3) from picture to crop.

    Source: Kahou et al. 2015, EmoNets, who so map TFD and the faces of the clips onto FER's framing (51 points; their own
    code, mapTFD2ICML.m, shows the details).
    """
    return np.asarray(similarity(shapes.mean(axis=0)[None], target)[0], np.float64)


def crops(
    images: NDArray[np.uint8], matrices: NDArray[np.float64], size: int, random: np.random.Generator | None = None
) -> NDArray[np.uint8]:
    """Registered crops.

    Args:
        images: (n, h, w) grey levels.
        matrices: (n, 2, 3) from picture to crop.
        size: side of the crops, px.
        random: fills what lies beyond the picture with noise, uniform over all grey levels; None repeats the edge instead.

    Returns:
        (n, size, size) uint8.

    Source: noise around tight crops: Kahou et al. 2015 (mapTFD2ICML.m). There the noise is warped with the picture; here it is
    as fine as the crop's pixels, whatever the map.
    """
    if not len(images):
        return np.zeros((0, size, size), np.uint8)
    found = warp(images, matrices, size)
    if random is None:
        return found
    noise = random.integers(0, 256, found.shape, np.uint8)
    return np.where(inside(matrices, size, images.shape[1:]), found, noise)


def inside(matrices: NDArray[np.float64], size: int, extent: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which pixels of crops come from within the picture, (n, 2, 3) -> (n, size, size); `extent` is height and width."""
    back = np.linalg.inv(matrices[:, :, :2])
    rows, columns = np.mgrid[:size, :size]
    places = np.stack([columns, rows], axis=-1).reshape(1, -1, 2) - matrices[:, None, :, 2]
    x, y = np.moveaxis(np.einsum("nij,nkj->nki", back, places), 2, 0)
    within = (x >= -0.5) & (y >= -0.5) & (x <= extent[1] - 0.5) & (y <= extent[0] - 0.5)
    return np.asarray(within.reshape(-1, size, size), np.bool_)


def _size(shape: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(shape - shape.mean(axis=0)))


def _sized(shape: NDArray[np.float64], like: NDArray[np.float64]) -> NDArray[np.float64]:
    centre = shape.mean(axis=0)
    return np.asarray((shape - centre) * (_size(like) / _size(shape)) + centre, np.float64)
