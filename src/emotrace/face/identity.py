"""Identity: an embedding per good portrait, and who is who over all tracks of a video."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emotrace.engine import Device, OnnxNetwork
from emotrace.face.align import SFACE_112
from emotrace.scheme import EMBEDDING_128
from emotrace.views import FaceSamples


class Embedding:
    """128-d identity embedding of unit length.

    Source: Zhong et al. 2021, SFace, on faces aligned to its five-point template.
    """

    scheme = EMBEDDING_128

    def __init__(self, device: Device = "auto") -> None:
        self.network = OnnxNetwork("sface", device)

    def extract(self, samples: FaceSamples) -> NDArray[np.float32]:
        """(n, 128), rows of unit length."""
        crops = SFACE_112.crops(samples)
        return unit(self.network.run(crops))


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows scaled to unit length; rows of zeros stay."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1), np.float32)


def greedy(
    embeddings: NDArray[np.float32],
    weights: NDArray[np.float64],
    apart: NDArray[np.bool_],
    threshold: float,
) -> NDArray[np.int64]:
    """Assign tracks one after the other: to the most alike person so far if alike enough, else to a new one.

    The fixed-threshold method of the literature (as in MixedEmotions D4.6). It depends on the order of the tracks.

    Args:
        embeddings: (n, d) mean embedding of each track, in order of appearance.
        weights: (n,) how many portraits a mean rests on.
        apart: (n, n) True where two tracks cannot be one person because they are seen together; not used by this method.
        threshold: cosine from which two are the same.

    Returns:
        (n,) number of the person of each track, from 0 in order of appearance.
    """
    sums: list[NDArray[np.float64]] = []
    people = np.zeros(len(embeddings), np.int64)
    for i, vector in enumerate(embeddings):
        alike = np.array([float(unit(total) @ vector) for total in sums])
        if len(alike) and alike.max() >= threshold:
            people[i] = int(alike.argmax())
            sums[people[i]] += weights[i] * vector
        else:
            people[i] = len(sums)
            sums.append(weights[i] * vector.astype(np.float64))
    return people


def cluster(
    embeddings: NDArray[np.float32],
    weights: NDArray[np.float64],
    apart: NDArray[np.bool_],
    threshold: float,
) -> NDArray[np.int64]:
    """Group all tracks at once: join the two most alike groups until none are alike enough.

    Agglomerative clustering with average linkage on the cosine, weighted by the number of portraits, under the constraint that
    tracks seen together are never joined. It does not depend on the order of the tracks. Arguments and result are
    those of `greedy`.
    """
    groups = {i: [i] for i in range(len(embeddings))}
    total = embeddings.astype(np.float64) * weights[:, None]
    weight = weights.astype(np.float64)
    alike = np.where(apart, -np.inf, total @ total.T / np.outer(weight, weight))
    np.fill_diagonal(alike, -np.inf)
    while len(groups) > 1:
        a, b = sorted(divmod(int(alike.argmax()), len(alike)))
        if alike[a, b] < threshold:
            break
        groups[a] += groups.pop(b)
        total[a] += total[b]
        weight[a] += weight[b]
        forbidden = np.isneginf(alike[a]) | np.isneginf(alike[b])
        row = np.where(forbidden, -np.inf, total @ total[a] / (weight * weight[a]))
        alike[a], alike[:, a] = row, row
        alike[b], alike[:, b] = -np.inf, -np.inf
    people = np.zeros(len(embeddings), np.int64)
    for k, group in enumerate(sorted(groups.values(), key=min)):
        people[group] = k
    return people
