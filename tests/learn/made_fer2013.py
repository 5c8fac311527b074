"""A small made-up FER2013 for tests of what learns from it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from emotrace.scheme import EXPRESSION_8

WORDS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
FERPLUS = (*EXPRESSION_8.labels, "unknown", "nf")


def write(path: Path, votes_for: str = "contempt", no_face: tuple[int, ...] = ()) -> Path:
    """56 noisy pictures, 42 of Training and 14 of PublicTest, labels in turn.

    Args:
        path: parquet file to write.
        votes_for: what all ten raters say of each picture.
        no_face: rows that they call no face instead.
    """
    random = np.random.default_rng(0)
    label = np.arange(56) % 7
    images = [cv2.imencode(".png", random.integers(0, 256, (48, 48)).astype(np.uint8))[1].tobytes() for _ in label]
    votes = {f"ferplus_{word}": np.full(56, 10 * (word == votes_for)) for word in FERPLUS}
    for row in no_face:
        for word in FERPLUS:
            votes[f"ferplus_{word}"][row] = 10 * (word == "nf")
    usage = ["Training"] * 42 + ["PublicTest"] * 14
    pq.write_table(pa.table({"image": images, "label": [WORDS[i] for i in label], "usage": usage, **votes}), path)
    return path
