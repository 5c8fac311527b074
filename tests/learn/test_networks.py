"""Shapes and parameter counts of the networks, against the published tables in their docstrings."""

from __future__ import annotations

import re
import sys

import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from torch import nn  # noqa: E402

from emotrace.learn.networks import heads  # noqa: E402
from emotrace.learn.networks.cnn_lm import LandmarkNet  # noqa: E402
from emotrace.learn.networks.cnn_m import CnnM  # noqa: E402
from emotrace.learn.networks.compact import Compact, standardise  # noqa: E402
from emotrace.learn.networks.convnet1 import SCALE, ConvNet1, ResponseNorm  # noqa: E402
from emotrace.learn.networks.mixed_emotions import MixedEmotions  # noqa: E402
from emotrace.learn.networks.resnet50 import ResNet50  # noqa: E402
from emotrace.learn.networks.vgg16 import IMAGENET_CLASSES, VGG_FACE_PEOPLE, Vgg16  # noqa: E402


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("network", "shape", "output", "count"),
    [
        (ConvNet1, (1, 40, 40), (7,), 331_463),
        (MixedEmotions, (1, 48, 48), (7,), 58_593_619),
        (LandmarkNet, (1, 40, 40), (5, 2), 78_246),
        (CnnM, (3, 96, 96), (2048,), 6_532_416),
        (lambda: CnnM(224), (3, 224, 224), (18432,), 6_532_416),
        (Vgg16, (3, 224, 224), (25088,), 14_714_688),
        (ResNet50, (3, 224, 224), (2048,), 23_508_032),
        (Compact, (1, 48, 48), (15,), 1_557_045),
    ],
)
def test_a_network_has_the_published_shape_and_size(network, shape, output, count):
    with torch.device("meta"):
        made = network().eval()
        assert made(torch.empty(2, *shape)).shape == (2, *output)
    assert parameters(made) == count


@pytest.mark.parametrize("network", [ConvNet1, MixedEmotions, LandmarkNet, Vgg16])
def test_the_table_in_the_docstring_adds_up(network):
    text = (sys.modules[network.__module__].__doc__ or "").partition(" in all")[0]
    numbers = re.findall(r"\d{1,3}(?:,\d{3})+|\d+(?= parameters)", text)
    *layers, total = [int(number.replace(",", "")) for number in numbers]
    with torch.device("meta"):
        count = parameters(network())
    assert count == total == sum(layers)


@pytest.mark.parametrize(
    ("trunk", "widths", "outputs", "landmarks", "count"),
    [
        (Vgg16, heads.DEX, IMAGENET_CLASSES, 0, 138_357_544),
        (Vgg16, heads.DEX, VGG_FACE_PEOPLE, 0, 145_002_878),
        (ResNet50, (), IMAGENET_CLASSES, 0, 25_557_032),
        (CnnM, heads.AFF_WILD_WIDE, 2, heads.LANDMARKS, 6_532_416 + (2048 + 136 + 1) * 4096 + 4097 * 2048 + 2049 * 2),
        (ResNet50, heads.AFF_WILD_RESNET, 2, heads.LANDMARKS, 23_508_032 + (2048 + 136 + 1) * 1500 + 1501 * 256 + 257 * 2),
        (Vgg16, heads.UPC_ONE, 7, 0, 14_714_688 + 25089 * 4096 + 4097 * 256 + 257 * 7),
        (Vgg16, heads.UPC_TWO, 7, 0, 14_714_688 + 25089 * 512 + 513 * 256 + 257 * 7),
    ],
)
def test_a_head_on_a_trunk_has_the_published_size(trunk, widths, outputs, landmarks, count):
    with torch.device("meta"):
        body = trunk()
        network = heads.Headed(body, body.width, widths, outputs, landmarks).eval()
        side = 96 if trunk is CnnM else 224
        points = torch.empty(2, 68, 2) if landmarks else None
        assert network(torch.empty(2, 3, side, side), points).shape == (2, outputs)
    assert parameters(network) == count


def test_the_expected_age_of_a_sure_network_is_that_age_and_of_an_unsure_one_fifty():
    sure = torch.zeros(1, heads.AGES)
    sure[0, 37] = 1000.0
    assert heads.expected_age(sure).item() == pytest.approx(37)
    assert heads.expected_age(torch.zeros(1, heads.AGES)).item() == pytest.approx(50)


def test_light_and_contrast_change_what_compact_says_hardly():
    torch.manual_seed(0)
    faces = torch.rand(3, 1, 48, 48) * 100 + 50
    darker = faces * 0.8 - 20
    assert torch.allclose(standardise(faces), standardise(darker), atol=0.3)
    assert standardise(torch.full((1, 1, 48, 48), 77.0)).abs().max() == 0


def test_response_norm_is_that_of_torch_and_of_krizhevsky():
    x = torch.randn(2, 8, 5, 5, generator=torch.Generator().manual_seed(0)) * 80
    torch.testing.assert_close(ResponseNorm()(x), nn.LocalResponseNorm(3, alpha=3 * SCALE, beta=0.75)(x))
