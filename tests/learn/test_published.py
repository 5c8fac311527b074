"""Published weights put into the networks, and freezing."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.io

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from safetensors.torch import save_file  # noqa: E402
from torch import nn  # noqa: E402

from emotrace.errors import InputError  # noqa: E402
from emotrace.learn.networks.published import freeze, load  # noqa: E402


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        self.layers.add_module("conv1_1", nn.Conv2d(3, 4, 3))
        self.head = nn.Linear(4, 2)


def matconvnet_file(path, kernel, bias):
    layer = {"name": "conv1_1", "type": "conv", "weights": np.array([kernel, bias], dtype=object)}
    scipy.io.savemat(path, {"net": {"layers": np.array([layer, {"name": "relu1_1", "type": "relu"}], dtype=object)}})


def test_a_matconvnet_kernel_gives_the_convolution_it_gave_there(tmp_path):
    random = np.random.default_rng(0)
    kernel, bias = random.normal(size=(3, 3, 3, 4)).astype(np.float32), np.arange(4, dtype=np.float32)
    matconvnet_file(tmp_path / "vgg.mat", kernel, bias)
    network = Small()
    assert load(network, tmp_path / "vgg.mat") == ["head.weight", "head.bias"]
    picture = random.normal(size=(3, 3, 3)).astype(np.float32)  # h, w, channels: one output
    expected = np.einsum("hwc,hwco->o", picture, kernel) + bias
    given = network.layers(torch.from_numpy(picture.transpose(2, 0, 1))[None])
    assert given.detach().numpy().ravel() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_state_dict_is_taken_whole(tmp_path, suffix):
    source, target = Small(), Small()
    path = tmp_path / f"weights{suffix}"
    if suffix == ".pth":
        torch.save({"state_dict": source.state_dict()}, path)
    else:
        save_file(source.state_dict(), path)
    assert load(target, path) == []
    assert all(torch.equal(a, b) for a, b in zip(source.state_dict().values(), target.state_dict().values(), strict=True))


def test_a_file_that_does_not_fit_says_so(tmp_path):
    save_file({"conv1_1.weight": torch.zeros(4, 3, 5, 5)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match=r"conv1_1.weight has shape \(4, 3, 5, 5\), the network's \(4, 3, 3, 3\)"):
        load(Small(), tmp_path / "other.safetensors")
    save_file({"fc9.weight": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    with pytest.raises(InputError, match=r"none of its 1 layers fits; it has fc9.weight"):
        load(Small(), tmp_path / "foreign.safetensors")
    (tmp_path / "weights.caffemodel").write_bytes(b"")
    with pytest.raises(InputError, match=r"expected .mat"):
        load(Small(), tmp_path / "weights.caffemodel")
    scipy.io.savemat(tmp_path / "empty.mat", {"x": 1})
    with pytest.raises(InputError, match="no MatConvNet layers; it has x"):
        load(Small(), tmp_path / "empty.mat")


def test_freezing_leaves_only_the_named_layers_to_learn():
    network = Small()
    freeze(network, but=("head",))
    assert [name for name, p in network.named_parameters() if p.requires_grad] == ["head.weight", "head.bias"]
    with pytest.raises(InputError, match="no parameter has 'fc7' in its name"):
        freeze(network, but=("fc7",))
