"""The picture of filters that the synchrony autoencoder of EmoNets learns from film, without labels.

    python docs/pictures/motion_filters.py [VIDEO]

From the sample clip of a woman (Wolfgang Langer, Pexels licence), unless another video or folder is named. A row is two
filters, each of ten frames of 16 x 16 px, from left to right.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from emotrace import samples
from emotrace.learn.clip_store import ClipStore
from emotrace.learn.grey_frames import grey_frames
from emotrace.learn.motion_words import BLOCK, sample, whiten
from emotrace.learn.networks.synchrony_autoencoder import SynchronyAutoencoder, train

FILE = Path(__file__).parent / "motion_filters.png"
SIDE = 160       # px, longer side of the film
BLOCKS = 12_000
HIDDEN = 100     # filters and components; the recipe has 300 of each, learned from 200,000 blocks
EPOCHS = 30
SHOWN = 24       # those of largest norm
ZOOM, GAP = 2, 3


def learn(path: Path) -> NDArray[np.float32]:
    """Filters in pixels, (k, 10, 16, 16), the one of largest norm first."""
    with tempfile.TemporaryDirectory() as folder:
        film = grey_frames(path, ClipStore(Path(folder)), SIDE, BLOCK[1])
    blocks = sample(film, BLOCK, BLOCKS, np.random.default_rng(0)).reshape(BLOCKS, -1)
    whitening = whiten(blocks, HIDDEN)
    white, generator = torch.from_numpy(whitening.apply(blocks)), torch.Generator().manual_seed(0)
    network = SynchronyAutoencoder.start(HIDDEN, HIDDEN, generator)
    losses = train(network, white, rate=1e-4, momentum=0.9, epochs=EPOCHS, batch=100, contraction=0.5, generator=generator)
    print(f"{len(film)} frames of {film.shape[1:]}; loss {losses[0]:.1f} in the first pass, {losses[-1]:.1f} in the last")
    filters = network.filters.numpy() @ whitening.backward
    order = np.argsort(-np.linalg.norm(filters, axis=1))
    return np.asarray(filters[order].reshape(-1, *BLOCK), np.float32)


def sheet(filters: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Two filters a row, grey 128 = 0, each over its own largest value."""
    scaled = filters / np.abs(filters).max(axis=(1, 2, 3), keepdims=True)
    grey = np.rint(128 + 127 * scaled).astype(np.uint8).repeat(ZOOM, axis=2).repeat(ZOOM, axis=3)
    framed = np.pad(grey, ((0, 0), (0, 0), (1, GAP), (0, 1)), constant_values=255)
    strips = [np.concatenate(list(frames), axis=1) for frames in framed]
    gap = np.full((strips[0].shape[0], 6 * GAP), 255, np.uint8)
    pairs = zip(strips[::2], strips[1::2], strict=True)
    return np.concatenate([np.concatenate([left, gap, right], axis=1) for left, right in pairs])


def main() -> None:
    """Learn, draw, and say how large the file is."""
    filters = learn(Path(sys.argv[1]) if len(sys.argv) > 1 else samples.path("woman"))
    cv2.imwrite(str(FILE), sheet(filters[:SHOWN]), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    print(FILE, FILE.stat().st_size)


if __name__ == "__main__":
    main()
