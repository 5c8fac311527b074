"""RMSProp with Nesterov momentum, as EmoNets trains its audio network, and the bound on weights that goes with it.

    s <- rho s + (1 - rho) g^2          g: gradient where the momentum leads to, w + mu v
    v <- mu v - eps g / sqrt(s)
    w <- w + v

Source: Kahou et al. 2016, EmoNets, section 3.2 (eps .0005, mu .46, rho .92); Tieleman & Hinton 2012, lecture 6.5 (the mean
square); Sutskever et al. 2013, On the importance of initialization and momentum, equations 3 and 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

SMALLEST = 1e-12   # added to the mean square: a unit that was never used has none


class NesterovRmsprop(Optimizer):
    """Steps along the gradient over its running root mean square.

    The parameters are kept at w + mu v, so that the usual backward pass gives the gradient where the momentum leads to. The
    mean square begins as that of the first gradient, not as 0: the first steps would be too long otherwise.

    Args:
        params: of the network.
        lr: eps.
        momentum: mu.
        decay: rho of the mean square.
    """

    def __init__(self, params: Iterable[nn.Parameter], lr: float = 5e-4, momentum: float = 0.46, decay: float = 0.92) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:   # type: ignore[override]
        """One step on every parameter that has a gradient; `closure` is not used."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, parameter.grad, group["lr"], group["momentum"], group["decay"])

    def _move(self, parameter: Tensor, gradient: Tensor, rate: float, momentum: float, decay: float) -> None:
        state = self.state[parameter]
        if not state:
            state["square"], state["velocity"] = gradient.square(), torch.zeros_like(parameter)
        square, velocity = state["square"], state["velocity"]
        square.mul_(decay).addcmul_(gradient, gradient, value=1 - decay)
        parameter.sub_(velocity, alpha=momentum)                                                   # back to w
        velocity.mul_(momentum).addcdiv_(gradient, (square + SMALLEST).sqrt(), value=-rate)
        parameter.add_(velocity, alpha=1 + momentum)                                               # to the new w, and ahead


@torch.no_grad()
def bound_norms(network: nn.Module, largest: float) -> None:
    """Scale down the incoming weights of every unit of a linear layer whose norm is more than `largest`.

    Source: Hinton et al. 2012, Improving neural networks by preventing co-adaptation of feature detectors.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            layer.weight.copy_(torch.renorm(layer.weight, 2, 0, largest))
