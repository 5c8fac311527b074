"""Augmentation: what it must leave, what it must change, and that a seed gives the same batch."""

from __future__ import annotations

import dataclasses

import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from emotrace.learn.augment import Augmentation, augment, erase, geometry, light, mix  # noqa: E402

STILL = Augmentation(
    rotation=0, scale=(1, 1), stretch=0, shift=0, flip=0, contrast=(1, 1), brightness=0, noise=0, erase=0, mix=0
)  # fmt: skip


def faces(n: int = 6, side: int = 16) -> torch.Tensor:
    return torch.randint(0, 256, (n, 1, side, side), generator=torch.Generator().manual_seed(5)).to(torch.uint8)


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_no_augmentation_leaves_pictures_and_targets_as_they_are():
    images, targets = augment(faces(), torch.eye(6), STILL, 16, chance())
    assert torch.allclose(images, faces().float(), atol=0.01)
    assert torch.equal(targets, torch.eye(6))


def test_a_certain_flip_mirrors_every_picture():
    images = geometry(faces(), dataclasses.replace(STILL, flip=1), 16, chance())
    assert torch.allclose(images, faces().float().flip(3), atol=0.01)


def test_a_quarter_turn_is_a_quarter_turn():
    square = torch.zeros(1, 1, 15, 15)
    square[0, 0, 4, 7] = 100  # 3 px above the middle
    turned = [geometry(square, dataclasses.replace(STILL, rotation=90), 15, chance(seed))[0, 0] for seed in range(40)]
    middles = torch.stack([torch.stack([p.sum(0), p.sum(1)]) @ torch.arange(15.0) / p.sum() for p in turned])  # x, y
    assert torch.allclose((middles - 7).norm(dim=1), torch.full((40,), 3.0), atol=0.1)  # it stays 3 px from the middle
    assert middles[:, 0].min() < 4.5
    assert middles[:, 0].max() > 9.5


def test_another_size_keeps_the_field_of_view():
    ramp = torch.arange(48.0).repeat(48, 1)[None, None]
    small = geometry(ramp, STILL, 24, chance())
    assert small.shape == (1, 1, 24, 24)
    assert torch.allclose(small[0, 0, 5], torch.arange(24.0) * 2 + 0.5, atol=1e-3)


def test_light_keeps_grey_levels_within_their_range_and_changes_the_contrast():
    images = faces().float()
    lit = light(images, dataclasses.replace(STILL, contrast=(0.5, 0.5), brightness=0), chance())
    assert torch.allclose(lit.std((2, 3)), images.std((2, 3)) / 2, rtol=1e-4)
    assert torch.allclose(lit.mean((2, 3)), images.mean((2, 3)), atol=1e-3)
    hard = light(images, Augmentation(brightness=200, noise=50), chance())
    assert hard.min() >= 0
    assert hard.max() <= 255


def test_erasing_fills_one_rectangle_of_the_asked_size_with_one_grey_level():
    images = torch.full((200, 1, 48, 48), -1.0)
    erased = erase(images, dataclasses.replace(STILL, erase=0.5, erase_area=(0.1, 0.1)), chance())
    share = (erased >= 0).float().mean((1, 2, 3))
    assert 60 < int((share > 0).sum()) < 140
    assert share.max() <= 0.115
    for picture in erased[share > 0]:
        assert len(picture.unique()) <= 2


def test_mixing_blends_pictures_and_targets_by_the_same_share():
    images = torch.arange(4.0)[:, None, None, None].repeat(1, 1, 2, 2)
    targets = torch.arange(4.0)[:, None]
    mixed, blended = mix(images, targets, dataclasses.replace(STILL, mix=1, mix_alpha=5), chance(2))
    assert torch.allclose(mixed[:, 0, 0, 0], blended[:, 0])
    assert not torch.equal(mixed, images)
    assert torch.equal(mix(images, targets, STILL, chance(2))[0], images)


def test_the_same_seed_gives_the_same_batch_and_another_does_not():
    first, again, other = (augment(faces(), torch.eye(6), Augmentation(), 16, chance(seed))[0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_pictures_given_are_not_written_to():
    given = faces()
    augment(given, torch.eye(6), Augmentation(), 16, chance())
    assert torch.equal(given, faces())
