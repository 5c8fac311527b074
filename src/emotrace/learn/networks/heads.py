"""The heads that papers put on a trunk, and the trunk with one of them.

    UPC        FC 4096, 256, k            or 512, 256, k          on VGG-Face           expression
    Aff-Wild   FC 4096, 2048, 2           (+ 68 x 2 landmarks)    on CNN-M, VGG-Face    valence, arousal
    Aff-Wild   FC 1500, 256, 2            (+ 68 x 2 landmarks)    on ResNet-50          valence, arousal
    DEX        FC 4096, 4096, 101         expectation             on VGG-16             age in years
    DEX        FC 4096, 4096, 2                                   on VGG-16             gender

Source: Kollias et al. 2019, Deep Affect Prediction in-the-wild, tables 3-5; Rothe, Timofte & Van Gool 2018, Deep Expectation
of Real and Apparent Age; UPC at EmotiW 2015-16 (fine-tuned VGG-Face).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

UPC_ONE = (4096, 256)
UPC_TWO = (512, 256)
AFF_WILD_WIDE = (4096, 2048)
AFF_WILD_RESNET = (1500, 256)
DEX = (4096, 4096)
LANDMARKS = 68 * 2
AGES = 101


class Headed(nn.Module):
    """A trunk and fully connected layers fc1, fc2, ... on it.

    Args:
        trunk: gives (n, features) for (n, c, h, w).
        features: their number, `trunk.width` of the trunks here.
        widths: sizes of the layers between, each with ReLU and dropout.
        outputs: size of the last, linear layer.
        landmarks: (x, y) numbers given to the first layer beside the features, 0 or 136.
        dropout: share dropped behind each layer between.
    """

    def __init__(
        self, trunk: nn.Module, features: int, widths: tuple[int, ...], outputs: int, landmarks: int = 0, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.trunk = trunk
        sizes = (features + landmarks, *widths, outputs)
        self.head = nn.ModuleDict({f"fc{i}": nn.Linear(a, b) for i, (a, b) in enumerate(pairwise(sizes), 1)})
        self.dropout = nn.Dropout(dropout)

    def forward(self, images: Tensor, landmarks: Tensor | None = None) -> Tensor:
        """Outputs of the last layer.

        Args:
            images: (n, c, h, w).
            landmarks: (n, 68, 2) where the head has them as input.

        Returns:
            (n, outputs).
        """
        *_, last = self.head.values()
        outputs: Tensor = last(self.before_last(images, landmarks))
        return outputs

    def before_last(self, images: Tensor, landmarks: Tensor | None = None) -> Tensor:
        """What the last layer reads, (n, widths[-1]); arguments as of `forward`. Fusion of features begins here."""
        x: Tensor = self.trunk(images)
        if landmarks is not None:
            x = torch.cat([x, landmarks.flatten(1)], dim=1)
        *between, _ = self.head.values()
        for layer in between:
            x = self.dropout(torch.relu(layer(x)))
        return x


def expected_age(logits: Tensor) -> Tensor:
    """Expectation of the ages 0..100 under their softmax: (n, 101) -> (n,) years.

    Source: Rothe et al. 2018, eq. 4.
    """
    return logits.softmax(1) @ torch.arange(AGES, dtype=logits.dtype, device=logits.device)
