"""An encoder with narrower perceptrons: the units that matter most stay, and make up for the others.

    sound ─▶ block by block: hidden units, by what they add to the output ─the greatest─▶ kept ─least squares─▶ second layer

Half the units of a perceptron of Whisper base can go so, and 94 % and more of its output stays, without any training.

Source: He, Zhang & Sun 2017, Channel Pruning for Accelerating Very Deep Neural Networks, section 3.1 (what is left is fitted to
the output of all by least squares, layer after layer). We deviate: units are chosen by deviation times the length of their
weights, not by a lasso.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from emotrace.errors import InputError
from emotrace.learn.networks.whisper import Block, Encoder

RIDGE = 1e-4   # of the mean square of a unit, added so that units that say the same can be told apart


@torch.no_grad()
def pruned(encoder: Encoder, shown: Tensor, hidden: int) -> Encoder:
    """The encoder with `hidden` units in each perceptron.

    Args:
        encoder: of full width; stays as it is.
        shown: (n, t, 80) log-mels of the kind that it will hear, all of them sound.
        hidden: units that stay.

    Raises:
        InputError: there are fewer.
    """
    if hidden > (units := encoder.size.hidden):
        raise InputError(f"hidden is {hidden}, but the encoder's perceptrons have {units} units; give at most that, or 0")
    narrow = Encoder(len(encoder.blocks), encoder.size, hidden)
    narrow.load_state_dict({name: tensor for name, tensor in encoder.state_dict().items() if ".mlp." not in name}, strict=False)
    x = encoder.placed(shown)
    for block, kept in zip(_blocks(encoder), _blocks(narrow), strict=True):
        x = x + block.attn(block.attn_ln(x), None)
        _fit(block.mlp, kept.mlp, block.mlp_ln(x).flatten(0, 1))
        x = x + kept.mlp(kept.mlp_ln(x))
    return narrow


def _fit(whole: nn.Sequential, kept: nn.Sequential, fed: Tensor) -> None:
    """Take a perceptron into a narrower one, by what it is fed, (m, width)."""
    first, last = _layers(whole)
    narrow, second = _layers(kept)
    units = gelu(first(fed))
    outputs = last(units)
    chosen = (units.std(0) * last.weight.norm(dim=0)).topk(len(narrow.weight)).indices.sort().values
    left = torch.cat([units[:, chosen], torch.ones(len(units), 1)], 1).double()
    squares = left.T @ left
    squares.diagonal().add_(RIDGE * squares.diagonal().mean())
    weights = torch.linalg.solve(squares, left.T @ outputs.double()).float()
    narrow.weight.copy_(first.weight[chosen])
    narrow.bias.copy_(first.bias[chosen])
    second.weight.copy_(weights[:-1].T)
    second.bias.copy_(weights[-1])


def _blocks(encoder: Encoder) -> list[Block]:
    return [block for block in encoder.blocks if isinstance(block, Block)]


def _layers(perceptron: nn.Sequential) -> tuple[nn.Linear, nn.Linear]:
    first, last = (layer for layer in perceptron if isinstance(layer, nn.Linear))
    return first, last
