"""The largest few activations of each unit over a clip's frames, weighted by rank.

Source: Kahou et al. 2016, EmoNets, section 3.2: of each unit of the last hidden layer the N largest activations over time are
sorted and averaged with weights, N = 2, 1.4 and 0.6 in training, 1.3 and 0.7 in test.
"""

from __future__ import annotations

import torch
from torch import Tensor


def top_pooled(values: Tensor, lengths: Tensor, weights: tuple[float, ...]) -> Tensor:
    """Weighted means of the N largest values over time.

    Args:
        values: (n, t, h); what lies behind a clip's length is not looked at.
        lengths: (n,) int64 frames of each clip, 1 or more.
        weights: N of them, for the largest, the next, ...; divided by their sum. In a clip of fewer frames than N, by the sum
            of those that are used.

    Returns:
        (n, h).
    """
    time = torch.arange(values.shape[1])
    inside = (time[None] < lengths[:, None])[..., None]   # (n, t, 1)
    ranks = min(len(weights), values.shape[1])
    largest = values.masked_fill(~inside, -torch.inf).topk(ranks, dim=1).values   # (n, ranks, h)
    used = torch.tensor(weights[:ranks], dtype=values.dtype)[None] * (time[None, :ranks] < lengths[:, None])   # (n, ranks)
    shares = (used / used.sum(dim=1, keepdim=True))[..., None]
    return (largest.nan_to_num(neginf=0.0) * shares).sum(dim=1)


def padded(clips: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Clips of (t, d) each as one (n, longest, d), zeros behind their ends, and their lengths (n,)."""
    return torch.nn.utils.rnn.pad_sequence(clips, batch_first=True), torch.tensor([len(clip) for clip in clips])
