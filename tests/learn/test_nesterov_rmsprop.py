"""The optimiser of EmoNets' audio network against its equations, one number at a time."""

import math

import pytest
import torch
from torch import nn

from emotrace.learn.nesterov_rmsprop import NesterovRmsprop, bound_norms


def slow_path(begun: float, steps: int, rate: float, momentum: float, decay: float) -> list[float]:
    """w after each step on f(w) = (w - 3)^4, with the gradient taken ahead."""
    w, velocity, square, path = begun, 0.0, math.nan, []
    for _ in range(steps):
        gradient = 4 * (w + momentum * velocity - 3) ** 3
        square = gradient**2 if math.isnan(square) else square
        square = decay * square + (1 - decay) * gradient**2
        velocity = momentum * velocity - rate * gradient / math.sqrt(square)
        w += velocity
        path.append(w)
    return path


def test_the_path_is_that_of_the_equations() -> None:
    parameter = nn.Parameter(torch.tensor([0.0, 8.0], dtype=torch.float64))
    optimiser = NesterovRmsprop([parameter], lr=0.05, momentum=0.46, decay=0.92)
    expected = list(zip(slow_path(0.0, 25, 0.05, 0.46, 0.92), slow_path(8.0, 25, 0.05, 0.46, 0.92), strict=True))
    for step in expected:
        optimiser.zero_grad()
        (parameter - 3).pow(4).sum().backward()   # type: ignore[no-untyped-call]
        optimiser.step()
        here = parameter.detach() - 0.46 * optimiser.state[parameter]["velocity"]   # kept ahead of w by mu v
        assert here.tolist() == pytest.approx(step, abs=1e-9)


def test_it_finds_the_minimum_and_the_rate_is_the_length_of_a_step() -> None:
    parameter = nn.Parameter(torch.tensor([5.0]))
    optimiser = NesterovRmsprop([parameter], lr=0.01, momentum=0.0)
    (parameter**2).sum().backward()   # type: ignore[no-untyped-call]
    optimiser.step()
    assert parameter.item() == pytest.approx(4.99)
    for _ in range(800):
        optimiser.zero_grad()
        (parameter**2).sum().backward()   # type: ignore[no-untyped-call]
        optimiser.step()
    assert abs(parameter.item()) < 0.02


def test_a_parameter_without_gradient_and_one_whose_gradient_is_0_stay() -> None:
    unused, still = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    (still * 0).sum().backward()   # type: ignore[no-untyped-call]
    NesterovRmsprop([unused, still]).step()
    assert unused.tolist() == still.tolist() == [1, 1]


def test_norms_of_incoming_weights_are_bounded_and_smaller_ones_left() -> None:
    layer = nn.Linear(2, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[3.0, 4.0], [0.6, 0.8]]))
    bound_norms(nn.Sequential(layer), 1.25)
    assert layer.weight.flatten().tolist() == pytest.approx([0.75, 1.0, 0.6, 0.8])
