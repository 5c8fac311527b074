"""FER2013 and the FER+ votes.

    fer2013.csv     emotion, pixels, Usage        as published (ICML 2013, Kaggle), there also as icml_face_data.csv
    fer2013new.csv  Usage, Image name, neutral ... contempt, unknown, NF               FER+, beside it where it is
    *.parquet       image (encoded), label, usage, ferplus_<expression> ..., non_face  the same content in one file

Source: Goodfellow et al. 2013, Challenges in Representation Learning; Barsoum et al. 2016, Training Deep Networks for Facial
Expression Recognition with Crowd-Sourced Label Distribution.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from emotrace import parquet
from emotrace.corpora import delimited
from emotrace.corpora.labels import numbered, position
from emotrace.corpora.table import NO_LABEL, VOTE_COLUMNS, Faces, table
from emotrace.errors import InputError
from emotrace.scheme import EXPRESSION_7

NAME = "FER2013"
FILES = ("fer2013.csv", "icml_face_data.csv", "fer2013.parquet")
SIDE = 48
PUBLISHED_ORDER = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
FERPLUS_WORDS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral", "contempt", "unknown", "nf")
VOTES = [f"ferplus_{word}" for word in FERPLUS_WORDS]
NEEDED = ("image", "label", "usage")
NOT_A_FACE = VOTE_COLUMNS.index("not_a_face")


def read(path: Path) -> Faces:
    """FER2013 from the published csv or a parquet file, or the folder that either lies in.

    Rows that FER+ raters called no face keep their label; `shows_a_face` tells them apart.

    Raises:
        InputError: the file is of neither form, or a row of it cannot be read.
    """
    if path.is_dir():
        path = next((file for name in FILES if (file := path / name).is_file()), path / FILES[0])
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected fer2013.csv or a .parquet of the same content, or its folder")
    return read_parquet(path) if path.suffix.lower() == ".parquet" else read_csv(path)


def read_parquet(path: Path) -> Faces:
    """FER2013 from one parquet file: image, label and usage, and the FER+ votes where they are there.

    Raises:
        InputError: it is no whole parquet file, a column is missing, or a cell holds something else.
    """
    columns = _columns(path)
    origin = [f"{path.name}:{row}" for row in range(len(columns["image"]))]
    return table(
        NAME,
        [_encoded(cell, where) for cell, where in zip(columns["image"], origin, strict=True)],
        [_named(cell, where) for cell, where in zip(columns["label"], origin, strict=True)],
        origin,
        votes=_parquet_votes(columns, origin),
        split=["" if cell is None else str(cell) for cell in columns["usage"]],
    )


def _columns(path: Path) -> dict[str, list[Any]]:
    try:
        with parquet.opened(path) as stream:
            whole = pq.ParquetFile(stream)
            there = whole.schema_arrow.names
            columns: dict[str, list[Any]] = whole.read([name for name in (*NEEDED, *VOTES) if name in there]).to_pydict()
    except (OSError, ValueError) as error:   # Arrow's own errors are these
        reason = str(error).partition("\n")[0]
        raise InputError(f"{path}: is no parquet file that can be read ({reason}); expected {', '.join(NEEDED)}") from error
    if missing := [name for name in NEEDED if name not in columns]:
        raise InputError(f"{path}: no column {missing[0]!r}; expected {', '.join(NEEDED)}; found {', '.join(there)}")
    return columns


def _encoded(cell: object, where: str) -> bytes:
    """The bytes of a picture, alone or in the struct of bytes and path that Hugging Face's datasets write."""
    data = cell.get("bytes") if isinstance(cell, dict) else cell
    if not isinstance(data, bytes):
        raise InputError(f"{where}: image holds no bytes, got {type(data).__name__}; expected an encoded picture as PNG")
    return data


def _named(cell: object, where: str) -> int:
    if cell is not None and not isinstance(cell, str):
        raise InputError(f"{where}: label is {cell!r}; expected a word as angry, or none")
    return position(cell, where) if cell else NO_LABEL


def _parquet_votes(columns: dict[str, list[Any]], origin: list[str]) -> NDArray[np.float32] | None:
    if not set(VOTES) <= set(columns):
        return None
    for name in VOTES:
        for cell, where in zip(columns[name], origin, strict=True):
            if not isinstance(cell, int | float | None):
                raise InputError(f"{where}: {name} is {cell!r}; expected a number of raters")
    return np.array([columns[name] for name in VOTES], np.float32).T


def read_csv(path: Path) -> Faces:
    """FER2013 from fer2013.csv, with the FER+ votes of fer2013new.csv where that lies beside it.

    Raises:
        InputError: a column is missing, or a row has not 48 x 48 grey levels or a label that is none.
    """
    rows = delimited.rows(path, ("emotion", "pixels", "Usage"))
    return table(
        NAME,
        [_pixels(row["pixels"], where) for where, row in rows],
        [numbered(row["emotion"], PUBLISHED_ORDER, where) for where, row in rows],
        [where for where, _ in rows],
        votes=_csv_votes(path.with_name("fer2013new.csv"), len(rows)),
        split=[row["Usage"] for _, row in rows],
    )


def _pixels(text: str, where: str) -> NDArray[np.uint8]:
    try:
        values = np.fromstring(text, np.int64, sep=" ")   # several times as quick as one by one
    except ValueError as error:
        raise InputError(f"{where}: expected grey levels 0..255 with blanks between them ({error})") from error
    if values.size != SIDE * SIDE:
        raise InputError(f"{where}: expected {SIDE * SIDE} grey levels (48 x 48), found {values.size}")
    if strange := [level for level in (values.min(), values.max()) if not 0 <= level <= 255]:
        raise InputError(f"{where}: expected grey levels 0..255 with blanks between them, found {strange[0]}")
    return values.astype(np.uint8).reshape(SIDE, SIDE)


def _csv_votes(path: Path, n: int) -> NDArray[np.float32] | None:
    if not path.is_file():
        return None
    rows = delimited.rows(path, FERPLUS_WORDS)
    if len(rows) != n:
        raise InputError(f"{path}: {len(rows)} rows, but fer2013.csv beside it has {n}; they go row by row")
    votes = [[delimited.number(row[word] or "0", where, word) for word in FERPLUS_WORDS] for where, row in rows]
    return np.array(votes, np.float32).reshape(n, len(FERPLUS_WORDS))


def labelled(faces: Faces) -> Faces:
    """The rows whose label is one of the seven.

    Raises:
        InputError: there are none.
    """
    rows = (faces.label >= 0) & (faces.label < len(EXPRESSION_7))
    if not rows.any():
        raise InputError(f"{faces.corpus}: none of {len(faces)} rows has one of the seven labels; give a corpus that has them")
    return faces[rows]


def shows_a_face(faces: Faces) -> NDArray[np.bool_]:
    """Rows that fewer than half of the FER+ raters called no face, (n,); rows without votes count as faces."""
    total = np.nansum(faces.votes, axis=1)
    return np.asarray(~(faces.votes[:, NOT_A_FACE] * 2 >= np.maximum(total, 1)), np.bool_)


def majority(faces: Faces) -> NDArray[np.int64]:
    """The FER+ label by vote, (n,): the expression with strictly most votes.

    Returns:
        Position in EXPRESSION_8; -1 where "unknown" or "not a face" has most, where two are level, or without votes.
    """
    votes = np.nan_to_num(faces.votes)
    best = votes.argmax(axis=1)
    level = (votes == votes.max(axis=1, keepdims=True)).sum(axis=1) > 1
    return np.where(level | (best >= 8), NO_LABEL, best).astype(np.int64)
