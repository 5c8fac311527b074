"""Expression by a large network: the most accurate that can be had here, and thirty times as slow as our own.

    face ─FER2013's framing, 48 px─▶ grey ─enlarged─▶ 224 px ─DenseNet-121─▶ 7 logits ─temperature─▶ 7 probabilities
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from emotrace.engine import Device, OnnxNetwork, grey
from emotrace.face.expression import FER2013_TEMPLATE
from emotrace.scheme import EXPRESSION_DENSENET
from emotrace.views import FaceSamples

TEMPERATURE = np.float32(2.1)  # fits FER2013's PublicTest best, by `bench/teacher.py`; as published it is far too sure
TOGETHER = 64                  # faces enlarged at a time


class ExpressionDenseNet:
    """Seven probabilities by a third party's DenseNet-121, which learnt FER2013's Training by heart.

    It sees faces as that set has them: 48 px, then enlarged; given finer crops it would see what it never learnt.

    Source: Huang et al. 2017 (network); Guo et al. 2017, On Calibration of Modern Neural Networks, section 4.2 (temperature).
    """

    scheme = EXPRESSION_DENSENET
    size = FER2013_TEMPLATE.size

    def __init__(self, device: Device = "auto") -> None:
        self.network = OnnxNetwork("expression_densenet", device)
        self.side = self.network.entry.input.size
        self.order = [self.network.entry.labels.index(label) for label in EXPRESSION_DENSENET.labels]

    def extract(self, samples: FaceSamples) -> NDArray[np.float32]:
        """(n, 7); rows sum to 1."""
        return self.of_crops(FER2013_TEMPLATE.crops(samples))

    def of_crops(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The same for faces already cropped as FER2013 frames them, (n, 48, 48, 3) RGB uint8 -> (n, 7)."""
        parts = [self.network.run(self._enlarged(crops[i : i + TOGETHER])) for i in range(0, max(1, len(crops)), TOGETHER)]
        probabilities: NDArray[np.float32] = softmax(np.concatenate(parts)[:, self.order] / TEMPERATURE, axis=1)
        return probabilities

    def _enlarged(self, crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(n, 48, 48, 3) RGB -> (n, 224, 224, 3), all three channels grey."""
        if len(crops) == 0:
            return np.zeros((0, self.side, self.side, 3), np.uint8)
        beside = np.ascontiguousarray(grey(crops).transpose(1, 2, 0))   # faces as channels: one call enlarges them all
        large = cv2.resize(beside, (self.side, self.side), interpolation=cv2.INTER_LINEAR).reshape(self.side, self.side, -1)
        return np.repeat(large.transpose(2, 0, 1)[..., None], 3, axis=3)
