"""Evaluating a component of the voice as it is shipped, on whole clips of a corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from emotrace import registry
from emotrace.corpora import catalogue
from emotrace.corpora.voices import NO_LABEL, Recording, Voices, decode
from emotrace.errors import InputError
from emotrace.learn.by_speaker import centred, check_known
from emotrace.learn.metrics import Scores, score
from emotrace.learn.shipped import name_and_path
from emotrace.scheme import VOICE_EXPRESSION

NAMED = "of_clips"   # what a component has that can be fed with whole clips


def hears(name: str) -> bool:
    """True for a component that names expressions of whole clips; False for others, and for what is no component."""
    line = registry.COMPONENTS.get(name)
    return line is not None and line.scheme == VOICE_EXPRESSION and hasattr(registry.target(name), NAMED)


def corpus(given: str, split: str | None) -> Voices:
    """The corpus of voices of "NAME=PATH", or one split of it.

    Raises:
        InputError: it is not of that form or of another kind, the path has another layout, or there is no such split.
        UnknownNameError: there is no such corpus.
    """
    voices = catalogue.read_voices(*name_and_path(given, "ravdess=FOLDER"))
    return voices if split is None else voices.of_split(split)


def measure(name: str, voices: Voices, by_speaker: bool = False) -> Scores:
    """Scores of a component on a corpus's own labels; every clip is decoded in its turn and heard whole, as one window.

    Silence, what is shorter than 0.1 s, and what cannot be decoded, gets no answer, which counts as wrong.

    Args:
        name: component that `hears`.
        voices: corpus, or a part of it; rows without a label are left out.
        by_speaker: every answer is taken relative to those about the same speaker, see `learn.by_speaker`.

    Raises:
        InputError: no row has a label, none of the recordings can be decoded, or speakers are not known.
    """
    of_clips: Callable[[Iterable[NDArray[np.float32]]], NDArray[np.float32]] = getattr(registry.target(name)(), NAMED)
    rows = np.flatnonzero(voices.label != NO_LABEL)
    if not len(rows):
        raise InputError(f"{voices.corpus}: none of the {len(voices)} recordings has a label; expected expressions")
    if by_speaker:
        check_known(voices.speaker[rows])   # before an hour of them is heard
    unreadable: list[str] = []
    said = of_clips(_sounds(voices[rows].recordings, unreadable))
    if len(unreadable) == len(rows):
        raise InputError(f"{voices.corpus}: none of {len(rows)} recordings can be decoded; the first: {unreadable[0]}")
    said = centred(said, voices.speaker[rows]) if by_speaker else said
    return score(said, voices.label[rows], VOICE_EXPRESSION.labels, unreadable)


def _sounds(recordings: Sequence[Recording], unreadable: list[str]) -> Iterator[NDArray[np.float32]]:
    """The recordings one by one; nothing of what cannot be decoded, and why is added to `unreadable`."""
    for recording in recordings:
        try:
            sound = decode(recording)
        except InputError as error:
            unreadable.append(str(error))
            sound = np.zeros(0, np.float32)
        yield sound
