"""The table that every corpus of labelled clips is read into.

    published layout ─reader─▶ Clips ─[rows], of_split─▶ Clips ─paths─▶ Video.open
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.files import HIDDEN, PICTURES
from emotrace.corpora.table import decode, in_split
from emotrace.errors import InputError
from emotrace.scheme import Scheme
from emotrace.video import Video

COLUMNS = ("label", "subject", "split", "origin")


@dataclass(frozen=True, slots=True)
class Clips:
    """n labelled clips.

    Args:
        corpus: "AFEW".
        paths: n video files; a folder of face pictures where a corpus has only those.
        label: (n,) int64 position in EXPRESSION_8 (whose first seven are EXPRESSION_7), -1 = none.
        subject: (n,) str, who is seen and heard; "" = not known.
        split: (n,) str, the part a clip belongs to; "" = none.
        origin: (n,) str, where a row comes from, as "Train/Happy/000046280.avi".
        faces: n folders of pictures of the clip's face, already cropped; None where the corpus has none.

    Raises:
        InputError: the columns differ in length.
    """

    corpus: str
    paths: Sequence[Path]
    label: NDArray[np.int64]
    subject: NDArray[np.str_]
    split: NDArray[np.str_]
    origin: NDArray[np.str_]
    faces: Sequence[Path | None]

    def __post_init__(self) -> None:
        n = len(self.paths)
        lengths = {"faces": len(self.faces)} | {column: len(getattr(self, column)) for column in COLUMNS}
        for column, length in lengths.items():
            if length != n:
                raise InputError(f"{self.corpus}: column {column} must have {n} rows, got {length}")

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Clips:
        """The rows of a mask, of positions or of a slice.

        Raises:
            IndexError: a mask is not as long as the table, or there is no such row.
        """
        positions = np.arange(len(self))[rows]
        columns = {column: getattr(self, column)[positions] for column in COLUMNS}
        kept, faces = [self.paths[i] for i in positions], [self.faces[i] for i in positions]
        return Clips(self.corpus, kept, **columns, faces=faces)

    def of_split(self, split: str) -> Clips:
        """The rows of one part.

        Raises:
            InputError: there is no such part; the message names those there are.
        """
        return self[in_split(self.corpus, self.split, split)]

    def counts(self, scheme: Scheme) -> dict[str, int]:
        """Clips of each label, 0 for a class that is empty."""
        found = np.bincount(self.label[self.label >= 0], minlength=len(scheme))
        return {label: int(found[i]) for i, label in enumerate(scheme.labels)}

    def unreadable(self) -> dict[int, str]:
        """Rows that cannot be opened, and why in one line; each clip's first picture is decoded to find out."""
        return {row: reason for row, path in enumerate(self.paths) if (reason := _trouble(path))}

    def damage(self, most: int = 5) -> tuple[str, ...]:
        """A sentence that says which clips cannot be opened, naming so many; none where all can."""
        found = self.unreadable()
        if not found:
            return ()
        named = "; ".join(f"{self.origin[row]} ({why})" for row, why in list(found.items())[:most])
        more = f"; and {len(found) - most} more" if len(found) > most else ""
        kept = "nothing is known of them but face crops, where there are some"
        return (f"{len(found)} of {len(self)} clips cannot be opened, {kept}: {named}{more}.",)


def pictures_of(folder: Path) -> list[Path]:
    """The pictures in a folder of cropped faces, by name."""
    return sorted(f for f in folder.iterdir() if f.suffix.lower() in PICTURES and not f.name.startswith(HIDDEN))


def _trouble(path: Path) -> str:
    try:
        if not path.is_dir():
            Video.open(path)
        elif pictures := pictures_of(path):
            decode(pictures[0])
        else:
            return f"{path}: no pictures; expected files of {', '.join(PICTURES)}"
    except InputError as error:
        return str(error)
    return ""
