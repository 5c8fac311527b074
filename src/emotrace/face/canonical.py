"""The canonical face: a metric 3-D model of the mesh's 468 points, read from the face landmarker itself.

Source: MediaPipe Face Geometry. The model lies in face_landmarker.task as a small protocol buffer (Mesh3d with vertices
x y z u v, and the weighted landmarks of the Procrustes basis); the few wire rules it takes are read here, so that no
protobuf library is needed.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from emotrace import weights
from emotrace.errors import WeightsError

LANDMARKER = "face_landmarker"


@cache
def landmarker_members() -> dict[str, bytes]:
    """The files inside face_landmarker.task (a zip archive), verified as a whole."""
    with zipfile.ZipFile(io.BytesIO(weights.read(LANDMARKER))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@dataclass(frozen=True, slots=True)
class CanonicalFace:
    """The mean face.

    Args:
        vertices: (468, 3) float64 cm; x towards the person's left, y up, z out of the face.
        weights: (468,) float64 share of each point in the fit of the pose; 0 for points that expressions move.
    """

    vertices: NDArray[np.float64]
    weights: NDArray[np.float64]


@cache
def canonical_face() -> CanonicalFace:
    """The canonical face of face_landmarker.task.

    Raises:
        WeightsError: the weights cannot be had.
    """
    metadata = landmarker_members()["geometry_pipeline_metadata_landmarks.binarypb"]
    floats: list[float] = []
    basis: dict[int, float] = {}
    for number, value in _fields(metadata):
        if number == 1:
            floats = [_float(item) for inner, item in _fields(_bytes(value)) if inner == 3]
        elif number == 2:
            pair = dict(_fields(_bytes(value)))
            basis[int(pair.get(1, 0))] = _float(pair[2])
    vertices = np.asarray(floats, np.float64).reshape(-1, 5)[:, :3]
    shares = np.zeros(len(vertices))
    shares[list(basis)] = list(basis.values())
    return CanonicalFace(vertices, shares)


def _fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Field numbers and values of one message: varints as int, everything else as bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if kind == 2:
            length, at = _varint(message, at)
        elif kind == 5:
            length = 4
        else:
            raise WeightsError(f"{LANDMARKER}: geometry metadata has a field of wire type {kind}, expected 0, 2 or 5")
        yield key >> 3, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _bytes(value: bytes | int) -> bytes:
    assert isinstance(value, bytes)
    return value


def _float(value: bytes | int) -> float:
    return float(struct.unpack("<f", _bytes(value))[0])
