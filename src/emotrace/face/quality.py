"""Quality: how far a face can be measured at all.

Below the threshold of `--min-quality` what is measured becomes NaN: a smear of twelve pixels is not reported as sadness.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emotrace.engine import grey
from emotrace.face.align import LEFT_EYE, RIGHT_EYE, Template
from emotrace.scheme import QUALITY
from emotrace.views import FaceSamples

# Eyes and mouth on 64 px: the face fills the crop, whatever its size in the picture.
TEMPLATE = Template(64, ((19.0, 24.0), (45.0, 24.0), (32.0, 48.0)), (RIGHT_EYE, LEFT_EYE, (13, 14)))

# A score is 0 at the first number and 1 at the second, linear in between.
INTEROCULAR = (6.0, 24.0)      # px between the pupils
SHARPNESS = (5.0, 60.0)        # variance of the Laplacian at 64 px
ANGLE = (80.0, 45.0)           # degrees between the face's direction and the camera


class Quality:
    """Worst of four scores (size, sharpness, pose, presence), with sharpness and interocular distance beside it."""

    scheme = QUALITY

    def extract(self, samples: FaceSamples) -> NDArray[np.float32]:
        """Quality 0..1, sharpness, interocular distance in px, (n, 3)."""
        mesh = samples.tracks.mesh
        eyes = [mesh[:, list(corners), :2].mean(axis=1) for corners in (RIGHT_EYE, LEFT_EYE)]
        interocular = np.linalg.norm(eyes[0] - eyes[1], axis=1)
        sharpness = laplacian_variance(grey(TEMPLATE.crops(samples)))
        pitch, yaw = np.deg2rad(samples.measured["face.pose"][:, :2].T)
        angle = np.rad2deg(np.arccos(np.clip(np.cos(pitch) * np.cos(yaw), -1, 1)))
        scores = [_score(interocular, INTEROCULAR), _score(sharpness, SHARPNESS), _score(angle, ANGLE)]
        worst = np.min(np.stack([*scores, samples.tracks.score]), axis=0)
        return np.stack([worst, sharpness, interocular], axis=1).astype(np.float32)


def laplacian_variance(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Variance of the 4-neighbour Laplacian of grey pictures, (n, h, w) -> (n,) grey levels squared.

    Source: Pech-Pacheco et al. 2000, Diatom autofocusing in brightfield microscopy.
    """
    p = images.astype(np.int16)
    centre = p[:, 1:-1, 1:-1]
    laplacian = p[:, :-2, 1:-1] + p[:, 2:, 1:-1] + p[:, 1:-1, :-2] + p[:, 1:-1, 2:] - 4 * centre
    return np.asarray(laplacian.var(axis=(1, 2)))


def _score(values: NDArray[np.floating], ends: tuple[float, float]) -> NDArray[np.float64]:
    return np.asarray(np.clip((values - ends[0]) / (ends[1] - ends[0]), 0, 1))
