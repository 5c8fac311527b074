"""Shots: where the picture cuts.

A cut is a step between frames that is much larger than the steps before and the one after it. A step is what the grey levels
change by, times how far the shares of dark and bright change: a pan or somebody who moves changes the former alone. Up to two
frames in which both scenes are mixed, or one blank one, may lie in between, as where a frame rate was converted. A flash, after
which the picture is as before, is not a cut and does not hide one; repeated frames, as webcams give them, are skipped.

No cut is seen in slow dissolves, fades and wipes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

AHEAD = 4              # frames that are looked at, from the one in question on
LEAST_CHANGE = 10.0    # grey levels, mean over the picture; measured cuts change by 18 to 53
LEAST_SHADES = 0.3     # difference of the shares of 32 shades, summed, 0..2; measured: cuts 0.38 and more, pans at most 0.26
SHADES = 32
STILL = 0.02           # added to that difference, so that a change between pictures of the same shades is still a step
TIMES_BEFORE = 4.0     # a cut's step is more than this many times each of the steps before it ...
TIMES_AFTER = 1.5      # ... and more than this many times the step after it, for each frame that the cut took
MIXED = 2              # frames between two scenes, in which both are mixed, at most
PART = 0.2             # least share of the whole change in each step to or from a mixed frame
BACK = 0.3             # largest share of a flash's change that may remain after it
REPEATED = 0.5         # grey levels; a frame that changes by no more repeats the one before
HISTORY = 8            # frames


@dataclass(slots=True)
class ShotDetector:
    """Finds cuts in consecutive frames; keeps what it must know between chunks.

    Args:
        shot: number of the shot the last frame lies in.
        last: luma of the last frame; None before the first.
        steps: the last HISTORY steps, without those of cuts and flashes.
        since: frames since the last cut, at most HISTORY; one that does not repeat the frame before it counts as HISTORY.
        settled: how many of the next frames are already known: mixed ones, or the return from a flash.
        due: True where the last of these begins a shot.
    """

    shot: int = 0
    last: NDArray[np.uint8] | None = None
    steps: list[float] = field(default_factory=list)
    since: int = HISTORY
    settled: int = 0
    due: bool = False

    def as_json(self) -> dict[str, Any]:
        """All that it knows."""
        last = None if self.last is None else self.last.tolist()
        return {
            "shot": self.shot, "last": last, "steps": self.steps, "since": self.since, "settled": self.settled, "due": self.due,
        }  # fmt: skip

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> ShotDetector:
        """One that goes on from there."""
        last = None if state["last"] is None else np.asarray(state["last"], np.uint8)
        return cls(**{**state, "last": last})

    def update(self, luma: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
        """Look at the next frames.

        Args:
            luma: (t + AHEAD, h, w) uint8 of t frames and the frames after them.

        Returns:
            (t,) bool, True at the first frame of a new shot, and (t,) int32 number of the shot. The first frame of a video is
            not a cut.
        """
        pictures = _Pictures(np.concatenate([luma[:1] if self.last is None else self.last[None], luma]))
        cuts = np.array([self._begins(pictures, i) for i in range(1, len(luma) - AHEAD + 1)], np.bool_)
        if len(cuts):
            self.last = luma[len(cuts) - 1]
        shots = (self.shot + np.cumsum(cuts)).astype(np.int32)
        self.shot = int(shots[-1]) if len(shots) else self.shot
        return cuts, shots

    def _begins(self, pictures: _Pictures, i: int) -> bool:
        """Whether a shot begins with picture i."""
        if self.settled:
            return self._begins_as_settled()
        if pictures.change[i] <= REPEATED:
            self._went_on(0.0, 1)
            return False
        moved = [i, *(j for j in range(i + 1, i + AHEAD) if pictures.change[j] > REPEATED)]
        base = TIMES_BEFORE * max(self.steps, default=0.0)
        if self.since >= HISTORY:
            for mixed in range(min(MIXED + 1, len(moved))):
                if _cuts(pictures, i, moved, mixed, base):
                    self.settled, self.due, self.since = moved[mixed] - i, mixed > 0, 0
                    return mixed == 0
        if _flashes(pictures, i, moved, base):
            self.settled = moved[1] - i
        else:
            self._went_on(float(pictures.step[i]), HISTORY)
        return False

    def _begins_as_settled(self) -> bool:
        """Whether a shot begins with the next of the pictures of which it is known already."""
        self.settled -= 1
        begins = self.due and self.settled == 0
        if begins:
            self.since, self.due = 0, False
        return begins

    def _went_on(self, step: float, frames: int) -> None:
        """Take in the step to a picture that begins no shot; `frames` are added to those since the last cut."""
        self.steps = [*self.steps, step][-HISTORY:]
        self.since = min(self.since + frames, HISTORY)


def _cuts(pictures: _Pictures, i: int, moved: list[int], mixed: int, base: float) -> bool:
    """Whether there is a cut from picture i - 1 to moved[mixed], all those between them being mixed of both scenes."""
    begin = moved[mixed]
    change, shades, step = pictures.between(i - 1, begin)
    after = pictures.between(begin, moved[mixed + 1])[2] if mixed + 1 < len(moved) else 0.0
    part = min(pictures.change[j] for j in moved[: mixed + 1])
    large = change > LEAST_CHANGE and shades > LEAST_SHADES and part > PART * change
    return bool(large and step > base and step > TIMES_AFTER * (mixed + 1) * after)


def _flashes(pictures: _Pictures, i: int, moved: list[int], base: float) -> bool:
    """Whether picture i is a flash: it changes much, and the next one that moves is again like the one before it."""
    large = len(moved) > 1 and pictures.change[i] > LEAST_CHANGE and pictures.step[i] > base
    return bool(large and pictures.between(i - 1, moved[1])[0] < BACK * pictures.change[i])


class _Pictures:
    """Pictures, and the changes between them.

    Args:
        luma: (n, h, w) uint8.
    """

    def __init__(self, luma: NDArray[np.uint8]) -> None:
        self.luma = luma.astype(np.int16)
        n, pixels = len(luma), luma[0].size
        shade = luma.reshape(n, -1) // (256 // SHADES) + SHADES * np.arange(n)[:, None]
        self.shares = np.bincount(shade.ravel(), minlength=n * SHADES).reshape(n, SHADES) / pixels
        self.change = np.abs(np.diff(self.luma, axis=0, prepend=self.luma[:1])).mean(axis=(1, 2))   # (n,) from the one before
        shades = np.abs(np.diff(self.shares, axis=0, prepend=self.shares[:1])).sum(axis=1)
        self.step: NDArray[np.float64] = self.change * (shades + STILL)   # (n,)

    def between(self, i: int, j: int) -> tuple[float, float, float]:
        """Mean change of the grey levels, how far the shares of the shades differ, 0..2, and the step."""
        change, shades = np.abs(self.luma[j] - self.luma[i]).mean(), np.abs(self.shares[j] - self.shares[i]).sum()
        return float(change), float(shades), float(change * (shades + STILL))
