"""Tracking by detection: follow faces from frame to frame.

    each frame:  the mesh, looked for where it was in the frame before, carries every track on      (cheap)
    now and then, and at once after a cut, a loss or an empty picture:  the detector             (dear)
                 finds new faces, and confirms or ends what the mesh has been following

A track never crosses a cut, and ends where another face looks out of its place. A face lost for a moment keeps its number
when the detector finds it again where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotrace.face.detect import Detections, overlap
from emotrace.face.landmarks import Region, box_of_mesh, region_of_detection, region_of_mesh
from emotrace.face.likeness import alike, looks
from emotrace.tracks import MESH_POINTS, Tracks

PRESENCE = 0.5      # a mesh below this does not look at a face
JOIN = 0.3          # intersection over union from which a detection and a mesh are the same face
SAME = 0.6          # two meshes that overlap more follow one face
PATIENCE = 3        # detector calls in a row that may miss a face which the mesh still follows
MEMORY = 1.0        # s for which a lost face keeps its number

Locate = Callable[[NDArray[np.uint8], list[Region]], list[tuple[NDArray[np.float32], float]]]
Detect = Callable[[NDArray[np.uint8]], Callable[[], Detections]]   # begins to look; what it gives waits for the faces


@dataclass(slots=True)
class Face:
    """One face being followed."""

    track: int
    mesh: NDArray[np.float32]   # (478, 3) px
    presence: float
    seen: float                 # s, last time seen
    look: NDArray[np.uint8]     # (32, 32) as it was then
    missed: int = 0             # detector calls in a row that did not find it

    @property
    def box(self) -> NDArray[np.float32]:
        """x1 y1 x2 y2 px."""
        return box_of_mesh(self.mesh)

    def as_json(self) -> dict[str, Any]:
        """All fields by name."""
        return {
            "track": self.track, "mesh": self.mesh.tolist(), "presence": self.presence, "seen": self.seen,
            "missed": self.missed, "look": self.look.tolist(),
        }  # fmt: skip

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Face:
        """The face that gave it."""
        return cls(**{**state, "mesh": np.asarray(state["mesh"], np.float32), "look": np.asarray(state["look"], np.uint8)})


@dataclass(slots=True)
class Tracker:
    """Follows faces through consecutive frames; everything it must know between chunks is in its fields.

    Args:
        locate: finds meshes in regions of a picture.
        detect: begins to look for faces in a picture and gives a function that waits for them, so that the detector can work
            while the meshes are being found.
        every: s between detector calls while faces are followed.
        faces: followed now.
        lost: lost less than MEMORY ago.
        next_track: number of the next new track.
        detected: s, time of the last detector call.
        look: True where the detector must be called in the next frame.
        shot: the shot of the last picture.
    """

    locate: Locate
    detect: Detect
    every: float
    faces: list[Face] = field(default_factory=list)
    lost: list[Face] = field(default_factory=list)
    next_track: int = 0
    detected: float = -np.inf
    look: bool = True
    shot: int = -1

    def as_json(self) -> dict[str, Any]:
        """All that it must know between chunks."""
        return {
            "faces": [face.as_json() for face in self.faces], "lost": [face.as_json() for face in self.lost],
            "next_track": self.next_track, "look": self.look, "shot": self.shot,
            "detected": self.detected if np.isfinite(self.detected) else None,
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `as_json` gave."""
        self.faces, self.lost = ([Face.from_json(item) for item in state[key]] for key in ("faces", "lost"))
        self.next_track, self.look, self.shot = state["next_track"], state["look"], state["shot"]
        self.detected = -np.inf if state["detected"] is None else state["detected"]

    def update(
        self,
        images: Iterable[NDArray[np.uint8]],
        numbers: NDArray[np.int64],
        times: NDArray[np.float64],
        shots: NDArray[np.int32],
    ) -> Tracks:
        """Follow faces through the next frames.

        Args:
            images: m RGB pictures.
            numbers: (m,) their frame numbers.
            times: (m,) s.
            shots: (m,) number of the shot each lies in.

        Returns:
            One row per picture and face followed.
        """
        parts = []
        for image, number, time, shot in zip(images, numbers, times, shots, strict=True):
            self._step(image, float(time), int(shot))
            parts.append(self._rows(int(number), float(time)))
        return Tracks.merge(parts)

    def _step(self, image: NDArray[np.uint8], time: float, shot: int) -> None:
        if shot != self.shot:
            self.faces, self.lost, self.look, self.shot = [], [], True, shot
        begun = self.detect(image) if self.look or not self.faces or time - self.detected >= self.every else None
        self._follow(image, time)
        if begun is None and (self.look or not self.faces):
            begun = self.detect(image)
        if begun is not None:
            self._find(image, time, begun())
        self.lost = [face for face in self.lost if time - face.seen <= MEMORY]

    def _follow(self, image: NDArray[np.uint8], time: float) -> None:
        """Carry every track on by its mesh; what the mesh no longer sees is lost, and another face begins a track."""
        found = self.locate(image, [region_of_mesh(face.mesh) for face in self.faces])
        pictures = looks(image, [mesh for mesh, _ in found])
        kept: list[Face] = []
        for face, (mesh, presence), look in zip(self.faces, found, pictures, strict=True):
            twin = any(_share(box_of_mesh(mesh), other.box) > SAME for other in kept)
            if presence >= PRESENCE and not twin:
                if not alike(face.look, look):
                    face.track, face.missed = self._next(), 0
                face.mesh, face.presence, face.seen, face.look = mesh, presence, time, look
                kept.append(face)
            else:
                self.look = True
                if not twin:
                    self.lost.append(face)
        self.faces = sorted(kept, key=lambda face: face.track)

    def _find(self, image: NDArray[np.uint8], time: float, found: Detections) -> None:
        """Confirm or end what is followed by what the detector found; begin or take up what is new."""
        self.detected, self.look = time, False
        followed = np.stack([face.box for face in self.faces]) if self.faces else np.zeros((0, 4), np.float32)
        shared = overlap(found.box, followed)   # (detections, faces)
        for k, face in enumerate(self.faces):
            confirmed = len(found) > 0 and shared[:, k].max() >= JOIN
            face.missed = 0 if confirmed else face.missed + 1
        new = [i for i in range(len(found)) if not len(followed) or shared[i].max() < JOIN]
        self.faces = [face for face in self.faces if face.missed < PATIENCE]
        self._begin(image, time, [region_of_detection(found.box[i], found.points[i]) for i in new])

    def _begin(self, image: NDArray[np.uint8], time: float, regions: list[Region]) -> None:
        """Start tracks; the mesh is found twice, the second time in the crop that it will have from now on."""
        first = [mesh for mesh, presence in self.locate(image, regions) if presence >= PRESENCE]
        second = self.locate(image, [region_of_mesh(mesh) for mesh in first])
        for (mesh, presence), look in zip(second, looks(image, [mesh for mesh, _ in second]), strict=True):
            box = box_of_mesh(mesh)
            if presence < PRESENCE or any(_share(box, face.box) > JOIN for face in self.faces):
                continue
            self.faces.append(Face(self._number(box, look), mesh, presence, time, look))
        self.faces.sort(key=lambda face: face.track)

    def _number(self, box: NDArray[np.float32], look: NDArray[np.uint8]) -> int:
        """The number of a lost face that was here and looked so, else the next free one."""
        shares = [_share(box, face.box) if alike(face.look, look) else 0.0 for face in self.lost]
        if shares and max(shares) >= JOIN:
            return self.lost.pop(int(np.argmax(shares))).track
        return self._next()

    def _next(self) -> int:
        self.next_track += 1
        return self.next_track - 1

    def _rows(self, number: int, time: float) -> Tracks:
        n = len(self.faces)
        if n == 0:
            return Tracks.empty()
        return Tracks(
            np.full(n, number, np.int64),
            np.full(n, time, np.float64),
            np.array([face.track for face in self.faces], np.int64),
            np.stack([face.box for face in self.faces]),
            np.array([face.presence for face in self.faces], np.float32),
            np.stack([face.mesh for face in self.faces]).reshape(n, MESH_POINTS, 3),
        )


def _share(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(overlap(a[None], b[None])[0, 0])
