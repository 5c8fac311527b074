"""Seconds of a million weightings of five models and seven classes on 400 clips: `python bench/fusion.py`."""

from __future__ import annotations

import statistics
import time

import numpy as np

from emotrace.learn.weight_search import Search, search_weights

MODELS, CLIPS, CLASSES, DRAWS = 5, 400, 7, 1_000_000


def clips(missing: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors of models that are right about every second time, some of them missing, and the truth."""
    truth = rng.integers(0, CLASSES, CLIPS)
    logits = rng.normal(size=(MODELS, CLIPS, CLASSES)) + 1.6 * np.eye(CLASSES)[truth]
    posteriors = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    posteriors[rng.random((MODELS, CLIPS)) < missing] = np.nan
    return posteriors.astype(np.float32), truth


def main() -> None:
    for missing in (0.0, 0.1):
        posteriors, truth = clips(missing, np.random.default_rng(0))
        walls, work = [], []
        for _ in range(3):
            begun, worked = time.perf_counter(), time.process_time()
            found = search_weights(posteriors, truth, np.random.default_rng(1), Search(draws=DRAWS, rounds=0))
            walls.append(time.perf_counter() - begun)
            work.append(time.process_time() - worked)
        took = f"{statistics.median(walls):.2f} s, {statistics.median(work):.2f} s of a core"
        print(f"{missing:.0%} missing: {took}, best accuracy {found.accuracy:.4f}")


if __name__ == "__main__":
    main()
