"""The network that names the expression of a voice by its pitch and quality alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from emotrace.learn.networks.voice import OUTPUTS, VoiceListener
from emotrace.scheme import PROSODY

REFERENCE = 100.0     # Hz that pitch is counted from
LEAST_JITTER = 1e-3   # added before the logarithm
HEARD = len(PROSODY) - 1


class ProsodyReader(nn.Module):
    """Expression, valence and arousal of what `voice.prosody` measures: two hidden layers.

    Pitch is read in semitones and jitter as a logarithm. Loudness is not read: it is the microphone's as much as the voice's.

    Args:
        hidden: width of both layers.
        dropout: of both.
        noise: deviation of what is added to each value in training, of its own deviation.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, hidden: int = 64, dropout: float = 0.2, noise: float = 0.2) -> None:
        super().__init__()
        self.noise = noise
        self.register_buffer("centre", torch.zeros(HEARD))
        self.register_buffer("spread", torch.ones(HEARD))
        self.layers = nn.Sequential(
            nn.Linear(HEARD, hidden), nn.GELU(), nn.Dropout(dropout),
            nn.Linear(hidden, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, OUTPUTS),
        )  # fmt: skip

    def range_of(self, prosody: Tensor) -> None:
        """Take the mean and deviation of each value from the examples, (n, 8)."""
        values = described(prosody)
        self.centre.copy_(values.mean(0))
        self.spread.copy_(values.std(0).clamp(min=1e-3))

    def forward(self, prosody: Tensor) -> Tensor:
        """(n, 8) values of `voice.prosody`, none of them NaN -> (n, 10): eight logits, valence and arousal -1..1."""
        values = (described(prosody) - self.centre) / self.spread
        if self.training:
            values = values + self.noise * torch.randn_like(values)
        return VoiceListener.bounded(self.layers(values))


def described(prosody: Tensor) -> Tensor:
    """(n, 8) values of `voice.prosody` -> the seven that are read, (n, 7)."""
    pitch, spread, voiced, _, loudness_spread, jitter, shimmer, hnr = prosody.unbind(1)
    semitones = 12.0 * torch.log2(pitch / REFERENCE)
    return torch.stack([semitones, spread, voiced, loudness_spread, torch.log(jitter + LEAST_JITTER), shimmer, hnr], 1)
