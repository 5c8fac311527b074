"""What moves in a film, as features of space-time blocks: a synchrony autoencoder's answers, side by side and reduced.

    film ─dense, stride 7 x 10 x 10─▶ super-blocks 14 x 20 x 20 ─its 2 x 2 x 2 corners─▶ blocks 10 x 16 x 16
         ─less their mean, PCA-whitened to 300─▶ 300 hidden units each ─8 x 300─▶ PCA ─▶ (n, 100)

Source: Kahou et al. 2016, EmoNets, section 3.3; Konda, Memisevic & Michalski 2014, section 5; Le et al. 2011, Learning
hierarchical invariant spatio-temporal features, for the pipeline that both follow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import linalg

from emotrace.learn.networks.synchrony_autoencoder import SynchronyAutoencoder

Film = NDArray[np.uint8]
Array = NDArray[np.float32]
Size = tuple[int, int, int]
BLOCK: Size = (10, 16, 16)    # frames, rows, columns
SUPER: Size = (14, 20, 20)
STRIDE: Size = (7, 10, 10)
SHARE = 1e-3    # of the mean variance that is added to each: the last components are compression noise and would be blown up
AT_ONCE = 4096  # blocks in memory as float32: 42 MB


@dataclass(frozen=True, slots=True)
class Whitening:
    """From blocks of d pixels to c numbers of unit variance.

    Args:
        mean: (d,) of blocks less their own means.
        forward: (c, d) components over their deviations.
        backward: (c, d) components times their deviations: from the c numbers back to pixels.
    """

    mean: Array
    forward: Array
    backward: Array

    def apply(self, blocks: NDArray[np.generic]) -> Array:
        """(n, d) pixels -> (n, c)."""
        return np.asarray((centred(blocks) - self.mean) @ self.forward.T, np.float32)


@dataclass(frozen=True, slots=True)
class MotionFeatures:
    """From films to features of their super-blocks; all that comes before the network is one matrix.

    Args:
        filters: (k, d) the network's filters on pixels.
        offset: (k,) taken from their responses.
        bias: (k,) of the network.
        mean: (8 k,) of the hidden units of a super-block.
        components: (p, 8 k) of those.
    """

    filters: Array
    offset: Array
    bias: Array
    mean: Array
    components: Array

    def of(self, film: Film) -> Array:
        """Features of every super-block of a film, (t, h, w) -> (n, p); n is 0 where the film is smaller than one."""
        parts = [np.zeros((0, len(self.components)), np.float32)]
        for start in range(0, len(film) - SUPER[0] + 1, STRIDE[0]):   # a step in time at once, to bound the memory
            parts.append(self.reduced(dense(film[start : start + SUPER[0]])))
        return np.concatenate(parts)

    def reduced(self, supers: Film) -> Array:
        """Features of super-blocks, (n, 14, 20, 20) -> (n, p)."""
        step = AT_ONCE // 8
        hidden = (hidden_units(supers[i : i + step], self.filters, self.offset, self.bias) for i in range(0, len(supers), step))
        parts = [(units - self.mean) @ self.components.T for units in hidden]
        return np.concatenate([np.zeros((0, len(self.components)), np.float32), *parts])


def dense(film: Film) -> Film:
    """Super-blocks of a film at every stride, (t, h, w) -> (n, 14, 20, 20)."""
    if any(length < least for length, least in zip(film.shape, SUPER, strict=True)):
        return np.zeros((0, *SUPER), film.dtype)
    view = sliding_window_view(film, SUPER)[:: STRIDE[0], :: STRIDE[1], :: STRIDE[2]]
    return view.reshape(-1, *SUPER)


def corners(supers: Film) -> Film:
    """The eight blocks of each super-block, (n, 14, 20, 20) -> (n, 8, 10 x 16 x 16)."""
    steps = tuple(whole - part for whole, part in zip(SUPER, BLOCK, strict=True))   # 4 each way
    view = sliding_window_view(supers, BLOCK, axis=(1, 2, 3))[:, :: steps[0], :: steps[1], :: steps[2]]
    return view.reshape(len(supers), 8, -1)


def sample(film: Film, size: Size, count: int, rng: np.random.Generator) -> Film:
    """Blocks of a size at random places of a film, (count, *size); places may recur. The film is at least of that size."""
    view = sliding_window_view(film, size)
    places = tuple(rng.integers(0, places, count) for places in view.shape[:3])
    return np.ascontiguousarray(view[places])


def whiten(blocks: NDArray[np.uint8], components: int) -> Whitening:
    """The whitening of blocks, (n, d); fewer components where there are fewer blocks or pixels."""
    total, square = np.zeros(blocks.shape[1]), np.zeros((blocks.shape[1],) * 2)
    for start in range(0, len(blocks), AT_ONCE):
        part = centred(blocks[start : start + AT_ONCE])
        total += part.sum(axis=0)
        square += part.T @ part
    mean = total / len(blocks)
    vectors, variance = principal(square / len(blocks) - np.outer(mean, mean), min(components, len(blocks)))
    deviation = np.sqrt(variance + SHARE * variance.mean())
    return Whitening(_single(mean), _single(vectors / deviation[:, None]), _single(vectors * deviation[:, None]))


def features(network: SynchronyAutoencoder, whitening: Whitening, supers: Film, components: int) -> MotionFeatures:
    """The network on pixels, and the components of what it says of some super-blocks, (n, 14, 20, 20)."""
    on_pixels = network.filters.numpy() @ whitening.forward
    offset, bias = on_pixels @ whitening.mean, network.bias.numpy()
    filters = on_pixels - on_pixels.mean(axis=1, keepdims=True)   # takes a block's mean from it
    step = AT_ONCE // 8
    hidden = np.concatenate(
        [hidden_units(supers[i : i + step], filters, offset, bias) for i in range(0, len(supers), step)]
    )  # (n, 8 k)
    mean = hidden.mean(axis=0)
    hidden -= mean
    vectors, _ = principal(np.asarray(hidden.T @ hidden / len(hidden), np.float64), min(components, len(supers)))
    return MotionFeatures(filters, offset, bias, mean, _single(vectors))


def hidden_units(supers: Film, filters: Array, offset: Array, bias: Array) -> Array:
    """The network's hidden units for the eight blocks of each super-block, (n, 14, 20, 20) -> (n, 8 k)."""
    blocks = torch.from_numpy(corners(supers).reshape(-1, filters.shape[1]).astype(np.float32))
    responses = blocks @ torch.from_numpy(filters).T - torch.from_numpy(offset)
    hidden = torch.sigmoid(responses.square_() + torch.from_numpy(bias))
    return np.asarray(hidden.reshape(len(supers), -1).numpy(), np.float32)


def centred(blocks: NDArray[np.generic]) -> Array:
    """Blocks less their own means, (n, d)."""
    pixels = blocks.astype(np.float32)
    return np.asarray(pixels - pixels.mean(axis=1, keepdims=True), np.float32)


def principal(covariance: NDArray[np.float64], components: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The eigenvectors of largest variance as rows, (c, d), signed so that their largest entry is positive; and variances."""
    d = len(covariance)
    variance, vectors = linalg.eigh(covariance, subset_by_index=[max(0, d - components), d - 1])
    rows = vectors.T[::-1]
    sign = np.sign(rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)])
    return rows * sign[:, None], np.maximum(variance[::-1], 0)


def _single(values: NDArray[np.float64]) -> Array:
    return np.ascontiguousarray(values, np.float32)
