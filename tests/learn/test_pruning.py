"""Narrower perceptrons: nothing is lost where units are not needed, and what is left is the best that it can be."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from emotrace.errors import InputError  # noqa: E402
from emotrace.learn.networks.whisper import BANDS, Encoder, Size  # noqa: E402
from emotrace.learn.pruning import pruned  # noqa: E402

SMALL = Size(width=16, heads=2, blocks=2)


def shown(n=8, t=60):
    return torch.randn(n, t, BANDS, generator=torch.Generator().manual_seed(0)) * 0.3


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return Encoder(2, SMALL).eval()


def test_units_that_say_nothing_or_what_others_say_are_not_missed(encoder):
    with torch.no_grad():
        for block in encoder.blocks:
            first, _, last = block.mlp
            last.weight[:, 40:] = 0                            # 24 that say nothing,
            first.weight[20:40], first.bias[20:40] = first.weight[:20], first.bias[:20]   # and 20 that others say
    narrow = pruned(encoder, shown(), 40)
    assert [len(block.mlp[0].weight) for block in narrow.blocks] == [40, 40]
    assert torch.allclose(narrow(shown()), encoder(shown()), atol=2e-3)
    assert narrow(shown()).shape == (8, 30, 16)


def test_what_is_left_makes_up_for_what_is_gone(encoder):
    """The second layer fitted anew is nearer to the whole than the same units with the weights they had."""
    narrow = pruned(encoder, shown(), 24)
    expected = encoder.states(shown())[0]
    ours = (narrow.states(shown())[0] - expected).square().mean()
    whole, kept = encoder.blocks[0].mlp, narrow.blocks[0].mlp
    units = [int((whole[0].weight == row).all(1).nonzero()) for row in kept[0].weight]
    assert units == sorted(set(units))
    with torch.no_grad():
        kept[2].weight.copy_(whole[2].weight[:, units])
        kept[2].bias.copy_(whole[2].bias)
    plain = (narrow.states(shown())[0] - expected).square().mean()
    assert ours < 0.5 * plain


def test_the_encoder_stays_as_it_is_and_others_layers_are_taken_as_they_are(encoder):
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    narrow = pruned(encoder, shown(), 8).state_dict()
    assert all(torch.equal(before[name], tensor) for name, tensor in encoder.state_dict().items())
    assert all(torch.equal(before[name], tensor) for name, tensor in narrow.items() if ".mlp." not in name)


def test_no_more_units_than_there_are(encoder):
    with pytest.raises(InputError, match="hidden is 65, but the encoder's perceptrons have 64 units"):
        pruned(encoder, shown(), 65)
