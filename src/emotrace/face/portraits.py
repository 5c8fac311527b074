"""Portraits: the few good faces of a track on which identity, age and gender rest.

A track's first good face is taken, then one at growing distances: a long track costs little, a short one is not missed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrace.face.align import warp
from emotrace.face.landmarks import region_of_mesh
from emotrace.views import FaceSamples

GOOD = 0.5              # least quality of a portrait
FRONTAL = 35.0          # degrees of yaw and pitch at most
FIRST_GAP = 0.5         # s to the second portrait; doubled after each ...
LONGEST_GAP = 10.0      # ... up to this
THUMBNAIL = 160         # px


@dataclass(slots=True)
class PortraitChooser:
    """Chooses portraits in consecutive stretches of video.

    Args:
        due: for each track the time (s) from which the next portrait may be taken.
        gap: for each track the distance (s) to the one after that.
    """

    due: dict[int, float] = field(default_factory=dict)
    gap: dict[int, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """All that it knows; JSON has no numbers for keys."""
        due, gap = ({str(track): value for track, value in known.items()} for known in (self.due, self.gap))
        return {"due": due, "gap": gap}

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> PortraitChooser:
        """One that goes on from there."""
        return cls(*({int(track): value for track, value in state[key].items()} for key in ("due", "gap")))

    def choose(self, samples: FaceSamples) -> NDArray[np.int64]:
        """Rows to take as portraits, (p,); reads face.quality and face.pose."""
        quality = samples.measured["face.quality"][:, 0]
        pose = samples.measured["face.pose"]
        good = (quality >= GOOD) & (np.abs(pose[:, 0]) <= FRONTAL) & (np.abs(pose[:, 1]) <= FRONTAL)
        return np.array([row for row in np.flatnonzero(good).tolist() if self._take(samples, row)], np.int64)

    def _take(self, samples: FaceSamples, row: int) -> bool:
        track, time = int(samples.tracks.track[row]), float(samples.tracks.time[row])
        if time < self.due.get(track, -np.inf):
            return False
        gap = self.gap.get(track, FIRST_GAP)
        self.due[track], self.gap[track] = time + gap, min(2 * gap, LONGEST_GAP)
        return True


def thumbnails(samples: FaceSamples) -> list[bytes]:
    """A JPEG picture of each face, THUMBNAIL px, upright as in the video."""
    upright = [replace(region_of_mesh(mesh), angle=0.0).to_crop(THUMBNAIL) for mesh in samples.tracks.mesh]
    matrices = np.stack(upright) if upright else np.zeros((0, 2, 3))
    crops = warp(samples.pictures(), matrices, THUMBNAIL)
    return [cv2.imencode(".jpg", crop[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes() for crop in crops]
