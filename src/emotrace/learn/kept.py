"""What was fitted on a corpus, kept in the run's folder, so that a run that was killed goes on where it was.

    name, settings, contents and facts of clips ─▶ FOLDER/fitted/<name>-<digest>.npz ─there?─▶ arrays, else make()

Another setting, label, split, subject or crop is another file; nothing stale is ever read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.clips import Clips
from emotrace.errors import InputError
from emotrace.learn.arrays import Arrays, load, save
from emotrace.learn.clip_store import digest
from emotrace.learn.mark import mark
from emotrace.learn.scoreboard import slug

FOLDER = "fitted"
POSTERIORS = "posteriors"


class Kept:
    """Arrays that were fitted on a corpus.

    Args:
        folder: of the run.
        clips: all clips of the corpus; their files are read once, for their digests.
    """

    def __init__(self, folder: Path, clips: Clips) -> None:
        self.folder, self.clips = folder / FOLDER, len(clips)
        self.corpus = known_of(clips)

    def arrays(self, name: str, settings: object, make: Callable[[], Arrays]) -> Arrays:
        """What was kept, or what `make` gives, which is kept from then on.

        Args:
            name: what is fitted, "audio, Train".
            settings: everything it depends on beside the clips, told apart by `repr`: dataclasses and plain values.
            make: called where nothing is kept. What it raises passes through, and nothing is kept.

        Raises:
            FolderError: what was kept is damaged.
        """
        file = self.folder / f"{slug(name)}-{mark(f'{settings!r} {self.corpus}')}.npz"
        if not file.is_file():
            save(file, make())
        return load(file)

    def posteriors(self, name: str, settings: object, make: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
        """Posteriors of all clips, (n, k) float32, kept in the same way.

        Raises:
            InputError: `make` gives another number of rows.
            FolderError: what was kept is damaged.
        """
        def checked() -> Arrays:
            made = np.asarray(make(), np.float32)
            if made.ndim != 2 or len(made) != self.clips:
                raise InputError(f"{name}: posteriors are {made.shape}; expected a row for each of {self.clips} clips")
            return {POSTERIORS: made}

        return np.asarray(self.arrays(name, settings, checked)[POSTERIORS], np.float32)


def known_of(clips: Clips) -> str:
    """A digest of what clips hold, and of all that is known of them."""
    seen = (digest(face) if face else "" for face in clips.faces)
    lists = clips.label.tolist(), clips.split.tolist(), clips.subject.tolist()
    lines = "\n".join(" ".join(map(str, facts)) for facts in zip(map(digest, clips.paths), seen, *lists, strict=True))
    return hashlib.sha256(lines.encode()).hexdigest()
