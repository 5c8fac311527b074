"""Principal components of more rows than fit into memory, one block after another.

    blocks of rows ─▶ mean, deviation ─▶ standardised, bounded ─▶ IncrementalPCA ─▶ Projection ─▶ (n, k)

Source: Ross, Lim, Lin & Yang 2008, Incremental Learning for Robust Visual Tracking (scikit-learn's IncrementalPCA); Kahou et
al. 2016, EmoNets, section 3.2, which keeps 909 components of the sound's features with an online PCA.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import IncrementalPCA

from emotrace.errors import InputError

Rows = NDArray[np.float32]
Blocks = Callable[[], Iterable[Rows]]
BOUND = 5.0     # deviations; ratios of the spectrum of near silence lie thousands of them out and would be components alone
BATCH = 2048    # rows at a time, at least; more where more components are asked for


@dataclass(frozen=True, slots=True)
class Projection:
    """Standardisation and principal components, from d features to k.

    Args:
        mean: (d,) of the features.
        deviation: (d,) of the features; 1 where they do not vary.
        centre: (d,) of the bounded, standardised features.
        components: (k, d) orthonormal rows, the one with most variance first.
        variance: (k,) of the rows along them.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    centre: NDArray[np.float64]
    components: NDArray[np.float64]
    variance: NDArray[np.float64]

    def apply(self, rows: Rows, whiten: bool = False) -> Rows:
        """Components of rows, (n, d) -> (n, k) float32; a feature that is NaN counts as the mean.

        Args:
            rows: features.
            whiten: each component over its deviation; otherwise all over the one number that gives them a mean variance of 1.
        """
        shifted = (standard(rows, self.mean, self.deviation) - self.centre).astype(np.float32)
        along = shifted @ self.components.T.astype(np.float32)
        scale = self.variance if whiten else np.full_like(self.variance, self.variance.mean())
        return np.asarray(along / np.sqrt(np.where(scale > 0, scale, 1)), np.float32)


def fit(blocks: Blocks, components: int, batch: int = BATCH) -> Projection:
    """The components of all rows, seen a block at a time, twice: for mean and deviation, and for the components.

    Args:
        blocks: gives the blocks, (m, d) each, m may be 0; called twice, the same rows each time.
        components: to be kept; fewer are where there are fewer rows or features than that.
        batch: rows that go into one step, at least.

    Raises:
        InputError: there are fewer than two rows.
    """
    rows, mean, deviation = moments(blocks())
    if rows < 2:
        raise InputError(f"{rows} rows to find principal components of, 2 are needed; have the training clips any sound?")
    kept = min(components, len(mean), rows)
    pca = IncrementalPCA(kept)
    for block in gathered(blocks(), max(batch, kept)):
        pca.partial_fit(standard(block, mean, deviation))
    return Projection(mean, deviation, pca.mean_, pca.components_, pca.explained_variance_)


def moments(blocks: Iterable[Rows]) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    """Number of rows, and mean and deviation (d,) of what is not NaN; 0 and 1 for a feature that is nothing else."""
    rows, sums = 0, np.zeros((3, 1))
    for block in blocks:
        known, values = ~np.isnan(block), np.nan_to_num(block).astype(np.float64)
        sums = sums + np.stack([known.sum(axis=0), values.sum(axis=0), (values**2).sum(axis=0)])
        rows += len(block)
    count, total, square = sums
    mean = total / np.maximum(count, 1)
    variance = square / np.maximum(count, 1) - mean**2
    varies = variance > 1e-12 * mean**2   # less is rounding
    return rows, mean, np.sqrt(np.where(varies, variance, 1.0))


def standard(rows: Rows, mean: NDArray[np.float64], deviation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows less the mean over the deviation, NaN as 0, bounded at `BOUND`."""
    return np.asarray(np.clip(np.nan_to_num((rows - mean) / deviation), -BOUND, BOUND), np.float64)


def gathered(blocks: Iterable[Rows], batch: int) -> Iterator[Rows]:
    """The same rows in blocks of `batch` to twice as many; one block where those are fewer, none where there is no row."""
    waiting: list[Rows] = []
    for block in blocks:
        waiting.append(block)
        if sum(map(len, waiting)) >= 2 * batch:
            joined = np.concatenate(waiting)
            whole = len(joined) // batch - 1
            yield from (joined[i * batch : (i + 1) * batch] for i in range(whole))
            waiting = [joined[whole * batch :]]
    if sum(map(len, waiting)):
        yield np.concatenate(waiting)

