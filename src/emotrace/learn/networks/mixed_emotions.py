"""MixedEmotions expression CNN: 70.5 % on FER2013 in 2016.

    input     1 x 48 x 48
    conv      128 of 3x3, ReLU      48 x 48        1,280 parameters
    conv      128 of 3x3, ReLU      48 x 48      147,584
    pool      max 2x2               24 x 24
    conv      256 of 3x3, ReLU      24 x 24      295,168
    conv      256 of 3x3, ReLU      24 x 24      590,080
    pool      max 2x2               12 x 12
    fc        1500, ReLU, dropout .5          55,297,500
    fc        1500, ReLU, dropout .5           2,251,500
    softmax   7                                   10,507      58,593,619 in all

Trained with SGD, momentum and a very small weight decay.

Source: MixedEmotions deliverable D4.6 (2016). It does not say how edges are treated; pictures are padded by 1, so that sizes
halve evenly. Nor does it say how weights begin; ours begin as He et al. 2015 draw them (equation 10), since without batch norm
a signal drawn otherwise is lost on its way.
"""

from __future__ import annotations

from torch import Tensor, nn

LAST = 0.01  # deviation of the last layer's first weights: every expression is as likely at first


class MixedEmotions(nn.Module):
    """Seven expression logits of 48 x 48 grey faces."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 128, 3, padding=1), nn.ReLU(), nn.Conv2d(128, 128, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(128, 256, 3, padding=1), nn.ReLU(), nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        )  # fmt: skip
        self.classifier = nn.Sequential(
            nn.Linear(256 * 12 * 12, 1500), nn.ReLU(), nn.Dropout(0.5),
            nn.Linear(1500, 1500), nn.ReLU(), nn.Dropout(0.5),
            nn.Linear(1500, 7),
        )  # fmt: skip
        layers = [layer for layer in self.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
        for layer in layers:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.constant_(layer.bias, 0.0)  # type: ignore[arg-type]
        nn.init.normal_(layers[-1].weight, std=LAST)

    def forward(self, images: Tensor) -> Tensor:
        """(n, 1, 48, 48) -> (n, 7) logits."""
        logits: Tensor = self.classifier(self.features(images).flatten(1))
        return logits
