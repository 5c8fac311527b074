"""Corpora that are folders of pictures: one folder a class, or the label in the file's name.

    folder-per-class   [split/]happy/any.png
    CK+ (48 px)        happy/S010_004_00000017.png                              subject S010
    SFEW               Train[_Aligned_Faces]/Happy/any.png, Val/..., Test/...    no labels in Test
    JAFFE              KA.AN1.39.tiff                                            subject KA, anger
    Radboud            Rafd090_01_Caucasian_female_angry_frontal.jpg             camera 090, subject 01
"""

from __future__ import annotations

import re
from pathlib import Path

from emotrace.corpora.files import pictures
from emotrace.corpora.labels import POSITION, in_classes, position
from emotrace.corpora.table import NO_LABEL, Faces, table
from emotrace.errors import InputError

CK_PLUS_FILE = re.compile(r"(S\d{3})_\d{3}_\d{8}")
JAFFE_FILE = re.compile(r"([A-Z]{2})\.([A-Z]{2})\d*\.\d+")
RADBOUD_FILE = re.compile(r"Rafd(\d{3})_(\d{2})_[A-Za-z]+_(?:fe)?male_([a-z]+)_(?:frontal|left|right)", re.IGNORECASE)


def read_classes(path: Path, corpus: str = "folder") -> Faces:
    """Pictures in a folder a class, with or without a folder a split above it.

    Raises:
        InputError: pictures lie in a folder that is named after no expression.
    """
    kept = in_classes(pictures(path), path, POSITION)
    return table(
        corpus,
        kept,
        [position(file.parent.name, corpus) for file in kept],
        [_origin(file, path) for file in kept],
        split=["/".join(file.relative_to(path).parts[:-2]) for file in kept],
    )


def read_ck_plus(path: Path) -> Faces:
    """CK+ as cut to 48 x 48 px: a folder a class; evaluate by subject.

    Raises:
        InputError: a file is not named as in CK+.
    """
    faces = read_classes(path, "CK+")
    subjects = [_match(CK_PLUS_FILE, file, "S010_004_00000017.png").group(1) for file in _files(faces)]
    return table("CK+", faces.pictures, faces.label.tolist(), faces.origin.tolist(), subject=subjects)


def read_sfew(path: Path) -> Faces:
    """SFEW: Train, Val and Test folders, or those of the aligned faces (Train_Aligned_Faces); rows of Test have no label.

    Raises:
        InputError: there is no Train or Val folder, folders of stills and of aligned faces lie side by side, or pictures lie in
            a folder that is named after no expression.
    """
    parts = [p for p in sorted(path.glob("*")) if p.is_dir() and p.name.lower().startswith(("train", "val", "test"))]
    if not any(part.name.lower().startswith(("train", "val")) for part in parts):
        found = ", ".join(sorted(p.name for p in path.glob("*"))[:8]) or "nothing"
        raise InputError(f"{path}: expected the folders Train, Val and Test of SFEW; found {found}")
    aligned = [part.name for part in parts if "aligned" in part.name.lower()]
    if aligned and len(aligned) < len(parts):
        stills = ", ".join(part.name for part in parts if part.name not in aligned)
        raise InputError(
            f"{path}: holds the stills of SFEW ({stills}) and the faces aligned in them ({', '.join(aligned)}), which would be "
            "taken for one corpus; move those to a folder of their own, and give the one you mean"
        )
    rows = [(file, part.name) for part in parts for file in _of_part(part)]
    return table(
        "SFEW",
        [file for file, _ in rows],
        [NO_LABEL if split.lower().startswith("test") else position(file.parent.name, "SFEW") for file, split in rows],
        [_origin(file, path) for file, _ in rows],
        split=[split for _, split in rows],
    )


def read_jaffe(path: Path) -> Faces:
    """JAFFE: 213 pictures of ten women; label and subject are in the file's name.

    Raises:
        InputError: a picture is not named as in JAFFE.
    """
    files = pictures(path)
    names = [_match(JAFFE_FILE, file, "KA.AN1.39.tiff") for file in files]
    return table(
        "JAFFE",
        files,
        [position(name.group(2), str(file)) for name, file in zip(names, files, strict=True)],
        [_origin(file, path) for file in files],
        subject=[name.group(1) for name in names],
    )


def read_radboud(path: Path) -> Faces:
    """Radboud Faces Database; the camera's angle ("090" = frontal) is the split.

    Raises:
        InputError: a picture is not named as in the database.
    """
    files = pictures(path)
    names = [_match(RADBOUD_FILE, file, "Rafd090_01_Caucasian_female_angry_frontal.jpg") for file in files]
    return table(
        "Radboud",
        files,
        [position(name.group(3), str(file)) for name, file in zip(names, files, strict=True)],
        [_origin(file, path) for file in files],
        subject=[name.group(2) for name in names],
        split=[name.group(1) for name in names],
    )


def _of_part(part: Path) -> list[Path]:
    """Pictures of a part of SFEW: in folders of expressions, but for Test."""
    return pictures(part) if part.name.lower().startswith("test") else in_classes(pictures(part), part, POSITION)


def _files(faces: Faces) -> list[Path]:
    return [picture for picture in faces.pictures if isinstance(picture, Path)]


def _match(pattern: re.Pattern[str], file: Path, example: str) -> re.Match[str]:
    found = pattern.match(file.name)
    if found is None:
        raise InputError(f"{file}: expected a name as {example}")
    return found


def _origin(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix()
