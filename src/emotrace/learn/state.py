"""What a fit carries from step to step and from epoch to epoch."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import torch
from torch import nn

from emotrace.learn.plan import Plan, optimiser
from emotrace.learn.precision import dtype_of


@dataclass(slots=True)
class Progress:
    """Where a run stands.

    Args:
        epoch: epochs done.
        history: one line of numbers per epoch done.
        best: best value of `plan.watch` so far.
        best_epoch: epoch that gave it, counted from 1; 0 = none yet.
    """

    epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best: float = float("-inf")
    best_epoch: int = 0

    def advance(self, numbers: dict[str, float], watch: str) -> None:
        """Count one more epoch."""
        self.epoch += 1
        self.history.append(numbers)
        if numbers[watch] > self.best:
            self.best, self.best_epoch = numbers[watch], self.epoch

    @property
    def summary(self) -> str:
        """One line: the best epoch and its number."""
        return f"best epoch {self.best_epoch}: {self.best:.4f}"

    def exhausted(self, patience: int) -> bool:
        """True when `patience` epochs have brought nothing better; never where patience is 0."""
        return patience > 0 and self.epoch - self.best_epoch >= patience


@dataclass(frozen=True, slots=True)
class State:
    """All that learns.

    Args:
        network: the weights that are stepped.
        average: their moving average, in eval mode.
        steps: the optimiser with its momenta.
        scaler: of the loss, in fp16 on CUDA; without effect otherwise.
    """

    network: nn.Module
    average: nn.Module
    steps: torch.optim.Optimizer
    scaler: torch.amp.GradScaler

    @classmethod
    def start(cls, network: nn.Module, plan: Plan, device: torch.device) -> State:
        """The state before the first step; the network is moved to the device."""
        layout = torch.channels_last if plan.channels_last else torch.contiguous_format
        network.to(device).to(memory_format=layout)  # type: ignore[call-overload]
        average = copy.deepcopy(network).eval().requires_grad_(False)
        scaler = torch.amp.GradScaler(device.type, enabled=dtype_of(plan.precision, device) == torch.float16)
        return cls(network, average, optimiser(network, plan), scaler)

    @property
    def is_finite(self) -> bool:
        """Whether all averaged weights are numbers; once they are not, they never are again."""
        return all(bool(value.isfinite().all()) for value in self.average.state_dict().values())

    @torch.no_grad()
    def move_average(self, decay: float) -> None:
        """Move the averaged weights towards the network's (Polyak & Juditsky 1992); counters are copied."""
        for kept, new in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
            if kept.dtype.is_floating_point:
                kept.lerp_(new, 1 - decay)
            else:
                kept.copy_(new)
