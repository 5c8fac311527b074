"""Restricted Boltzmann machines on real numbers, as EmoNets stacks them for sound.

    energy(v, h) = |v - b|^2 / 2 - c.h - v.W.h        visible units have unit variance
    v ─W─▶ x = v W + c ─▶ h:  "noisy_relu"  max(0, x + N(0, sigmoid(x))), bounded at 6
                              "bernoulli"   1 with probability sigmoid(x)
    h ─W'─▶ v = h W' + b + N(0, 1)

Source: Kahou et al. 2016, EmoNets, section 3.2; Nair & Hinton 2010, Rectified Linear Units Improve Restricted Boltzmann
Machines, section 2 (noise); Hinton 2002 (CD-1); Tieleman 2008 (stochastic maximum likelihood, "persistent").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from emotrace.errors import InputError

Kind = Literal["noisy_relu", "bernoulli"]
HIGHEST = 6.0   # of a noisy rectified linear unit
WATCHED = 2000  # rows that the reconstruction error is told of, at most


@dataclass(slots=True)
class Rbm:
    """v visible and h hidden units.

    Args:
        weights: (v, h) W.
        visible: (v,) b.
        hidden: (h,) c.
        kind: of the hidden units.
    """

    weights: Tensor
    visible: Tensor
    hidden: Tensor
    kind: Kind

    @classmethod
    def start(cls, visible: int, hidden: int, kind: Kind, generator: torch.Generator) -> Rbm:
        """Small random weights, deviation 0.01 (Hinton 2012, A Practical Guide, section 8), no biases."""
        weights = 0.01 * torch.randn(visible, hidden, generator=generator)
        return cls(weights, torch.zeros(visible), torch.zeros(hidden), kind)

    def activity(self, visible: Tensor) -> Tensor:
        """What the hidden units are without noise, (n, v) -> (n, h): what the layer above and the network see."""
        given = visible @ self.weights + self.hidden
        return given.clamp(0, HIGHEST) if self.kind == "noisy_relu" else torch.sigmoid(given)

    def sample_hidden(self, visible: Tensor, generator: torch.Generator) -> Tensor:
        """One draw of the hidden units, (n, v) -> (n, h); one number of the generator per unit."""
        given = visible @ self.weights + self.hidden
        chance = torch.sigmoid(given)
        if self.kind == "bernoulli":
            return (torch.rand(given.shape, generator=generator) < chance).to(given.dtype)
        return (given + torch.randn(given.shape, generator=generator) * chance.sqrt()).clamp(0, HIGHEST)

    def mean_visible(self, hidden: Tensor) -> Tensor:
        """The visible units' mean, (n, h) -> (n, v)."""
        return hidden @ self.weights.T + self.visible

    def reconstruction_error(self, visible: Tensor) -> float:
        """Mean squared difference of the visible units from their mean given the hidden activity."""
        return float((visible - self.mean_visible(self.activity(visible))).square().mean())


@dataclass(frozen=True, slots=True)
class Ascent:
    """The direction in which the data become more likely, for each part of an `Rbm`, as a mean over examples."""

    weights: Tensor
    visible: Tensor
    hidden: Tensor


def contrast(rbm: Rbm, data: Tensor, chain: Tensor, generator: torch.Generator) -> tuple[Ascent, Tensor]:
    """Statistics of the data less those of the model after one step of Gibbs sampling.

    Args:
        rbm: machine.
        data: (n, v).
        chain: (m, h) hidden states from which the model's step begins: for CD-1, `sample_hidden(data)`; for stochastic maximum
            likelihood, what the step before gave back.
        generator: of the noise of the visible units.

    Returns:
        The direction, and the (m, v) visible states after the step.
    """
    mean = rbm.mean_visible(chain)
    fantasy = mean + torch.randn(mean.shape, generator=generator)
    above, below = rbm.activity(data), rbm.activity(fantasy)
    direction = Ascent(
        data.T @ above / len(data) - fantasy.T @ below / len(fantasy),
        data.mean(dim=0) - fantasy.mean(dim=0),
        above.mean(dim=0) - below.mean(dim=0),
    )
    return direction, fantasy


def train(
    rbm: Rbm, data: Tensor, *, rate: float, decay: float, epochs: int, batch: int, persistent: bool, generator: torch.Generator
) -> list[float]:
    """Make data more likely, in place.

    Args:
        rbm: machine.
        data: (n, v) rows of about unit variance.
        rate: learning rate.
        decay: L2 on the weights: of each, this share of the rate is taken in a step.
        epochs: passes over the rows, in random order.
        batch: rows a step; the rest of an epoch that fills none is left out unless it is all there is.
        persistent: the chains go on from step to step (stochastic maximum likelihood); False: CD-1.
        generator: of order and samples.

    Returns:
        The reconstruction error before the first epoch and after each, epochs + 1 numbers; on some 2,000 rows, evenly taken.

    Raises:
        InputError: there are no rows.
    """
    if not len(data):
        raise InputError("no rows to train a Boltzmann machine on; is there a clip with sound among the training clips?")
    watched = data[:: -(-len(data) // WATCHED)]
    errors = [rbm.reconstruction_error(watched)]
    batch = min(batch, len(data))
    chain = rbm.sample_hidden(data[:batch], generator)
    for _ in range(epochs):
        order = torch.randperm(len(data), generator=generator)
        for start in range(0, len(data) - batch + 1, batch):
            rows = data[order[start : start + batch]]
            begun = chain if persistent else rbm.sample_hidden(rows, generator)
            direction, fantasy = contrast(rbm, rows, begun, generator)
            if persistent:
                chain = rbm.sample_hidden(fantasy, generator)
            rbm.weights += rate * (direction.weights - decay * rbm.weights)
            rbm.visible += rate * direction.visible
            rbm.hidden += rate * direction.hidden
        errors.append(rbm.reconstruction_error(watched))
    return errors
