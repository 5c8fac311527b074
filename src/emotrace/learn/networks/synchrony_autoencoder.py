"""A synchrony autoencoder: filters of short blocks of film that learn motion from the synchrony of their own responses.

    block x (d,) ─W─▶ F = W x ─square─▶ h = sigmoid(F F + b)       what is kept of the block: (k,)
                      F h ─W'─▶ x' = W' (F h)                      whose difference from x is made small

A filter's squared response to a block is the sum, over all pairs of frames, of the products of its responses to them: it is
large where the frames change in step with the filter.

Source: Konda, Memisevic & Michalski 2014, Learning to encode motion using spatio-temporal synchrony (ICLR), section 3, the
autoencoder on one sequence, with tied weights and contraction; Kahou et al. 2016, EmoNets, section 3.3, for its sizes. Biases,
the strength of the contraction and the number of passes are not published.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from emotrace.errors import InputError
from emotrace.learn.precision import computed_in


@dataclass(slots=True)
class SynchronyAutoencoder:
    """k filters of blocks of d numbers.

    Args:
        filters: (k, d) W.
        bias: (k,) b.
    """

    filters: Tensor
    bias: Tensor

    @classmethod
    def start(cls, inputs: int, hidden: int, generator: torch.Generator) -> SynchronyAutoencoder:
        """Random filters of about unit norm, no bias."""
        return cls(torch.randn(hidden, inputs, generator=generator) / inputs**0.5, torch.zeros(hidden))

    def hidden(self, blocks: Tensor) -> Tensor:
        """What is kept of blocks, (n, d) -> (n, k), 0..1."""
        return torch.sigmoid((blocks @ self.filters.T).square() + self.bias)

    def reconstruct(self, blocks: Tensor) -> Tensor:
        """Blocks out of their responses, gated by what is kept of them, (n, d) -> (n, d)."""
        return ((blocks @ self.filters.T) * self.hidden(blocks)) @ self.filters

    def error(self, blocks: Tensor) -> float:
        """Mean over the blocks of the squared difference, summed over a block."""
        return float((self.reconstruct(blocks) - blocks).square().sum(dim=1).mean())

    def loss(self, blocks: Tensor, contraction: float) -> Tensor:
        """Half the squared difference and the contraction, mean over blocks; ().

        The contraction is the squared norm of dh / dx, for which dh_k / dx = 2 h_k (1 - h_k) F_k W_k.
        """
        responses = blocks @ self.filters.T
        kept = torch.sigmoid(responses.square() + self.bias)
        difference = (kept * responses) @ self.filters - blocks
        slope = (2 * kept * (1 - kept) * responses).square() @ self.filters.square().sum(dim=1)
        return 0.5 * difference.square().sum(dim=1).mean() + contraction * slope.mean()


def train(
    network: SynchronyAutoencoder,
    blocks: Tensor,
    *,
    rate: float,
    momentum: float,
    epochs: int,
    batch: int,
    contraction: float,
    precision: Literal["fp32", "bf16"] = "fp32",
    generator: torch.Generator,
) -> list[float]:
    """Fit filters to blocks by stochastic gradient descent with momentum, in place.

    Args:
        network: to be fitted.
        blocks: (n, d) of about unit variance.
        rate: learning rate.
        momentum: of the steps.
        epochs: passes over the blocks, in random order.
        batch: blocks a step; the rest of a pass that fills none is left out unless it is all there is.
        contraction: its weight.
        precision: of the matrix products; "bf16" is several times as fast, and taken only, where the processor knows it.
        generator: of the order.

    Returns:
        The loss a block, mean over each pass, `epochs` numbers.

    Raises:
        InputError: there are no blocks.
    """
    if not len(blocks):
        raise InputError("no blocks to learn filters from; is there a training clip with pictures?")
    parameters = [network.filters.requires_grad_(), network.bias.requires_grad_()]
    optimiser = torch.optim.SGD(parameters, lr=rate, momentum=momentum)
    batch, losses = min(batch, len(blocks)), []
    for _ in range(epochs):
        order = torch.randperm(len(blocks), generator=generator)
        total, steps = torch.zeros(()), len(blocks) // batch
        for start in range(0, steps * batch, batch):
            chosen = order[start : start + batch]
            optimiser.zero_grad()
            with computed_in(precision):
                loss = network.loss(blocks[chosen], contraction)
            loss.backward()   # type: ignore[no-untyped-call]
            optimiser.step()
            total += loss.detach()
        losses.append(float(total) / steps)
    for parameter in parameters:
        parameter.requires_grad_(False)
    return losses
