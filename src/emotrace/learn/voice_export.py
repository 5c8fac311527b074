"""The voice network as the ONNX file that is shipped: 8 bits, checked against torch before it is kept."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from emotrace.errors import WeightsError
from emotrace.learn.export import OPSET, narrow, run
from emotrace.learn.networks.voice import EXPRESSIONS, VoiceListener
from emotrace.learn.quantise import PRODUCTS, quantise

INPUT, OUTPUT = "log_mel", "voice_network"
LONGEST = 500          # positions kept, 10 s
TOLERANCE = 0.1        # by which 8 bits may move a probability, or valence or arousal


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


def export_voice(
    network: VoiceListener, temperature: float, clips: Sequence[NDArray[np.float32]], path: Path
) -> None:
    """Write the network as ONNX with free batch and length; products in 8 bits, all other arithmetic in single precision.

    Args:
        network: trained; in eval mode and with fewer positions afterwards.
        temperature: of the expressions, folded in.
        clips: (1, t, 80) log-mels that it learnt from, by which ranges are measured; on the first both are compared, alone and
            cut in three.
        path: file to write; appears only when the check has passed.

    Raises:
        WeightsError: ONNX Runtime's output is further than 0.1 from torch's, or 8 bits change it by more than 0.02 in the mean.
    """
    shipped, example = Shipped(network, temperature).eval().cpu(), torch.from_numpy(clips[0])
    new = path.with_name(path.name + ".new")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch announces the end of this exporter; the other needs onnxscript
            torch.onnx.export(
                shipped, (example,), str(new), input_names=[INPUT], output_names=[OUTPUT], opset_version=OPSET, dynamo=False,
                dynamic_axes={INPUT: {0: "windows", 1: "frames"}, OUTPUT: {0: "windows"}},
            )  # fmt: skip
        quantise(new, clips, PRODUCTS)
        model = onnx.load(str(new))
        narrow(model)
        onnx.save(model, str(new))
        third = example.shape[1] // 3
        for batch in (example, torch.cat([example[:, i * third : (i + 1) * third] for i in range(3)])):
            with torch.no_grad():
                expected = shipped(batch).numpy()
            gap = float(np.abs(run(new, batch.numpy())[0] - expected).max())
            if gap > TOLERANCE:
                raise WeightsError(f"{path}: ONNX Runtime's output is {gap:.2g} from torch's, expected at most {TOLERANCE}")
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
