"""The voice network as the ONNX file that is shipped: computed in 8 bits, checked against torch before it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from emotrace.learn import quantise
from emotrace.learn.export import check, export, narrow, run, session
from emotrace.learn.networks.voice import EXPRESSIONS, OUTPUTS, VoiceListener

INPUT, OUTPUT = "log_mel", "voice_network"
LONGEST = 500          # positions kept, 10 s


class CalibratedVoice(nn.Module):
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


def export_voice(network: VoiceListener, temperature: float, shown: Tensor, path: Path) -> None:
    """Write the network as ONNX with free batch and length: linear layers computed in 8 bits, other weights kept in 8 bits.

    The second layer of the last block's perceptron keeps its precision: a few of the units that it is fed are far greater than
    the others, of which 8 bits of one scale leave nothing. Three quarters of all that 8 bits changed came from there.

    Args:
        network: trained; in eval mode and with fewer positions afterwards.
        temperature: of the expressions, folded in.
        shown: (n, t, 80) log-mels of clips that it learnt from, by which the ranges of 8 bits are measured.
        path: file to write; appears only when the checks have passed.

    Raises:
        WeightsError: ONNX Runtime's output is further than 1e-4 from torch's before 8 bits, of whole clips or of a third of
            them, or 8 bits change probabilities by more than `quantise` bears.
    """
    calibrated = CalibratedVoice(network, temperature)
    new = path.with_name(path.name + ".float")
    try:
        export(calibrated, shown[:1], new, INPUT, (OUTPUT,), {0: "windows", 1: "frames"})
        check(calibrated, shown[:, : shown.shape[1] // 3], new, (OUTPUT,))
        before = run(new, shown.numpy())
        last = f"blocks.{len(network.encoder.blocks) - 1}/mlp/mlp.2/"
        quantise.quantise(new, shown.numpy(), quantise.LINEAR, precise=(last,))
        model = onnx.load(str(new))
        narrow(model)
        onnx.save(model, str(new))
        quantise.check(path, run(new, shown.numpy()), before)
        new.rename(path)
    finally:
        new.unlink(missing_ok=True)


def heard_by(path: Path, mels: Sequence[Tensor]) -> NDArray[np.float32]:
    """What an exported network says of clips (t, 80), one by one: logarithms of probabilities, valence and arousal, (n, 10)."""
    opened = session(path)
    parts = [opened.run(None, {INPUT: mel[None].float().numpy()})[0] for mel in mels]
    said = np.concatenate([np.zeros((0, OUTPUTS), np.float32), *parts])
    return np.concatenate([np.log(said[:, :EXPRESSIONS]), said[:, EXPRESSIONS:]], axis=1)
