"""Tracks: the faces of a stretch of video, one row per frame and tracked face."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from emotrace.errors import InputError

MESH_POINTS = 478


@dataclass(frozen=True, slots=True)
class Tracks:
    """Struct of arrays; rows ordered by frame, then track.

    Args:
        frame: (n,) int64 number of the frame in the file.
        time: (n,) float64 s.
        track: (n,) int64 id; one id is one face followed through consecutive frames of one shot.
        box: (n, 4) float32 x1 y1 x2 y2 px around the mesh.
        score: (n,) float32 0..1, the mesh network's own belief that it looks at a face.
        mesh: (n, 478, 3) float32 px; z is relative depth on the scale of x, smaller is nearer to the camera.

    Raises:
        InputError: an array has not the expected shape.
    """

    frame: NDArray[np.int64]
    time: NDArray[np.float64]
    track: NDArray[np.int64]
    box: NDArray[np.float32]
    score: NDArray[np.float32]
    mesh: NDArray[np.float32]

    def __post_init__(self) -> None:
        n = len(self.frame)
        expected = {"time": (n,), "track": (n,), "box": (n, 4), "score": (n,), "mesh": (n, MESH_POINTS, 3)}
        for name, shape in expected.items():
            got = getattr(self, name).shape
            if got != shape:
                raise InputError(f"tracks: {name} has shape {got}, expected {shape}")

    @classmethod
    def empty(cls) -> Tracks:
        """No rows."""
        return cls(
            np.zeros(0, np.int64), np.zeros(0, np.float64), np.zeros(0, np.int64),
            np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, MESH_POINTS, 3), np.float32),
        )  # fmt: skip

    @classmethod
    def merge(cls, parts: list[Tracks]) -> Tracks:
        """Rows of several, one after the other."""
        if not parts:
            return cls.empty()
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Tracks:
        """The rows of a mask, of positions or of a slice."""
        return Tracks(*(getattr(self, f.name)[rows] for f in fields(self)))
