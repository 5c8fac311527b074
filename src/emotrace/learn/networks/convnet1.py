"""EmoNets ConvNet 1: the frame network that won EmotiW 2013.

    input     1 x 40 x 40, random crops of 48 x 48 and their mirror images
    conv 1    64 of 5x5, pad 2, ReLU      40 x 40      1,664 parameters
    pool 1    max 3x3 stride 2, LRN       20 x 20
    conv 2    64 of 5x5, pad 2, ReLU      20 x 20    102,464
    pool 2    average 3x3 stride 2, LRN   10 x 10
    conv 3    128 of 5x5, pad 2, ReLU     10 x 10    204,928
    pool 3    average 3x3 stride 2         5 x 5
    softmax   7                                       22,407       331,463 in all

Trained with rate .001 (biases .002), momentum .9, weight decay .004 (fully connected: 1).

Source: Kahou et al. 2015, EmoNets, section 3.1; sizes of pooling and normalisation are those of the network it is taken
from, Krizhevsky's cuda-convnet layers-18pct (LRN of 3 maps, scale 5e-5, power .75).
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from emotrace.learn.networks.compact import standardise

SCALE = 5e-5
INPUT = 40
CONTRAST = 60.0  # grey levels, deviation of every picture; about that of FER2013's
RATE_FACTORS = (("bias", 2.0),)
DECAYS = (("bias", 0.0), ("classifier", 1.0), ("weight", 0.004))


class ResponseNorm(nn.Module):
    """Local response normalisation over three maps: x / (1 + 5e-5 (sum of the squares of a map and its two neighbours))^.75.

    The same as torch's LocalResponseNorm(3, alpha=1.5e-4), which took half of a training step.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c, h, w)."""
        square = F.pad(x.square(), (0, 0, 0, 0, 1, 1))
        scale = 1 + SCALE * (square[:, :-2] + square[:, 1:-1] + square[:, 2:])
        return x * (scale.rsqrt() * scale.sqrt().rsqrt())


class ConvNet1(nn.Module):
    """Seven expression logits of 40 x 40 grey crops."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True), ResponseNorm(),
            nn.Conv2d(64, 64, 5, padding=2), nn.ReLU(), nn.AvgPool2d(3, 2, ceil_mode=True), ResponseNorm(),
            nn.Conv2d(64, 128, 5, padding=2), nn.ReLU(), nn.AvgPool2d(3, 2, ceil_mode=True),
        )  # fmt: skip
        self.classifier = nn.Linear(128 * 5 * 5, 7)

    def forward(self, images: Tensor) -> Tensor:
        """(n, 1, 40, 40) -> (n, 7) logits."""
        logits: Tensor = self.classifier(self.features(images).flatten(1))
        return logits


class Centred(nn.Module):
    """The network on the middle of pictures brought to one brightness and contrast.

    The published rates and decays belong to pictures on the scale of grey levels with their mean taken away (the CIFAR layout
    of cuda-convnet): with a deviation of 1 the same rate learns several times more slowly, and the decays weigh more.

    Args:
        network: of 40 x 40 crops.
    """

    def __init__(self, network: ConvNet1) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """(n, 1, h, w) grey levels, h and w at least 40 -> (n, 7) logits."""
        top, left = (images.shape[2] - INPUT) // 2, (images.shape[3] - INPUT) // 2
        logits: Tensor = self.network(CONTRAST * standardise(images)[:, :, top : top + INPUT, left : left + INPUT])
        return logits
