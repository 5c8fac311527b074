"""People: which tracks are one person, and what can be said of each person over the whole video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotrace.face import identity
from emotrace.settings import Settings

TOGETHER = 0.2   # share of the shorter track's frames from which two tracks seen together are two people; less is a
                 # picture-in-picture transition, in which one person is seen twice for some frames
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
    """Where each face row lies: (n,) frame, time, track, shot, and how long (s) its frame is shown."""

    frame: NDArray[np.int64]
    time: NDArray[np.float64]
    track: NDArray[np.int64]
    shot: NDArray[np.int32]
    shown: NDArray[np.float64]


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

    def names(self, tracks: NDArray[np.int64]) -> list[str | None]:
        """Name of the person ("P1") of each track number, None where unassigned."""
        known = {fact.track: name(k) for fact, k in zip(self.facts, self.person, strict=True)}
        return [known[track] for track in tracks.tolist()]

    def tracks_of(self, person: int) -> list[int]:
        """Track numbers of one person."""
        return [fact.track for fact, k in zip(self.facts, self.person, strict=True) if k == person]


def name(person: int) -> str | None:
    """ "P1" for 0; None for -1."""
    return f"P{person + 1}" if person >= 0 else None


def group(seen: Appearances, portraits: Portraits, settings: Settings) -> Grouping:
    """Decide which tracks are one person.

    Tracks without a portrait stay unassigned. Where identity is not measured, each track is a person of its own.
    """
    facts = _facts(seen, portraits.track)
    if "face.identity" not in settings.as_json()["components"]:
        return _ordered(seen, facts, np.arange(len(facts)))
    usable = np.array([fact.portraits > 0 for fact in facts], bool)
    chosen = [fact.track for fact, yes in zip(facts, usable, strict=True) if yes]
    means, weights = mean_embeddings(portraits, chosen)
    method = identity.cluster if settings.identity == "cluster" else identity.greedy
    person = np.full(len(facts), -1, np.int64)
    apart = seen_together(seen, chosen)
    person[usable] = method(means, weights, apart, settings.identity_threshold)
    return _ordered(seen, facts, person)


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
