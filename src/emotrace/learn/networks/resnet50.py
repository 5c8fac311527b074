"""ResNet-50.

    input     3 x 224 x 224 (any size works)
    conv1     64 of 7x7 stride 2, max-pool 3x3 stride 2                      56 x 56      9,536 parameters
    stage 1    3 blocks of 1x1 64, 3x3 64, 1x1 256                           56 x 56    215,808
    stage 2    4 blocks of 1x1 128, 3x3 128, 1x1 512, first with stride 2    28 x 28  1,219,584
    stage 3    6 blocks of 1x1 256, 3x3 256, 1x1 1024, first with stride 2   14 x 14  7,098,368
    stage 4    3 blocks of 1x1 512, 3x3 512, 1x1 2048, first with stride 2    7 x 7  14,964,736
    features  mean over the picture, 2048                                            23,508,032 in all

The stride is in the 3x3 convolution, as in the weights that are published. With a 1000-way layer it has 25,557,032.

Source: He et al. 2016, Deep Residual Learning, table 1.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))  # width, blocks
EXPANSION = 4


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1, added to the input.

    Args:
        inputs: channels in.
        width: channels between.
        stride: of the 3x3 convolution.
    """

    def __init__(self, inputs: int, width: int, stride: int = 1) -> None:
        super().__init__()
        outputs = width * EXPANSION
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        same = inputs == outputs and stride == 1
        projection = (nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        self.downsample = nn.Identity() if same else nn.Sequential(*projection)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, 4 width, h / stride, w / stride)."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.bn3(self.conv3(y)) + self.downsample(x))


class ResNet50(nn.Module):
    """Features of RGB pictures; parameters carry the names of the published weights (conv1, layer1.0.conv1, ...)."""

    width = 2048

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        channels = 64
        for number, (width, count) in enumerate(STAGES, 1):
            blocks: list[nn.Module] = []
            for i in range(count):
                blocks.append(Bottleneck(channels, width, 2 if number > 1 and i == 0 else 1))
                channels = width * EXPANSION
            self.add_module(f"layer{number}", nn.Sequential(*blocks))

    def forward(self, images: Tensor) -> Tensor:
        """(n, 3, h, w) -> (n, 2048)."""
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(images))), 3, 2, 1)
        for number in range(1, len(STAGES) + 1):
            x = self.get_submodule(f"layer{number}")(x)
        return x.mean((2, 3))
