"""DenseNet-121 of expressions: a large network that others learn from.

    input   1 grey levels 0..255, brought to 0..1      224 x 224
    conv    7 x 7, 64, stride 2; max pool 3 x 3         56
    block   6 layers: norm, 1 x 1 of 128, norm, 3 x 3 of 32, each put beside what came in      256 x 56
    between norm, 1 x 1 of half as many, mean of 2 x 2                                         128 x 28
    block   12 layers, between                          256 x 14
    block   24 layers, between                          512 x 7
    block   16 layers, norm                           1,024 x 7
    pool    mean over the picture                     1,024
    fc      7, in the order of FER2013

7.0 M parameters, 2.9 G multiply-adds a face: too slow for the default of `analyze`; it is `face.expression_densenet`. The
weights are a third party's (`expression_densenet` in weights.toml) and say nothing of their training; what they name of
FER2013's parts says it: 98 % of Training, which they have learnt by heart, 71.1 % of PublicTest, which they have not. They want
faces at 224 px: at 160 px they name 63 %.

Source: Huang et al. 2017, Densely connected convolutional networks, table 1.
"""

from __future__ import annotations

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from emotrace import weights
from emotrace.errors import WeightsError

WEIGHTS = "expression_densenet"
SIZE = 224
GROWTH, BOTTLENECK = 32, 128
BLOCKS = (6, 12, 24, 16)
FEATURES = 1024
EPSILON = 1e-5


class Norm(nn.Module):
    """Batch norm of a network that is not trained any more: a factor and an offset for each map."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width, 1, 1))
        self.bias = nn.Parameter(torch.zeros(width, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c, h, w)."""
        return x * self.weight + self.bias


class Layer(nn.Module):
    """32 maps of all that came before, put beside it; the norm behind the 1 x 1 is folded into its weights."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.norm = Norm(inputs)
        self.narrow = nn.Conv2d(inputs, BOTTLENECK, 1)
        self.conv = nn.Conv2d(BOTTLENECK, GROWTH, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c + 32, h, w)."""
        return torch.cat([x, self.conv(F.relu(self.narrow(F.relu(self.norm(x)))))], 1)


class Between(nn.Module):
    """Half the maps at half the side."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.norm = Norm(inputs)
        self.narrow = nn.Conv2d(inputs, inputs // 2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c / 2, h / 2, w / 2)."""
        return F.avg_pool2d(self.narrow(F.relu(self.norm(x))), 2)


class FaceDenseNet(nn.Module):
    """Features and seven expression logits of grey face crops of any size.

    Args:
        size: side to which they are brought, px.
    """

    def __init__(self, size: int = SIZE) -> None:
        super().__init__()
        self.size = size
        self.first = nn.Conv2d(1, 64, 7, 2, 3)
        layers: list[nn.Module] = []
        width = 64
        for block, depth in enumerate(BLOCKS):
            layers += [Layer(width + GROWTH * i) for i in range(depth)]
            width += GROWTH * depth
            if block < len(BLOCKS) - 1:
                layers.append(Between(width))
                width //= 2
        self.layers = nn.Sequential(*layers)
        self.norm = Norm(width)
        self.classifier = nn.Linear(width, 7)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 1, h, w) grey levels 0..255 -> features (n, 1024) and logits (n, 7)."""
        x = F.interpolate(images, (self.size, self.size), mode="bilinear", align_corners=False) / 255
        x = F.max_pool2d(F.relu(self.first(x.to(self.first.weight.dtype))), 3, 2, 1)
        features = F.relu(self.norm(self.layers(x))).mean((2, 3))
        return features, self.classifier(features)


def published() -> FaceDenseNet:
    """The network with the published weights, in eval mode; the three colours' kernels are added up.

    Raises:
        WeightsError: the weights cannot be fetched, or are of another network.
    """
    network = FaceDenseNet().eval()
    graph = onnx.load_model_from_string(weights.read(WEIGHTS)).graph
    tensors = {item.name: torch.from_numpy(numpy_helper.to_array(item).copy()) for item in graph.initializer}
    layers = {"Conv": nn.Conv2d, "BatchNormalization": Norm, "Gemm": nn.Linear}
    try:
        for operator, kind in layers.items():
            modules = [module for module in network.modules() if isinstance(module, kind)]
            nodes = [node for node in graph.node if node.op_type == operator]
            for module, node in zip(modules, nodes, strict=True):
                given = [tensors[name] for name in node.input[1:]]
                if isinstance(module, Norm):
                    given = list(_folded(*given))
                if module is network.first:
                    given[0] = given[0].sum(1, keepdim=True)
                module.load_state_dict(dict(zip(("weight", "bias"), given, strict=False)))
    except (KeyError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{WEIGHTS}: not the weights of DenseNet-121; fetch the weights again") from error
    return network


def _folded(weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
    """A batch norm's four numbers for each map as factor and offset, (c, 1, 1)."""
    factor = weight / (variance + EPSILON).sqrt()
    return factor[:, None, None], (bias - mean * factor)[:, None, None]
