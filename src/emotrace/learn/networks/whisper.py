"""The encoder of Whisper, as far as a block, on sound of any length.

    log-mel (n, t, 80) ─conv, GELU─▶ ─conv by 2, GELU─▶ + positions ─blocks─▶ (n, ceil(t / 2), width)

Source: Radford et al. 2022, Robust Speech Recognition via Large-Scale Weak Supervision, section 2.2 and table 1; names of the
parameters as in the published checkpoints, which `learn.networks.whisper_files` reads. We deviate: no padding to 30 s, a mask
where clips of several lengths are in one batch, and perceptrons that may be narrower (`learn.pruning`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

BANDS = 80
POSITIONS = 1500   # 30 s; a position is 20 ms


@dataclass(frozen=True, slots=True)
class Size:
    """Of one of Whisper's encoders.

    Args:
        width: numbers that a position has.
        heads: of the attention.
        blocks: in the whole encoder.
    """

    width: int
    heads: int
    blocks: int

    @property
    def hidden(self) -> int:
        """Units of each perceptron."""
        return 4 * self.width


TINY, BASE = Size(384, 6, 4), Size(512, 8, 6)


class Attention(nn.Module):
    """Self-attention; keys have no bias."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        self.query, self.value, self.out = (nn.Linear(size.width, size.width) for _ in range(3))
        self.key = nn.Linear(size.width, size.width, bias=False)

    def forward(self, x: Tensor, heard: Tensor | None) -> Tensor:
        """(n, t, width), and (n, 1, 1, t) bool of what may be looked at -> (n, t, width)."""
        n, t, width = x.shape
        heads = self.size.heads
        q, k, v = (part(x).view(n, t, heads, -1).transpose(1, 2) for part in (self.query, self.key, self.value))
        match = (q * (width // heads) ** -0.5) @ k.transpose(2, 3)  # (n, heads, t, t); the fused call is slower here in bf16
        if heard is not None:
            match = match.masked_fill(~heard, -1e4)
        mixed = match.softmax(3).to(v.dtype) @ v
        attended: Tensor = self.out(mixed.transpose(1, 2).reshape(n, t, width))
        return attended


class Block(nn.Module):
    """Attention and a two-layer perceptron, each behind a layer norm and added to what came in.

    Args:
        size: of the encoder.
        hidden: units of the perceptron; None: as published.
    """

    def __init__(self, size: Size, hidden: int | None = None) -> None:
        super().__init__()
        hidden = hidden or size.hidden
        self.attn, self.attn_ln = Attention(size), nn.LayerNorm(size.width)
        self.mlp = nn.Sequential(nn.Linear(size.width, hidden), nn.GELU(), nn.Linear(hidden, size.width))
        self.mlp_ln = nn.LayerNorm(size.width)

    def forward(self, x: Tensor, heard: Tensor | None) -> Tensor:
        """(n, t, width) -> (n, t, width)."""
        x = x + self.attn(self.attn_ln(x), heard)
        fed: Tensor = x + self.mlp(self.mlp_ln(x))
        return fed


class Encoder(nn.Module):
    """The convolutions and the first blocks; the layer norm behind the last block is not part of it.

    Args:
        blocks: how many.
        size: whose.
        hidden: units of each perceptron; None: as published.
    """

    positional_embedding: Tensor

    def __init__(self, blocks: int, size: Size = TINY, hidden: int | None = None) -> None:
        super().__init__()
        self.size = size
        self.conv1 = nn.Conv1d(BANDS, size.width, 3, padding=1)
        self.conv2 = nn.Conv1d(size.width, size.width, 3, stride=2, padding=1)
        self.register_buffer("positional_embedding", sinusoids(size.width), persistent=False)
        self.blocks = nn.ModuleList(Block(size, hidden) for _ in range(blocks))

    def forward(self, mel: Tensor, heard: Tensor | None = None) -> Tensor:
        """Hear a batch.

        Args:
            mel: (n, t, 80) Whisper's log-mel, t at most 3000.
            heard: (n, t) 1 where there is sound and 0 behind the end of a clip; None: all of it is sound. What comes out at
                positions of sound does not depend on how much lies behind.

        Returns:
            (n, ceil(t / 2), width).
        """
        return self.states(mel, heard)[-1]

    def states(self, mel: Tensor, heard: Tensor | None = None) -> list[Tensor]:
        """The same behind every block, from the first to the last."""
        x = self.placed(mel, heard)
        looked_at = None if heard is None else heard[:, None, None, ::2] > 0
        found: list[Tensor] = []
        for block in self.blocks:
            x = block(x, looked_at)
            found.append(x)
        return found

    def placed(self, mel: Tensor, heard: Tensor | None = None) -> Tensor:
        """What the first block is given: (n, t, 80) -> (n, ceil(t / 2), width)."""
        x = gelu(self.conv1(_behind_is_zero(mel.transpose(1, 2), heard)))
        x = gelu(self.conv2(_behind_is_zero(x, heard))).transpose(1, 2)
        return x + self.positional_embedding[: x.shape[1]]


def _behind_is_zero(x: Tensor, heard: Tensor | None) -> Tensor:
    """Zeros behind a clip's end, as a convolution finds them at the edge: (n, c, t) -> (n, c, t)."""
    return x if heard is None else x * heard[:, None]


def sinusoids(width: int) -> Tensor:
    """An encoder's positions, (1500, width): sines beside cosines of width / 2 wavelengths from 2 pi to 20,000 pi."""
    rates = torch.exp(-math.log(10_000) / (width // 2 - 1) * torch.arange(width // 2))
    angles = torch.arange(POSITIONS)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1)
