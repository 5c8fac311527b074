"""Shots: where the picture cuts.

A cut is a frame that differs from the one before much more than its neighbours differ from each other. The frame after is
looked at too, because a fast pan or a flash differs as much as a cut does but goes on differing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

LEAST_CHANGE = 10.0    # grey levels, mean over the picture; measured cuts change by 18 to 53
TIMES_BEFORE = 2.5     # a cut changes this much more than any of the frames before it ...
TIMES_AFTER = 2.0      # ... and than the frame after it; measured: 2.5 or more for cuts, 0.7 at the start of a fast pan
HISTORY = 8            # frames


@dataclass(slots=True)
class ShotDetector:
    """Finds cuts in consecutive frames; keeps what it must know between chunks.

    Args:
        shot: number of the shot the last frame lies in.
        last: luma of the last frame; None before the first.
        changes: changes of the last frames, those of cuts left out.
    """

    shot: int = 0
    last: NDArray[np.uint8] | None = None
    changes: list[float] = field(default_factory=list)

    def update(self, luma: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
        """Look at the next frames.

        Args:
            luma: (t + 1, h, w) uint8 of t frames and the frame after them.

        Returns:
            (t,) bool, True at the first frame of a new shot, and (t,) int32 number of the shot. The first frame of a video is
            not a cut.
        """
        before = luma[:1] if self.last is None else self.last[None]
        frames = np.concatenate([before, luma]).astype(np.int16)
        change = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2))   # (t + 1,)
        cuts = np.zeros(len(luma) - 1, np.bool_)
        for i in range(len(cuts)):
            cuts[i] = self._is_cut(change[i], change[i + 1])
            if not cuts[i]:
                self.changes = [*self.changes, float(change[i])][-HISTORY:]
        if len(cuts):
            self.last = luma[-2]
        shots = (self.shot + np.cumsum(cuts)).astype(np.int32)
        self.shot = int(shots[-1]) if len(shots) else self.shot
        return cuts, shots

    def _is_cut(self, change: float, after: float) -> bool:
        return (
            change > LEAST_CHANGE
            and change > TIMES_BEFORE * max(self.changes, default=0.0)
            and change > TIMES_AFTER * after
        )
