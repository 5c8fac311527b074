"""One plain loop that fits a network: read it from top to bottom.

    epoch: order ─▶ batches ─augment─▶ network ─loss─▶ step, average  ─▶ validate the average ─▶ checkpoint

All chance of an epoch (order, augmentation, dropout) comes from the seed and the epoch's number, so a run that was killed
and is continued from its last checkpoint gives the same numbers as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Generator, Tensor, nn

from emotrace.errors import InputError
from emotrace.learn import checkpoint
from emotrace.learn.log import Report, lines, say
from emotrace.learn.mark import mark
from emotrace.learn.plan import Plan, device_of, rate_at, view_of
from emotrace.learn.precision import computed_in, is_taken
from emotrace.learn.state import Progress, State

Augment = Callable[[Tensor, Tensor, int, Generator], tuple[Tensor, Tensor]]
Loss = Callable[[Tensor, Tensor], Tensor]
Validate = Callable[[nn.Module], dict[str, float]]
MEASURED = ("epoch", "loss", "rate", "seconds")  # an epoch's numbers beside those that `validate` gives


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
    beside: Sequence[object] = (),
) -> Progress:
    """Fit a network, or continue the run that lies in `folder`.

    Args:
        network: its weights are the start; afterwards they are the moving average of the last epoch.
        examples: training set, at least one batch.
        plan: optimiser, schedule, epochs, seed.
        loss: of outputs (n, k) and targets (n, k), a scalar.
        augment: (images uint8, targets, epoch, generator) -> network input, targets.
        validate: numbers of the averaged network in eval mode, in the plan's precision; `plan.watch` names the one that
            chooses, larger is better.
        folder: gets `last/` after every epoch and `best/` whenever the watched number rises.
        report: called with each epoch's numbers.
        beside: what `augment` and `validate` look at beside the examples, as `mark` takes it.

    Returns:
        Progress with the history; weights of the best epoch lie in `folder / "best"`.

    Raises:
        InputError: `folder` holds a run of another plan or on other examples, there are fewer examples than a batch, the rate
            is no number, the schedule "linear" has no points, a rate factor or decay is of no parameter there is, or `validate`
            gives no number of the name that is watched; all before the first step. Or loss, weights or outputs are no longer
            finite.
    """
    _check_plan(plan, len(examples))
    if not is_taken(plan.precision, device_of(plan)):
        say(f"{plan.precision} is slow on this processor: computing in fp32")
    state = State.start(network, plan, device_of(plan))
    learnt_from = mark(examples.images.numpy(), examples.targets.numpy(), *beside)
    progress = checkpoint.load(folder / "last", state, plan, learnt_from)
    if not progress.epoch:
        _check_watch(plan, state, validate)
    while progress.epoch < plan.epochs and not progress.exhausted(plan.patience):
        began = time.perf_counter()
        learnt = one_epoch(state, examples, plan, progress.epoch, loss, augment)
        if not (math.isfinite(learnt["loss"]) and state.is_finite):
            what = f"the loss is {learnt['loss']:g}" if state.is_finite else "the weights are no longer finite"
            raise InputError(f"epoch {progress.epoch + 1}: {what}; take a lower rate than {plan.rate:g}")
        with computed_in(plan.precision, device_of(plan)):
            numbers = {"epoch": progress.epoch + 1.0, **learnt, **validate(state.average)}
        numbers["seconds"] = time.perf_counter() - began
        progress.advance(numbers, plan.watch)
        if progress.best_epoch == progress.epoch:
            checkpoint.save_weights(folder / "best", state.average, numbers)
        checkpoint.save(folder / "last", state, progress, plan, learnt_from)
        report(numbers)
    network.load_state_dict(state.average.state_dict())
    return progress


def _check_plan(plan: Plan, examples: int) -> None:
    if examples < plan.batch:
        raise InputError(f"{examples} examples are fewer than a batch of {plan.batch}; use a smaller batch")
    if not (math.isfinite(plan.rate) and plan.rate >= 0):
        raise InputError(f"the plan's rate is {plan.rate}; expected a number of at least 0")
    if plan.schedule == "linear" and not plan.points:
        raise InputError("the plan's schedule is 'linear', but it has no points; give some, or take another schedule")


def _check_watch(plan: Plan, state: State, validate: Validate) -> None:
    if plan.watch in MEASURED:
        return
    with computed_in(plan.precision, device_of(plan)):
        names = (*MEASURED, *validate(state.average))
    if plan.watch not in names:
        raise InputError(f"the plan watches {plan.watch!r}, which is not measured here; take one of: {', '.join(names)}")


def one_epoch(state: State, examples: Examples, plan: Plan, epoch: int, loss: Loss, augment: Augment) -> dict[str, float]:
    """Step through the training set once; gives the mean loss and the last rate."""
    device = device_of(plan)
    total, steps = 0.0, len(examples) // plan.batch
    network = state.network.train()
    # Not dynamic: kernels for pictures of any size are several times as slow as those for one.
    forward = torch.compile(network, dynamic=False) if plan.compiled else network
    with torch.random.fork_rng():
        torch.manual_seed(seed_of(plan, epoch))  # dropout draws from the global generator
        for step, (images, targets) in enumerate(batches(examples, plan, epoch, augment)):
            rate = rate_at(plan, epoch + step / steps)
            for group in state.steps.param_groups:
                group["lr"] = rate * group["rate_factor"]
            total += one_step(state, forward, images.to(device), targets.to(device), plan, loss)
            taken = epoch * steps + step
            state.move_average(min(plan.average, (1 + taken) / (10 + taken)))  # short memory at first
    return {"loss": total / steps, "rate": rate}


def batches(examples: Examples, plan: Plan, epoch: int, augment: Augment) -> Iterator[tuple[Tensor, Tensor]]:
    """The augmented batches of an epoch, in its order."""
    chance = Generator().manual_seed(seed_of(plan, view_of(plan, epoch)))
    order = torch.randperm(len(examples), generator=chance)
    for rows in torch.split(order[: len(order) // plan.batch * plan.batch], plan.batch):
        yield augment(examples.images[rows], examples.targets[rows], epoch, chance)


def one_step(
    state: State, forward: Callable[[Tensor], Tensor], images: Tensor, targets: Tensor, plan: Plan, loss: Loss
) -> float:
    """Forward, backward, clip, step; gives the loss."""
    layout = torch.channels_last if plan.channels_last and images.ndim == 4 else torch.contiguous_format
    with computed_in(plan.precision, images.device):
        outputs = forward(images.contiguous(memory_format=layout))
    value = loss(outputs.float(), targets)
    state.steps.zero_grad()
    torch.autograd.backward(state.scaler.scale(value))
    state.scaler.unscale_(state.steps)
    nn.utils.clip_grad_norm_(state.network.parameters(), plan.clip)
    state.scaler.step(state.steps)
    state.scaler.update()
    return value.item()


def seed_of(plan: Plan, epoch: int) -> int:
    """Another seed for every epoch of every plan's seed."""
    return plan.seed * 100_003 + epoch
