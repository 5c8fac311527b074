"""A depthwise 3 x 3 convolution whose weights stay as they are, with a fast way back.

On a processor, torch takes ten times as long back through a depthwise convolution as forth. The gradient of its input is a
depthwise convolution itself, with the kernel turned round, so it is computed as one. The weights are not learnt: in a
separable convolution the pointwise layer behind can take up what they would.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


class FixedDepthwise(nn.Module):
    """Depthwise 3 x 3 convolution with bias; a side of h becomes ceil(h / stride), padded as TensorFlow's "same".

    Args:
        channels: in and out.
        stride: 1 or 2.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.register_buffer("weight", torch.randn(channels, 1, 3, 3) / 3)
        self.register_buffer("bias", torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) -> (n, channels, ceil(h / stride), ceil(w / stride))."""
        x = padded(x, self.stride)
        if not torch.is_grad_enabled() or not x.requires_grad:
            return F.conv2d(x, self.weight, self.bias, self.stride, groups=len(self.weight))
        lowered: Tensor = _Way.apply(x, self.weight.to(x.dtype), self.bias.to(x.dtype), self.stride)
        return lowered


def padded(x: Tensor, stride: int) -> Tensor:
    """Zeros about a picture for a 3 x 3 kernel, as TensorFlow's "same": with stride 2 and an even side only behind."""
    before, behind = [], []
    for side in (x.shape[3], x.shape[2]):
        even = stride == 2 and int(side) % 2 == 0
        before.append(0 if even else 1)
        behind.append(1)
    return F.pad(x, (before[0], behind[0], before[1], behind[1]))


class _Way(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
        """(n, c, h, w) padded -> (n, c, h', w')."""
        ctx.save_for_backward(weight)
        ctx.stride, ctx.shape = stride, x.shape
        return F.conv2d(x, weight, bias, stride, groups=len(weight))

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None, None, None]:
        """Gradient of the padded input: the slopes, spread by the stride, convolved with the turned kernel."""
        (weight,), stride, (n, c, height, width) = ctx.saved_tensors, ctx.stride, ctx.shape
        slope = slopes[0].contiguous(memory_format=torch.channels_last)
        if stride == 2:
            spread = slope.new_zeros((n, c, height - 2, width - 2)).contiguous(memory_format=torch.channels_last)
            spread[:, :, : 2 * slope.shape[2] : 2, : 2 * slope.shape[3] : 2] = slope
            slope = spread
        return F.conv2d(slope, weight.flip(2, 3), None, 1, 2, groups=c), None, None, None
