"""A short mark of everything that something kept depends on, for its file's name: of anything else, another file."""

from __future__ import annotations

import hashlib

import numpy as np

DIGITS = 16


def mark(*parts: object) -> str:
    """The first hexadecimal digits of the parts' sha256: arrays by what they hold, the rest as `str` writes it.

    Args:
        parts: arrays, strings, or dataclasses and plain values, whose `str` says all they hold.
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.tobytes() if isinstance(part, np.ndarray) else str(part).encode())
    return digest.hexdigest()[:DIGITS]
