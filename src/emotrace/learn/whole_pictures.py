"""Faces of whole pictures, as those of Radboud or SFEW are, found and framed as `analyze` does with a still picture.

    picture ─Tracker─▶ mesh of the largest face ─FER2013_TEMPLATE─▶ grey crop
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from emotrace.engine import grey
from emotrace.face.align import warp
from emotrace.face.detect import Detector
from emotrace.face.expression import FER2013_TEMPLATE
from emotrace.face.landmarks import Mesh
from emotrace.face.track import Tracker


class WholePictures:
    """Cuts the largest face out of each picture. Not for use from two threads at once."""

    def __init__(self) -> None:
        mesh, detector = Mesh(), Detector()
        self.tracker = Tracker(
            locate=lambda image, regions: [mesh.locate(image, region) for region in regions],
            detect=lambda image: partial(detector.detect, image), every=0.0,
        )  # fmt: skip

    def crop(self, picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8] | None:
        """The largest face of a picture, (h, w) grey, as FER2013 frames faces: (size, size) grey; None where none is found."""
        image = np.repeat(picture[:, :, None], 3, axis=2)
        once = np.zeros(1, np.int64)
        # Every picture is a shot of its own, across which no face is followed.
        seen = self.tracker.update([image], once, once.astype(np.float64), np.array([self.tracker.shot + 1], np.int32))
        if len(seen) == 0:
            return None
        largest = (seen.box[:, 2:] - seen.box[:, :2]).prod(axis=1).argmax()
        matrices = FER2013_TEMPLATE.resized(size).matrices(seen.mesh[[largest]])
        return grey(warp([image], matrices, size)[0])
