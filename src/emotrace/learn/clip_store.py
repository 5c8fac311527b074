"""What was computed of single clips, kept on disk by the clip's content.

    clip, what ─▶ FOLDER/<what>/<sha256 of the file>.npz ─there?─▶ arrays
                                   └─ no ─▶ make() ─▶ written whole, then renamed
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from emotrace.api import fingerprint
from emotrace.learn.arrays import Arrays, load, save


class ClipStore:
    """Arrays of clips, any number of rows each.

    Args:
        folder: of the run; made when something is first kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def of(self, path: Path, what: str, make: Callable[[], Arrays]) -> Arrays:
        """What was kept of a clip, or what `make` gives, which is kept from then on.

        Args:
            path: video file, or folder of face pictures.
            what: tells this computation and its settings from others; a valid file name.
            make: called where nothing is kept. What it raises passes through, and nothing is kept.

        Raises:
            FolderError: what was kept is damaged.
        """
        file = self.folder / what / f"{digest(path)}.npz"
        if file.is_file():
            return load(file)
        made = make()
        save(file, made)
        return made


def digest(path: Path) -> str:
    """Of a file's content; of the names and contents of a folder's files."""
    if path.is_file():
        return fingerprint(path)
    parts = [f"{file.name} {fingerprint(file)}" for file in sorted(path.iterdir()) if file.is_file()] if path.is_dir() else []
    return hashlib.sha256("\n".join([path.name, *parts]).encode()).hexdigest()
