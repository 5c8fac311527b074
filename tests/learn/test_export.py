"""Export: the file gives what the network gives, or there is no file."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from eight_bits import multiplied, neighbours
from onnx import numpy_helper

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from torch import nn  # noqa: E402

from emotrace.errors import WeightsError  # noqa: E402
from emotrace.learn import quantise  # noqa: E402
from emotrace.learn.export import export, in_bytes, narrow, run  # noqa: E402
from emotrace.learn.networks.compact import Compact  # noqa: E402


def test_an_exported_network_gives_what_torch_gives_for_any_batch_size(tmp_path):
    torch.manual_seed(0)
    network = Compact(stem=4, widths=(8, 8, 16)).eval()
    export(network, torch.rand(3, 1, 48, 48) * 255, tmp_path / "net.onnx", "images", ("logits",))
    images = torch.rand(7, 1, 48, 48) * 255
    with torch.no_grad():
        expected = network(images).numpy()
    (given,) = run(tmp_path / "net.onnx", images.numpy())
    assert np.abs(given - expected).max() < 1e-4


class Changing(nn.Module):
    """Gives something else at every call, as no exported network can."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return x + self.calls


def test_a_file_that_gives_something_else_is_not_kept(tmp_path):
    with pytest.raises(WeightsError, match="output y of ONNX Runtime is"):
        export(Changing(), torch.rand(2, 3), tmp_path / "net.onnx", "x", ("y",))
    assert list(tmp_path.iterdir()) == []


def sure(network):
    return nn.Sequential(network, nn.Softmax(1))


@pytest.fixture
def small(tmp_path):
    """A network of probabilities as a file, and pictures."""
    torch.manual_seed(0)
    network = sure(Compact(stem=8, widths=(16, 32, 64))).eval()
    images = torch.rand(40, 1, 48, 48) * 255
    export(network, images[:3], tmp_path / "net.onnx", "images", ("said",))
    return tmp_path / "net.onnx", images.numpy()


def test_weights_in_8_bits_are_a_quarter_of_the_size_and_say_the_same(small):
    path, images = small
    (expected,), before = run(path, images), path.stat().st_size
    model = onnx.load(str(path))
    narrow(model)
    onnx.save(model, str(path))
    assert path.stat().st_size < 0.4 * before
    (given,) = run(path, images)
    assert 0 < np.abs(given - expected).max() < 0.02


@pytest.mark.parametrize("axis", [0, 1])
def test_every_channel_has_its_own_scale_whichever_axis_it_lies_on(axis):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(20, 30)) * 10.0 ** rng.uniform(-3, 3, (20, 1))
    values = (values if axis == 0 else values.T).astype(np.float32)
    whole, scale = in_bytes(values)
    assert (whole.dtype, scale.size) == (np.int8, 20)
    assert (np.abs(whole * scale - values) <= scale / 2 * 1.001).all()
    assert np.abs(whole).max() == 127


def test_arithmetic_in_8_bits_says_nearly_the_same(small):
    path, images = small
    (expected,), before = run(path, images), path.stat().st_size
    quantise.quantise(path, images)
    kinds = {node.op_type for node in onnx.load(str(path)).graph.node}
    assert {"QuantizeLinear", "DequantizeLinear", "Conv"} <= kinds
    assert path.stat().st_size < 0.5 * before
    (given,) = run(path, images)
    assert 0 < np.abs(given - expected).mean() < 0.02
    assert [file.name for file in path.parent.iterdir()] == ["net.onnx"]


@pytest.mark.parametrize(("shape", "axis"), [((6, 5, 3, 3), 0), ((6, 8, 1, 1), 0), ((9, 6), 1)])
def test_two_products_of_neighbours_fit_into_16_bits_and_no_scale_is_wider_than_that_takes(shape, axis):
    weights = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    scale = quantise.safe_scales(weights, axis)
    around = (-1, *(1,) * (weights.ndim - 1)) if axis == 0 else (1, -1)
    whole = np.round(weights / scale.reshape(around))
    sums = np.abs(neighbours(whole)).max(1)
    assert (255 * sums <= 32767).all()
    single = np.abs(whole).max(axis=tuple(i for i in range(whole.ndim) if i != axis))
    assert (np.maximum(single, sums) >= 126).all()


def test_neighbours_of_one_sign_are_made_smaller_and_others_are_not():
    weights = np.array([[2.0, 2.0], [1.0, -2.0]], np.float32)  # (in, out): the first column's weights add up
    assert quantise.safe_scales(weights, 1).tolist() == pytest.approx([3 / 127, 2 / 127])


def test_no_weights_of_a_network_in_8_bits_leave_16_bits(small):
    path, images = small
    quantise.quantise(path, images)
    weights = multiplied(path)
    assert len(weights) > 3
    assert all(np.abs(neighbours(each)).max() <= 128 for each in weights)


def test_weights_in_8_bits_are_brought_back_by_their_names(small):
    path, images = small
    before = {t.name: numpy_helper.to_array(t) for t in onnx.load(str(path)).graph.initializer}
    quantise.quantise(path, images)
    restored = quantise.restored(path, "0.")
    compared = [name for name in restored if "0." + name in before]
    assert len(compared) > 3
    for name in compared:
        was = before["0." + name]
        assert restored[name].shape == was.shape
        assert np.abs(restored[name] - was).max() <= np.abs(was).max() / 127


def test_weights_of_linear_layers_are_brought_back_along_their_own_channels(tmp_path):
    torch.manual_seed(0)
    network = sure(nn.Sequential(nn.Linear(6, 40), nn.ReLU(), nn.Linear(40, 5)))
    shown = torch.rand(40, 2, 6)  # three axes, so that it is a MatMul with weights (in, out)
    with torch.no_grad():
        network[0][0].weight *= torch.logspace(-2, 0, 40)[:, None]
    export(network, shown, tmp_path / "net.onnx", "x", ("said",))
    weights = [layer.weight.detach().numpy().T for layer in (network[0][0], network[0][2])]
    quantise.quantise(tmp_path / "net.onnx", shown.numpy(), quantise.LINEAR)
    restored = {each.shape: each for each in quantise.restored(tmp_path / "net.onnx", "onnx::MatMul").values()}
    for was in weights:
        assert (np.abs(restored[was.shape] - was) <= np.abs(was).max(0) / 100).all()


@pytest.mark.parametrize(("content", "message"), [(b"no network", "no ONNX file"), (None, "no weights named other")])
def test_weights_of_something_else_are_not_brought_back(small, content, message):
    path, _ = small
    if content:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match=message):
        quantise.restored(path, "other.")


def test_a_network_that_8_bits_spoil_stays_as_it_was(small, monkeypatch):
    path, images = small
    before = path.read_bytes()
    monkeypatch.setattr(quantise, "GAP", 0.0)
    with pytest.raises(WeightsError, match="in 8 bits probabilities change by"):
        quantise.quantise(path, images)
    assert path.read_bytes() == before
