"""Weighted means of the largest values over time."""

import pytest
import torch

from emotrace.learn.top_pooling import padded, top_pooled

VALUES = torch.tensor([[[1.0, 5.0], [4.0, 2.0], [3.0, 9.0]]])   # one clip, three frames, two units


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ((1.4, 0.6), [(1.4 * 4 + 0.6 * 3) / 2, (1.4 * 9 + 0.6 * 5) / 2]),
        ((1.3, 0.7), [(1.3 * 4 + 0.7 * 3) / 2, (1.3 * 9 + 0.7 * 5) / 2]),
        ((1.0,), [4.0, 9.0]),
        ((1.0, 1.0, 1.0), [8 / 3, 16 / 3]),
    ],
)
def test_the_largest_are_weighted_by_rank_whenever_they_come(weights: tuple[float, ...], expected: list[float]) -> None:
    assert top_pooled(VALUES, torch.tensor([3]), weights)[0].tolist() == pytest.approx(expected)
    assert top_pooled(VALUES[:, [2, 0, 1]], torch.tensor([3]), weights)[0].tolist() == pytest.approx(expected)


def test_what_lies_behind_the_end_of_a_clip_does_not_count() -> None:
    clips, lengths = padded([torch.tensor([[-3.0], [-1.0]]), torch.tensor([[1.0], [2.0], [3.0], [7.0]])])
    clips[0, 2:] = 99.0
    pooled = top_pooled(clips, lengths, (1.4, 0.6))
    assert pooled.flatten().tolist() == pytest.approx([0.7 * -1 + 0.3 * -3, 0.7 * 7 + 0.3 * 3])


def test_a_clip_of_one_frame_is_that_frame_alone_and_beside_others() -> None:
    alone = top_pooled(torch.tensor([[[2.5]]]), torch.tensor([1]), (1.4, 0.6))
    clips, lengths = padded([torch.tensor([[2.5]]), torch.tensor([[1.0], [3.0]])])
    assert alone.item() == top_pooled(clips, lengths, (1.4, 0.6))[0].item() == 2.5


def test_gradients_reach_the_frames_that_were_used_and_no_other() -> None:
    values = VALUES.clone().requires_grad_()
    top_pooled(values, torch.tensor([3]), (1.4, 0.6)).sum().backward()   # type: ignore[no-untyped-call]
    assert values.grad is not None
    assert values.grad.flatten().tolist() == pytest.approx([0, 0.3, 0.7, 0, 0.3, 0.7])


def test_gradients_of_padded_clips_are_numbers() -> None:
    values = torch.randn(2, 3, 2, requires_grad=True, generator=torch.Generator().manual_seed(0))
    top_pooled(values, torch.tensor([1, 3]), (1.4, 0.6)).sum().backward()   # type: ignore[no-untyped-call]
    assert values.grad is not None
    assert values.grad.isfinite().all()
    assert not values.grad[0, 1:].any()
