"""Where the face of a clip is looked for: in the corpus's own crops where it has some, else in the video."""

from __future__ import annotations

from pathlib import Path

from emotrace.corpora.clips import Clips

PICTURE_RATE = 25.0   # pictures a second of a folder of crops, which says none: AFEW's, which its challenges cropped at


def face_source(clips: Clips, row: int) -> Path:
    """The folder of a clip's cropped faces, or the clip."""
    return clips.faces[row] or clips.paths[row]
