"""Facial actions: 52 blendshapes from the mesh, and the action units that they carry.

Every action unit here was seen to move on real faces. AU6 and AU9 are absent: the blendshapes that would carry them
(cheekSquint, noseSneer) stay near 0 whatever the face does, and a column that is always 0 would be taken for a measurement.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emotrace.engine import LiteRtNetwork
from emotrace.face.canonical import landmarker_members
from emotrace.scheme import ACTION_UNITS, BLENDSHAPES
from emotrace.views import FaceSamples

# The 146 mesh points the blendshape network reads. Source: MediaPipe, face_landmarker/face_blendshapes_graph.cc.
POINTS = np.array(
    [
        0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80,
        81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153,
        154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249,
        251, 263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311,
        312, 314, 317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380,
        381, 382, 384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471,
        472, 473, 474, 475, 476, 477,
    ]
)  # fmt: skip

# Action unit -> blendshapes whose mean it is. Source: ARKit's definitions beside FACS (Ekman, Friesen & Hager 2002).
CARRIERS: dict[str, tuple[str, ...]] = {
    "AU01": ("browInnerUp",),
    "AU02": ("browOuterUpLeft", "browOuterUpRight"),
    "AU04": ("browDownLeft", "browDownRight"),
    "AU05": ("eyeWideLeft", "eyeWideRight"),
    "AU07": ("eyeSquintLeft", "eyeSquintRight"),
    "AU10": ("mouthUpperUpLeft", "mouthUpperUpRight"),
    "AU12": ("mouthSmileLeft", "mouthSmileRight"),
    "AU14": ("mouthDimpleLeft", "mouthDimpleRight"),
    "AU15": ("mouthFrownLeft", "mouthFrownRight"),
    "AU16": ("mouthLowerDownLeft", "mouthLowerDownRight"),
    "AU17": ("mouthShrugLower",),
    "AU18": ("mouthPucker",),
    "AU20": ("mouthStretchLeft", "mouthStretchRight"),
    "AU22": ("mouthFunnel",),
    "AU24": ("mouthPressLeft", "mouthPressRight"),
    "AU26": ("jawOpen",),
    "AU28": ("mouthRollLower", "mouthRollUpper"),
    "AU45": ("eyeBlinkLeft", "eyeBlinkRight"),
}


class Blendshapes:
    """52 blendshape coefficients. Not for use from two threads at once.

    Source: Grishchenko et al. 2022, Blendshapes GHUM.
    """

    scheme = BLENDSHAPES

    def __init__(self) -> None:
        self.network = LiteRtNetwork(landmarker_members()["face_blendshapes.tflite"])

    def extract(self, samples: FaceSamples) -> NDArray[np.float32]:
        """(n, 52) in 0..1; the network takes one face at a time."""
        points = samples.tracks.mesh[:, POINTS, :2]
        rows = [self.network.run(points[i : i + 1])[0].reshape(-1) for i in range(len(points))]
        return np.stack(rows) if rows else np.zeros((0, len(BLENDSHAPES)), np.float32)


class ActionUnits:
    """Action units as the blendshape that carries them, or the mean of two.

    AU25 (lips part) has no blendshape of its own: it is the largest of AU10, AU16 and of jawOpen without mouthClose.
    """

    scheme = ACTION_UNITS

    def extract(self, samples: FaceSamples) -> NDArray[np.float32]:
        """(n, k) in 0..1."""
        shapes = samples.measured["face.blendshapes"]
        found = {unit: _mean(shapes, carriers) for unit, carriers in CARRIERS.items()}
        apart = np.clip(_mean(shapes, ("jawOpen",)) - _mean(shapes, ("mouthClose",)), 0, 1)
        found["AU25"] = np.maximum(apart, np.maximum(found["AU10"], found["AU16"]))
        return np.stack([found[label] for label in ACTION_UNITS.labels], axis=1).astype(np.float32)


def _mean(shapes: NDArray[np.float32], names: tuple[str, ...]) -> NDArray[np.float32]:
    return np.asarray(shapes[:, [BLENDSHAPES.labels.index(name) for name in names]].mean(axis=1), np.float32)
