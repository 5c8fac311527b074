"""Valence and arousal, derived from the expression's probabilities.

Each expression has a place in the circumplex of affect; the value of a face is the expectation of these places under its
probabilities. It is a mapping, not a measurement of its own, and it is marked `derived` wherever it is shown.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emotrace.scheme import EXPRESSION_7, VALENCE_AROUSAL
from emotrace.views import FaceSamples

# (pleasure, arousal) as rated for emotion words. Source: Russell & Mehrabian 1977, Evidence for a three-factor theory of
# emotions, J. Research in Personality 11 (angry, disgusted, fearful, happy, sad, surprised). Neutral is the origin.
PLACES: dict[str, tuple[float, float]] = {
    "anger": (-0.51, 0.59),
    "disgust": (-0.60, 0.35),
    "fear": (-0.64, 0.60),
    "happiness": (0.81, 0.51),
    "sadness": (-0.63, -0.27),
    "surprise": (0.40, 0.67),
    "neutral": (0.0, 0.0),
}


class Circumplex:
    """Expectation of the expressions' places in the circumplex (Russell 1980)."""

    scheme = VALENCE_AROUSAL

    def extract(self, samples: FaceSamples) -> NDArray[np.float32]:
        """Valence and arousal, (n, 2) in -1..1."""
        places = np.array([PLACES[label] for label in EXPRESSION_7.labels], np.float32)
        return np.asarray(np.einsum("nk,kj->nj", samples.measured["face.expression"], places), np.float32)
