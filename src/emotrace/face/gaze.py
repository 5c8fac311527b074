"""Gaze from the irises: where in its opening each eye's iris sits, on a ball of the size of an eye, turned with the head.

Coarse by nature: the iris points move by a pixel or two over the whole range of a face of 100 px, and nobody was calibrated.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emotrace.face.pose import angles, from_angles
from emotrace.scheme import GAZE
from emotrace.views import FaceSamples

IRIS_AND_CORNERS = ((468, 33, 133), (473, 263, 362))   # the person's right and left eye: iris centre, outer, inner corner
EYEBALL = 0.43       # radius over the width of the eye's opening: 12 mm over 28 mm (Bekerman et al. 2014; Farkas 1994)
REST_HEIGHT = 0.035  # how far the iris lies above the line of the corners when looking straight ahead, in eye widths
CLOSED = 0.12        # opening of the lids over the width of the eye below which no iris is seen
LIDS = ((159, 145), (386, 374))


class IrisGaze:
    """Gaze direction of both eyes together, in the camera's frame."""

    scheme = GAZE

    def extract(self, samples: FaceSamples) -> NDArray[np.float32]:
        """Pitch and yaw, (n, 2) degrees; NaN while the eyes are closed."""
        head = from_angles(samples.measured["face.pose"])
        camera = samples.tracks.mesh * np.array([1, -1, -1], np.float32)   # y up, z towards the camera
        upright = camera @ head                                            # the same in the head's own frame
        both = np.stack([_eye(upright, *points) for points in IRIS_AND_CORNERS])          # (2, n, 2)
        sideways, upwards = both.mean(axis=0).T
        inside = np.stack(
            [np.cos(upwards) * np.sin(sideways), np.sin(upwards), np.cos(upwards) * np.cos(sideways)], axis=1
        )
        direction = np.einsum("nij,nj->ni", head, inside)
        turned = np.zeros((len(samples), 3, 3))
        turned[:, :, 2] = direction
        turned[:, 1, 1] = 1.0
        gaze = angles(turned)[:, :2]
        return np.where(_closed(upright)[:, None], np.float32(np.nan), gaze)


def _eye(points: NDArray[np.float64], iris: int, outer: int, inner: int) -> NDArray[np.float64]:
    """Rotation of one eye in its head: sideways and upwards, (n, 2) radians."""
    corners = points[:, [outer, inner], :2].astype(np.float64)
    width = np.linalg.norm(corners[:, 0] - corners[:, 1], axis=1)
    offset = (points[:, iris, :2] - corners.mean(axis=1)) / width[:, None] - [0.0, REST_HEIGHT]
    return np.asarray(np.arcsin(np.clip(offset / EYEBALL, -0.95, 0.95)))


def _closed(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n,) True where both eyes are closed."""
    openings = [
        np.abs(points[:, upper, 1] - points[:, lower, 1]) / np.linalg.norm(points[:, outer, :2] - points[:, inner, :2], axis=1)
        for (upper, lower), (_, outer, inner) in zip(LIDS, IRIS_AND_CORNERS, strict=True)
    ]
    return np.asarray(np.maximum(*openings) < CLOSED)
