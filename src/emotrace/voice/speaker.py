"""Who speaks: the visible person whose mouth moves with the sound.

    mouth opening of each face ─┐
    loudness of the sound ──────┴─ per window, within one shot ─▶ evidence of each person and of nobody ─▶ speaker

The evidence of a person is how much the mouth moves and how well its opening follows the loudness a moment around. A
mouth that hardly moves is no evidence at all, so an off-screen voice belongs to nobody, unless a mouth moves for another
reason, as in laughing or crying.

Source: Cutler & Davis 2000 and Chung & Zisserman 2016 ask the same question of correlation and of a network; here it is
asked of the landmarks that are there already.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONTEXT = 0.5             # s around a window that count too; in a quarrel turns last a second, so not more
LEAST_FRAMES = 12         # of a face in window and context; fewer, at --rate 2 say, follow no syllable
QUIET = 30.0              # dB below the loudest moment from which sound is silence: noise must not look like syllables
LAGS = (-0.08, -0.04, 0.0, 0.04, 0.08, 0.12)   # s by which the opening may follow the sound: encoders shift them
# What decides: the opening moves by so much of the face's height a second, and so far it follows the loudness. A silent
# listener moves .02-.08, a speaker .15-.6; correlation over three seconds is .2-.5 for the speaker, -.2-.2 for others.
# Context and weights were chosen on a debate of two men who interrupt each other; see docs/limits.md.
STILL = 0.1               # of the face's height a second
MOTION, FOLLOWS = 0.5, 3.0


@dataclass(frozen=True, slots=True)
class Mouths:
    """Mouths over a video, in order of time.

    Args:
        time: (r,) s.
        person: (r,) int64, -1 where nobody known.
        shot: (r,) int32.
        opening: (r,) float32 as of `opening`.
    """

    time: NDArray[np.float64]
    person: NDArray[np.int64]
    shot: NDArray[np.int32]
    opening: NDArray[np.float32]

    def __getitem__(self, rows: slice | NDArray[np.bool_]) -> Mouths:
        """The rows of a slice or of a mask."""
        return Mouths(self.time[rows], self.person[rows], self.shot[rows], self.opening[rows])


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures that were looked at: (f,) times in s and (f,) int32 shots."""

    time: NDArray[np.float64]
    shot: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Loudness:
    """The sound's level: (f,) times in s and (f,) dB, NaN where there is no sound."""

    time: NDArray[np.float64]
    level: NDArray[np.float32]


def often_enough(rate: float | None, own: float | None, window: float) -> bool:
    """Whether mouths can be seen to move with the sound.

    Args:
        rate: frames a second that are analysed; None: all.
        own: frames a second of the video; None where unknown.
        window: s.
    """
    known = [each for each in (rate, own) if each is not None and each > 0]
    return not known or min(known) * (window + 2 * CONTEXT) >= LEAST_FRAMES


def opening(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far mouths are open.

    Args:
        x: (n, 68) landmarks in iBUG order, px.
        y: (n, 68).

    Returns:
        (n,) mean distance of the inner lips over the distance from the bridge of the nose to the chin; 0 is closed.
    """
    def distance(a: int, b: int) -> NDArray[np.float32]:
        return np.asarray(np.hypot(x[:, a] - x[:, b], y[:, a] - y[:, b]), np.float32)

    height = np.maximum(distance(27, 8), 1e-3)
    return np.asarray((distance(61, 67) + distance(62, 66) + distance(63, 65)) / 3 / height, np.float32)


def speakers(
    mouths: Mouths, shown: Pictures, sound: Loudness, start: NDArray[np.float64], window: float
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The speaker of each window in which somebody speaks.

    Args:
        mouths: of all faces.
        shown: the pictures.
        sound: its level, over the same time.
        start: (n,) s, first moments of the windows.
        window: s.

    Returns:
        (n,) person, -1 where nobody visible; and (n,) probability of that person among all visible and nobody, NaN for -1.
    """
    who, score = np.full(len(start), -1, np.int64), np.full(len(start), np.nan, np.float32)
    for i, begin in enumerate(start.tolist()):
        near = _near(mouths, shown, begin, window)
        people = np.unique(near.person[near.person >= 0])
        evidence = np.array([_evidence(near[near.person == person], sound) for person in people.tolist()])
        if len(evidence) and np.nanmax(evidence, initial=-np.inf) > 0:
            best = int(np.nanargmax(evidence))
            who[i] = people[best]
            score[i] = np.exp(evidence[best]) / (1 + np.nansum(np.exp(evidence)))
    return who, score


def _near(mouths: Mouths, shown: Pictures, begin: float, window: float) -> Mouths:
    """The mouths of a window and its context, in the shot that most of the window shows."""
    first, last = np.searchsorted(shown.time, [begin, begin + window])
    if first == last:
        return mouths[:0]
    shots, count = np.unique(shown.shot[first:last], return_counts=True)
    around = slice(*np.searchsorted(mouths.time, [begin - CONTEXT, begin + window + CONTEXT]))
    near = mouths[around]
    return near[near.shot == shots[count.argmax()]]


def _evidence(mouth: Mouths, sound: Loudness) -> float:
    """For one person against nobody, in nats; NaN where the face is seen too shortly."""
    time, rows = np.unique(mouth.time, return_index=True)
    if len(time) < LEAST_FRAMES:
        return np.nan
    gap = mouth.opening[rows].astype(np.float64)
    motion = np.abs(np.diff(gap)).sum() / max(time[-1] - time[0], 1e-3)
    first, last = np.searchsorted(sound.time, [time[0] + LAGS[0] - 0.1, time[-1] + LAGS[-1] + 0.1])
    level = np.nan_to_num(sound.level[first:last].astype(np.float64), nan=-np.inf)
    if len(level) < 2 or not np.isfinite(level.max()):
        return np.nan
    level = np.maximum(level, level.max() - QUIET)
    heard = np.stack([np.interp(time - lag, sound.time[first:last], level) for lag in LAGS])   # (lags, frames)
    return MOTION * float(np.log2(max(motion, 1e-3) / STILL)) + FOLLOWS * float(_correlations(heard, gap).max())


def _correlations(rows: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson's correlation of each row with the other; 0 where one of them is flat."""
    rows, other = rows - rows.mean(axis=1, keepdims=True), other - other.mean()
    scale = np.sqrt((rows**2).sum(axis=1) * (other**2).sum())
    flat = np.zeros(len(rows))
    return np.asarray(np.divide(rows @ other, scale, out=flat, where=scale > 1e-9))
