"""AFEW: short film clips, seven expressions; also the constructed corpus, which is written in this layout.

    Train|Val/<Class>/<clip>.avi or .mp4       <Class> = Angry, Disgust, Fear, Happy, Neutral, Sad, Surprise
    Test/[<Class>/]<clip>.avi                  where the test part has no classes, its clips have no label
    Train/.../<clip>/<clip>-001.jpg            the challenge's own face crops, any folder named as the clip below its part

Parts may also be named as the challenges did (Train_AFEW, Val_AFEW, Test_2016_No_Label). A part that has only folders of face
crops, sorted into classes, is read too: its clips are those folders.

Source: Dhall, Goecke, Lucey & Gedeon 2012, Collecting Large, Richly Annotated Facial-Expression Databases from Movies, IEEE
MultiMedia 19(3).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emotrace.corpora.clips import Clips
from emotrace.corpora.files import PICTURES, under
from emotrace.corpora.labels import POSITION
from emotrace.corpora.table import NO_LABEL
from emotrace.errors import InputError

NAME = "AFEW"
SPLITS = ("Train", "Val", "Test")
CLASSES = ("Angry", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise")
SUFFIXES = (".avi", ".mp4", ".mkv", ".mov", ".webm")


def read(path: Path, corpus: str = NAME) -> Clips:
    """AFEW from its folder; no clip is opened (`Clips.unreadable` does that). Subjects are not published, so they are "".

    A class without clips is no error: `Clips.counts` says 0 for it.

    Raises:
        InputError: there is no Train or Val folder, a clip of theirs lies in no class, or there is no clip at all.
    """
    parts = {part: split for part in _folders(path) if (split := _split(part))}
    if not {"Train", "Val"} & set(parts.values()):
        found = ", ".join(sorted(p.name for p in path.glob("*"))[:8]) or "nothing"
        raise InputError(f"{path}: expected the folders Train, Val and Test of {corpus}; found {found}")
    rows = [(clip, faces, split) for part, split in parts.items() for clip, faces in _clips(part)]
    if not rows:
        raise InputError(f"{path}: no clips; expected files of {', '.join(SUFFIXES)} as Train/Happy/000046280.avi")
    return Clips(
        corpus,
        [clip for clip, _, _ in rows],
        np.array([_label(clip, split, path) for clip, _, split in rows], np.int64),
        np.array([""] * len(rows), np.str_),
        np.array([split for _, _, split in rows], np.str_),
        np.array([clip.relative_to(path).as_posix() for clip, _, _ in rows], np.str_),
        [faces for _, faces, _ in rows],
    )


def _folders(path: Path) -> list[Path]:
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; expected one with the folders Train, Val and Test")
    return sorted(folder for folder in path.iterdir() if folder.is_dir())


def _split(part: Path) -> str:
    return next((split for split in SPLITS if part.name.lower().startswith(split.lower())), "")


def _clips(part: Path) -> list[tuple[Path, Path | None]]:
    """Clips of a part and the folder of face crops of each; the folders themselves where there is no video."""
    files = under(part)
    crops = {file.parent.name: file.parent for file in files if file.suffix.lower() in PICTURES}
    videos = [file for file in files if file.suffix.lower() in SUFFIXES]
    if videos:
        return [(video, crops.get(video.stem)) for video in videos]
    return [(folder, folder) for folder in sorted(crops.values())]


def _label(clip: Path, split: str, path: Path) -> int:
    found = POSITION.get(clip.parent.name.lower(), NO_LABEL)
    if found == NO_LABEL and split != "Test":
        where = clip.relative_to(path).as_posix()
        raise InputError(f"{path}: {where} lies in no class; expected {split}/{'|'.join(CLASSES)}/{clip.name}")
    return found
