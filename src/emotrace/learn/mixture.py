"""Means of what several models say, weighted, and then by how frequent classes are.

    posteriors of each member x its weight ─mean of those that say something─▶ x square root of the class's count ─▶ (n, 7)

Source: Knyazev et al. 2017, and the code its authors published (2017/submission5.py at github.com/bknyaz/emotiw).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotrace.fuse import mean_pool
from emotrace.learn.fusion import square_root_prior

Posteriors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Mixture:
    """A combination of models.

    Args:
        members: whose posteriors are averaged.
        weights: of each.
        prior: counts of the classes that weigh the mean; () = none.
    """

    members: tuple[str, ...]
    weights: tuple[float, ...]
    prior: tuple[int, ...] = ()

    @classmethod
    def alike(cls, networks: Sequence[str], voice: str, what: str, prior: tuple[int, ...] = ()) -> Mixture:
        """Networks and a voice, every model counting the same, or the voice as much as all networks."""
        ones = (1.0,) * len(networks)
        return cls((*networks, voice), (*ones, 1.0 if what == "models" else sum(ones)), prior)

    def of(self, singles: Mapping[str, Posteriors]) -> Posteriors:
        """Posteriors of the mixture, (n, 7); NaN where no member says anything."""
        mean = mean_pool(np.stack([singles[name] for name in self.members]), np.array(self.weights))
        return square_root_prior(mean, np.array(self.prior, np.float64)) if self.prior else mean
