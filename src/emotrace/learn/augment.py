"""Augmentation of whole batches in torch: one resampling for all geometry, then light, erasing and mixing.

    uint8 (n, c, h, w) ─geometry─▶ float (n, c, s, s) ─light─▶ ─erase─▶ ─mix with targets─▶ batch

Every function takes a generator, so that the same seed gives the same batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional as F  # noqa: N812

from emotrace.learn.fit import Augment
from emotrace.learn.ranges import Above0, From0, Share


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How strongly batches are varied; ranges are uniform and symmetric unless said otherwise.

    Args:
        rotation: degrees to either side.
        scale: factors of magnification, low and high (log-uniform).
        stretch: log of the ratio of width to height.
        shift: share of the side, in x and y each.
        flip: probability of a mirror image.
        contrast: factors, low and high.
        brightness: grey levels to either side.
        noise: standard deviation of pixel noise, grey levels, itself uniform from 0 to this.
        erase: probability that a rectangle is filled with noise.
        erase_area: share of the picture that the rectangle takes, low and high.
        mix: probability that a batch is blended with a shuffled copy of itself (mixup).
        mix_alpha: Beta(alpha, alpha) of the blend.
    """

    rotation: From0 = 20.0
    scale: tuple[Above0, Above0] = (0.85, 1.2)
    stretch: From0 = 0.1
    shift: From0 = 0.08
    flip: Share = 0.5
    contrast: tuple[From0, From0] = (0.6, 1.4)
    brightness: From0 = 25.0
    noise: From0 = 6.0
    erase: Share = 0.4
    erase_area: tuple[Share, Share] = (0.02, 0.2)
    mix: Share = 0.5
    mix_alpha: Above0 = 0.2


def uniform(n: int, low: float, high: float, generator: Generator) -> Tensor:
    """(n,) float32, uniform from low to high."""
    return low + (high - low) * torch.rand(n, generator=generator)


def geometry(images: Tensor, how: Augmentation, size: int, generator: Generator) -> Tensor:
    """Rotate, magnify, stretch, shift and mirror, each picture its own way, in one bilinear resampling.

    Args:
        images: (n, c, h, w) uint8 or float.
        size: side of the result in px; the field of view stays, the resolution changes.

    Returns:
        (n, c, size, size) float32, 0..255; what lies outside repeats by reflection.
    """
    n = len(images)
    angle = uniform(n, -how.rotation, how.rotation, generator) * math.pi / 180
    zoom = uniform(n, math.log(how.scale[0]), math.log(how.scale[1]), generator).exp()
    stretch = (uniform(n, -how.stretch, how.stretch, generator) / 2).exp()
    mirror = 1 - 2 * (torch.rand(n, generator=generator) < how.flip).float()
    x = uniform(n, -2 * how.shift, 2 * how.shift, generator)
    y = uniform(n, -2 * how.shift, 2 * how.shift, generator)
    rows = (
        torch.stack((mirror * angle.cos() / zoom / stretch, -angle.sin() / zoom / stretch, x), 1),
        torch.stack((mirror * angle.sin() / zoom * stretch, angle.cos() / zoom * stretch, y), 1),
    )
    grid = F.affine_grid(torch.stack(rows, 1), [n, images.shape[1], size, size], align_corners=False)
    return F.grid_sample(images.float(), grid.to(images.device), padding_mode="reflection", align_corners=False)


def light(images: Tensor, how: Augmentation, generator: Generator) -> Tensor:
    """Contrast about the picture's mean, brightness and pixel noise; grey levels stay within 0..255."""
    n = len(images)
    contrast = uniform(n, *how.contrast, generator)[:, None, None, None].to(images.device)
    brightness = uniform(n, -how.brightness, how.brightness, generator)[:, None, None, None].to(images.device)
    strength = uniform(n, 0, how.noise, generator)[:, None, None, None]
    noise = (torch.randn(images.shape, generator=generator) * strength).to(images.device)
    mean = images.mean((2, 3), keepdim=True)
    return ((images - mean) * contrast + mean + brightness + noise).clamp_(0, 255)


def erase(images: Tensor, how: Augmentation, generator: Generator) -> Tensor:
    """Fill a rectangle of some pictures with one random grey level (Zhong et al. 2020, random erasing)."""
    n, _, height, width = images.shape
    chosen = torch.rand(n, generator=generator) < how.erase
    side = uniform(n, *how.erase_area, generator).sqrt()
    ratio = uniform(n, math.log(0.5), math.log(2.0), generator).exp().sqrt()
    centre_x, centre_y = torch.rand(n, generator=generator), torch.rand(n, generator=generator)
    columns = (torch.arange(width) + 0.5) / width
    rows = (torch.arange(height) + 0.5) / height
    inside_x = (columns - centre_x[:, None]).abs() < (side * ratio)[:, None] / 2  # (n, w)
    inside_y = (rows - centre_y[:, None]).abs() < (side / ratio)[:, None] / 2  # (n, h)
    mask = (inside_y[:, None, :, None] & inside_x[:, None, None, :] & chosen[:, None, None, None]).to(images.device)
    fill = uniform(n, 0, 255, generator)[:, None, None, None].to(images.device)
    return torch.where(mask, fill, images)


def mix(images: Tensor, targets: Tensor, how: Augmentation, generator: Generator) -> tuple[Tensor, Tensor]:
    """Blend a batch with a shuffled copy of itself, targets alike (Zhang et al. 2018, mixup).

    Args:
        images: (n, c, h, w).
        targets: (n, k) soft targets.

    Returns:
        Blended images and targets; the batch itself with probability 1 - how.mix.
    """
    order = torch.randperm(len(images), generator=generator)
    both = torch._sample_dirichlet(torch.full((1, 2), float(how.mix_alpha)), generator=generator)  # torch's Beta takes none
    share = float(both.max())
    if float(torch.rand(1, generator=generator)) >= how.mix:
        return images, targets
    return images * share + images[order] * (1 - share), targets * share + targets[order] * (1 - share)


def augment(
    images: Tensor, targets: Tensor, how: Augmentation, size: int, generator: Generator
) -> tuple[Tensor, Tensor]:
    """A training batch from pictures as stored.

    Args:
        images: (n, c, h, w) uint8.
        targets: (n, k) float32 soft targets.
        how: strengths.
        size: side of the result, px.
        generator: on the CPU; the same state gives the same batch on any device.

    Returns:
        (n, c, size, size) float32 0..255, and (n, k).
    """
    varied = erase(light(geometry(images, how, size, generator), how, generator), how, generator)
    return mix(varied, targets, how, generator)


def crop_and_flip(images: Tensor, size: int, generator: Generator) -> Tensor:
    """Random crops of `size` px and, every other time, their mirror images: (n, c, h, w) -> (n, c, size, size) float32."""
    n, _, height, width = images.shape
    y = torch.randint(height - size + 1, (n,), generator=generator)
    x = torch.randint(width - size + 1, (n,), generator=generator)
    span = torch.arange(size)
    columns = torch.where(torch.rand(n, generator=generator)[:, None] < 0.5, span.flip(0), span) + x[:, None]
    rows = span + y[:, None]
    picked = images[torch.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None, :]]  # (n, size, size, c)
    return picked.permute(0, 3, 1, 2).float()


def crops_of(size: int) -> Augment:
    """Random crops of `size` px and mirror images, whatever the epoch, as `emotrace.learn.fit` takes them."""

    def vary(images: Tensor, targets: Tensor, epoch: int, generator: Generator) -> tuple[Tensor, Tensor]:
        return crop_and_flip(images, size, generator), targets

    return vary
