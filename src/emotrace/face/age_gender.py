"""Apparent age and gender, from the good portraits of a track."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emotrace.engine import Device, OnnxNetwork
from emotrace.face.align import dlib_template
from emotrace.scheme import AGE_GENDER
from emotrace.views import FaceSamples

YEARS = np.arange(81, dtype=np.float32)
YEARS[0] = 0.25   # the first class is "younger than one"


class AgeGender:
    """Expectation of a distribution over 81 ages, and the probability to be labelled female.

    Source: dlib-models dnn_age_predictor_v1 and dnn_gender_classifier_v1 (Cydral Technology), run on dlib's face chips.
    """

    scheme = AGE_GENDER

    def __init__(self, device: Device = "auto") -> None:
        self.age = OnnxNetwork("age", device)
        self.gender = OnnxNetwork("gender", device)
        self.female = self.gender.entry.labels.index("female")

    def extract(self, samples: FaceSamples) -> NDArray[np.float32]:
        """Age in years and probability of female, (n, 2)."""
        ages = self.age.run(_chips(samples, self.age)) @ YEARS
        genders = self.gender.run(_chips(samples, self.gender))
        return np.stack([ages, genders[:, self.female]], axis=1).astype(np.float32)


def _chips(samples: FaceSamples, network: OnnxNetwork) -> NDArray[np.uint8]:
    return dlib_template(network.entry.input.size).crops(samples)
