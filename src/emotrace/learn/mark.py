"""A short mark of everything that something kept depends on, for its file's name: of anything else, another file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.api import fingerprint

DIGITS = 16


def mark(*parts: object) -> str:
    """The first hexadecimal digits of the parts' sha256: arrays and bytes by what they hold, the rest as `str` writes it.

    Args:
        parts: arrays, bytes, strings, or dataclasses and plain values, whose `str` says all they hold.
    """
    digest = hashlib.sha256()
    for part in parts:
        held = np.ascontiguousarray(part).data if isinstance(part, np.ndarray) else part
        digest.update(held if isinstance(held, bytes | memoryview) else str(held).encode())
    return digest.hexdigest()[:DIGITS]


def content(picture_or_recording: bytes | Path | NDArray[np.generic]) -> object:
    """What is marked of a row of a corpus: of a file its sha256, else the row itself."""
    return fingerprint(picture_or_recording) if isinstance(picture_or_recording, Path) else picture_or_recording
