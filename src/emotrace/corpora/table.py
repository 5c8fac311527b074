"""The table that every picture corpus is read into.

    published layout ─reader─▶ Faces ─[rows]─▶ Faces ─pictures()─▶ (n, h, w) uint8
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrace.engine import quiet
from emotrace.errors import InputError
from emotrace.scheme import EXPRESSION_8

Picture = bytes | Path | NDArray[np.uint8]
NO_LABEL = -1
COLUMNS = ("label", "votes", "subject", "split", "origin", "affect")
VOTE_COLUMNS = (*EXPRESSION_8.labels, "unknown", "not_a_face")


def decode(picture: Picture, where: str = "a picture") -> NDArray[np.uint8]:
    """One picture as grey levels.

    Args:
        picture: an encoded image, a file, or grey levels (h, w).
        where: an encoded image comes from, for the message.

    Returns:
        (h, w) uint8.

    Raises:
        InputError: the bytes or the file are no image, or one of more pixels than OpenCV takes, or the file cannot be read.
    """
    if isinstance(picture, np.ndarray):
        return picture
    data = _content(picture) if isinstance(picture, Path) else picture
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
    except cv2.error:   # too large
        image = None
    if image is None:
        what = str(picture) if isinstance(picture, Path) else f"{where} ({len(data)} bytes)"
        expected = "WebP, PNG, JPEG, BMP, PGM or TIFF of at most 2^30 pixels"
        raise InputError(f"{what} is no image that can be decoded (expected {expected})")
    return np.asarray(image, np.uint8)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}); expected a picture") from error


@dataclass(frozen=True, slots=True)
class Faces:
    """n labelled pictures of faces.

    Args:
        corpus: "FER2013".
        pictures: n pictures, decoded when asked for.
        label: (n,) int64 position in EXPRESSION_8 (whose first seven are EXPRESSION_7), -1 = none.
        votes: (n, 10) float32 number of raters per expression of EXPRESSION_8, then "unknown" and "not a face"; NaN where
            the corpus has no votes.
        subject: (n,) str, who is seen; "" = not known.
        split: (n,) str, the corpus's own word for its part: "Training", "PublicTest", "train"; "" = none.
        origin: (n,) str, where a row comes from: a file name, "fer2013.csv:17".
        affect: (n, 2) float32 valence and arousal, -1..1; NaN where the corpus has none.

    Raises:
        InputError: the columns differ in length.
    """

    corpus: str
    pictures: Sequence[Picture]
    label: NDArray[np.int64]
    votes: NDArray[np.float32]
    subject: NDArray[np.str_]
    split: NDArray[np.str_]
    origin: NDArray[np.str_]
    affect: NDArray[np.float32]

    def __post_init__(self) -> None:
        n = len(self.pictures)
        widths = {"votes": len(VOTE_COLUMNS), "affect": 2}
        for column in COLUMNS:
            expected = (n, widths[column]) if column in widths else (n,)
            if (shape := getattr(self, column).shape) != expected:
                raise InputError(f"{self.corpus}: column {column} must be {expected}, got {shape}")

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Faces:
        """The rows of a mask, of positions or of a slice.

        Raises:
            IndexError: a mask is not as long as the table, or there is no such row.
        """
        positions = np.arange(len(self))[rows]
        columns = {column: getattr(self, column)[positions] for column in COLUMNS}
        return Faces(self.corpus, [self.pictures[i] for i in positions], **columns)

    def of_split(self, split: str) -> Faces:
        """The rows of one part.

        Raises:
            InputError: there is no such part; the message names those there are.
        """
        return self[in_split(self.corpus, self.split, split)]

    def images(self, size: int = 0) -> NDArray[np.uint8]:
        """All pictures in one array; each is brought to the size before the next is decoded.

        Args:
            size: side in px to which pictures are resized (area-averaged down, cubic up); 0 = as they are.

        Returns:
            (n, h, w) uint8.

        Raises:
            InputError: a picture cannot be decoded, or pictures differ in size and no size is given.
        """
        with quiet():   # libraries write lines of their own about what is damaged
            found = (decode(picture, str(where)) for picture, where in zip(self.pictures, self.origin, strict=True))
            decoded = [resize(image, size) if size else image for image in found]
        shapes = sorted({image.shape for image in decoded})
        if len(shapes) > 1:
            raise InputError(f"{self.corpus}: pictures of {len(shapes)} sizes, as {shapes[0]} and {shapes[-1]}; give a size")
        return np.stack(decoded) if decoded else np.zeros((0, size, size), np.uint8)


def in_split(corpus: str, splits: NDArray[np.str_], split: str) -> NDArray[np.bool_]:
    """Which rows are of a part of a corpus.

    Args:
        corpus: its name, for the message.
        splits: (n,) the part of each row, "" = none.
        split: the part.

    Raises:
        InputError: there is no such part; the message names those there are.
    """
    if not split or split not in splits:
        there = ", ".join(sorted(set(splits.tolist()) - {""})) or "none"
        raise InputError(f"{corpus} has no split {split!r}; it has: {there}")
    return np.asarray(splits == split, np.bool_)


def resize(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """A picture brought to `size` x `size` px: averaged over areas when it shrinks, cubic when it grows."""
    if image.shape[:2] == (size, size):
        return image
    method = cv2.INTER_AREA if max(image.shape[:2]) > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (size, size), interpolation=method), np.uint8)


def table(
    corpus: str,
    pictures: Sequence[Picture],
    label: Sequence[int],
    origin: Sequence[str],
    *,
    votes: NDArray[np.float32] | None = None,
    subject: Sequence[str] | None = None,
    split: Sequence[str] | None = None,
    affect: NDArray[np.float32] | None = None,
) -> Faces:
    """A table from what a corpus has; what it has not is filled with "" or NaN. Arguments as of `Faces`."""
    n = len(pictures)
    return Faces(
        corpus,
        pictures,
        np.array(label, np.int64),
        np.full((n, len(VOTE_COLUMNS)), np.nan, np.float32) if votes is None else votes,
        np.array([""] * n if subject is None else subject, np.str_),
        np.array([""] * n if split is None else split, np.str_),
        np.array(origin, np.str_),
        np.full((n, 2), np.nan, np.float32) if affect is None else affect,
    )
