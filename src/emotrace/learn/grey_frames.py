"""The pictures of a clip as one small grey film."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrace.errors import VideoError
from emotrace.learn.clip_store import ClipStore
from emotrace.learn.facetubes import readable
from emotrace.video import Video

Film = NDArray[np.uint8]


def grey_frames(path: Path, store: ClipStore, side: int, shortest: int) -> Film:
    """All frames of a clip in grey, made small, kept in the store.

    Args:
        path: video file, or folder of pictures, which are its frames by name; one that cannot be decoded is left out.
        store: of the run.
        side: of the longer side, px; smaller frames are enlarged.
        shortest: px that the shorter side has at least: a long, narrow picture is widened.

    Returns:
        (t, h, w) grey levels, one max(h, w) = `side`; t is 0 where nothing can be read.
    """
    return np.asarray(store.of(path, f"grey-{side}", lambda: {"frames": _read(path, side, shortest)})["frames"], np.uint8)


def _read(path: Path, side: int, shortest: int) -> Film:
    try:
        frames = list(readable(path)) if path.is_dir() else _video(path)
    except VideoError:   # `Clips.unreadable` says why
        frames = []
    if not frames:
        return np.zeros((0, side, side), np.uint8)
    height, width = frames[0].shape   # cropped faces differ in size from frame to frame: the first decides
    scale = side / max(height, width)
    size = (max(shortest, round(width * scale)), max(shortest, round(height * scale)))
    return np.stack([np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8) for frame in frames])


def _video(path: Path) -> list[Film]:
    chunks = Video.open(path).chunks()
    return [np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8) for chunk in chunks for image in chunk.images]
