"""Face recognition's MobileNet: the published layers, the file they are read from, and the way back through the fixed ones."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from torch.nn import functional as F  # noqa: E402, N812

from emotrace import weights  # noqa: E402
from emotrace.errors import WeightsError  # noqa: E402
from emotrace.learn.export import run  # noqa: E402
from emotrace.learn.networks import face_mobilenet  # noqa: E402
from emotrace.learn.networks.face_mobilenet import FaceMobileNet  # noqa: E402
from emotrace.learn.networks.fixed_depthwise import FixedDepthwise, with_border_behind  # noqa: E402
from emotrace.learn.two_heads import At  # noqa: E402
from emotrace.recipes.expression_mobilenet import Config  # noqa: E402


@pytest.mark.parametrize("stride", [1, 2])
def test_the_way_back_is_that_of_torch(stride):
    layer = FixedDepthwise(5, stride).double()
    x = torch.randn(3, 5, 8, 6, dtype=torch.double, requires_grad=True)
    reference = F.conv2d(x, layer.weight, layer.bias, stride, 1, groups=5)
    given = layer(x)
    assert given.shape == (3, 5, 8 // stride, 6 // stride)
    assert torch.equal(given, reference)
    slope = torch.randn_like(given)
    (expected,), (found,) = torch.autograd.grad(reference, x, slope), torch.autograd.grad(given, x, slope)
    assert found.numpy() == pytest.approx(expected.numpy(), abs=1e-12)


def test_a_kernel_with_an_empty_row_and_column_pads_behind_the_picture_alone():
    x, kernel = torch.randn(2, 3, 8, 8), torch.randn(4, 3, 3, 3)
    expected = F.conv2d(F.pad(x, (0, 1, 0, 1)), kernel, None, 2)
    assert F.conv2d(x, with_border_behind(kernel), None, 2, 1).numpy() == pytest.approx(expected.numpy(), abs=1e-5)


def made_file() -> tuple[bytes, list[np.ndarray]]:
    """A file in the published order whose every number says its place."""
    random = np.random.default_rng(0)
    heads = 256 * 100 + 100 + 1024 * 256 + 256 + 256 + 1
    numbers, kernels = [np.zeros(heads)], []
    shapes = [(3, 3, 3, 32), (32,), (2,)]
    for inputs, width in zip(face_mobilenet.WIDTHS[:-1], face_mobilenet.WIDTHS[1:], strict=True):
        shapes += [(3, 3, inputs, 1), (inputs,), (inputs,), (2,), (1, 1, inputs, width), (width,), (2,)]
    for shape in shapes:
        kernels.append((random.standard_normal(shape) / np.sqrt(np.prod(shape[:3]))).astype("<f2"))
        numbers.append(kernels[-1].ravel())
    return np.concatenate(numbers).astype("<f2").tobytes() + np.array([1, 2], "<i4").tobytes(), kernels


def test_every_tensor_of_the_file_goes_to_its_layer(monkeypatch):
    content, kernels = made_file()
    monkeypatch.setattr(face_mobilenet.weights, "read", lambda name: content)
    network = face_mobilenet.pretrained(FaceMobileNet())
    assert network.first.weight[5, 0, 2, 3].item() == pytest.approx(kernels[0][1, 2, :, 5].astype(np.float32).sum())
    factor, offset = kernels[4].astype(np.float32), kernels[5].astype(np.float32)
    assert network.depthwise[0].weight[7, 0, 2, 0].item() == pytest.approx(kernels[3][2, 0, 7, 0] * factor[7], rel=1e-6)
    assert network.depthwise[0].bias.numpy() == pytest.approx(offset)
    assert network.pointwise[12].weight[9, 4, 0, 0].item() == kernels[-3][0, 0, 4, 9]
    assert network.pointwise[12].bias.detach().numpy() == pytest.approx(kernels[-2].astype(np.float32))


def test_a_grey_picture_gives_what_the_colour_kernels_give(monkeypatch):
    content, kernels = made_file()
    monkeypatch.setattr(face_mobilenet.weights, "read", lambda name: content)
    network = face_mobilenet.pretrained(FaceMobileNet())
    grey = torch.rand(2, 1, 16, 16) * 255
    colour = grey - torch.tensor(face_mobilenet.MEANS)[None, :, None, None]
    kernel = torch.from_numpy(kernels[0].astype(np.float32)).permute(3, 2, 0, 1)
    expected = F.conv2d(colour, kernel, torch.from_numpy(kernels[1].astype(np.float32)), 2)
    found = network.first(grey - face_mobilenet.GREY)[:, :, :7, :7]  # without the border
    assert found.detach().numpy() == pytest.approx(expected.numpy(), abs=1e-2)


@pytest.mark.parametrize(("change", "message"), [(lambda c: c[:-4000], "too few"), (lambda c: c + b"....", "4 bytes more")])
def test_a_file_of_another_length_is_refused(change, message):
    with pytest.raises(WeightsError, match=message):
        face_mobilenet.published(change(made_file()[0]))


def test_the_layers_are_those_of_the_table():
    network = FaceMobileNet()
    learnt = sum(p.numel() for p in network.parameters()) + sum(b.numel() for b in network.buffers())
    assert learnt == 3_210_831 + 7 * (32 + 64 + 128 + 256 + 512)  # and the empty rows and columns
    assert network(torch.zeros(2, 1, 64, 64)).shape == (2, 15)
    assert network.features(torch.zeros(2, 1, 128, 128)).shape == (2, 1024)


def test_fixed_blocks_are_not_learnt():
    network = FaceMobileNet(fixed=2)
    network(torch.rand(2, 1, 32, 32)).sum().backward()
    assert network.first.weight.grad is None
    assert [layer.weight.grad is None for layer in network.pointwise] == [True] * 2 + [False] * 11
    assert all(not layer.requires_grad for layer in (network.depthwise[i].weight for i in range(13)))


def test_a_run_begins_with_what_was_shipped():
    begun = Config(begin=str(weights.path("expression"))).begun().eval()
    crops = np.random.default_rng(0).integers(0, 256, (4, 1, 48, 48)).astype(np.float32)
    (expected, _) = run(weights.path("expression"), crops)
    with torch.no_grad():
        said = At(begun, 128)(torch.from_numpy(crops))[:, :7].softmax(1).numpy()
    assert np.abs(said - expected).max() < 0.1  # ranges in 8 bits, and the temperature


def test_a_file_of_another_network_is_no_beginning():
    with pytest.raises(WeightsError, match="not the weights of FaceMobileNet"):
        Config(begin=str(weights.path("expression_compact"))).begun()
