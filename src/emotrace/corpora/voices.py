"""The table that every voice corpus is read into.

    published layout ─reader─▶ Voices ─[rows]─▶ Voices ─decoded()─▶ n arrays of sound
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import av.error
import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.files import recordings
from emotrace.corpora.labels import POSITION, in_classes
from emotrace.corpora.table import in_split
from emotrace.errors import InputError
from emotrace.scheme import EXPRESSION_7, VOICE_EXPRESSION
from emotrace.sound import blocks

Recording = Path | NDArray[np.float32]
NO_LABEL = -1
SAMPLE_RATE = 16_000
COLUMNS = ("label", "intensity", "speaker", "gender", "statement", "split", "origin")
POSITIONS = {word: place for word, place in POSITION.items() if place < len(EXPRESSION_7)} | {
    "calm": VOICE_EXPRESSION.labels.index("calm")  # EXPRESSION_8 takes a calm face for a neutral one; a calm voice is its own
}


@dataclass(frozen=True, slots=True)
class Voices:
    """n labelled recordings of voices.

    Args:
        corpus: "RAVDESS".
        recordings: n files, decoded when asked for, or sounds (s,) float32 mono at 16 kHz.
        label: (n,) int64 position in VOICE_EXPRESSION, -1 = none.
        intensity: (n,) float32 of the acted emotion, 0 = normal, 1 = strong; NaN where the corpus does not vary it.
        speaker: (n,) str, who speaks; "" = not known.
        gender: (n,) str, "female", "male" or "" = not known, as the corpus records it.
        statement: (n,) str, what is said, as the corpus numbers or writes it; "" = not known.
        split: (n,) str, the corpus's own word for its part; "" = none.
        origin: (n,) str, where a row comes from.

    Raises:
        InputError: the columns differ in length.
    """

    corpus: str
    recordings: Sequence[Recording]
    label: NDArray[np.int64]
    intensity: NDArray[np.float32]
    speaker: NDArray[np.str_]
    gender: NDArray[np.str_]
    statement: NDArray[np.str_]
    split: NDArray[np.str_]
    origin: NDArray[np.str_]

    def __post_init__(self) -> None:
        for column in COLUMNS:
            if (shape := getattr(self, column).shape) != (len(self.recordings),):
                raise InputError(f"{self.corpus}: column {column} must be {(len(self.recordings),)}, got {shape}")

    def __len__(self) -> int:
        return len(self.recordings)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Voices:
        """The rows of a mask, of positions or of a slice.

        Raises:
            IndexError: a mask is not as long as the table, or there is no such row.
        """
        positions = np.arange(len(self))[rows]
        columns = {column: getattr(self, column)[positions] for column in COLUMNS}
        return Voices(self.corpus, [self.recordings[i] for i in positions], **columns)

    def of_split(self, split: str) -> Voices:
        """The rows of one part.

        Raises:
            InputError: there is no such part; the message names those there are.
        """
        return self[in_split(self.corpus, self.split, split)]

    def clips(self) -> list[NDArray[np.float32]]:
        """All recordings as sound, n of (s,) float32 mono at 16 kHz.

        Raises:
            InputError: a file cannot be decoded.
        """
        return [decode(recording) for recording in self.recordings]

    def decoded(self) -> Voices:
        """The same rows with their sounds in memory."""
        return replace(self, recordings=self.clips())


def decode(recording: Recording) -> NDArray[np.float32]:
    """One recording as (s,) float32 mono at 16 kHz, -1..1, decoded and mixed as `analyze` does; see `emotrace.sound.blocks`.

    Raises:
        InputError: the file holds no sound that can be decoded.
    """
    if not isinstance(recording, Path):
        return recording
    try:
        parts = [block.samples for block in blocks(recording, SAMPLE_RATE)]
    except (av.error.FFmpegError, OSError) as error:
        raise InputError(f"{recording}: is no sound that can be decoded ({error.strerror}); expected a recording") from error
    if not parts:
        raise InputError(f"{recording}: holds no sound that can be decoded; expected a recording of a voice")
    return np.concatenate(parts)


def position(word: str, corpus: str) -> int:
    """Position in VOICE_EXPRESSION of a label as a corpus writes it ("Angry", "calm").

    Raises:
        InputError: the word names no expression of the voice.
    """
    if word.strip().lower() not in POSITIONS:
        raise InputError(f"{corpus}: {word!r} is no known expression; expected one of {', '.join(sorted(POSITIONS))}")
    return POSITIONS[word.strip().lower()]


def table(
    corpus: str,
    found: Sequence[Recording],
    label: Sequence[int],
    origin: Sequence[str],
    *,
    intensity: Sequence[float] | None = None,
    speaker: Sequence[str] | None = None,
    gender: Sequence[str] | None = None,
    statement: Sequence[str] | None = None,
    split: Sequence[str] | None = None,
) -> Voices:
    """A table from what a corpus has; what it has not is filled with "" or NaN. Arguments as of `Voices`."""
    n = len(found)

    def words(given: Sequence[str] | None) -> NDArray[np.str_]:
        return np.array([""] * n if given is None else given, np.str_)

    return Voices(
        corpus,
        found,
        np.array(label, np.int64),
        np.full(n, np.nan, np.float32) if intensity is None else np.array(intensity, np.float32),
        words(speaker),
        words(gender),
        words(statement),
        words(split),
        words(origin),
    )


def read_classes(path: Path) -> Voices:
    """Recordings in a folder a class, with or without a folder a split above it.

    Raises:
        InputError: recordings lie in a folder that is named after no expression, or in none of the voice.
    """
    kept = in_classes(recordings(path), path, POSITIONS)
    return table(
        "folder",
        kept,
        [position(file.parent.name, "folder") for file in kept],
        [file.relative_to(path).as_posix() for file in kept],
        split=["/".join(file.relative_to(path).parts[:-2]) for file in kept],
    )
