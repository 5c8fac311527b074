"""Events: the moments at which a person's face changes most.

    curve ─changes()─▶ mean of the second after minus mean of the second before, at every frame
          ─moments()─▶ its strongest peaks, 2 s apart ─strongest()─▶ at most twelve, each told once

One smile moves happiness, valence and AU12 together; it is one event, named after what changed most.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emotrace.report.series import Seen
from emotrace.scheme import ACTION_UNITS

WINDOW = 1.0          # s compared before and after a moment: longer than a blink, shorter than a sentence
APART = 2.0           # s between two events of a person; two windows, so that no frame counts for two events
MOST = 12             # events of a video: what fits on a screen
LEAST = 0.15          # smaller changes are within what these networks do on a still face
COMPANION = 0.5       # a change is told together with a stronger one from half its strength on
COMPANIONS = 3
_ROUNDING = 1e-6      # s; time stamps such as 1001/24000 are not exact


@dataclass(frozen=True, slots=True)
class Change:
    """One strong change of one column of one person.

    Args:
        time: s, first frame after the change.
        person: "P1".
        what: the column, "valence" or "AU12".
        change: mean of the second after minus mean of the second before.
    """

    time: float
    person: str
    what: str
    change: float


@dataclass(frozen=True, slots=True)
class Event(Change):
    """The strongest of the changes of one moment, with those that are told with it.

    Args:
        text: one line for people, which names all of them.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Clock:
    """Which moments of a video can be compared.

    Args:
        times: (n,) float64 s of the analysed frames, increasing.
        shown: (n,) float64 s, how long each is shown.
        before: (n,) float64 s for which the frames of the second before each are shown; 0 where a cut or the start lies in it.
        after: (n,) float64 s, the same of the second from it on; 0 where a cut or the end lies in it.
    """

    times: NDArray[np.float64]
    shown: NDArray[np.float64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]

    @classmethod
    def of(cls, times: NDArray[np.float64], shown: NDArray[np.float64], shot: NDArray[np.int32]) -> Clock:
        """The clock of a video.

        Args:
            times: (n,) s of the analysed frames, increasing.
            shown: (n,) s, how long each is shown.
            shot: (n,) number of the shot of each, not decreasing.
        """
        before, after = _sums(shown, *_window(times))
        first = np.searchsorted(shot, shot, side="left")
        behind = np.searchsorted(shot, shot, side="right")
        ends = np.append(times, times[-1:] + shown[-1:])   # the last frame of a shot is shown until the next one begins
        whole_before = times - times[first] >= WINDOW - _ROUNDING
        whole_after = ends[behind] - times >= WINDOW - _ROUNDING
        return cls(times, shown, np.where(whole_before, before, 0), np.where(whole_after, after, 0))


@dataclass(frozen=True, slots=True)
class Windows:
    """The second before and the second after each row of a person's curves; the same for all curves measured at once.

    Args:
        times: (m,) float64 s.
        measured: (m,) bool.
        weights: (m,) float64 s, how long each is shown; 0 where it is not measured.
        low: (m,) int64 first row of the second before.
        high: (m,) int64 first row after the second from this one on.
        comparable: (m,) bool, True where both seconds lie in one shot and at least half of each is measured.
    """

    times: NDArray[np.float64]
    measured: NDArray[np.bool_]
    weights: NDArray[np.float64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    comparable: NDArray[np.bool_]

    @classmethod
    def of(cls, clock: Clock, frame: NDArray[np.int64], measured: NDArray[np.bool_]) -> Windows:
        """The windows of a person.

        Args:
            clock: which moments can be compared.
            frame: (m,) increasing positions in `clock.times`.
            measured: (m,) bool.
        """
        times, weights = clock.times[frame], np.where(measured, clock.shown[frame], 0)
        low, high = _window(times)
        comparable = np.ones(len(times), np.bool_)
        for own, whole in zip(_sums(weights, low, high), (clock.before[frame], clock.after[frame]), strict=True):
            comparable &= (whole > 0) & (2 * own >= whole - _ROUNDING)
        return cls(times, measured, weights, low, high, comparable)

    def fit(self, measured: NDArray[np.bool_]) -> bool:
        """True where a curve is measured in the same rows."""
        return np.array_equal(self.measured, measured)


def changes(windows: Windows, values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean over the second after minus mean over the second before, at every row of a curve; frames count as long as shown.

    Args:
        windows: of the person and the rows in which this curve is measured.
        values: (m,) NaN where not measured.

    Returns:
        (m,) NaN where the two seconds cannot be compared.
    """
    weighted = np.where(windows.measured, values, 0) * windows.weights
    before, after = _sums(weighted, windows.low, windows.high)
    time_before, time_after = _sums(windows.weights, windows.low, windows.high)
    with np.errstate(invalid="ignore", divide="ignore"):
        change = after / time_after - before / time_before
    return np.where(windows.comparable, change, np.nan)


def moments(times: NDArray[np.float64], change: NDArray[np.float64]) -> list[int]:
    """Rows of the strongest changes, strongest first: at least 2 s apart, at most twelve, none below the least.

    Args:
        times: (m,) s, increasing.
        change: (m,) NaN where unknown.
    """
    strength = np.where(np.isfinite(change), np.abs(change), 0.0)
    found: list[int] = []
    while len(found) < MOST and strength.size:
        row = int(np.argmax(strength))
        if strength[row] < LEAST:
            break
        found.append(row)
        low, high = np.searchsorted(times, [times[row] - APART + _ROUNDING, times[row] + APART - _ROUNDING])
        strength[low:high] = 0.0
    return found


def changes_of(windows: Windows, person: str, what: str, values: NDArray[np.float32]) -> list[Change]:
    """The strongest changes of one column of one person (see `changes`)."""
    change = changes(windows, values)
    return [
        Change(float(windows.times[row]), person, what, float(change[row])) for row in moments(windows.times, change)
    ]


@dataclass(slots=True)
class Search:
    """Looks for changes in one column after the other.

    Args:
        clock: which moments can be compared.
        seen: rows of the people who are shown.
        names: of these people.
        windows: of each person, kept for the next column that is measured in the same rows.
        found: changes so far.
    """

    clock: Clock
    seen: Seen
    names: list[str]
    windows: dict[int, Windows] = field(default_factory=dict)
    found: list[Change] = field(default_factory=list)

    def look(self, label: str, values: NDArray[np.float32]) -> None:
        """Find the changes of all people in one column, (m,) values in the order of `seen`."""
        for i, name in enumerate(self.names):
            own = values[self.seen.of_person(i)]
            self.found += changes_of(self._windows(i, np.isfinite(own)), name, label, own)

    def _windows(self, person: int, measured: NDArray[np.bool_]) -> Windows:
        if person not in self.windows or not self.windows[person].fit(measured):
            frame = self.seen.frame[self.seen.of_person(person)]
            self.windows[person] = Windows.of(self.clock, frame, measured)
        return self.windows[person]


def strongest(found: Iterable[Change]) -> list[Event]:
    """At most twelve events, strongest first; changes of one person within 2 s are one event."""
    left = sorted(found, key=lambda item: (-abs(item.change), item.time, item.person, item.what))
    events: list[Event] = []
    while left and len(events) < MOST:
        lead = left[0]
        near = [item for item in left if _is_near(item, lead)]
        left = [item for item in left if not _is_near(item, lead)]
        events.append(Event(lead.time, lead.person, lead.what, lead.change, _told(lead, near)))
    return events


def _is_near(item: Change, lead: Change) -> bool:
    return item.person == lead.person and abs(item.time - lead.time) < APART - _ROUNDING


def _told(lead: Change, near: list[Change]) -> str:
    """One line: what changed most, and what changed with it."""
    told: dict[str, Change] = {}
    for item in near:
        together = abs(item.time - lead.time) <= WINDOW and abs(item.change) >= COMPANION * abs(lead.change)
        if together and item.what != lead.what:
            told.setdefault(item.what, item)
    line = f"{_named(lead.what)} {'rises' if lead.change > 0 else 'falls'} by {abs(lead.change):.2f}"
    others = ", ".join(f"{_named(item.what)} {_signed(item.change)}" for item in list(told.values())[:COMPANIONS])
    return f"{line}, with {others}" if others else line


def _named(what: str) -> str:
    """A column's name for people: "AU12 lip corner puller"."""
    return f"{what} {ACTION_UNITS.describe(what)}" if what in ACTION_UNITS.labels else what


def _signed(change: float) -> str:
    return f"{change:+.2f}".replace("-", "−")


def _window(times: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First row within the second before each of increasing times, and first row a second or more after it."""
    low = np.searchsorted(times, times - WINDOW - _ROUNDING)
    high = np.searchsorted(times, times + WINDOW - _ROUNDING)
    return low, high


def _sums(
    values: NDArray[np.float64], low: NDArray[np.int64], high: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums of the rows from `low` to each one, and from each one to `high`."""
    total = np.append(0.0, np.cumsum(values))
    return total[:-1] - total[low], total[high] - total[:-1]
