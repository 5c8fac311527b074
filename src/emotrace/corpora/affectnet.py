"""AffectNet, in both published forms.

    2017   Manually_Annotated_file_lists/training.csv, validation.csv (the latter has no head), Manually_Annotated_Images/
    2021   train_set/ and val_set/, each with images/N.jpg and annotations/N_exp.npy, N_val.npy, N_aro.npy

Source: Mollahosseini, Hasani & Mahoor 2019, AffectNet, IEEE Transactions on Affective Computing 10(1).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora import delimited
from emotrace.corpora.files import of_kind
from emotrace.corpora.labels import numbered
from emotrace.corpora.table import Faces, table
from emotrace.errors import InputError

NAME = "AffectNet"
# 8-10 are none, uncertain and no face.
ORDER = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt", *[""] * 3)
CSV_COLUMNS = ("subDirectory_filePath", "expression", "valence", "arousal")
PUBLISHED = (CSV_COLUMNS[0], "face_x", "face_y", "face_width", "face_height", "facial_landmarks", *CSV_COLUMNS[1:])
LISTS = ("Manually_Annotated_file_lists", ".")   # the folders that they may lie in
PICTURES = ("Manually_Annotated_Images", "Manually_Annotated/Manually_Annotated_Images", ".")
NO_AFFECT = -2.0


def read(path: Path) -> Faces:
    """AffectNet from its folder, with valence and arousal.

    Raises:
        InputError: the folder has neither form, or an annotation is missing or cannot be read.
    """
    lists = next((there for folder in LISTS if (there := _lists(path / folder))), [])
    sets = [folder for name in ("train_set", "val_set") if (folder := path / name / "annotations").is_dir()]
    if lists:
        return _table([row for file in lists for row in _rows_of_csv(file, path)], path)
    if sets:
        return _table([row for folder in sets for row in _rows_of_set(folder.parent)], path)
    found = ", ".join(sorted(p.name for p in path.glob("*"))[:8]) or "nothing"
    raise InputError(f"{path}: expected training.csv or train_set/annotations of AffectNet; found {found}")


Row = tuple[Path, int, float, float, str]


def _lists(folder: Path) -> list[Path]:
    return [file for name in ("training.csv", "validation.csv") if (file := folder / name).is_file()]


def _rows_of_csv(file: Path, path: Path) -> list[Row]:
    folder = next(path / name for name in PICTURES if (path / name).is_dir())
    return [
        (
            folder / row[CSV_COLUMNS[0]],
            numbered(row["expression"], ORDER, where),
            delimited.number(row["valence"], where, "valence"),
            delimited.number(row["arousal"], where, "arousal"),
            file.stem,
        )
        for where, row in delimited.rows(file, CSV_COLUMNS, published=PUBLISHED)
    ]


def _rows_of_set(folder: Path) -> list[Row]:
    files = sorted(of_kind((".jpg",), "pictures", folder / "images"), key=lambda file: file.stem.zfill(12))
    return [_annotated(file, folder) for file in files]


def _annotated(picture: Path, folder: Path) -> Row:
    def value(what: str) -> float:
        file = folder / "annotations" / f"{picture.stem}_{what}.npy"
        try:
            return float(np.load(file, allow_pickle=False))
        except (OSError, EOFError, TypeError, ValueError) as error:
            raise InputError(f"{file}: expected one number as NumPy writes it ({error})") from error

    label = numbered(f"{value('exp'):g}", ORDER, f"{folder.name}/annotations/{picture.stem}_exp.npy")
    return picture, label, value("val"), value("aro"), folder.name


def _table(rows: list[Row], path: Path) -> Faces:
    affect: NDArray[np.float32] = np.array([row[2:4] for row in rows], np.float32).reshape(-1, 2)
    return table(
        NAME,
        [row[0] for row in rows],
        [row[1] for row in rows],
        [(row[0].relative_to(path) if row[0].is_relative_to(path) else row[0]).as_posix() for row in rows],
        split=[row[4] for row in rows],
        affect=np.where(affect == NO_AFFECT, np.nan, affect).astype(np.float32),
    )
