"""Bag of mouths: what small patches around the mouth look like, counted by place, and what that says of a clip.

    frames 96 px ─mouth, 4 x 4 sections─▶ 8 x 8 patches ─contrast, whitening─▶ k-means, 400 a section ─triangle─▶ pooled (6400,)
    (6400,) a frame ─standardised─▶ logistic regression ─mean over the frames of a clip─▶ (7,)

Source: Kahou et al. 2015, EmoNets, section 3.4; Coates, Lee & Ng 2011, An analysis of single-layer networks in unsupervised
feature learning (contrast, whitening, triangle activation). Where the mouth lies is that of frames registered as by
`emotrace.learn.registered_tubes`. Ours: every second patch instead of every one, at most 16 frames of a clip, and the
constants that are added before dividing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans
from sklearn.linear_model import LogisticRegression

from emotrace.errors import InputError
from emotrace.learn.facetubes import spread
from emotrace.learn.metrics import softmax
from emotrace.learn.ranges import Costs, Count, CountOrNone, Share
from emotrace.scheme import EXPRESSION_7

BATCH = 32   # frames that are coded at a time


@dataclass(frozen=True, slots=True)
class Mouths:
    """Constants of the model.

    Args:
        side: px of the frames.
        rows: first and last px of the mouth region, downwards, the last not included.
        columns: the same to the right.
        sections: of the region in each direction: 4 x 4 = 16.
        patch: side of a patch, px.
        stride: px between patches.
        variance: share of the patches' variance that the whitening keeps.
        centroids: of each section.
        pooling: "mean" of the activations in a section, or their "deviation".
        frames: of a clip at most, spread over it uniformly.
        patches: of each section that k-means learns from, at most.
        costs: inverse strengths of the regularisation that are tried.
    """

    side: Count = 96
    rows: tuple[CountOrNone, CountOrNone] = (56, 96)
    columns: tuple[CountOrNone, CountOrNone] = (20, 76)
    sections: Count = 4
    patch: Count = 8
    stride: Count = 2
    variance: Share = 0.9
    centroids: Count = 400
    pooling: Literal["mean", "deviation"] = "mean"
    frames: Count = 16
    patches: Count = 20_000
    costs: Costs = (1e-5, 1e-4, 1e-3, 1e-2)


@dataclass(frozen=True, slots=True)
class Codebook:
    """What patches are compared with.

    Args:
        config: constants.
        mean: (p,) of normalised patches, p = patch * patch.
        whitening: (p, q) to q whitened components.
        centroids: (sections, k, q).
    """

    config: Mouths
    mean: NDArray[np.float32]
    whitening: NDArray[np.float32]
    centroids: NDArray[np.float32]


def book_of(frames: Sequence[NDArray[np.uint8]], seed: int = 0, config: Mouths | None = None) -> Codebook:
    """The codebook of training clips.

    Args:
        frames: (f, 96, 96) grey levels of each, registered; f may be 0.
        seed: of which patches are learnt from and of k-means.
        config: constants.

    Raises:
        InputError: frames have another size, or no clip has any.
    """
    config = config or Mouths()
    return codebook([spread(_checked(clip, config), config.frames) for clip in frames], seed, config)


def features_of(frames: Sequence[NDArray[np.uint8]], book: Codebook) -> list[NDArray[np.float32]]:
    """Features of the frames of every clip, (f, 96, 96) -> (f, 6400) each."""
    return [encoded(spread(_checked(clip, book.config), book.config.frames), book) for clip in frames]


def search(
    features: Sequence[NDArray[np.float32]],
    labels: NDArray[np.int64],
    train_rows: NDArray[np.int64],
    valid_rows: NDArray[np.int64],
    config: Mouths | None = None,
) -> float:
    """The cost that names most of the validation clips right, the smallest of equals; the middle one without such clips.

    Args:
        features: (f, 6400) of the frames of each of n clips.
        labels: (n,) positions in EXPRESSION_7; only those of the rows given are looked at.
        train_rows: positions of the training clips.
        valid_rows: positions of the validation clips.
        config: constants.

    Raises:
        InputError: fewer than two classes have training clips with frames.
    """
    costs = sorted((config or Mouths()).costs)
    valid = _with_frames(features, valid_rows)
    if not len(valid):
        return costs[len(costs) // 2]
    known = [features[row] for row in valid]
    right = []
    for cost in costs:
        machine = regression(features, labels, train_rows, cost)
        right.append(int((machine.of_clips(known).argmax(axis=1) == labels[valid]).sum()))
    return costs[int(np.argmax(right))]


def codebook(frames: Sequence[NDArray[np.uint8]], seed: int, config: Mouths) -> Codebook:
    """Whitening and centroids of clips.

    Raises:
        InputError: no clip has a frame.
    """
    if not sum(map(len, frames)):
        raise InputError(f"{len(frames)} training clips without a single face; mouths are learnt from faces")
    random = np.random.default_rng(seed)
    every = np.concatenate([clip for clip in frames if len(clip)])
    places = sections_of(config)
    wanted = -(-config.patches // int(np.bincount(places).min()))   # frames that give as many patches of a section
    every = every[np.sort(random.permutation(len(every))[:wanted])]
    patches = normalised(patches_of(every, config))                  # (f, m, p)
    mean, whitening = whitened_by(patches.reshape(-1, patches.shape[2]), config.variance)
    white = np.asarray((patches - mean) @ whitening, np.float32)
    each = [white[:, places == section].reshape(-1, white.shape[2]) for section in range(config.sections**2)]
    count = min(config.centroids, *map(len, each))
    centroids = [_centroids(part[random.permutation(len(part))[: config.patches]], count, seed) for part in each]
    return Codebook(config, mean, whitening, np.stack(centroids))


def patches_of(frames: NDArray[np.uint8], config: Mouths) -> NDArray[np.float32]:
    """Patches of the mouth region, (f, side, side) -> (f, m, patch * patch), row by row."""
    region = frames[:, slice(*config.rows), slice(*config.columns)]
    views = sliding_window_view(region, (config.patch, config.patch), axis=(1, 2))[:, :: config.stride, :: config.stride]
    return views.reshape(len(frames), -1, config.patch**2).astype(np.float32)


def sections_of(config: Mouths) -> NDArray[np.int64]:
    """The section that the middle of each patch lies in, (m,), row by row."""
    places = []
    for first, last in (config.rows, config.columns):
        middle = np.arange(0, last - first - config.patch + 1, config.stride) + config.patch / 2
        places.append((middle * config.sections / (last - first)).astype(np.int64))
    return np.asarray((places[0][:, None] * config.sections + places[1]).ravel(), np.int64)


def normalised(patches: NDArray[np.float32]) -> NDArray[np.float32]:
    """Patches of one brightness and contrast, (..., p); 10 is added to the variance so that flat skin stays flat."""
    centred = patches - patches.mean(axis=-1, keepdims=True)
    return np.asarray(centred / np.sqrt(centred.var(axis=-1, keepdims=True) + 10), np.float32)


def whitened_by(patches: NDArray[np.float32], variance: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and PCA whitening of patches, (n, p) -> (p,) and (p, q): the fewest components with that share of the variance."""
    mean = patches.mean(axis=0, dtype=np.float64)
    centred = patches - mean.astype(np.float32)
    values, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64) / len(patches))
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    shares = np.cumsum(values) / max(values.sum(), 1e-12)
    kept = min(int(np.searchsorted(shares, variance)) + 1, len(values))
    scale = 1 / np.sqrt(values[:kept] + 1e-2 * values[0] + 1e-12)
    return mean.astype(np.float32), np.asarray(vectors[:, :kept] * scale, np.float32)


def triangle(patches: NDArray[np.float32], centroids: NDArray[np.float32]) -> NDArray[np.float32]:
    """Triangle activation max(0, mean(z) - z) of the distances z to each centroid, (..., q) and (k, q) -> (..., k).

    Source: Coates, Lee & Ng 2011, section 3.2.2.
    """
    squares = (patches**2).sum(axis=-1, keepdims=True) + (centroids**2).sum(axis=1) - 2 * (patches @ centroids.T)
    distance = np.sqrt(np.maximum(squares, 0))
    return np.asarray(np.maximum(distance.mean(axis=-1, keepdims=True) - distance, 0), np.float32)


def encoded(frames: NDArray[np.uint8], book: Codebook) -> NDArray[np.float32]:
    """Features of frames, (f, side, side) -> (f, sections * k), section by section."""
    places, sections = sections_of(book.config), len(book.centroids)
    found = np.zeros((len(frames), sections, book.centroids.shape[1]), np.float32)
    for start in range(0, len(frames), BATCH):
        part = slice(start, start + BATCH)
        white = np.asarray((normalised(patches_of(frames[part], book.config)) - book.mean) @ book.whitening, np.float32)
        for section in range(sections):
            active = triangle(white[:, places == section], book.centroids[section])
            found[part, section] = active.mean(axis=1) if book.config.pooling == "mean" else active.std(axis=1)
    return found.reshape(len(frames), sections * found.shape[2])


@dataclass(frozen=True, slots=True)
class Regression:
    """A logistic regression on standardised features of frames, as plain arrays.

    Args:
        mean: (d,) of the features.
        scale: (d,) by which they are then divided.
        weights: (c, d).
        intercept: (c,).
        classes: (c,) labels.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    weights: NDArray[np.float32]
    intercept: NDArray[np.float32]
    classes: NDArray[np.int64]

    def of_frames(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Posteriors of frames, (f, d) -> (f, 7); 0 for classes that it does not know."""
        found = np.zeros((len(features), len(EXPRESSION_7)), np.float32)
        logits = np.asarray((features - self.mean) / self.scale @ self.weights.T + self.intercept, np.float32)
        found[:, self.classes] = softmax(logits)
        return found

    def of_clips(self, features: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Mean posteriors of the frames of n clips, (n, 7); NaN for clips without frames."""
        found = np.full((len(features), len(EXPRESSION_7)), np.nan, np.float32)
        for row, frames in enumerate(features):
            if len(frames):
                found[row] = self.of_frames(frames).mean(axis=0)
        return found


def regression(
    features: Sequence[NDArray[np.float32]], labels: NDArray[np.int64], rows: NDArray[np.int64], cost: float
) -> Regression:
    """The regression on the frames of some clips, classes weighted by their rarity; arguments as of `search`.

    Raises:
        InputError: fewer than two classes have clips with frames among the rows.
    """
    known = _with_frames(features, rows)
    if (classes := len(np.unique(labels[known]))) < 2:
        raise InputError(f"{len(known)} training clips with a face, of {classes} class; expected two classes")
    x = np.concatenate([features[row] for row in known])
    y = np.repeat(labels[known], [len(features[row]) for row in known])
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    scale = np.where(deviation > 0, deviation, 1).astype(np.float32)
    machine = LogisticRegression(C=cost, max_iter=200, class_weight="balanced").fit((x - mean) / scale, y)
    weights, intercept = machine.coef_, machine.intercept_
    if classes == 2:   # scikit-learn keeps one row, which speaks for the second class
        weights, intercept = np.concatenate([np.zeros_like(weights), weights]), np.concatenate([[0.0], intercept])
    return Regression(mean, scale, weights.astype(np.float32), intercept.astype(np.float32), machine.classes_.astype(np.int64))


def _with_frames(features: Sequence[NDArray[np.float32]], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.array([row for row in rows if len(features[row])], np.int64)


def _checked(frames: NDArray[np.uint8], config: Mouths) -> NDArray[np.uint8]:
    if frames.shape[1:] != (config.side, config.side):
        raise InputError(f"frames are {frames.shape}; the mouth model needs (f, {config.side}, {config.side})")
    return frames


def _centroids(patches: NDArray[np.float32], count: int, seed: int) -> NDArray[np.float32]:
    means = MiniBatchKMeans(count, batch_size=2048, n_init=1, max_iter=20, random_state=seed).fit(patches)
    return np.asarray(means.cluster_centers_, np.float32)
