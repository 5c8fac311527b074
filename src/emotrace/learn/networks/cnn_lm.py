"""CNN-lm: five landmarks of a small face by regression.

    input     1 x 40 x 40
    conv 1    16 of 5x5, |tanh|     36 x 36       416 parameters
    pool      max 2x2               18 x 18
    conv 2    48 of 3x3, |tanh|     16 x 16     6,960
    pool      max 2x2                8 x 8
    conv 3    64 of 3x3, |tanh|      6 x 6     27,712
    pool      max 2x2                3 x 3
    conv 4    64 of 2x2, |tanh|      2 x 2     16,448
    fc        100, |tanh|                      25,700
    linear    5 x 2                             1,010         78,246 in all

Source: Zhang et al. 2014, Facial Landmark Detection by Deep Multi-task Learning, fig. 3; |tanh| as in Sun, Wang & Tang 2013.
"""

from __future__ import annotations

from torch import Tensor, nn


class AbsTanh(nn.Module):
    """|tanh(x)|: Jarrett et al. 2009 found the absolute value to matter."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return x.tanh().abs()


class LandmarkNet(nn.Module):
    """Five points of 40 x 40 grey faces."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 5), AbsTanh(), nn.MaxPool2d(2),
            nn.Conv2d(16, 48, 3), AbsTanh(), nn.MaxPool2d(2),
            nn.Conv2d(48, 64, 3), AbsTanh(), nn.MaxPool2d(2),
            nn.Conv2d(64, 64, 2), AbsTanh(),
        )  # fmt: skip
        self.regressor = nn.Sequential(nn.Linear(64 * 2 * 2, 100), AbsTanh(), nn.Linear(100, 10))

    def forward(self, images: Tensor) -> Tensor:
        """(n, 1, 40, 40) -> (n, 5, 2): x, y as shares of the side."""
        points: Tensor = self.regressor(self.features(images).flatten(1))
        return points.reshape(-1, 5, 2)
