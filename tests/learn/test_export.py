"""Export: the file gives what the network gives, or there is no file."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from torch import nn  # noqa: E402

from emotrace.errors import WeightsError  # noqa: E402
from emotrace.learn.export import export, run  # noqa: E402
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
