"""Expression: which of seven expressions a face shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emotrace.engine import Device, LiteRtNetwork, OnnxNetwork, prepare
from emotrace.face.align import LEFT_EYE, RIGHT_EYE, Template
from emotrace.scheme import EXPRESSION_7, EXPRESSION_MINI_XCEPTION
from emotrace.views import FaceSamples
from emotrace.weights import entry, read

BATCH = 4  # faces at a time; more are hardly faster, and their maps are held in memory

# Where eyes, nose and mouth corners lie on average in FER2013's pictures of 48 px: measured with the mesh itself
# (emotrace.recipes.expression_framing).
FER2013_TEMPLATE = Template(
    48,
    ((15.31, 18.75), (32.69, 18.75), (24.0, 27.77), (16.62, 37.11), (31.38, 37.11)),
    (RIGHT_EYE, LEFT_EYE, (4,), (61,), (291,)),
)

# The same for mini-Xception, as its first measurement on 3,146 frontal faces was (standard deviation 3 px of 48), made
# symmetric, scaled from 48 to 64 px.
MINI_XCEPTION_TEMPLATE = Template(
    64, ((20.27, 24.05), (43.73, 24.05), (22.49, 48.25), (41.51, 48.25)), (RIGHT_EYE, LEFT_EYE, (61,), (291,))
)


class Expression:
    """Seven calibrated probabilities by our own network; see docs/cards/expression.md."""

    scheme = EXPRESSION_7
    size = FER2013_TEMPLATE.size

    def __init__(self, device: Device = "auto") -> None:
        self.network = OnnxNetwork("expression", device)

    def extract(self, samples: FaceSamples) -> NDArray[np.float32]:
        """(n, 7); rows sum to 1."""
        return self.of_crops(FER2013_TEMPLATE.crops(samples))

    def of_crops(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The same for faces already cropped as FER2013 frames them, (n, 48, 48, 3) RGB uint8 -> (n, 7)."""
        return self._said(crops, 0)

    def votes_of_crops(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What FER+ raters would vote for, of the same crops: (n, 8) of EXPRESSION_8."""
        return self._said(crops, 1)

    def _said(self, crops: NDArray[np.uint8], output: int) -> NDArray[np.float32]:
        parts = [self.network.run(crops[i : i + BATCH], output) for i in range(0, max(1, len(crops)), BATCH)]
        return np.concatenate(parts)


class MiniXception:
    """Seven probabilities, not calibrated. Not for use from two threads at once.

    Source: Arriaga, Valdenegro & Plöger 2017.
    """

    scheme = EXPRESSION_MINI_XCEPTION
    size = MINI_XCEPTION_TEMPLATE.size

    def __init__(self) -> None:
        self.entry = entry("fer_mini_xception")
        self.network = LiteRtNetwork(read(self.entry.name))
        self.order = [self.entry.labels.index(label) for label in EXPRESSION_MINI_XCEPTION.labels]

    def extract(self, samples: FaceSamples) -> NDArray[np.float32]:
        """(n, 7); rows sum to 1."""
        return self.of_crops(MINI_XCEPTION_TEMPLATE.crops(samples))

    def of_crops(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The same for faces already cropped as FER2013 frames them, (n, 64, 64, 3) RGB uint8 -> (n, 7)."""
        batch = prepare(crops, self.entry.input)
        rows = [self.network.run(batch[i : i + 1])[0][0, self.order] for i in range(len(batch))]
        return np.stack(rows) if rows else np.zeros((0, len(EXPRESSION_MINI_XCEPTION)), np.float32)
