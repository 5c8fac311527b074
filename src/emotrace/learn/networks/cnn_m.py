"""CNN-M, the trunk of the Aff-Wild baseline.

    input     3 x 96 x 96 (Aff-Wild; Chatfield et al.: 3 x 224 x 224)           96        224
    conv 1    96 of 7x7 stride 2, batch norm, ReLU; max-pool 3x3 stride 2    45, 22   109, 54
    conv 2    256 of 5x5 stride 2 pad 1, batch norm, ReLU; max-pool 3x3 / 2  10, 5     26, 13
    conv 3    512 of 3x3 pad 1, batch norm, ReLU                                5         13
    conv 4    512 of 3x3 pad 1, batch norm, ReLU                                5         13
    conv 5    512 of 3x3 pad 1, batch norm, ReLU; max-pool 3x3 stride 2         2          6
    features  512 x 2 x 2 = 2,048                                           2,048     18,432

6,532,416 parameters (6,528,640 of convolutions, 3,776 of batch norm). The head comes from `heads.py`.

Source: Chatfield et al. 2014, Return of the Devil in the Details, table 1; Kollias et al. 2019, Deep Affect Prediction
in-the-wild, section 4 (batch norm in place of LRN).
"""

from __future__ import annotations

from torch import Tensor, nn


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, kernel, stride, padding), nn.BatchNorm2d(outputs), nn.ReLU()]


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, 2, ceil_mode=True)  # Caffe rounds up


class CnnM(nn.Module):
    """Features of RGB faces.

    Args:
        size: side of the input, px.
    """

    def __init__(self, size: int = 96) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_conv(3, 96, 7, stride=2), _pool(),
            *_conv(96, 256, 5, stride=2, padding=1), _pool(),
            *_conv(256, 512, 3, padding=1), *_conv(512, 512, 3, padding=1), *_conv(512, 512, 3, padding=1), _pool(),
        )  # fmt: skip
        self.width = {96: 2048, 224: 18432}[size]

    def forward(self, images: Tensor) -> Tensor:
        """(n, 3, size, size) -> (n, width)."""
        features: Tensor = self.layers(images)
        return features.flatten(1)
