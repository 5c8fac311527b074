"""The plan of a fit: optimiser, schedule, precision. All numbers, no state."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import nn

from emotrace.errors import InputError
from emotrace.learn.precision import Precision
from emotrace.learn.ranges import Seed


@dataclass(frozen=True, slots=True)
class Plan:
    """How a network is fitted.

    Args:
        epochs: passes over the training set.
        batch: examples a step; the rest of an epoch that fills no batch is left out, another rest each epoch.
        method: "sgd" has plain momentum, "nesterov" looks ahead, "adamw" decouples the decay.
        rate: highest learning rate.
        momentum: of sgd and nesterov.
        weight_decay: of weights with two or more axes; biases and batch norm have none.
        schedule: "cosine" to 0; "polynomial" of `power` to 0; "linear" from point to point of `points`; "constant".
        warmup: epochs of linear rise from 0.
        power: of "polynomial".
        points: (epoch, share of the highest rate) of "linear", in order; constant before the first and behind the last.
        average: decay of the moving average of weights, 0 = none.
        clip: largest norm of the gradient.
        watch: the validated number that chooses, larger is better; "epoch" takes the last average, whatever it is worth.
        patience: epochs without a better one until it stops, 0 = never.
        seed: of all chance.
        cycle: epochs after which order and augmentation begin again, so that a teacher need see each of them once; 0 = never.
        precision: of the forward pass; where the processor is slow at it, "fp32" is taken (`emotrace.learn.precision`).
        device: "auto" takes CUDA where it is.
        channels_last: memory layout; faster for convolutions.
        compiled: through torch.compile, which needs a C++ compiler and most of a minute, and steps a quarter faster.
        rate_factors: (part of a parameter's name, factor on the rate), first match counts; each has to have one.
        decays: (part of a parameter's name, its weight decay), first match counts; each has to have one.

    Raises:
        InputError: there is no epoch, or no example in a batch.
    """

    epochs: int = 40
    batch: int = 128
    method: Literal["sgd", "nesterov", "adam", "adamw"] = "nesterov"
    rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: Literal["cosine", "polynomial", "linear", "constant"] = "cosine"
    warmup: float = 1.0
    power: float = 0.9
    points: tuple[tuple[float, float], ...] = ()
    average: float = 0.999
    clip: float = 5.0
    watch: str = "accuracy"
    patience: int = 0
    seed: Seed = 0
    cycle: int = 0
    precision: Precision = "fp32"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    channels_last: bool = True
    compiled: bool = False
    rate_factors: tuple[tuple[str, float], ...] = ()
    decays: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 1:
            raise InputError(f"a plan of {self.epochs} epochs in batches of {self.batch} learns nothing; both need at least 1")


def view_of(plan: Plan, epoch: int) -> int:
    """Which order and augmentation an epoch has: its own, or that of an earlier one where they come again."""
    return epoch % plan.cycle if plan.cycle else epoch


def rate_at(plan: Plan, epoch: float) -> float:
    """Learning rate at a moment counted in epochs."""
    if epoch < plan.warmup:
        return plan.rate * max(epoch, 0.01) / plan.warmup
    shapes: dict[str, Callable[[float], float]] = {
        "constant": lambda done: 1.0,
        "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
        "polynomial": lambda done: (1 - done) ** plan.power,
        "linear": lambda done: float(np.interp(epoch, *np.array(plan.points, np.float64).T)),
    }
    return plan.rate * shapes[plan.schedule]((epoch - plan.warmup) / max(plan.epochs - plan.warmup, 1e-9))


def optimiser(network: nn.Module, plan: Plan) -> torch.optim.Optimizer:
    """The optimiser with one group per rate factor and decay.

    Raises:
        InputError: a rate factor or a decay is of parameters that the network does not have.
    """
    _check_named(network, "rate_factors", plan.rate_factors)
    _check_named(network, "decays", plan.decays)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            decay = plan.weight_decay if parameter.ndim > 1 else 0.0
            key = (_first(plan.rate_factors, name, 1.0), _first(plan.decays, name, decay))
            groups.setdefault(key, []).append(parameter)
    sets = [{"params": members, "rate_factor": factor, "weight_decay": decay} for (factor, decay), members in groups.items()]
    if plan.method == "adam":
        return torch.optim.Adam(sets, lr=plan.rate)
    if plan.method == "adamw":
        return torch.optim.AdamW(sets, lr=plan.rate)
    return torch.optim.SGD(sets, lr=plan.rate, momentum=plan.momentum, nesterov=plan.method == "nesterov")


def _check_named(network: nn.Module, field: str, table: tuple[tuple[str, float], ...]) -> None:
    names = [name for name, _ in network.named_parameters()]
    for part, _ in table:
        if not any(part in name for name in names):
            there = dict.fromkeys(word for name in names for word in name.split(".") if not word.isdigit())
            raise InputError(f"{field} of the plan: no parameter has {part!r} in its name; they have: {', '.join(there)}")


def _first(table: tuple[tuple[str, float], ...], name: str, otherwise: float) -> float:
    return next((value for part, value in table if part in name), otherwise)


def device_of(plan: Plan) -> torch.device:
    """The device of a plan.

    Raises:
        InputError: "cuda" is asked for and not there.
    """
    if plan.device == "cuda" and not torch.cuda.is_available():
        raise InputError("the plan asks for CUDA, but this torch sees none; use device='auto' or 'cpu'")
    return torch.device("cuda" if plan.device != "cpu" and torch.cuda.is_available() else "cpu")
