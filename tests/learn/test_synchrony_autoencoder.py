"""The synchrony autoencoder: its loss against loops, and that it learns motion from nothing but films."""

import math

import made_clips
import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from emotrace.errors import InputError
from emotrace.learn.motion_words import sample, whiten
from emotrace.learn.networks.synchrony_autoencoder import SynchronyAutoencoder, train


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network(inputs: int = 4, hidden: int = 3) -> SynchronyAutoencoder:
    made = SynchronyAutoencoder.start(inputs, hidden, seeded(5))
    made.bias += torch.randn(hidden, generator=seeded(6))
    return made


def test_the_loss_is_that_of_a_reference_written_with_loops() -> None:
    made, blocks, contraction = network(), torch.randn(5, 4, generator=seeded(1)), 0.3
    filters, bias, total = made.filters.double().numpy(), made.bias.double().numpy(), 0.0
    for block in blocks.double().numpy():
        back = np.zeros(4)
        for k in range(3):
            response = sum(filters[k, i] * block[i] for i in range(4))
            kept = 1 / (1 + math.exp(-(response**2) - bias[k]))
            for i in range(4):
                back[i] += filters[k, i] * response * kept
                total += contraction * (kept * (1 - kept) * 2 * response * filters[k, i]) ** 2
        total += 0.5 * sum((back[i] - block[i]) ** 2 for i in range(4))
    assert float(made.loss(blocks, contraction)) == pytest.approx(total / 5, rel=1e-5)
    assert made.error(blocks) == pytest.approx(2 * float(made.loss(blocks, 0.0)), rel=1e-5)


def test_the_contraction_is_the_squared_norm_of_the_jacobian() -> None:
    made, block = network(), torch.randn(1, 4, generator=seeded(2))
    jacobian = torch.autograd.functional.jacobian(made.hidden, block)   # type: ignore[no-untyped-call]
    alone = made.loss(block, 1.0) - made.loss(block, 0.0)
    assert float(alone) == pytest.approx(float(jacobian.square().sum()), rel=1e-4)


def test_what_is_kept_does_not_depend_on_contrast_reversal() -> None:
    made, blocks = network(), torch.randn(6, 4, generator=seeded(3))
    assert torch.equal(made.hidden(blocks), made.hidden(-blocks))


def films(seed: int, count: int) -> tuple[torch.Tensor, np.ndarray]:
    """Blocks of 5 x 6 x 6 of textures that drift to the right (1) or to the left (0), whitened."""
    rng = np.random.default_rng(seed)
    direction = rng.integers(0, 2, count)
    drifts = [made_clips.drifting(5, 12, 12, (0.0, 1.0 if right else -1.0), rng) for right in direction]
    blocks = np.concatenate([sample(film, (5, 6, 6), 1, rng) for film in drifts]).reshape(count, -1)
    return torch.from_numpy(blocks.astype(np.float32)), direction


def test_it_learns_without_labels_what_tells_directions_of_motion_apart() -> None:
    pixels, direction = films(0, 2000)
    unseen, answer = films(1, 500)
    whitening = whiten(pixels.numpy(), 40)
    blocks, others = (torch.from_numpy(whitening.apply(part.numpy())) for part in (pixels, unseen))
    made = SynchronyAutoencoder.start(blocks.shape[1], 40, seeded())
    begun = made.error(others)
    losses = train(made, blocks, rate=1e-4, momentum=0.9, epochs=40, batch=25, contraction=0.5, generator=seeded())
    assert len(losses) == 40
    assert losses[-1] < 0.5 * losses[0]
    assert made.error(others) < 0.3 * begun

    def told_apart(seen: torch.Tensor, asked: torch.Tensor) -> float:
        return float(LogisticRegression(C=0.1).fit(seen.numpy(), direction).score(asked.numpy(), answer))

    assert told_apart(made.hidden(blocks), made.hidden(others)) > 0.75
    assert told_apart(blocks, others) < 0.65   # pixels alone cannot: a texture and its negative move alike


def test_the_same_seed_learns_the_same_filters_and_nothing_keeps_a_gradient() -> None:
    blocks, learned = torch.randn(40, 4, generator=seeded(1)), []
    for _ in range(2):
        made = SynchronyAutoencoder.start(4, 3, seeded(2))
        train(made, blocks, rate=1e-3, momentum=0.9, epochs=3, batch=7, contraction=0.1, generator=seeded(3))
        learned.append(made.filters)
        assert not made.filters.requires_grad
    assert torch.equal(learned[0], learned[1])


def test_no_blocks_is_an_error_of_one_line() -> None:
    with pytest.raises(InputError, match="no blocks"):
        train(network(), torch.zeros(0, 4), rate=1e-4, momentum=0.9, epochs=1, batch=2, contraction=0.0, generator=seeded())
