"""The network that names the expression of a voice: Whisper's first blocks, attentive statistics, two heads."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from emotrace.learn.networks.whisper import BANDS, Encoder
from emotrace.scheme import VALENCE_AROUSAL, VOICE_EXPRESSION

EXPRESSIONS = len(VOICE_EXPRESSION)
OUTPUTS = EXPRESSIONS + len(VALENCE_AROUSAL)


class AttentivePool(nn.Module):
    """Mean and standard deviation over time, weighted by what the network finds worth hearing.

    Args:
        width: numbers that a position has.
        hidden: width of the layer that weighs.

    Source: Okabe, Koshinaka & Shinoda 2018, Attentive Statistics Pooling for Deep Speaker Embedding, eq. 4-6.
    """

    def __init__(self, width: int, hidden: int = 64) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(width, hidden), nn.Linear(hidden, 1)

    def forward(self, x: Tensor, heard: Tensor | None) -> Tensor:
        """(n, t, width), and (n, t) 1 where there is sound -> (n, 2 width)."""
        score = self.last(self.first(x).tanh())[..., 0].float()
        if heard is not None:
            score = score.masked_fill(heard == 0, -1e4)
        share = score.softmax(1)[..., None]
        mean = (share * x).sum(1)
        spread = (share * (x - mean[:, None]) ** 2).sum(1)
        return torch.cat([mean, (spread + 1e-5).sqrt()], 1)


class VoiceListener(nn.Module):
    """Expression, valence and arousal of clips.

    Args:
        encoder: that hears.
        dropout: of what is pooled.
        mixed: all blocks are heard, in shares that are learnt, and not the last alone.
    """

    def __init__(self, encoder: Encoder, dropout: float, mixed: bool = False) -> None:
        super().__init__()
        self.encoder = encoder
        self.shares = nn.Parameter(torch.zeros(len(encoder.blocks))) if mixed else None
        width = encoder.size.width
        self.norm = nn.LayerNorm(width)
        self.pool = AttentivePool(width)
        self.head = nn.Sequential(nn.LayerNorm(2 * width), nn.Dropout(dropout), nn.Linear(2 * width, OUTPUTS))

    def forward(self, clips: Tensor) -> Tensor:
        """Hear a batch.

        Args:
            clips: (n, t, 80) log-mel; or (n, t, 81), whose last column is 1 where there is sound, 0 behind a clip's end.

        Returns:
            (n, 10): eight logits in the order of VOICE_EXPRESSION; valence and arousal, -1..1.
        """
        return self.bounded(self.head(self.pooled(clips)))

    def pooled(self, clips: Tensor) -> Tensor:
        """What the head is given, (n, 2 width)."""
        heard = clips[..., BANDS] if clips.shape[2] > BANDS else None
        states = self.encoder.states(clips[..., :BANDS], heard)
        if self.shares is None:
            x = self.norm(states[-1])
        else:
            x = sum(share * self.norm(state) for share, state in zip(self.shares.softmax(0), states, strict=True))
        statistics: Tensor = self.pool(x, None if heard is None else heard[:, ::2])
        return statistics

    @staticmethod
    def bounded(outputs: Tensor) -> Tensor:
        """The head's outputs (n, 10) with valence and arousal brought to -1..1."""
        return torch.cat([outputs[:, :EXPRESSIONS], outputs[:, EXPRESSIONS:].tanh()], 1)
