"""SAVEE: 480 British sentences by four men in seven emotions.

    DC_a01.wav      speaker, emotion, sentence
    DC/a01.wav      the same with a folder a speaker

Source: Haq & Jackson 2010, Multimodal Emotion Recognition, in Machine Audition: Principles, Algorithms and Systems.
"""

from __future__ import annotations

import re
from pathlib import Path

from emotrace.corpora.files import recordings
from emotrace.corpora.voices import Voices, position, table
from emotrace.errors import InputError

NAME = "SAVEE"
FILE = re.compile(r"(?:([A-Z]{2})[_-])?(sa|su|a|d|f|h|n)(\d{1,2})")
SPEAKER = re.compile(r"[A-Z]{2}")
EMOTIONS = {"a": "anger", "d": "disgust", "f": "fear", "h": "happiness", "n": "neutral", "sa": "sadness", "su": "surprise"}


def read(path: Path) -> Voices:
    """SAVEE from its folder, flat or with a folder a speaker.

    Raises:
        InputError: a file is not named as in SAVEE.
    """
    files = recordings(path)
    fields = [_fields(file) for file in files]
    return table(
        NAME,
        files,
        [position(EMOTIONS[emotion], NAME) for _, emotion, _ in fields],
        [file.relative_to(path).as_posix() for file in files],
        speaker=[speaker for speaker, _, _ in fields],
        gender=["male"] * len(files),
        statement=[f"{emotion}{sentence}" for _, emotion, sentence in fields],  # sentences are numbered anew in each emotion
    )


def _fields(file: Path) -> tuple[str, str, str]:
    """Speaker, emotion and sentence."""
    found = FILE.fullmatch(file.stem)
    speaker = file.parent.name if found is None or found.group(1) is None else found.group(1)
    if found is None or not SPEAKER.fullmatch(speaker):
        raise InputError(f"{file}: expected a name of SAVEE as DC_a01{file.suffix} or DC/a01{file.suffix}")
    return speaker, found.group(2), found.group(3)
