"""The files of a corpus: which of them are pictures and recordings, and all of a kind in a folder and what lies under it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from emotrace.errors import InputError

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".pgm", ".webp")
SOUNDS = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".wma", ".aif", ".aiff")
HIDDEN = (".", "__MACOSX")   # macOS puts "._a.jpg", which is no picture, beside "a.jpg" in archives, or into a folder


def pictures(path: Path) -> list[Path]:
    """All pictures of a folder and what lies under it, in order; raises as `of_kind` does."""
    return of_kind(PICTURES, "pictures", path)


def recordings(path: Path) -> list[Path]:
    """All sound files of a folder and what lies under it, in order; raises as `of_kind` does."""
    return of_kind(SOUNDS, "recordings", path)


def of_kind(suffixes: Sequence[str], what: str, path: Path) -> list[Path]:
    """All files with such a name in a folder and what lies under it, in order.

    Args:
        suffixes: in lower case.
        what: they are, for the message.
        path: the folder.

    Raises:
        InputError: there is no such folder, none of them is in it, or it cannot be read.
    """
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; expected a folder of {what}")
    files = [file for file in under(path) if file.suffix.lower() in suffixes]
    if not files:
        raise InputError(f"{path}: no {what}; expected files of {', '.join(suffixes)}")
    return files


def under(path: Path) -> list[Path]:
    """All files in a folder and what lies under it, in order; hidden ones, and those in hidden folders, do not count.

    A folder that is a link is opened, too; one that leads back to where it lies is not.

    Raises:
        InputError: a folder cannot be read.
    """
    return sorted(_under(path, ()))


def _under(folder: Path, above: tuple[str, ...]) -> Iterator[Path]:
    place = os.path.realpath(folder)
    if place in above:
        return
    try:
        entries = [(entry, entry.is_dir(), entry.is_file()) for entry in folder.iterdir() if not entry.name.startswith(HIDDEN)]
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror}); expected a folder of a corpus") from error
    for entry, is_folder, is_file in entries:
        if is_folder:
            yield from _under(entry, (*above, place))
        elif is_file:
            yield entry
