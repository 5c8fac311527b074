"""What a torch network says of pictures, batch by batch."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from emotrace.errors import InputError


def batch_of(images: NDArray[np.uint8]) -> Tensor:
    """Grey pictures as a network's input: (n, h, w) uint8 -> (n, 1, h, w) float32, 0..255."""
    return torch.from_numpy(images)[:, None].float()


@torch.no_grad()
def outputs_of(network: nn.Module, images: NDArray[np.uint8], batch: int = 256) -> NDArray[np.float32]:
    """Outputs for grey pictures, on the network's device.

    Args:
        network: in eval mode.
        images: (n, h, w) uint8, n at least 1.
        batch: pictures at a time.

    Returns:
        (n, k) float32.

    Raises:
        InputError: outputs are not finite, since the network has diverged.
    """
    device = next(network.parameters()).device
    parts = [network(part.to(device)).float().cpu().numpy() for part in torch.split(batch_of(images), batch)]
    outputs: NDArray[np.float32] = np.concatenate(parts)
    if not np.isfinite(outputs).all():
        raise InputError("the network's outputs are not finite, as its training has diverged; train anew with a lower rate")
    return outputs
