"""The voice network as the ONNX file that is shipped: weights in 8 bits, checked against torch before it is kept."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from emotrace.errors import WeightsError
from emotrace.learn.export import OPSET, narrow, run
from emotrace.learn.networks.voice import EXPRESSIONS, VoiceListener

INPUT, OUTPUT = "log_mel", "voice_network"
LONGEST = 500          # positions kept, 10 s
TOLERANCE = 0.03       # by which 8 bits may move a probability, or valence or arousal


class Shipped(nn.Module):
    """The network as `analyze` runs it: probabilities with the temperature folded in, valence and arousal.

    Args:
        network: trained.
        temperature: of the expressions.
    """

    def __init__(self, network: VoiceListener, temperature: float) -> None:
        super().__init__()
        self.network, self.temperature = network, temperature
        encoder = network.encoder
        encoder.positional_embedding = encoder.positional_embedding[:LONGEST].clone()

    def forward(self, clips: Tensor) -> Tensor:
        """(n, t, 80) log-mel -> (n, 10): eight probabilities, valence, arousal."""
        outputs = self.network(clips)
        return torch.cat([(outputs[:, :EXPRESSIONS] / self.temperature).softmax(1), outputs[:, EXPRESSIONS:]], 1)


def export_voice(network: VoiceListener, temperature: float, example: Tensor, path: Path) -> None:
    """Write the network as ONNX with free batch and length, weights in 8 bits, arithmetic in single precision.

    Args:
        network: trained; in eval mode and with fewer positions afterwards.
        temperature: of the expressions, folded in.
        example: (1, t, 80) log-mel on which both are compared, alone and cut in three.
        path: file to write; appears only when the check has passed.

    Raises:
        WeightsError: ONNX Runtime's output is further than 0.03 from torch's.
    """
    shipped = Shipped(network, temperature).eval().cpu()
    new = path.with_name(path.name + ".new")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces the end of this exporter; the other needs onnxscript
        torch.onnx.export(
            shipped, (example,), str(new), input_names=[INPUT], output_names=[OUTPUT], opset_version=OPSET, dynamo=False,
            dynamic_axes={INPUT: {0: "windows", 1: "frames"}, OUTPUT: {0: "windows"}},
        )  # fmt: skip
    model = onnx.load(str(new))
    narrow(model)
    onnx.save(model, str(new))
    third = example.shape[1] // 3
    for batch in (example, torch.cat([example[:, i * third : (i + 1) * third] for i in range(3)])):
        with torch.no_grad():
            expected = shipped(batch).numpy()
        gap = float(np.abs(run(new, batch.numpy())[0] - expected).max())
        if gap > TOLERANCE:
            new.unlink()
            raise WeightsError(f"{path}: ONNX Runtime's output is {gap:.2g} from torch's, expected at most {TOLERANCE}")
    new.rename(path)

