"""People: which tracks are one person, and what can be said of each person over the whole video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emotrace.face import identity
from emotrace.face.detect import overlap
from emotrace.face.track import JOIN, MEMORY
from emotrace.settings import Settings

TOGETHER = 0.2   # two tracks seen together for more than this share of the shorter one's frames are two people; less may be a
                 # picture-in-picture transition, in which one person is seen twice for some frames
CONTINUED = 0.4  # cosine from which tracks that follow each other in one place are one person; measured: 0.6 and more for one
                 # person, at most 0.3 for two
NO_PORTRAIT = "no near-frontal, sharp face"


@dataclass(frozen=True, slots=True)
class Portraits:
    """The good faces of all tracks.

    Args:
        track: (p,) int64.
        quality: (p,).
        embedding: (p, 128), NaN where identity was not measured.
        age: (p,) years.
        female: (p,) 0..1.
    """

    track: NDArray[np.int64]
    quality: NDArray[np.float32]
    embedding: NDArray[np.float32]
    age: NDArray[np.float32]
    female: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Appearances:
    """Where each face row lies: (n,) frame, time, track, shot, and how long (s) its frame is shown; (n, 4) box, px."""

    frame: NDArray[np.int64]
    time: NDArray[np.float64]
    track: NDArray[np.int64]
    shot: NDArray[np.int32]
    shown: NDArray[np.float64]
    box: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TrackFacts:
    """One row of tracks.parquet, without the person's name."""

    track: int
    shot: int
    first: float
    last: float
    frames: int
    portraits: int


@dataclass(frozen=True, slots=True)
class Grouping:
    """Who is who.

    Args:
        facts: of every track, by number.
        person: for each track, in the order of `facts`, the position of its person (0 is who is seen longest), -1: nobody.
        seconds: how long each person is seen; a frame in which one is seen twice counts once.
    """

    facts: tuple[TrackFacts, ...]
    person: NDArray[np.int64]
    seconds: tuple[float, ...]

    @property
    def people(self) -> int:
        """How many people there are."""
        return len(self.seconds)

    def of(self, tracks: NDArray[np.int64]) -> NDArray[np.int64]:
        """The position of the person of each track number, -1 where unassigned."""
        return self.person[np.searchsorted([fact.track for fact in self.facts], tracks)]

    def names(self, tracks: NDArray[np.int64]) -> list[str | None]:
        """Name of the person ("P1") of each track number, None where unassigned."""
        return [person_name(k) for k in self.of(tracks).tolist()]

    def facts_of(self, person: int) -> list[TrackFacts]:
        """The tracks of one person."""
        return [fact for fact, k in zip(self.facts, self.person, strict=True) if k == person]


def person_name(person: int) -> str | None:
    """ "P1" for 0; None for -1."""
    return f"P{person + 1}" if person >= 0 else None


def group(seen: Appearances, portraits: Portraits, settings: Settings) -> Grouping:
    """Decide which tracks are one person.

    Tracks that follow each other from one frame to the next in one place are joined first, if their faces are not too
    different; then the chains of such tracks are grouped by their faces. A track without a portrait is given to the person who
    is in its place within a second before or after it, and stays unassigned if nobody is. So is a person who would be seen in
    one frame only, in which two scenes may be mixed, but remains a person if nobody is there. Where identity is not measured,
    places alone decide.
    """
    facts = _facts(seen, portraits.track)
    if "face.identity" not in settings.measured:
        return _ordered(seen, facts, _by_place(seen, facts, np.full(len(facts), -1, np.int64), alone=True))
    person = _recognised(seen, facts, portraits, settings)
    known = person >= 0
    frames = np.bincount(person[known], [fact.frames for fact, told in zip(facts, known, strict=True) if told], len(facts) + 1)
    fleeting = known & (frames[person] == 1)
    taken = _by_place(seen, facts, np.where(fleeting, -1, person))
    return _ordered(seen, facts, np.where(fleeting & (taken < 0), person, taken))


def _recognised(
    seen: Appearances, facts: tuple[TrackFacts, ...], portraits: Portraits, settings: Settings
) -> NDArray[np.int64]:
    """The person of each of n tracks by their faces, (n,) numbers from 0; -1 for tracks without a portrait."""
    chain = _chained(seen, facts, portraits)
    usable = np.array([fact.portraits > 0 for fact in facts], bool)
    chosen = np.unique(chain[usable])
    tracks = [fact.track for fact in facts]
    counting = replace(portraits, track=_counts_for(facts, chain)[np.searchsorted(tracks, portraits.track)])
    means, weights = mean_embeddings(counting, chosen.tolist())
    apart = seen_together(replace(seen, track=chain[np.searchsorted(tracks, seen.track)]), chosen.tolist())
    method = identity.cluster if settings.identity == "cluster" else identity.greedy
    found = method(means, weights, apart, settings.identity_threshold)
    person = np.full(len(facts), -1, np.int64)
    person[usable] = found[np.searchsorted(chosen, chain[usable])]
    return person


def _counts_for(facts: tuple[TrackFacts, ...], chain: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) the chain to whose mean face the portraits of each track contribute; -1: to none.

    In a single frame another face or a hand may be mixed with the person's own, so a track of one frame contributes only where
    its chain has no longer track.
    """
    frames = np.array([fact.frames for fact in facts], np.int64)
    longest = np.zeros(len(facts), np.int64)
    np.maximum.at(longest, chain, frames)
    return np.where((frames > 1) | (longest[chain] == 1), chain, -1)


def _chained(seen: Appearances, facts: tuple[TrackFacts, ...], portraits: Portraits) -> NDArray[np.int64]:
    """(n,) the chain of each track: the position of the first of those that follow each other and are not too different."""
    first, places = np.arange(len(facts)), _Places(seen, facts)
    known = [i for i in np.argsort(places.first, kind="stable").tolist() if facts[i].portraits]
    means = dict(zip(known, mean_embeddings(portraits, [facts[i].track for i in known])[0], strict=True))
    for i in known:
        alike = [k for k in places.left(i, places.step) if k in means and float(means[i] @ means[k]) >= CONTINUED]
        first[i] = first[alike[0]] if alike else i
    return first


def _by_place(
    seen: Appearances, facts: tuple[TrackFacts, ...], person: NDArray[np.int64], alone: bool = False
) -> NDArray[np.int64]:
    """Give each track without a person (-1) to the one who was in its place before, or else to the one who is there after.

    Args:
        seen: where the faces lie.
        facts: of n tracks.
        person: (n,).
        alone: a track in whose place nobody was before is a person of its own.

    Returns:
        (n,); nobody is in two places at a time by it, except by a track of one frame.
    """
    person, places = person.copy(), _Places(seen, facts)
    within = max(MEMORY, places.step)
    for order, near in ((places.first, places.left), (-places.last, places.entered)):
        for i in np.argsort(order, kind="stable"):
            if person[i] >= 0:
                continue
            beside = (places.first <= places.last[i]) & (places.last >= places.first[i])
            twice = set(person[beside].tolist()) if facts[i].frames > 1 else set()
            free = [int(person[k]) for k in near(int(i), within) if person[k] >= 0 and person[k] not in twice]
            person[i] = free[0] if free else i if alone else -1
    return person


class _Places:
    """Where and when tracks begin and end.

    Args:
        seen: where the faces lie.
        facts: of n tracks.
    """

    def __init__(self, seen: Appearances, facts: tuple[TrackFacts, ...]) -> None:
        begin = np.unique(seen.track, return_index=True)[1]
        end = len(seen.track) - 1 - np.unique(seen.track[::-1], return_index=True)[1]
        self.begin, self.end = seen.box[begin], seen.box[end]   # (n, 4) px
        self.first, self.last = (np.array([getattr(fact, key) for fact in facts]) for key in ("first", "last"))   # (n,) s
        self.shot = np.array([fact.shot for fact in facts])
        times = np.unique(seen.time)
        self.step = 1.5 * float(np.median(np.diff(times))) if len(times) > 1 else 0.0   # s, a frame and some jitter

    def left(self, i: int, within: float) -> list[int]:
        """Tracks that ended in the place of track i at most `within` s before it begins, the nearest place first."""
        return self._near(self.begin[i], self.end, self.first[i] - self.last, i, within)

    def entered(self, i: int, within: float) -> list[int]:
        """Tracks that begin in the place of track i at most `within` s after it ends, the nearest place first."""
        return self._near(self.end[i], self.begin, self.first - self.last[i], i, within)

    def _near(
        self, box: NDArray[np.float32], boxes: NDArray[np.float32], gap: NDArray[np.float64], i: int, within: float
    ) -> list[int]:
        near = np.flatnonzero((self.shot == self.shot[i]) & (gap > 0) & (gap <= within))
        shares = overlap(box[None], boxes[near])[0]
        return [int(near[k]) for k in np.argsort(-shares, kind="stable") if shares[k] >= JOIN]


def mean_embeddings(portraits: Portraits, tracks: Sequence[int]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Mean embedding (n, 128) of unit length and number of portraits (n,) of each track."""
    rows = [portraits.track == track for track in tracks]
    means = np.stack([portraits.embedding[own].mean(axis=0) for own in rows]) if rows else np.zeros((0, 128), np.float32)
    return identity.unit(means), np.array([own.sum() for own in rows], np.float64)


def seen_together(seen: Appearances, tracks: Sequence[int]) -> NDArray[np.bool_]:
    """(n, n) True where two of n tracks (increasing) share more than TOGETHER of the frames of the shorter one."""
    n = len(tracks)
    rows = np.isin(seen.track, tracks)
    frame, own = seen.frame[rows], np.searchsorted(np.asarray(tracks, np.int64), seen.track[rows])
    length = np.bincount(own, minlength=n)
    most = int(np.unique(frame, return_counts=True)[1].max(initial=0))   # faces in one frame
    pairs = [np.zeros(0, np.int64)]
    for step in range(1, most):   # rows of one frame lie side by side: join each with the row `step` behind it
        same = frame[step:] == frame[:-step]
        a, b = own[:-step][same], own[step:][same]
        pairs.append(np.minimum(a, b) * n + np.maximum(a, b))
    pair, common = np.unique(np.concatenate(pairs), return_counts=True)
    a, b = pair // max(n, 1), pair % max(n, 1)
    long = common > TOGETHER * np.minimum(length[a], length[b])
    apart = np.zeros((n, n), np.bool_)
    apart[a[long], b[long]] = apart[b[long], a[long]] = True
    return apart


def _facts(seen: Appearances, portrait_tracks: NDArray[np.int64]) -> tuple[TrackFacts, ...]:
    tracks, first, count = np.unique(seen.track, return_index=True, return_counts=True)
    position = np.searchsorted(tracks, seen.track)
    last = np.full(len(tracks), -np.inf)
    np.maximum.at(last, position, seen.time)
    portraits = np.bincount(np.searchsorted(tracks, portrait_tracks), minlength=len(tracks))
    return tuple(
        TrackFacts(
            track=int(track), shot=int(seen.shot[first[i]]), first=float(seen.time[first[i]]), last=float(last[i]),
            frames=int(count[i]), portraits=int(portraits[i]),
        )
        for i, track in enumerate(tracks)
    )  # fmt: skip


def _ordered(seen: Appearances, facts: tuple[TrackFacts, ...], person: NDArray[np.int64]) -> Grouping:
    """Number people by how long they are seen, then by who comes first."""
    row = person[np.searchsorted([fact.track for fact in facts], seen.track)] if len(facts) else np.zeros(0, np.int64)
    found = np.unique(person[person >= 0])
    pairs, at = np.unique(np.stack([row, seen.frame]), axis=1, return_index=True)   # each person once a frame
    seconds = {int(k): float(seen.shown[at][pairs[0] == k].sum()) for k in found}
    first = {int(k): float(seen.time[row == k].min()) for k in found}
    order = sorted(seconds, key=lambda k: (-round(seconds[k], 6), first[k], k))
    rank = {k: i for i, k in enumerate(order)}
    renumbered = np.array([rank.get(int(k), -1) for k in person], np.int64)
    return Grouping(facts, renumbered, tuple(seconds[k] for k in order))
