"""The mesh of faces in pictures as small and as tight as those of FER2013.

    grey 48 px ─enlarge 4x, repeat the border─▶ YuNet ─▶ mesh ─▶ mesh again on its own region ─▶ px of the enlarged picture

The detector and the mesh network are made for larger faces with something around them. So enlarged, five of six of FER2013's
faces are found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrace.engine import FaceDetectorNetwork
from emotrace.face.landmarks import Mesh, box_of_mesh, ibug_68, region_of_detection, region_of_mesh
from emotrace.tracks import MESH_POINTS, Tracks
from emotrace.views import FaceSamples


@dataclass(frozen=True, slots=True)
class Enlargement:
    """How a small picture is made ready for a detector.

    Args:
        factor: of enlargement, cubic.
        border: px of the enlarged picture repeated on every side, so that tight faces have surroundings.
        score: detections below this are left out, and meshes less present than this.
    """

    factor: int = 4
    border: int = 64
    score: float = 0.8

    def enlarged(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture as it is looked at, (h, w) grey -> (H, W, 3) RGB."""
        large = cv2.resize(image, None, fx=self.factor, fy=self.factor, interpolation=cv2.INTER_CUBIC)
        bordered = cv2.copyMakeBorder(large, *(self.border,) * 4, cv2.BORDER_REPLICATE)
        return np.repeat(np.asarray(bordered, np.uint8)[:, :, None], 3, axis=2)

    def back(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Points of the enlarged picture, (..., 2), as px of the small one; pixel i covers i to i + 1."""
        return np.asarray((points - self.border) / self.factor, np.float32)


class SmallFaces:
    """Finds the mesh of the best face in small pictures. Not for use from two threads at once.

    Args:
        how: enlargement and threshold.
    """

    def __init__(self, how: Enlargement | None = None) -> None:
        self.how = how or Enlargement()
        self.detector, self.network = FaceDetectorNetwork(self.how.score), Mesh()

    def mesh(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The mesh of the best face in an enlarged picture, (478, 3) px of that picture; NaN where none is found."""
        faces = self.detector.run(picture)
        if len(faces):
            x, y, width, height = faces[0, :4]
            box = np.array([x, y, x + width, y + height], np.float32)
            rough, _ = self.network.locate(picture, region_of_detection(box, faces[0, 4:14].reshape(5, 2)))
            points, presence = self.network.locate(picture, region_of_mesh(rough))
            if presence >= self.how.score:
                return points
        return np.full((MESH_POINTS, 3), np.nan, np.float32)

    def landmarks(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The 68 landmarks of small pictures, (n, h, w) -> (n, 68, 2) px of them; NaN where no face is found."""
        found = [ibug_68(self.mesh(self.how.enlarged(image))[None])[0] for image in images]
        return self.how.back(np.stack(found)) if found else np.zeros((0, 68, 2), np.float32)

    def samples(self, images: NDArray[np.uint8], batch: int = 64) -> Iterator[tuple[NDArray[np.int64], FaceSamples]]:
        """Faces ready for the extractors of `emotrace.face`, a batch at a time.

        Args:
            images: (n, h, w) grey levels.
            batch: pictures at a time, since enlarged ones are large.

        Yields:
            Rows of `images` in which a face was found, and their samples.
        """
        for start in range(0, len(images), batch):
            pictures = np.stack([self.how.enlarged(image) for image in images[start : start + batch]])
            meshes = np.stack([self.mesh(picture) for picture in pictures])
            kept = np.flatnonzero(np.isfinite(meshes).all(axis=(1, 2)))
            boxes = [box_of_mesh(mesh) for mesh in meshes[kept]]
            n = len(kept)
            tracks = Tracks(
                np.zeros(n, np.int64), np.zeros(n), np.arange(n), np.reshape(np.array(boxes, np.float32), (n, 4)),
                np.ones(n, np.float32), meshes[kept],
            )  # fmt: skip
            yield start + kept, FaceSamples(tracks, pictures, kept)
