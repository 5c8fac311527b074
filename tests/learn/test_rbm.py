"""Boltzmann machines: their samples, the directions of learning, and that they learn."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from emotrace.errors import InputError
from emotrace.learn.networks.rbm import HIGHEST, Kind, Rbm, contrast, train

KINDS: tuple[Kind, ...] = ("noisy_relu", "bernoulli")
Array = NDArray[np.float64]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def machine(kind: Kind, visible: int = 5, hidden: int = 4) -> Rbm:
    generator = seeded(7)
    rbm = Rbm.start(visible, hidden, kind, generator)
    rbm.weights *= 60   # so that activities are far from alike
    rbm.visible += torch.randn(visible, generator=generator)
    rbm.hidden += torch.randn(hidden, generator=generator)
    return rbm


def with_input(kind: Kind, given: float) -> Rbm:
    """A machine whose hidden units all get the same input, whatever is visible."""
    return Rbm(torch.zeros(1, 1), torch.zeros(1), torch.tensor([given]), kind)


@pytest.mark.parametrize("given", [-1.0, 0.0, 0.7, 3.0])
def test_a_noisy_rectified_unit_has_the_mean_and_variance_of_a_normal_cut_at_0_and_6(given: float) -> None:
    deviation = math.sqrt(1 / (1 + math.exp(-given)))
    fine = np.linspace(given - 9 * deviation, given + 9 * deviation, 200_001)
    density = np.exp(-0.5 * ((fine - given) / deviation) ** 2)
    density /= density.sum()
    cut = np.clip(fine, 0, HIGHEST)
    mean = float((cut * density).sum())
    variance = float(((cut - mean) ** 2 * density).sum())
    drawn = with_input("noisy_relu", given).sample_hidden(torch.zeros(400_000, 1), seeded())
    assert float(drawn.mean()) == pytest.approx(mean, abs=4 * math.sqrt(variance / 400_000))
    assert float(drawn.var()) == pytest.approx(variance, rel=0.02)


def test_a_noisy_rectified_unit_is_never_below_0_nor_above_6() -> None:
    drawn = with_input("noisy_relu", 5.9).sample_hidden(torch.zeros(10_000, 1), seeded())
    assert float(drawn.max()) == 6
    assert float(with_input("noisy_relu", 40.0).activity(torch.zeros(1, 1))) == 6
    assert float(with_input("noisy_relu", -3.0).sample_hidden(torch.zeros(10_000, 1), seeded()).min()) == 0


@pytest.mark.parametrize("given", [-2.0, 0.0, 1.0])
def test_a_bernoulli_unit_is_on_as_often_as_its_sigmoid_says(given: float) -> None:
    chance = 1 / (1 + math.exp(-given))
    drawn = with_input("bernoulli", given).sample_hidden(torch.zeros(200_000, 1), seeded())
    assert set(drawn.unique().tolist()) == {0.0, 1.0}
    assert float(drawn.mean()) == pytest.approx(chance, abs=4 * math.sqrt(chance * (1 - chance) / 200_000))


def slow_activity(rbm: Rbm, row: Array) -> Array:
    weights, hidden = rbm.weights.double().numpy(), rbm.hidden.double().numpy()
    out = np.zeros(len(hidden))
    for j in range(len(hidden)):
        given = hidden[j]
        for i in range(len(row)):
            given += row[i] * weights[i, j]
        out[j] = min(max(given, 0.0), 6.0) if rbm.kind == "noisy_relu" else 1 / (1 + math.exp(-given))
    return out


def slow_direction(rbm: Rbm, data: Tensor, chain: Tensor, noise: Tensor) -> tuple[Array, Array, Array]:
    """One example, one unit at a time: <v h> of the data less <v h> of the model's visible units."""
    v, h = rbm.weights.shape
    weights, visible, hidden = np.zeros((v, h)), np.zeros(v), np.zeros(h)
    for row in data.double().numpy():
        above = slow_activity(rbm, row)
        for i in range(v):
            visible[i] += row[i] / len(data)
            for j in range(h):
                weights[i, j] += row[i] * above[j] / len(data)
        hidden += above / len(data)
    for state, extra in zip(chain.double().numpy(), noise.double().numpy(), strict=True):
        fantasy = np.zeros(v)
        for i in range(v):
            fantasy[i] = float(rbm.visible[i]) + extra[i]
            for j in range(h):
                fantasy[i] += state[j] * float(rbm.weights[i, j])
        below = slow_activity(rbm, fantasy)
        for i in range(v):
            visible[i] -= fantasy[i] / len(chain)
            for j in range(h):
                weights[i, j] -= fantasy[i] * below[j] / len(chain)
        hidden -= below / len(chain)
    return weights, visible, hidden


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chains", [6, 3])
def test_the_direction_is_that_of_a_reference_written_with_loops(kind: Kind, chains: int) -> None:
    rbm, data = machine(kind), torch.randn(6, 5, generator=seeded(1))
    chain = rbm.sample_hidden(data, seeded(2))[:chains]
    direction, fantasy = contrast(rbm, data, chain, seeded(3))
    noise = torch.randn(chains, 5, generator=seeded(3))
    weights, visible, hidden = slow_direction(rbm, data, chain, noise)
    np.testing.assert_allclose(direction.weights.numpy(), weights, atol=1e-5)
    np.testing.assert_allclose(direction.visible.numpy(), visible, atol=1e-5)
    np.testing.assert_allclose(direction.hidden.numpy(), hidden, atol=1e-5)
    assert torch.equal(fantasy, rbm.mean_visible(chain) + noise)


def log_likelihood(rbm: Rbm, data: Tensor) -> Tensor:
    """Exact, up to a constant, for few Bernoulli units: the sum over their states of exp(-energy), over the whole of it."""
    states = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * len(rbm.hidden))
    means = states @ rbm.weights.T + rbm.visible
    whole = (states @ rbm.hidden + 0.5 * (means**2).sum(dim=1) - 0.5 * (rbm.visible**2).sum()).logsumexp(dim=0)
    hidden = torch.nn.functional.softplus(data @ rbm.weights + rbm.hidden).sum(dim=1)
    return (hidden - 0.5 * ((data - rbm.visible) ** 2).sum(dim=1) - whole).mean()


def test_with_long_chains_the_direction_is_the_gradient_of_the_exact_likelihood() -> None:
    rbm, data = machine("bernoulli", 3, 2), torch.randn(8, 3, generator=seeded(1))
    parts = [part.double().requires_grad_() for part in (rbm.weights, rbm.visible, rbm.hidden)]
    log_likelihood(Rbm(parts[0], parts[1], parts[2], "bernoulli"), data.double()).backward()   # type: ignore[no-untyped-call]
    generator = seeded(4)
    chain = (torch.rand(200_000, 2, generator=generator) < 0.5).float()
    for _ in range(30):   # Gibbs steps until the chains have forgotten where they began
        direction, fantasy = contrast(rbm, data, chain, generator)
        chain = rbm.sample_hidden(fantasy, generator)
    for part, found in zip(parts, (direction.weights, direction.visible, direction.hidden), strict=True):
        assert part.grad is not None
        np.testing.assert_allclose(found.numpy(), part.grad.numpy(), atol=0.03)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("persistent", [False, True])
def test_the_reconstruction_error_falls(kind: Kind, persistent: bool) -> None:
    generator = seeded()
    hidden = torch.randn(600, 3, generator=generator)
    data = hidden @ torch.randn(3, 12, generator=generator)   # three things that vary, seen in twelve numbers
    data /= data.std(dim=0)
    rbm = Rbm.start(12, 10, kind, generator)
    errors = train(rbm, data, rate=0.05, decay=2e-4, epochs=15, batch=20, persistent=persistent, generator=generator)
    assert len(errors) == 16
    assert errors[-1] < 0.7 * errors[0]
    assert errors[-1] == rbm.reconstruction_error(data)


def test_decay_alone_shrinks_the_weights_by_its_share_of_the_rate() -> None:
    rbm = Rbm(torch.ones(2, 2), torch.zeros(2), torch.full((2,), -1e4), "noisy_relu")   # hidden units that are always 0
    train(rbm, torch.zeros(4, 2), rate=0.5, decay=0.1, epochs=2, batch=4, persistent=False, generator=seeded())
    assert rbm.weights.flatten().tolist() == pytest.approx([0.95**2] * 4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_trains_the_same_machine(kind: Kind) -> None:
    data, trained = torch.randn(30, 5, generator=seeded(1)), []
    for _ in range(2):
        generator = seeded(9)
        rbm = Rbm.start(5, 4, kind, generator)
        train(rbm, data, rate=0.01, decay=0.0, epochs=2, batch=8, persistent=False, generator=generator)
        trained.append(rbm.weights)
    assert torch.equal(trained[0], trained[1])


def test_no_rows_is_an_error_of_one_line() -> None:
    nothing = torch.zeros(0, 5)
    with pytest.raises(InputError, match="no rows"):
        train(machine("bernoulli"), nothing, rate=0.1, decay=0.0, epochs=1, batch=2, persistent=False, generator=seeded())
