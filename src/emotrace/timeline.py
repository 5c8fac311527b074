"""A timeline: numbers about one subject over time, the one currency of the toolkit.

What a model measures, what a rater draws and what a recipe learns are all timelines, so comparing, shifting, smoothing,
fusing and exporting each exist once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emotrace.errors import InputError, unknown
from emotrace.frames import divided, lasts
from emotrace.scheme import Scheme

if TYPE_CHECKING:
    import pyarrow as pa

CLOSE = 1e-6   # s; moments less apart are the same, as k / rate and a container's stamps are rounded differently


@dataclass(frozen=True, slots=True)
class Timeline:
    """Values over time.

    Args:
        times: (n,) float64 seconds on the container's clock, strictly increasing.
        values: (n, k) float32; NaN where nothing could be measured, never 0.
        scheme: meaning, order and bounds of the k columns.
        source: who says so, "face.expression" or "rater:anna".
        subject: person, None where the whole scene is meant.

    Raises:
        InputError: shapes do not agree with each other and the scheme, or times do not increase.
    """

    times: NDArray[np.float64]
    values: NDArray[np.float32]
    scheme: Scheme
    source: str
    subject: str | None = None

    def __post_init__(self) -> None:
        expected = (len(self.times), len(self.scheme))
        if self.values.shape != expected:
            raise InputError(f"{self.source}: values have shape {self.values.shape}, expected {expected}")
        if self.times.ndim != 1:
            raise InputError(f"{self.source}: times have shape {self.times.shape}, expected one number a row")
        if not np.all(np.isfinite(self.times)) or np.any(np.diff(self.times) <= 0):
            raise InputError(f"{self.source}: times must be finite and strictly increasing")

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, label: str) -> NDArray[np.float32]:
        """One column, (n,).

        Raises:
            UnknownNameError: the scheme has no such label.
        """
        if label not in self.scheme.labels:
            raise unknown(f"label in {self.scheme.name}", label, list(self.scheme.labels))
        return self.values[:, self.scheme.labels.index(label)]

    def crop(self, start: float, stop: float) -> Timeline:
        """Rows with start <= time < stop (s)."""
        keep = (self.times >= start) & (self.times < stop)
        return replace(self, times=self.times[keep], values=self.values[keep])

    def shift(self, seconds: float) -> Timeline:
        """Move in time; raters lag what they see by some seconds, so `shift(-2.8)` undoes it."""
        return replace(self, times=self.times + seconds)

    def at(self, times: NDArray[np.float64] | Sequence[float]) -> Timeline:
        """Linear interpolation onto other times.

        NaN outside the measured span and between two rows of which one is NaN: gaps are never bridged. A time within a
        microsecond of a row is that row's.

        Args:
            times: (m,) s, strictly increasing.

        Raises:
            InputError: the times do not increase, or are no numbers.
        """
        times = np.atleast_1d(np.asarray(times, np.float64))
        if len(self) == 0:
            return replace(self, times=times, values=np.full((len(times), len(self.scheme)), np.nan, np.float32))
        right = np.clip(np.searchsorted(self.times, times, side="left"), 0, len(self) - 1)
        left = np.maximum(right - 1, 0)
        nearest = np.where(np.abs(times - self.times[left]) < np.abs(self.times[right] - times), left, right)
        hit = np.abs(self.times[nearest] - times) <= CLOSE
        left, right = np.where(hit, nearest, left), np.where(hit, nearest, right)
        span = np.where(right > left, self.times[right] - self.times[left], 1.0)
        weight = ((times - self.times[left]) / span)[:, None]
        values = np.where(right[:, None] == left[:, None], self.values[left],
                          (1 - weight) * self.values[left] + weight * self.values[right])
        outside = ~hit & ((times < self.times[0]) | (times > self.times[-1]))
        values = np.where(outside[:, None], np.nan, values)
        return replace(self, times=times, values=values.astype(np.float32))

    def resample(self, rate: float) -> Timeline:
        """Values `rate` times a second from the first to the last row, by linear interpolation (see `at`).

        Raises:
            InputError: rate is not positive, or infinite.
        """
        if not 0 < rate < np.inf:
            raise InputError(f"rate must be positive and finite, got {rate}")
        if len(self) == 0:
            return self
        count = int(np.floor((self.times[-1] - self.times[0] + CLOSE) * rate)) + 1
        return self.at(self.times[0] + np.arange(count) / rate)

    def smooth(self, seconds: float) -> Timeline:
        """Centred moving average over a window of `seconds`; NaN rows stay NaN and do not count.

        Each row counts for as long as it holds within the window, until the next one (see `emotrace.frames.lasts`), so the
        mean is over time also where the frame rate is variable.

        Raises:
            InputError: the window is less than 0 s, or no number.
        """
        if not seconds >= 0:
            raise InputError(f"a window to smooth over must be 0 s or more, got {seconds}")
        if len(self) < 2:
            return self
        holds = lasts(self.times, self.times)
        row, begin, weight = divided(self.times, holds, float(np.median(holds)))
        half = seconds / 2 + CLOSE   # a frame at just this distance is in it on both sides, however its time is rounded
        low = np.searchsorted(begin, self.times - half, side="left")
        high = np.searchsorted(begin, self.times + half, side="right")
        measured = np.isfinite(self.values)
        time = measured[row] * weight[:, None]   # (parts, k) s
        zero = np.zeros((1, len(self.scheme)))
        total = np.concatenate([zero, np.cumsum(np.where(measured, self.values, 0.0)[row] * time, axis=0)])
        whole = np.concatenate([zero, np.cumsum(time, axis=0)])
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = (total[high] - total[low]) / (whole[high] - whole[low])
        return replace(self, values=np.where(measured, mean, np.nan).astype(np.float32))

    def to_arrow(self) -> pa.Table:
        """A table with the column `time` and one column a label; metadata holds source, subject and scheme."""
        import pyarrow as pa

        columns = {"time": self.times, **{label: self[label] for label in self.scheme.labels}}
        about = {"source": self.source, "subject": self.subject or "", "scheme": self.scheme.name}
        return pa.table(columns).replace_schema_metadata(about)
