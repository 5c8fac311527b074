"""Milliseconds a face of each network for expressions, on one core, from crop to probabilities.

    python bench/expression.py [--rounds 9]

Machine and numbers go to the table in docs/performance.md.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from emotrace.engine import OnnxNetwork
from emotrace.face.expression import Expression, MiniXception
from emotrace.face.expression_densenet import ExpressionDenseNet

BATCHES = (1, 4, 16, 32)
Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def networks() -> dict[str, tuple[Run, int]]:
    """What each says of crops, and the side of these."""
    return {
        "face.expression": (Expression("cpu").of_crops, Expression.size),
        "face.expression_mini_xception": (MiniXception().of_crops, MiniXception.size),
        "face.expression_densenet": (ExpressionDenseNet("cpu").of_crops, ExpressionDenseNet.size),
        "expression_compact.onnx": (OnnxNetwork("expression_compact", "cpu").run, Expression.size),
    }


def main() -> None:
    """Print a table, median of interleaved rounds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9, help="of which the median is taken")
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    found = networks()
    taken: dict[tuple[str, int], list[float]] = {(name, batch): [] for name in found for batch in BATCHES}
    for _ in range(given.rounds + 1):  # the first one loads the network
        for name, (run, side) in found.items():
            for batch in BATCHES:
                crops = rng.integers(0, 256, (batch, side, side, 3)).astype(np.uint8)
                began = time.perf_counter()
                for _ in range(64 // batch):
                    run(crops)
                taken[name, batch].append(1000 * (time.perf_counter() - began) / 64)
    print(f"| ms a face, {' / '.join(map(str, BATCHES))} at once | |\n|---|---|")
    for name in found:
        middle = [statistics.median(taken[name, batch][1:]) for batch in BATCHES]
        print(f"| `{name}` | {' / '.join(f'{value:.2f}' for value in middle)} |")


if __name__ == "__main__":
    main()
