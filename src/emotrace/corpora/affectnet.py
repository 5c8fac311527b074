"""AffectNet, in both published forms.

    2017   training.csv, validation.csv (subDirectory_filePath, expression, valence, arousal), Manually_Annotated_Images/
    2021   train_set/ and val_set/, each with images/N.jpg and annotations/N_exp.npy, N_val.npy, N_aro.npy

Source: Mollahosseini, Hasani & Mahoor 2019, AffectNet, IEEE Transactions on Affective Computing 10(1).
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.labels import position
from emotrace.corpora.table import NO_LABEL, Faces, table
from emotrace.errors import InputError

NAME = "AffectNet"
ORDER = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt")  # 8-10: none, uncertain, no face
CSV_COLUMNS = ("subDirectory_filePath", "expression", "valence", "arousal")
PICTURES = ("Manually_Annotated_Images", "Manually_Annotated/Manually_Annotated_Images", ".")
NO_AFFECT = -2.0


def read(path: Path) -> Faces:
    """AffectNet from its folder, with valence and arousal.

    Raises:
        InputError: the folder has neither form.
    """
    lists = [file for name in ("training.csv", "validation.csv") if (file := path / name).is_file()]
    sets = [folder for name in ("train_set", "val_set") if (folder := path / name / "annotations").is_dir()]
    if lists:
        return _table([row for file in lists for row in _rows_of_csv(file)], path)
    if sets:
        return _table([row for folder in sets for row in _rows_of_set(folder.parent)], path)
    found = ", ".join(sorted(p.name for p in path.glob("*"))[:8]) or "nothing"
    raise InputError(f"{path}: expected training.csv or train_set/annotations of AffectNet; found {found}")


Row = tuple[Path, int, float, float, str]


def _rows_of_csv(file: Path) -> list[Row]:
    folder = next(file.parent / name for name in PICTURES if (file.parent / name).is_dir())
    with file.open(newline="") as stream:
        rows = csv.DictReader(stream)
        if missing := [column for column in CSV_COLUMNS if column not in (rows.fieldnames or ())]:
            raise InputError(f"{file}: no column {missing[0]!r}; found {', '.join(rows.fieldnames or ())}")
        return [
            (folder / row[CSV_COLUMNS[0]], int(row["expression"]), float(row["valence"]), float(row["arousal"]), file.stem)
            for row in rows
        ]


def _rows_of_set(folder: Path) -> list[Row]:
    def value(number: str, what: str) -> float:
        return float(np.load(folder / "annotations" / f"{number}_{what}.npy", allow_pickle=False))

    files = sorted((folder / "images").glob("*.jpg"), key=lambda file: file.stem.zfill(12))
    return [(f, int(value(f.stem, "exp")), value(f.stem, "val"), value(f.stem, "aro"), folder.name) for f in files]


def _table(rows: list[Row], path: Path) -> Faces:
    affect: NDArray[np.float32] = np.array([row[2:4] for row in rows], np.float32).reshape(-1, 2)
    return table(
        NAME,
        [row[0] for row in rows],
        [position(ORDER[row[1]], NAME) if row[1] < len(ORDER) else NO_LABEL for row in rows],
        [row[0].relative_to(path).as_posix() for row in rows],
        split=[row[4] for row in rows],
        affect=np.where(affect == NO_AFFECT, np.nan, affect).astype(np.float32),
    )
