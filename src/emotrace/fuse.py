"""Late fusion: what several sources say of the same thing, put together. NumPy only, so that `analyze` can use it.

    posteriors (m sources, n rows, k labels), NaN rows where a source says nothing
        ──temper──▶ calibrated ──log_pool──▶ (n, k) ──abstain──▶ NaN where no source is there, or what they say is too unsure

A source that is missing in a row leaves its weight to those that are there; nothing is ever put in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotrace.errors import InputError

SMALLEST = np.float32(1e-6)  # probability below which no source is believed; keeps logarithms finite


@dataclass(frozen=True, slots=True)
class LateFusion:
    """Constants of a late fusion.

    Args:
        temperatures: one for each source, that calibrates it; 1 = as it is, above 1 = less sure.
        evidence: see `log_pool`.
        floor: a row whose most likely label is less likely than this gets no answer.
    """

    temperatures: tuple[float, ...]
    evidence: float
    floor: float


# The face (face.expression, mean over the frames of a window) and the voice (calibrated already), in this order, and how much
# each counts. Chosen on the validation part of the constructed corpus; how, and what speaks against it, is in docs/fusion.md.
FACE_AND_VOICE = LateFusion(temperatures=(1.0, 1.0), evidence=0.75, floor=0.45)
FACE, VOICE = np.float32(1.0), np.float32(1.0)


def late_fusion(
    posteriors: NDArray[np.float32], reliability: NDArray[np.floating], settings: LateFusion = FACE_AND_VOICE
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Calibrated late fusion that abstains: what the sources of a row say together, and how sure that is.

    Args:
        posteriors: (m, n, k) float32, NaN rows where a source is missing.
        reliability: weights of the sources, 0 or more: (m,), (m, k), or (m, n, 1) where they differ from row to row. A source
            with weight 0 is not used unless it is alone.
        settings: how the sources are calibrated and pooled, and when there is no answer.

    Returns:
        (n, k) probabilities that sum to 1, and (n,) the probability of the most likely label; NaN where there is no answer.

    Raises:
        InputError: shapes do not agree, or a weight is negative or NaN.
    """
    if len(settings.temperatures) != len(posteriors):
        raise InputError(f"{len(posteriors)} sources, but {len(settings.temperatures)} temperatures; expected one for each")
    pooled = log_pool(temper(posteriors, np.array(settings.temperatures)), reliability, settings.evidence)
    confidence = pooled.max(axis=1, initial=0)
    answered = confidence >= settings.floor  # NaN is not
    nothing = np.float32(np.nan)
    return np.where(answered[:, None], pooled, nothing), np.where(answered, confidence, nothing)


def named(posteriors: NDArray[np.float32], labels: Sequence[str]) -> list[str | None]:
    """The most probable label of each row, (n, k) -> n; None where there is no answer, which is a row with a NaN."""
    best = np.where(np.isfinite(posteriors).all(axis=1), np.nan_to_num(posteriors).argmax(axis=1), -1)
    return [labels[k] if k >= 0 else None for k in best.tolist()]


def there(posteriors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which source says something of which row, (m, n, k) -> (m, n): where none of its k values is NaN."""
    return np.asarray(~np.isnan(posteriors).any(axis=2), np.bool_)


def shares(weights: NDArray[np.floating], present: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Weights among the sources that are there, for each row and label; they sum to 1 over the sources.

    Args:
        weights: 0 or more; (m,) one for each source, (m, k) one for each source and label, or (m, n, 1 or k).
        present: (m, n).

    Returns:
        (m, n, k or 1); 0 for absent sources. Equal shares where all that are there have weight 0, NaN where none is there.

    Raises:
        InputError: the shapes do not agree, or a weight is negative or NaN.
    """
    given = np.asarray(weights, np.float32)
    given = given.reshape(len(given), 1, -1) if given.ndim < 3 else given  # (m, 1 or n, 1 or k)
    if len(given) != len(present) or given.shape[1] not in (1, present.shape[1]):
        raise InputError(f"weights {np.shape(weights)} for {present.shape} sources, rows; expected (m,), (m, k) or (m, n, 1)")
    if not (given >= 0).all():
        raise InputError("a weight is negative or NaN; expected 0 or more")
    own = given * present[:, :, None]
    total = own.sum(axis=0)
    own, total = np.where(total > 0, own, present[:, :, None]), np.where(total > 0, total, present.sum(axis=0)[:, None])
    with np.errstate(invalid="ignore"):
        return np.asarray(own / total, np.float32)


def mean_pool(posteriors: NDArray[np.float32], weights: NDArray[np.floating]) -> NDArray[np.float32]:
    """Weighted mean of posteriors (linear opinion pool).

    Args:
        posteriors: (m, n, k), NaN rows where a source is missing.
        weights: (m,) or (m, k), see `shares`.

    Returns:
        (n, k) rows that sum to 1; NaN where no source is there; all alike where every label that a source believes in has no
        weight of it.

    Raises:
        InputError: shapes do not agree.
    """
    pooled = (shares(weights, there(posteriors)) * np.nan_to_num(posteriors)).sum(axis=0)  # (n, k)
    total = pooled.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total == 0, 1 / pooled.shape[1], pooled / np.where(total == 0, 1, total)), np.float32)


def log_pool(posteriors: NDArray[np.float32], weights: NDArray[np.floating], evidence: float = 0.0) -> NDArray[np.float32]:
    """Weighted product of posteriors (logarithmic opinion pool).

    Args:
        posteriors: (m, n, k), NaN rows where a source is missing.
        weights: (m,) or (m, k), see `shares`.
        evidence: how much two sources that agree say more than one: exponents sum to (sources there) ** evidence, so 0 is
            their geometric mean, and 1 takes them for independent.

    Returns:
        (n, k) rows that sum to 1; NaN where no source is there.

    Raises:
        InputError: shapes do not agree.

    Source: Genest & Zidek 1986, Combining Probability Distributions, Statistical Science 1(1), section 3.
    """
    present = there(posteriors)
    logs = np.log(np.maximum(np.nan_to_num(posteriors, nan=1.0), SMALLEST))
    count = present.sum(axis=0)[:, None].astype(np.float32)
    pooled = (shares(weights, present) * logs).sum(axis=0) * count**evidence  # (n, k)
    powers = np.exp(pooled - pooled.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def temper(posteriors: NDArray[np.float32], temperatures: NDArray[np.floating]) -> NDArray[np.float32]:
    """Posteriors with another sharpness, which calibrates them: each source's p ** (1 / T), made to sum to 1 again.

    Args:
        posteriors: (m, n, k); NaN stays NaN.
        temperatures: (m,) more than 0; above 1 makes a source less sure.

    Source: Guo et al. 2017, On Calibration of Modern Neural Networks, section 4.2, on logarithms of probabilities.
    """
    logs = np.log(np.maximum(posteriors, SMALLEST)) / np.asarray(temperatures, np.float32)[:, None, None]
    powers = np.exp(logs - logs.max(axis=2, keepdims=True, initial=-np.inf))
    return np.asarray(powers / powers.sum(axis=2, keepdims=True), np.float32)
