"""Test-time averaging: one picture seen in 18 ways. For measuring and teaching; the shipped networks see a face once."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def eighteen(images: Tensor, size: int) -> Tensor:
    """Crops from three places in each direction, and their mirror images.

    Args:
        images: (n, c, h, w), h and w at least `size`.
        size: side of the crops, px.

    Returns:
        (18, n, c, size, size).
    """
    rows, columns = ([0, (side - size) // 2, side - size] for side in images.shape[2:])
    crops = torch.stack([images[:, :, y : y + size, x : x + size] for y in rows for x in columns])
    return torch.cat([crops, crops.flip(-1)])


@torch.no_grad()
def averaged(network: nn.Module, images: Tensor, size: int) -> Tensor:
    """Mean probabilities over the 18 views: (n, c, h, w) -> (n, k)."""
    return torch.stack([network(view).softmax(1) for view in eighteen(images, size)]).mean(0)
