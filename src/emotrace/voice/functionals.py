"""What summarises the course of a descriptor over a window: the functionals of eGeMAPS.

A course is (n, t): n windows, t frames `STEP` apart, NaN where a frame has no value. What cannot be told is NaN.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label
from scipy.signal import find_peaks

STEP = 0.01         # s
PROMINENCE = 0.1    # of a course's range, from which a peak counts

Array = NDArray[np.float64]


def average(values: NDArray[Any]) -> NDArray[np.float64]:
    """Mean of each row over what is not NaN, (n,) of (n, t); NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=-1)
    total = np.where(known, values, 0.0).sum(axis=-1, dtype=np.float64)
    mean: NDArray[np.float64] = np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
    return mean


def deviation(values: NDArray[Any]) -> NDArray[np.float64]:
    """Standard deviation of each row over what is not NaN, (n,) of (n, t); NaN where nothing is."""
    return np.sqrt(average((values - average(values)[..., None]) ** 2))


def smooth(course: Array) -> Array:
    """Mean of each value and its two neighbours, of those that are known; unknown frames stay so; (..., t).

    Source: Eyben et al. 2016, section 3 (symmetric moving average, three frames, within voiced regions only).
    """
    if course.shape[-1] == 0:
        return course
    padded = np.pad(course, [(0, 0)] * (course.ndim - 1) + [(1, 1)], constant_values=np.nan)
    near = np.lib.stride_tricks.sliding_window_view(padded, 3, axis=-1)
    return np.where(np.isfinite(course), average(near), np.nan)


def mean_and_variation(course: Array) -> Array:
    """Mean, and standard deviation over the mean (coefficient of variation, of the mean's sign as openSMILE has it); (n, 2)."""
    mean = average(course)
    return np.column_stack([mean, np.divide(deviation(course), mean, out=np.full_like(mean, np.nan), where=mean != 0)])


def percentiles(course: Array) -> Array:
    """20th, 50th and 80th percentile, and the range from the 20th to the 80th; (n, 4)."""
    values = np.full((len(course), 4), np.nan)
    for row, one in enumerate(course):
        known = one[np.isfinite(one)]
        if len(known):
            low, middle, high = np.percentile(known, (20, 50, 80))
            values[row] = low, middle, high, high - low
    return values


def slopes(course: Array) -> Array:
    """Mean and deviation of rising slopes, then of falling ones, both a second and positive when steep; (n, 4).

    A slope runs from a valley to the next peak, or from a peak to the next valley, within a stretch of known values. Peaks
    stand out by a tenth of the course's range; a valley is the lowest point between two, or before the first and after the
    last; a stretch without a peak is one slope. A side without slopes has 0.

    Source: Eyben et al. 2016, section 3 ("slope of rising/falling signal parts"). We deviate: openSMILE puts voiced stretches
    together first.
    """
    values = np.full((len(course), 4), np.nan)
    for row, one in enumerate(course):
        known = np.flatnonzero(np.isfinite(one))
        if len(known):
            least = PROMINENCE * float(np.ptp(one[known]))
            parts = np.split(one[known], np.flatnonzero(np.diff(known) > 1) + 1)
            steep = np.concatenate([_slopes_of(part, least) for part in parts])
            sides = steep[steep > 0], -steep[steep < 0]
            values[row] = [what(side) if len(side) else 0.0 for side in sides for what in (np.mean, np.std)]
    return values


def _slopes_of(part: Array, least: float) -> Array:
    """Slopes between the turning points of one stretch, a second."""
    peaks = _peaks(part, least)
    bounds = [0, *peaks.tolist(), len(part) - 1]
    turns = np.array(bounds)
    if len(peaks):
        valleys = [low + int(part[low : high + 1].argmin()) for low, high in pairwise(bounds)]
        turns = np.concatenate([peaks, valleys])
    turns = np.unique(turns)
    return np.asarray(np.diff(part[turns]) / (np.diff(turns) * STEP))


def _peaks(one: Array, least: float) -> NDArray[np.int64]:
    return np.asarray(find_peaks(one, prominence=least)[0] if least > 0 else np.zeros(0), np.int64)


def peaks_a_second(course: Array) -> Array:
    """Peaks that stand out by a tenth of the course's range, a second; (n,) of courses without gaps; NaN without frames."""
    seconds = course.shape[1] * STEP
    if seconds == 0:
        return np.full(len(course), np.nan)
    return np.array([len(_peaks(one, PROMINENCE * float(np.ptp(one)))) / seconds for one in course])


def stretches(voiced: NDArray[np.bool_]) -> Array:
    """Voiced stretches a second, mean and deviation of their lengths, and of the lengths of unvoiced ones, s; (n, 5).

    Source: Eyben et al. 2016, section 3 ("temporal features"). Lengths without a stretch are 0.
    """
    seconds = voiced.shape[1] * STEP
    values = np.full((len(voiced), 5), np.nan)
    for row, one in enumerate(voiced):
        if seconds:
            lengths = [STEP * np.bincount(label(side)[0])[1:] for side in (one, ~one)]
            told = [what(side) if len(side) else 0.0 for side in lengths for what in (np.mean, np.std)]
            values[row] = [len(lengths[0]) / seconds, *told]
    return values
