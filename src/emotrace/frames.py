"""How long frames are shown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

HOLE = 1.0   # s; a frame that would be shown so much longer than usual is followed by a hole in the file


def lasts(time: NDArray[np.float64], every: NDArray[np.float64], alone: float = 0.0) -> NDArray[np.float64]:
    """How long each of some frames of a video stands for what is seen, (n,) s.

    It does until the next of them, but at most HOLE longer than usual; the last one as long as usual, but not beyond the end
    of the video, which is a usual step of all frames behind the last.

    Args:
        time: (n,) s, increasing; the frames that were analysed.
        every: (m,) s, increasing; all frames.
        alone: s, of a frame that has no other beside it.
    """
    if len(time) == 0:
        return np.zeros(0)
    step = np.diff(time)
    usual = float(np.median(step)) if len(step) else alone
    end = every[-1] + (float(np.median(np.diff(every))) if len(every) > 1 else alone)
    return np.append(np.minimum(step, usual + HOLE), min(usual or alone, end - time[-1]))
