"""VGG-Face whole: the thirteen convolutions and three fully connected layers, to be fine-tuned.

    layers    see vgg16, 512 x 7 x 7 of 224 px
    fc6       4096 of 7 x 7, ReLU, dropout     102,764,544 parameters
    fc7       4096 of 1 x 1, ReLU, dropout      16,781,312
    fc8       2622 people, 1 x 1                10,742,334

Layers carry the paper's names, and the fully connected ones are convolutions, as in the MatConvNet file that is published.

Source: Parkhi, Vedaldi & Zisserman 2015, Deep Face Recognition, table 3.
"""

from __future__ import annotations

from torch import Tensor, nn

from emotrace.learn.networks.vgg16 import BLOCKS, VGG_FACE_PEOPLE, Vgg16

HIDDEN = 4096
SIZE = 224


class VggFace(nn.Module):
    """Logits of RGB pictures, their mean colour taken off.

    Args:
        size: side of the input, px, a multiple of 32.
        hidden: units of fc6 and fc7.
        outputs: of fc8.
        dropout: share of fc6's and fc7's units dropped while training.
    """

    def __init__(
        self, size: int = SIZE, hidden: int = HIDDEN, outputs: int = VGG_FACE_PEOPLE, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.size = size
        self.layers = Vgg16(size).layers
        self.fc6 = nn.Conv2d(BLOCKS[-1][0], hidden, size // 32)
        self.fc7 = nn.Conv2d(hidden, hidden, 1)
        self.fc8 = nn.Conv2d(hidden, outputs, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, images: Tensor) -> Tensor:
        """(n, 3, size, size) -> (n, outputs)."""
        maps = self.layers(images)
        for layer in (self.fc6, self.fc7):
            maps = self.dropout(layer(maps).relu())
        logits: Tensor = self.fc8(maps).flatten(1)
        return logits
