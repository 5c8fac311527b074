"""Tensors of a model file of CTranslate2, without that library.

    version, name of the kind, revision ─▶ count ─▶ count x (name, shape, type, bytes) ─▶ others' names, not read

Source: CTranslate2's `ModelSpec._serialize` (python/ctranslate2/specs/model_spec.py), version 6 of the format.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from emotrace.errors import WeightsError

VERSION = 6
TYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)   # by the number that stands for each


def tensors(content: bytes) -> dict[str, NDArray[np.generic]]:
    """All tensors of a file by name, as they are kept.

    Raises:
        WeightsError: it is no such file, of another version, or cut short.
    """
    place = 0

    def number(kind: str) -> int:
        nonlocal place
        (value,) = struct.unpack_from(f"<{kind}", content, place)
        place += struct.calcsize(kind)
        return int(value)

    def taken(count: int) -> bytes:
        nonlocal place
        if place + count > len(content):
            raise struct.error(f"{place + count - len(content)} bytes are missing")
        place += count
        return content[place - count : place]

    def text() -> str:
        return taken(number("H")).rstrip(b"\0").decode()

    try:
        if (version := number("I")) != VERSION:
            raise WeightsError(f"a model of CTranslate2 of version {version}, expected {VERSION}")
        text()
        number("I")
        found: dict[str, NDArray[np.generic]] = {}
        for _ in range(number("I")):
            name = text()
            shape = [number("I") for _ in range(number("B"))]
            kind = TYPES[number("B")]
            found[name] = np.frombuffer(taken(number("I")), kind).reshape(shape)
    except (struct.error, UnicodeDecodeError, IndexError, ValueError) as error:
        raise WeightsError(f"no model of CTranslate2, or a damaged one: {error}") from error
    return found
