"""FER2013 and the FER+ votes.

    fer2013.csv     emotion, pixels, Usage                                             as published (ICML 2013, Kaggle)
    fer2013new.csv  Usage, Image name, neutral ... contempt, unknown, NF               FER+, beside it where it is
    *.parquet       image (encoded), label, usage, ferplus_<expression> ..., non_face  the same content in one file

Source: Goodfellow et al. 2013, Challenges in Representation Learning; Barsoum et al. 2016, Training Deep Networks for Facial
Expression Recognition with Crowd-Sourced Label Distribution.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from emotrace.corpora.labels import position
from emotrace.corpora.table import NO_LABEL, VOTE_COLUMNS, Faces, table
from emotrace.errors import InputError

NAME = "FER2013"
SIDE = 48
PUBLISHED_ORDER = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
FERPLUS_WORDS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral", "contempt", "unknown", "nf")
NOT_A_FACE = VOTE_COLUMNS.index("not_a_face")


def read(path: Path) -> Faces:
    """FER2013 from the published csv, its folder, or a parquet file.

    Rows that FER+ raters called no face keep their label; `shows_a_face` tells them apart.

    Raises:
        InputError: the file is of neither form.
    """
    if path.is_dir():
        path = path / "fer2013.csv"
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected fer2013.csv, its folder, or a .parquet of the same content")
    return read_parquet(path) if path.suffix == ".parquet" else read_csv(path)


def read_parquet(path: Path) -> Faces:
    """FER2013 from one parquet file: image, label and usage, and the FER+ votes where they are there.

    Raises:
        InputError: a column is missing.
    """
    have = pq.read_schema(path).names
    if missing := [name for name in ("image", "label", "usage") if name not in have]:
        raise InputError(f"{path}: no column {missing[0]!r}; expected image, label, usage; found {', '.join(have)}")
    columns = pq.read_table(path).to_pydict()
    return table(
        NAME,
        columns["image"],
        [NO_LABEL if word is None else position(word, NAME) for word in columns["label"]],
        [f"{path.name}:{row}" for row in range(len(columns["image"]))],
        votes=_parquet_votes(columns),
        split=columns["usage"],
    )


def _parquet_votes(columns: dict[str, list[int]]) -> NDArray[np.float32] | None:
    if not all(f"ferplus_{word}" in columns for word in FERPLUS_WORDS):
        return None
    return np.array([columns[f"ferplus_{word}"] for word in FERPLUS_WORDS], np.float32).T


def read_csv(path: Path) -> Faces:
    """FER2013 from fer2013.csv, with the FER+ votes of fer2013new.csv where that lies beside it.

    Raises:
        InputError: the head is another, or a row has not 48 x 48 grey levels.
    """
    with path.open(newline="") as file:
        rows = csv.reader(file)
        head = [word.strip() for word in next(rows, [])]
        if head != ["emotion", "pixels", "Usage"]:
            raise InputError(f"{path}: expected the head emotion,pixels,Usage, found {','.join(head) or 'an empty file'}")
        content = [(row, f"{path.name}:{number}") for number, row in enumerate(rows, 2) if row]
    return table(
        NAME,
        [_pixels(row[1], where) for row, where in content],
        [position(PUBLISHED_ORDER[int(row[0])], NAME) for row, _ in content],
        [where for _, where in content],
        votes=_csv_votes(path.with_name("fer2013new.csv"), len(content)),
        split=[row[2] for row, _ in content],
    )


def _pixels(text: str, where: str) -> NDArray[np.uint8]:
    values = np.array(text.split(), np.uint8)
    if values.size != SIDE * SIDE:
        raise InputError(f"{where}: expected {SIDE * SIDE} grey levels (48 x 48), found {values.size}")
    return values.reshape(SIDE, SIDE)


def _csv_votes(path: Path, n: int) -> NDArray[np.float32] | None:
    if not path.is_file():
        return None
    with path.open(newline="") as file:
        rows = [{key.lower(): value for key, value in row.items()} for row in csv.DictReader(file)]
    if len(rows) != n:
        raise InputError(f"{path}: {len(rows)} rows, but fer2013.csv beside it has {n}; they go row by row")
    if missing := [word for word in FERPLUS_WORDS if word not in (rows[0] if rows else {})]:
        raise InputError(f"{path}: no column {missing[0]!r}; found {', '.join(rows[0]) if rows else 'no rows'}")
    return np.array([[float(row[word] or 0) for word in FERPLUS_WORDS] for row in rows], np.float32)


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
