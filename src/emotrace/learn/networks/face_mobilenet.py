"""MobileNet of face recognition, with heads for expressions.

    input   1 grey levels 0..255, about 120 taken off         128 x 128 (or 32, 64, 96, ...)
    conv    3 x 3, 32, stride 2                                 64
    1       depthwise 3 x 3, pointwise 64                       64
    2, 3    depthwise 3 x 3 (stride 2, 1), pointwise 128        32
    4, 5    the same, 256                                       16
    6..11   the same, 512                                        8
    12, 13  the same, 1,024                                      4
    pool    mean over the picture, dropout
    heads   7 (FER2013's hard label), 8 (the FER+ vote)        linear

ReLU bounded at 6 behind every convolution; batch norm is folded into the weights. 3.2 M parameters; 185 M multiply-adds a
face at 128 px. The weights to start from are those of Savchenko's network, learnt on the faces of VGGFace2 (colour; the
three colours' kernels are added up, which is the same for a grey picture). Where the side is halved, kernels are 4 x 4 with
an empty row and column, which is how the published ones pad.

Source: Howard et al. 2017 (MobileNet); Savchenko 2019, Efficient facial representations for age, gender and identity
recognition in organizing photo albums using multi-output ConvNet, PeerJ Computer Science 5:e197 (the weights).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from emotrace import weights
from emotrace.errors import WeightsError
from emotrace.learn.networks.fixed_depthwise import FixedDepthwise, with_border_behind

FEATURES = 1024
OUTPUTS = 7 + 8
WIDTHS = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, FEATURES)
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
WEIGHTS = "face_mobilenet"
MEANS = (123.68, 116.78, 103.94)  # red, green, blue that the weights were learnt with
GREY = 120.0
AGES, DESCRIPTOR = 100, 256  # sizes of the heads of the published network, which are left out


class FaceMobileNet(nn.Module):
    """Seven-way and eight-way expression logits of grey face crops; sides of 32, 64, 96, 128, ... px.

    Args:
        fixed: blocks, counted from the input, whose weights are not learnt; -1: the first convolution is learnt, too.
        dropout: share of pooled features dropped while training.
        outputs: of the linear layer.
    """

    def __init__(self, fixed: int = 1, dropout: float = 0.3, outputs: int = OUTPUTS) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, WIDTHS[0], 4, 2, 1)
        self.depthwise = nn.ModuleList(
            FixedDepthwise(width, stride) for width, stride in zip(WIDTHS[:-1], STRIDES, strict=True)
        )
        self.pointwise = nn.ModuleList(
            nn.Conv2d(inputs, width, 1) for inputs, width in pairwise(WIDTHS)
        )
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.Linear(FEATURES, outputs)
        self.first.requires_grad_(fixed < 0)
        for layer in self.pointwise[: max(fixed, 0)]:
            layer.requires_grad_(False)

    def features(self, images: Tensor) -> Tensor:
        """(n, 1, h, w) grey levels 0..255 -> (n, 1024)."""
        x = F.relu6(self.first(images - GREY))
        for depthwise, pointwise in zip(self.depthwise, self.pointwise, strict=True):
            x = F.relu6(pointwise(F.relu6(depthwise(x))))
        return x.mean((2, 3))

    def answers(self, features: Tensor) -> Tensor:
        """(n, 1024) -> logits (n, outputs); EXPRESSION_7 of the hard label, then EXPRESSION_8 of the votes."""
        logits: Tensor = self.heads(self.dropout(features))
        return logits

    def forward(self, images: Tensor) -> Tensor:
        """(n, 1, h, w) -> logits (n, outputs)."""
        return self.answers(self.features(images))


def pretrained(network: FaceMobileNet) -> FaceMobileNet:
    """The network with what was learnt on face recognition in all but its heads.

    Raises:
        WeightsError: the weights cannot be fetched.
    """
    kernels, offsets = published(weights.read(WEIGHTS))
    with torch.no_grad():
        colour = torch.from_numpy(kernels[0].copy())  # (32, 3, 3, 3)
        shift = torch.tensor(MEANS) - GREY
        network.first.weight.copy_(with_border_behind(colour.sum(1, keepdim=True)))
        network.first.bias.copy_(torch.from_numpy(offsets[0]) - (colour.sum((2, 3)) * shift).sum(1))  # type: ignore[union-attr]
        for i, (depthwise, pointwise) in enumerate(zip(network.depthwise, network.pointwise, strict=True)):
            for at, layer in ((1 + 2 * i, depthwise), (2 + 2 * i, pointwise)):
                kernel, offset = torch.from_numpy(kernels[at].copy()), torch.from_numpy(offsets[at].copy())
                lowers = layer is depthwise and STRIDES[i] == 2
                layer.load_state_dict({"weight": with_border_behind(kernel) if lowers else kernel, "bias": offset})
    return network


def published(content: bytes) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]:
    """Kernels (out, in, h, w) and biases (out,) of the 27 convolutions, in order, from the file of half floats.

    Raises:
        WeightsError: the file is shorter or longer than the network.
    """
    numbers = np.frombuffer(content[: len(content) // 2 * 2], "<f2").astype(np.float32)
    place = AGES * (DESCRIPTOR + 1) + DESCRIPTOR * (FEATURES + 1) + DESCRIPTOR + 1  # its own heads come first

    def take(*shape: int) -> NDArray[np.float32]:
        nonlocal place
        count = int(np.prod(shape))
        taken = numbers[place : place + count]
        if len(taken) < count:
            raise WeightsError(f"{WEIGHTS}: {len(content)} bytes are too few for the network; fetch the weights again")
        place += count
        return taken.reshape(shape)

    kernels = [take(3, 3, 3, WIDTHS[0]).transpose(3, 2, 0, 1)]
    offsets = [take(WIDTHS[0])]
    take(2)  # the bounds of the activation, 6 and 0
    for inputs, width in pairwise(WIDTHS):
        depthwise, factor, offset = take(3, 3, inputs, 1).transpose(2, 3, 0, 1), take(inputs), take(inputs)
        take(2)
        kernels.append(depthwise * factor[:, None, None, None])
        offsets.append(offset)
        kernels.append(take(1, 1, inputs, width).transpose(3, 2, 0, 1))
        offsets.append(take(width))
        take(2)
    rest = len(content) - 2 * place
    if rest != 8:  # two int32: the axes of the mean
        raise WeightsError(f"{WEIGHTS}: {rest - 8} bytes more than the network has; fetch the weights again")
    return kernels, offsets
