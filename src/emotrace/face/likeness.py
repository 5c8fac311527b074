"""Likeness: whether a face is still the one that was followed.

The mesh follows whatever face it finds where the last one was, be it somebody else's: behind a dissolve, in a tile of a video
call, or where one person has taken another's place. Small aligned pictures tell: of one person, they change little from frame
to frame. They do not say who it is: a head that turns quickly can look as different as another person. Its track ends then, and
`people` joins it with the next one.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrace.face.align import warp
from emotrace.face.quality import TEMPLATE

SIDE = 32        # px
LEAST = 0.65     # from frame to frame 0.97 and more of one person, 0.5 to 0.7 where a head turns quickly; of two -0.5 to 0.6


def looks(image: NDArray[np.uint8], meshes: Sequence[NDArray[np.float32]]) -> list[NDArray[np.uint8]]:
    """Grey pictures (32, 32) of the faces of an RGB picture, by their meshes (478, 3) px."""
    if not meshes:
        return []
    crops = warp([image] * len(meshes), TEMPLATE.matrices(np.stack(meshes)), TEMPLATE.size)
    greys = (cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) for crop in crops)
    return [np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8) for grey in greys]


def alike(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> bool:
    """Whether two pictures correlate by LEAST, whatever their light; one without any contrast is like all others."""
    x, y = (side.astype(np.float32) - side.mean(dtype=np.float32) for side in (a, b))
    return bool((x * y).sum() >= LEAST * np.sqrt((x * x).sum() * (y * y).sum()))
