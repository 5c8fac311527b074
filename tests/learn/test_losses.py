"""Losses against torch's own and by hand; test-time views."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from torch.nn import functional as F  # noqa: E402, N812

from emotrace.learn.losses import balanced_weights, cross_entropy  # noqa: E402
from emotrace.learn.test_time import averaged, eighteen  # noqa: E402


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_of_hard_targets_is_torchs(smoothing):
    torch.manual_seed(0)
    logits, truth = torch.randn(20, 7), torch.randint(0, 7, (20,))
    ours = cross_entropy(logits, F.one_hot(truth, 7).float(), smoothing)
    assert ours.item() == pytest.approx(F.cross_entropy(logits, truth, label_smoothing=smoothing).item(), rel=1e-5)


def test_cross_entropy_of_soft_targets_is_least_where_the_answer_is_the_target():
    target = torch.tensor([[0.7, 0.2, 0.1]])
    least = cross_entropy(target.log(), target)
    assert least.item() == pytest.approx(-(target * target.log()).sum().item(), rel=1e-6)
    assert cross_entropy(target.log() + torch.tensor([0.3, 0, 0]), target) > least


def test_a_row_without_target_costs_nothing():
    logits = torch.tensor([[2.0, 0.0], [5.0, -5.0]])
    targets = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    assert cross_entropy(logits, targets, 0.1).item() == pytest.approx(cross_entropy(logits[:1], targets[:1], 0.1).item() / 2)


def test_balanced_weights_make_every_class_count_the_same():
    labels = np.array([0] * 6 + [1] * 3 + [2])
    weights = balanced_weights(labels, 4)
    assert (weights[:3] * torch.tensor([6.0, 3.0, 1.0])).tolist() == pytest.approx([10 / 3] * 3)
    assert weights[3] == 0
    assert balanced_weights(labels, 4, power=0).tolist() == [1, 1, 1, 0]


def test_eighteen_views_are_nine_places_and_their_mirror_images():
    images = torch.arange(36.0).reshape(1, 1, 6, 6)
    views = eighteen(images, 4)
    assert views.shape == (18, 1, 1, 4, 4)
    assert views[:9, 0, 0, 0, 0].tolist() == [0, 1, 2, 6, 7, 8, 12, 13, 14]
    assert torch.equal(views[9:], views[:9].flip(-1))
    mean = averaged(lambda x: x.mean((1, 2, 3))[:, None] * torch.tensor([0.0, 0.1]), images, 4)
    assert mean.sum().item() == pytest.approx(1)
