"""Light taken out of faces: isotropic smoothing.

    picture ─stretch, pad─▶ X ─(1 - λ∇²) L = X─▶ luminance L;  reflectance R = X / L

What varies slowly over a face is taken for light, and divided out. With one smoothness everywhere the equation has constant
coefficients, so the sine transform solves it exactly: a batch costs two transforms, and no system is assembled.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dstn

from emotrace.errors import InputError

SMOOTHNESS = 7.0   # λ: default of the INface toolbox, made for faces of 128 px
PADDING = 3        # px mirrored around the picture, cut away again
FLOOR = 0.001      # added to grey levels of 0..1, so that black divides


def isotropic_smoothing(
    images: NDArray[np.uint8], smoothness: float = SMOOTHNESS
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Reflectance and luminance of faces.

    Args:
        images: (n, h, w) grey levels.
        smoothness: λ, px squared; light varies over more than about its root.

    Returns:
        Reflectance (n, h, w), 0 or more, about 1 where a pixel is as bright as its surroundings; and luminance (n, h, w), 0..1.

    Raises:
        InputError: images have another shape, or smoothness is negative.

    Source: Gross & Brajovic 2003, An image preprocessing algorithm for illumination invariant face recognition, with equal
    weights everywhere (Heusch, Cardinaux & Marcel 2005), as in isotropic_smoothing of the INface toolbox 2 (Štruc & Pavešić)
    without its post-processing. Like there, each picture is stretched to 0..255 (rounded up), and what lies beyond its padding
    is black.
    """
    if images.ndim != 3 or smoothness < 0:
        raise InputError(f"expected (n, h, w) grey levels and a smoothness of 0 or more, got {images.shape} and {smoothness}")
    bright = padded(stretched(images)) + FLOOR
    luminance = smoothed(bright, smoothness)
    inner = (slice(None), slice(PADDING, -PADDING), slice(PADDING, -PADDING))
    return (bright / luminance)[inner].astype(np.float32), luminance[inner].astype(np.float32)


def stretched(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Grey levels stretched to the whole range, in steps of 1/255; flat pictures become black. (n, h, w) -> 0..1."""
    levels = images.astype(np.float64)
    low = levels.min(axis=(1, 2), keepdims=True)
    span = levels.max(axis=(1, 2), keepdims=True) - low
    return np.asarray(np.ceil((levels - low) / np.maximum(span, 1) * 255) / 255, np.float64)


def padded(images: NDArray[np.float64]) -> NDArray[np.float64]:
    """With their margin mirrored on every side, (n, h, w) -> (n, h + 6, w + 6)."""
    return np.pad(images, ((0, 0), (PADDING, PADDING), (PADDING, PADDING)), mode="symmetric")


def smoothed(images: NDArray[np.float64], smoothness: float) -> NDArray[np.float64]:
    """Solution L of (1 + 4λ) L - λ (sum of the four neighbours) = X, with 0 beyond the edge; (n, h, w) -> (n, h, w)."""
    rows, columns = (4 * np.sin(np.pi * np.arange(1, k + 1) / (2 * (k + 1))) ** 2 for k in images.shape[1:])
    spectrum = dstn(images, type=1, axes=(1, 2), norm="ortho")
    spectrum /= 1 + smoothness * (rows[:, None] + columns)   # eigenvalues of the five-point Laplacian
    return np.asarray(dstn(spectrum, type=1, axes=(1, 2), norm="ortho"), np.float64)


def grey_levels(reflectance: NDArray[np.float32], white: float = 2.0) -> NDArray[np.uint8]:
    """Reflectance as pictures: 0 becomes black, `white` and more becomes white, so that a face's mean lies in the middle."""
    return np.asarray(np.rint(np.clip(reflectance / white, 0, 1) * 255), np.uint8)


def unlit(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures without their light, as networks see them, (n, h, w) -> (n, h, w); a thousand at a time, to bound the memory."""
    parts = [grey_levels(isotropic_smoothing(images[i : i + 1000])[0]) for i in range(0, len(images), 1000)]
    return np.concatenate(parts) if parts else images
