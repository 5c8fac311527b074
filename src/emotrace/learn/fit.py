"""One plain loop that fits a network: read it from top to bottom.

    epoch: order ─▶ batches ─augment─▶ network ─loss─▶ step, EMA  ─▶ validate the EMA ─▶ checkpoint

All chance of an epoch (order, augmentation, dropout) comes from the seed and the epoch's number, so a run that was killed
and is continued from its last checkpoint gives the same numbers as one that was not.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Generator, Tensor, nn

from emotrace.learn import checkpoint
from emotrace.learn.log import Report, lines
from emotrace.learn.plan import Plan, device_of, optimiser, precision_of, rate_at

Augment = Callable[[Tensor, Tensor, int, Generator], tuple[Tensor, Tensor]]
Loss = Callable[[Tensor, Tensor], Tensor]
Validate = Callable[[nn.Module], dict[str, float]]


@dataclass(frozen=True, slots=True)
class Examples:
    """What is learnt from.

    Args:
        images: (n, c, h, w) uint8.
        targets: (n, k) float32, soft targets or values; heads side by side.
    """

    images: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.images)


@dataclass(slots=True)
class Progress:
    """Where a run stands.

    Args:
        epoch: epochs done.
        history: one line of numbers per epoch done.
        best: best value of `plan.watch` so far.
        best_epoch: epoch that gave it, counted from 1.
    """

    epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best: float = float("-inf")
    best_epoch: int = 0


def fit(
    network: nn.Module,
    examples: Examples,
    plan: Plan,
    *,
    loss: Loss,
    augment: Augment,
    validate: Validate,
    folder: Path,
    report: Report = lines,
) -> Progress:
    """Fit a network, or continue the run that lies in `folder`.

    Args:
        network: its weights are the start; afterwards they are the moving average of the last epoch.
        examples: training set.
        plan: optimiser, schedule, epochs, seed.
        loss: of outputs (n, k) and targets (n, k), a scalar.
        augment: (images uint8, targets, epoch, generator) -> network input, targets.
        validate: numbers of the averaged network in eval mode; `plan.watch` names the one that chooses, larger is better.
        folder: gets `last/` after every epoch and `best/` whenever the watched number rises.
        report: called with each epoch's numbers.

    Returns:
        Progress with the history; weights of the best epoch lie in `folder / "best"`.

    Raises:
        InputError: `folder` holds a run of another plan.
    """
    device = device_of(plan)
    layout = torch.channels_last if plan.channels_last else torch.contiguous_format
    network.to(device).to(memory_format=layout)  # type: ignore[call-overload]
    average = copy.deepcopy(network).eval().requires_grad_(False)
    steps = optimiser(network, plan)
    progress = checkpoint.load(folder / "last", network, average, steps, plan)
    batches = len(examples) // plan.batch
    while progress.epoch < plan.epochs and not exhausted(progress, plan):
        began = time.perf_counter()
        total = 0.0
        with torch.random.fork_rng():
            torch.manual_seed(plan.seed * 100_003 + progress.epoch)  # dropout draws from the global generator
            chance = Generator().manual_seed(plan.seed * 100_003 + progress.epoch)
            order = torch.randperm(len(examples), generator=chance)
            network.train()
            for step in range(batches):
                rate = rate_at(plan, progress.epoch + step / batches)
                for group in steps.param_groups:
                    group["lr"] = rate * group["rate_factor"]
                rows = order[step * plan.batch : (step + 1) * plan.batch]
                images, targets = augment(examples.images[rows], examples.targets[rows], progress.epoch, chance)
                images = images.to(device).contiguous(memory_format=layout)
                with precision_of(plan, device):
                    outputs = network(images)
                value = loss(outputs.float(), targets.to(device))
                steps.zero_grad()
                torch.autograd.backward(value)
                nn.utils.clip_grad_norm_(network.parameters(), plan.clip)
                steps.step()
                taken = progress.epoch * batches + step
                move_average(average, network, min(plan.average, (1 + taken) / (10 + taken)))  # short memory at first
                total += value.item()
        numbers = {"epoch": progress.epoch + 1.0, "loss": total / batches, "rate": rate, **validate(average)}
        numbers["seconds"] = time.perf_counter() - began
        advance(progress, numbers, plan)
        checkpoint.save(folder / "last", network, average, steps, progress, plan)
        if progress.best_epoch == progress.epoch:
            checkpoint.save_weights(folder / "best", average, numbers)
        report(numbers)
    network.load_state_dict(average.state_dict())
    return progress


def exhausted(progress: Progress, plan: Plan) -> bool:
    """True when `plan.patience` epochs have brought nothing better."""
    return plan.patience > 0 and progress.epoch - progress.best_epoch >= plan.patience


def advance(progress: Progress, numbers: dict[str, float], plan: Plan) -> None:
    """Count one more epoch."""
    progress.epoch += 1
    progress.history.append(numbers)
    if numbers[plan.watch] > progress.best:
        progress.best, progress.best_epoch = numbers[plan.watch], progress.epoch


@torch.no_grad()
def move_average(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move the averaged weights towards the network's (Polyak & Juditsky 1992); counters are copied."""
    for kept, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.lerp_(new, 1 - decay)
        else:
            kept.copy_(new)
