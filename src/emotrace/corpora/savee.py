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
    """SAVEE from its folder, flat or with a folder a speaker; a sentence that lies in it twice is read once.

    Raises:
        InputError: a file is not named as in SAVEE.
    """
    named: dict[tuple[str, str, str], Path] = {}
    for file in recordings(path):
        named.setdefault(_fields(file), file)
    return table(
        NAME,
        list(named.values()),
        [position(EMOTIONS[emotion], NAME) for _, emotion, _ in named],
        [file.relative_to(path).as_posix() for file in named.values()],
        speaker=[speaker for speaker, _, _ in named],
        gender=["male"] * len(named),
        statement=[f"{emotion}{sentence}" for _, emotion, sentence in named],  # sentences are numbered anew in each emotion
    )


def _fields(file: Path) -> tuple[str, str, str]:
    """Speaker, emotion and sentence."""
    found = FILE.fullmatch(file.stem)
    speaker = file.parent.name if found is None or found.group(1) is None else found.group(1)
    if found is None or not SPEAKER.fullmatch(speaker):
        raise InputError(f"{file}: expected a name of SAVEE as DC_a01{file.suffix} or DC/a01{file.suffix}")
    return speaker, found.group(2), found.group(3)
