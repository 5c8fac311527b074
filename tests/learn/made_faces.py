"""Faces of frames as a finder gives them, made up."""

from __future__ import annotations

import cv2
import numpy as np

from emotrace.learn.frame_faces import FrameFaces
from emotrace.learn.trunks import Trunk

LEVELS = Trunk("levels", 16, 3, None, lambda pictures: pictures.mean(axis=(1, 2)).astype(np.float32))


def faces_of(pictures: np.ndarray, points: np.ndarray | None = None) -> FrameFaces:
    """A face in each picture, with its five points or without any."""
    n = len(pictures)
    where = np.full((n, 5, 2), np.nan, np.float32) if points is None else points.astype(np.float32)
    return FrameFaces(pictures, np.zeros(n), np.ones(n, bool), np.ones(n, np.float32), np.zeros((n, 4), np.float32), where)


def smooth(n: int, side: int, seed: int = 0) -> np.ndarray:
    """Pictures of soft spots, (n, side, side, 3)."""
    noise = np.random.default_rng(seed).integers(0, 256, (n, side, side, 3)).astype(np.uint8)
    return np.stack([cv2.GaussianBlur(picture, (0, 0), side / 16) for picture in noise])
