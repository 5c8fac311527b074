"""Blocks of films, their whitening, and the features made of them."""

import made_clips
import numpy as np
import pytest
import torch

from emotrace.learn import motion_words
from emotrace.learn.motion_words import BLOCK, STRIDE, SUPER, MotionFeatures, Whitening
from emotrace.learn.networks.synchrony_autoencoder import SynchronyAutoencoder


def film(t: int = 24, h: int = 34, w: int = 41) -> motion_words.Film:
    return made_clips.drifting(t, h, w, (1.0, 0.5), np.random.default_rng(0))


def test_published_sizes() -> None:
    assert (BLOCK, SUPER, STRIDE) == ((10, 16, 16), (14, 20, 20), (7, 10, 10))


def test_super_blocks_lie_at_every_stride_and_hold_eight_blocks_at_their_corners() -> None:
    pictures = film()
    supers = motion_words.dense(pictures)
    assert supers.shape == (2 * 2 * 3, 14, 20, 20)
    np.testing.assert_array_equal(supers[-1], pictures[7:21, 10:30, 20:40])
    blocks = motion_words.corners(supers)
    assert blocks.shape == (12, 8, 2560)
    np.testing.assert_array_equal(blocks[-1, 0], pictures[7:17, 10:26, 20:36].ravel())
    np.testing.assert_array_equal(blocks[-1, 5], pictures[11:21, 10:26, 24:40].ravel())
    np.testing.assert_array_equal(blocks[-1, 7], pictures[11:21, 14:30, 24:40].ravel())


@pytest.mark.parametrize("size", [(13, 20, 20), (14, 19, 20), (14, 20, 19), (0, 40, 40)])
def test_a_film_smaller_than_a_super_block_has_none(size: tuple[int, int, int]) -> None:
    assert motion_words.dense(np.zeros(size, np.uint8)).shape == (0, 14, 20, 20)
    features = random_features()
    assert features.of(np.zeros(size, np.uint8)).shape == (0, 3)


def test_random_blocks_are_blocks_of_the_film() -> None:
    pictures, rng = film(11, 18, 17), np.random.default_rng(0)
    everywhere = np.lib.stride_tricks.sliding_window_view(pictures, BLOCK).reshape(-1, *BLOCK)
    drawn = motion_words.sample(pictures, BLOCK, 60, rng)
    found = [np.flatnonzero((everywhere == block).all(axis=(1, 2, 3))) for block in drawn]
    assert {int(places[0]) for places in found} == set(range(2 * 3 * 2))


def blocks_of(count: int, d: int = 30) -> np.ndarray:
    rng = np.random.default_rng(1)
    mixed = rng.normal(size=(count, 5)) @ rng.normal(size=(5, d)) * 20 + rng.normal(size=(count, d)) * 2
    return np.clip(128 + mixed, 0, 255).astype(np.uint8)


def test_whitened_blocks_have_no_covariance_and_go_back_to_pixels() -> None:
    pixels = blocks_of(3000)
    whitening = motion_words.whiten(pixels, 29)   # of 30: their own mean is taken from blocks
    white = whitening.apply(pixels)
    covariance = np.cov(white.T)
    np.testing.assert_allclose(covariance - np.diag(covariance.diagonal()), 0, atol=5e-3)
    assert covariance[0, 0] == pytest.approx(1, abs=5e-3)
    assert (covariance.diagonal() < 1.01).all()   # a little is added to the variances that are divided by
    back = white @ whitening.backward + whitening.mean
    np.testing.assert_allclose(back, motion_words.centred(pixels), atol=0.05)


@pytest.mark.parametrize("count", [3, 5000])
def test_whitening_in_parts_is_that_of_all_and_few_blocks_give_few_components(count: int) -> None:
    pixels = blocks_of(count)
    whitening = motion_words.whiten(pixels, 10)
    assert whitening.forward.shape == (min(10, count), 30)
    centred = pixels - pixels.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(whitening.mean, centred.mean(axis=0), atol=1e-3)


def random_features(components: int = 3) -> MotionFeatures:
    rng = np.random.default_rng(2)
    sizes = {"filters": (4, 2560), "offset": (4,), "bias": (4,), "mean": (32,), "components": (components, 32)}
    return MotionFeatures(**{name: rng.normal(size=size).astype(np.float32) * 0.01 for name, size in sizes.items()})


def test_features_of_a_film_are_those_of_the_network_on_whitened_blocks() -> None:
    pictures, rng = film(), np.random.default_rng(3)
    mean, forward = rng.normal(size=2560).astype(np.float32), rng.normal(size=(6, 2560)).astype(np.float32) / 500
    whitening = Whitening(mean, forward, np.zeros_like(forward))
    network = SynchronyAutoencoder.start(6, 4, torch.Generator().manual_seed(0))
    network.bias += 0.3
    supers = motion_words.dense(pictures)
    features = motion_words.features(network, whitening, supers, 5)
    white = [torch.from_numpy(whitening.apply(blocks)) for blocks in motion_words.corners(supers)]
    hidden = np.stack([network.hidden(blocks).numpy().ravel() for blocks in white])
    expected = (hidden - hidden.mean(axis=0)) @ features.components.T
    np.testing.assert_allclose(features.of(pictures), expected, atol=2e-4)
    np.testing.assert_allclose(features.components @ features.components.T, np.eye(5), atol=1e-5)


def test_components_come_by_variance_with_a_sign_that_is_always_the_same() -> None:
    covariance = np.diag([1.0, 9.0, 4.0])
    rows, variance = motion_words.principal(covariance, 2)
    np.testing.assert_allclose(rows, [[0, 1, 0], [0, 0, 1]], atol=1e-12)
    np.testing.assert_allclose(variance, [9, 4])
