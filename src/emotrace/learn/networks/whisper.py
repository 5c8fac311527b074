"""The encoder of Whisper tiny.en, as far as a block, on sound of any length.

    log-mel (n, t, 80) ─conv, GELU─▶ ─conv by 2, GELU─▶ + positions ─blocks─▶ (n, ceil(t / 2), 384)

Source: Radford et al. 2022, Robust Speech Recognition via Large-Scale Weak Supervision, section 2.2; names of the parameters
as in the published checkpoint. We deviate: no padding to 30 s, and a mask where clips of several lengths are in one batch.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from emotrace import weights
from emotrace.errors import InputError

BANDS = 80
WIDTH = 384
HEADS = 6
BLOCKS = 4         # in the whole encoder
POSITIONS = 1500   # 30 s; a position is 20 ms
WEIGHTS = "whisper_tiny_en"
PREFIX = "encoder."


class Attention(nn.Module):
    """Self-attention of six heads; keys have no bias."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.key = nn.Linear(WIDTH, WIDTH, bias=False)

    def forward(self, x: Tensor, heard: Tensor | None) -> Tensor:
        """(n, t, 384), and (n, 1, 1, t) bool of what may be looked at -> (n, t, 384)."""
        n, t, _ = x.shape
        q, k, v = (part(x).view(n, t, HEADS, -1).transpose(1, 2) for part in (self.query, self.key, self.value))
        match = (q * (WIDTH // HEADS) ** -0.5) @ k.transpose(2, 3)  # (n, heads, t, t); the fused call is slower here in bf16
        if heard is not None:
            match = match.masked_fill(~heard, -1e4)
        mixed = match.softmax(3).to(v.dtype) @ v
        attended: Tensor = self.out(mixed.transpose(1, 2).reshape(n, t, WIDTH))
        return attended


class Block(nn.Module):
    """Attention and a two-layer perceptron, each behind a layer norm and added to what came in."""

    def __init__(self) -> None:
        super().__init__()
        self.attn, self.attn_ln = Attention(), nn.LayerNorm(WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))
        self.mlp_ln = nn.LayerNorm(WIDTH)

    def forward(self, x: Tensor, heard: Tensor | None) -> Tensor:
        """(n, t, 384) -> (n, t, 384)."""
        x = x + self.attn(self.attn_ln(x), heard)
        fed: Tensor = x + self.mlp(self.mlp_ln(x))
        return fed


class Encoder(nn.Module):
    """The convolutions and the first blocks; the layer norm behind the last block is not part of it.

    Args:
        blocks: how many, 1..4.
    """

    positional_embedding: Tensor

    def __init__(self, blocks: int = BLOCKS) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(BANDS, WIDTH, 3, padding=1)
        self.conv2 = nn.Conv1d(WIDTH, WIDTH, 3, stride=2, padding=1)
        self.register_buffer("positional_embedding", sinusoids(), persistent=False)
        self.blocks = nn.ModuleList(Block() for _ in range(blocks))

    def forward(self, mel: Tensor, heard: Tensor | None = None) -> Tensor:
        """Hear a batch.

        Args:
            mel: (n, t, 80) Whisper's log-mel, t at most 3000.
            heard: (n, t) 1 where there is sound and 0 behind the end of a clip; None: all of it is sound. What comes out at
                positions of sound does not depend on how much lies behind.

        Returns:
            (n, ceil(t / 2), 384).
        """
        return self.states(mel, heard)[-1]

    def states(self, mel: Tensor, heard: Tensor | None = None) -> list[Tensor]:
        """The same behind every block, from the first to the last."""
        x = gelu(self.conv1(_behind_is_zero(mel.transpose(1, 2), heard)))
        x = gelu(self.conv2(_behind_is_zero(x, heard))).transpose(1, 2)
        x = x + self.positional_embedding[: x.shape[1]]
        looked_at = None if heard is None else heard[:, None, None, ::2] > 0
        found: list[Tensor] = []
        for block in self.blocks:
            x = block(x, looked_at)
            found.append(x)
        return found


def _behind_is_zero(x: Tensor, heard: Tensor | None) -> Tensor:
    """Zeros behind a clip's end, as a convolution finds them at the edge: (n, c, t) -> (n, c, t)."""
    return x if heard is None else x * heard[:, None]


def sinusoids() -> Tensor:
    """The encoder's positions, (1500, 384): sines beside cosines of 192 wavelengths from 2 pi to 20,000 pi."""
    rates = torch.exp(-math.log(10_000) / (WIDTH // 2 - 1) * torch.arange(WIDTH // 2))
    angles = torch.arange(POSITIONS)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1)


def pretrained(blocks: int = BLOCKS) -> Encoder:
    """The encoder with the published weights of tiny.en, fetched and verified.

    Raises:
        InputError: there are not so many blocks.
        WeightsError: the weights cannot be fetched.
    """
    if not 1 <= blocks <= BLOCKS:
        raise InputError(f"Whisper tiny.en's encoder has {BLOCKS} blocks, got {blocks}; ask for 1 to {BLOCKS}")
    published = torch.load(weights.path(WEIGHTS), map_location="cpu", weights_only=True)["model_state_dict"]
    encoder = Encoder(blocks)
    encoder.load_state_dict({name: published[PREFIX + name].float() for name in encoder.state_dict()})
    return encoder
