"""Words of the motion in a clip, as the activity recogniser of EmoNets reads them.

    clips ─grey, small─▶ films ─random blocks─▶ SynchronyAutoencoder ─▶ MotionFeatures ─▶ super-blocks (n, 100)
          ─k-means─▶ 3,000 words ─normalised histogram─▶ (n, 3000), for a chi-squared SVM

Source: Kahou et al. 2016, EmoNets, section 3.3; Konda, Memisevic & Michalski 2014.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics import pairwise_distances_argmin

from emotrace.corpora.clips import Clips
from emotrace.errors import InputError
from emotrace.learn.clip_store import ClipStore
from emotrace.learn.grey_frames import grey_frames
from emotrace.learn.mark import mark
from emotrace.learn.motion_words import BLOCK, SUPER, MotionFeatures, Size, Whitening, features, sample, whiten
from emotrace.learn.networks import synchrony_autoencoder
from emotrace.learn.networks.synchrony_autoencoder import SynchronyAutoencoder
from emotrace.learn.ranges import Above0, Costs, Count, From0, Share

Film = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Config:
    """Section 3.3 of the paper; what is not published is marked so.

    Args:
        side: longer side that frames are brought to, px; not published.
        blocks: that the autoencoder is trained on.
        whitened: components of a block.
        whitening_blocks: of them that the components are found on; not published, the paper may use all.
        hidden: units of the autoencoder.
        rate: of stochastic gradient descent.
        momentum: of the same.
        epochs: passes over the blocks; not published.
        batch: blocks a step; not published.
        contraction: strength of the contraction; not published.
        supers: super-blocks that their components are found on; not published.
        components: of a super-block.
        words: of k-means.
        words_from: super-blocks of training clips, at most, that words are found on; not published.
        precision: of the matrix products in the autoencoder's training.
        costs: C that is chosen among by accuracy on the validation clips, the first of equals; not published.
    """

    side: Count = 160
    blocks: Count = 200_000
    whitened: Count = 300
    whitening_blocks: Count = 50_000
    hidden: Count = 300
    rate: Above0 = 1e-4
    momentum: Share = 0.9
    epochs: Count = 30
    batch: Count = 100
    contraction: From0 = 0.5
    supers: Count = 20_000
    components: Count = 100
    words: Count = 3000
    words_from: Count = 200_000
    precision: Literal["fp32", "bf16"] = "bf16"
    costs: Costs = (1.0, 10.0, 100.0)


def learn_words(
    clips: Clips, store: ClipStore, motion: MotionFeatures, train: NDArray[np.int64], seed: int, config: Config
) -> NDArray[np.float32]:
    """The words of training clips, (words, 100): means of the features of their super-blocks."""
    rows = np.concatenate([described_by(motion, clips.paths[i], store, config) for i in train])
    chosen = rows[np.sort(np.random.default_rng(seed).permutation(len(rows))[: config.words_from])]
    count = min(config.words, len(chosen))
    words = MiniBatchKMeans(count, batch_size=max(10_000, 3 * count), n_init=1, max_iter=10, random_state=seed).fit(chosen)
    return np.asarray(words.cluster_centers_, np.float32)


def histograms(
    clips: Clips, store: ClipStore, motion: MotionFeatures, words: NDArray[np.float32], config: Config
) -> NDArray[np.float32]:
    """The share of each word in every clip, (n, words); NaN for a clip without pictures."""
    found = np.full((len(clips), len(words)), np.nan, np.float32)
    for i, path in enumerate(clips.paths):
        if len(blocks := described_by(motion, path, store, config)):
            found[i] = shares(blocks, words)
    return found


def shares(blocks: NDArray[np.float32], words: NDArray[np.float32]) -> NDArray[np.float32]:
    """The share of each word among the super-blocks of a clip, (n, 100), n at least 1 -> (words,)."""
    return np.asarray(np.bincount(pairwise_distances_argmin(blocks, words), minlength=len(words)) / len(blocks), np.float32)


def described_by(motion: MotionFeatures, path: Path, store: ClipStore, config: Config) -> NDArray[np.float32]:
    """Features of the super-blocks of a clip, kept in the store under the features' own name, (n, 100)."""
    name = f"motion-{config.side}-{mark(motion.filters, motion.components)}"
    found = store.of(path, name, lambda: {"rows": motion.of(film_of(path, store, config))})
    return np.asarray(found["rows"], np.float32)


def learn_features(
    clips: Clips, store: ClipStore, train: NDArray[np.int64], seed: int, config: Config
) -> tuple[SynchronyAutoencoder, Whitening, MotionFeatures]:
    """The autoencoder, its whitening, and the features that they make of films, learned from training clips.

    Raises:
        InputError: none of them has pictures.
    """
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    blocks = sampled(clips, store, train, BLOCK, config.blocks, rng, config).reshape(config.blocks, -1)
    whitening = whiten(blocks[: config.whitening_blocks], config.whitened)
    white = np.concatenate([whitening.apply(blocks[i : i + 4096]) for i in range(0, len(blocks), 4096)])
    network = SynchronyAutoencoder.start(white.shape[1], config.hidden, generator)
    synchrony_autoencoder.train(
        network, torch.from_numpy(white), rate=config.rate, momentum=config.momentum, epochs=config.epochs,
        batch=config.batch, contraction=config.contraction, precision=config.precision, generator=generator,
    )  # fmt: skip
    supers = sampled(clips, store, train, SUPER, config.supers, rng, config)
    return network, whitening, features(network, whitening, supers, config.components)


def sampled(
    clips: Clips,
    store: ClipStore,
    rows: NDArray[np.int64],
    size: Size,
    count: int,
    rng: np.random.Generator,
    config: Config,
) -> Film:
    """Blocks at random places of clips, as many of each, in random order, (count, *size).

    Raises:
        InputError: none of the clips has pictures.
    """
    films = [film for i in rows if len(film := film_of(clips.paths[i], store, config))]
    if not films:
        raise InputError(f"none of {len(rows)} training clips has pictures; the activity model cannot be fitted")
    share = -(-count // len(films))
    blocks = np.concatenate([sample(film, size, share, rng) for film in films])
    return blocks[rng.permutation(len(blocks))[:count]]


def film_of(path: Path, store: ClipStore, config: Config) -> Film:
    """The frames of a clip, the last of a short one repeated until there are 14; (0, h, w) where there are none."""
    film = grey_frames(path, store, config.side, SUPER[1])
    missing = max(0, SUPER[0] - len(film)) if len(film) else 0
    return np.concatenate([film, np.repeat(film[-1:], missing, axis=0)])
