"""VGG-16 and VGG-Face: the same thirteen convolutions.

    input     3 x 224 x 224
    conv1_1 conv1_2             64 of 3x3    224    pool 2       38,720 parameters
    conv2_1 conv2_2            128 of 3x3    112    pool 2      221,440
    conv3_1 conv3_2 conv3_3    256 of 3x3     56    pool 2    1,475,328
    conv4_1 conv4_2 conv4_3    512 of 3x3     28    pool 2    5,899,776
    conv5_1 conv5_2 conv5_3    512 of 3x3     14    pool 2    7,079,424      14,714,688 in all
    features  512 x 7 x 7 = 25,088
    fc6 4096, fc7 4096, fc8 1000 (VGG-16: 138,357,544 in all) or 2622 (VGG-Face: 145,002,878)

Source: Simonyan & Zisserman 2015, table 1, column D; Parkhi, Vedaldi & Zisserman 2015, Deep Face Recognition, table 3.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # channels, convolutions
IMAGENET_CLASSES = 1000
VGG_FACE_PEOPLE = 2622


class Vgg16(nn.Module):
    """Features of RGB pictures; layers carry the papers' names, so that published weights fit.

    Args:
        size: side of the input, px, a multiple of 32.
    """

    def __init__(self, size: int = 224) -> None:
        super().__init__()
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        channels = 3
        for block, (width, count) in enumerate(BLOCKS, 1):
            for i in range(1, count + 1):
                layers[f"conv{block}_{i}"] = nn.Conv2d(channels, width, 3, padding=1)
                layers[f"relu{block}_{i}"] = nn.ReLU()
                channels = width
            layers[f"pool{block}"] = nn.MaxPool2d(2)
        self.layers = nn.Sequential(layers)
        self.width = channels * (size // 32) ** 2

    def forward(self, images: Tensor) -> Tensor:
        """(n, 3, size, size) -> (n, width)."""
        features: Tensor = self.layers(images)
        return features.flatten(1)
