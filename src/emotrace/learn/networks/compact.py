"""`compact`: emotrace's own expression network, small enough to ship.

    input   1 x 48 x 48 grey levels 0..255, standardised per picture         (any side from 32 px works)
    stem    conv 3x3 24, conv 3x3 48 stride 2                                24 x 24
    stage 1 1 residual block of 48                                           24 x 24
    stage 2 2 residual blocks of 96, the first with stride 2                 12 x 12
    stage 3 2 residual blocks of 192, the first with stride 2                 6 x 6
    pool    mean over the picture, dropout
    heads   7 (FER2013's hard label), 8 (the FER+ vote)                      linear

A block is conv 3x3, conv 3x3, squeeze-and-excitation (1/8), added to its input; every conv has batch norm. 1.56 M
parameters, 115 M multiply-adds a face.

Source: He et al. 2016 (residual), Hu et al. 2018 (squeeze-and-excitation), He et al. 2019 (ResNet-D's averaged shortcut).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

EXPRESSIONS = 7
VOTES = 8


def conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution and batch norm."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs)
    )


class Block(nn.Module):
    """Residual block with squeeze-and-excitation.

    Args:
        inputs: channels in.
        outputs: channels out.
        stride: 2 halves the side.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = conv(inputs, outputs, stride=stride)
        self.second = conv(outputs, outputs)
        self.squeeze = nn.Linear(outputs, outputs // 8)
        self.excite = nn.Linear(outputs // 8, outputs)
        pool = nn.AvgPool2d(2, 2, ceil_mode=True) if stride == 2 else nn.Identity()
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else nn.Sequential(pool, conv(inputs, outputs, 1))
        nn.init.zeros_(self.second.get_parameter("1.weight"))  # a block begins as the identity

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h / stride, w / stride)."""
        y = self.second(F.relu(self.first(x)))
        gate = torch.sigmoid(self.excite(F.relu(self.squeeze(y.mean((2, 3))))))
        return F.relu(y * gate[:, :, None, None] + self.shortcut(x))


class Compact(nn.Module):
    """Seven-way and eight-way expression logits of grey face crops.

    Args:
        stem: channels of the first convolution.
        widths: channels of the three stages.
        blocks: blocks of the three stages.
        dropout: share of pooled features dropped while training.
    """

    def __init__(
        self,
        stem: int = 24,
        widths: tuple[int, int, int] = (48, 96, 192),
        blocks: tuple[int, int, int] = (1, 2, 2),
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv(1, stem), nn.ReLU(), conv(stem, widths[0], stride=2), nn.ReLU())
        stages: list[nn.Module] = []
        channels = widths[0]
        for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            for block in range(count):
                stages.append(Block(channels, width, 2 if stage and not block else 1))
                channels = width
        self.stages = nn.Sequential(*stages)
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.Linear(channels, EXPRESSIONS + VOTES)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of both heads side by side.

        Args:
            images: (n, 1, h, w) float grey levels, 0..255.

        Returns:
            (n, 15): EXPRESSION_7 of the hard label, then EXPRESSION_8 of the votes.
        """
        logits: Tensor = self.heads(self.dropout(self.stages(self.stem(standardise(images))).mean((2, 3))))
        return logits


def standardise(images: Tensor) -> Tensor:
    """Each picture with mean 0 and deviation 1, so that light and contrast do not matter; flat pictures stay flat."""
    centred = images - images.mean((1, 2, 3), keepdim=True)
    return centred / (centred.square().mean((1, 2, 3), keepdim=True).sqrt() + 8.0)  # 8 grey levels: keeps noise quiet
