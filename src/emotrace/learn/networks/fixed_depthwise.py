"""A depthwise convolution whose weights stay as they are, with a fast way back.

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
    """Depthwise convolution with bias and a border of 1: 3 x 3 with stride 1, 4 x 4 with stride 2.

    Args:
        channels: in and out.
        stride: 1 keeps the side, 2 halves it (even sides only).
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        side = 2 + stride
        self.register_buffer("weight", torch.randn(channels, 1, side, side) / side)
        self.register_buffer("bias", torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) -> (n, channels, h / stride, w / stride)."""
        if torch.is_grad_enabled() and x.requires_grad:
            weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)
            learnt: Tensor = _Way.apply(x, weight, bias, self.stride)  # type: ignore[no-untyped-call]
            return learnt
        return F.conv2d(x, self.weight, self.bias, self.stride, 1, groups=len(self.weight))


def with_border_behind(kernel: Tensor) -> Tensor:
    """(.., 3, 3) of a convolution of stride 2 that pads only behind, as TensorFlow's "same", for one with a border of 1.

    A kernel of (.., 4, 4) whose first row and column are empty does the same; the border all round costs nothing.
    """
    return F.pad(kernel, (1, 0, 1, 0))


class _Way(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Tensor, bias: Tensor, stride: int) -> Tensor:
        """(n, c, h, w), (c, 1, k, k) -> (n, c, h / stride, w / stride)."""
        ctx.save_for_backward(kernel)
        ctx.stride, ctx.shape = stride, x.shape
        return F.conv2d(x, kernel, bias, stride, 1, groups=len(kernel))

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None, None, None]:
        """Gradient of the input: the slopes, spread by the stride, convolved with the turned kernel."""
        (kernel,), stride, (n, c, height, width) = ctx.saved_tensors, ctx.stride, ctx.shape
        slope = slopes[0].contiguous(memory_format=torch.channels_last)
        if stride == 2:
            spread = slope.new_zeros((n, c, height - 1, width - 1)).contiguous(memory_format=torch.channels_last)
            spread[:, :, ::2, ::2] = slope
            slope = spread
        turned = kernel.flip(2, 3)
        return F.conv2d(slope, turned, None, 1, kernel.shape[2] - 2, groups=c), None, None, None
