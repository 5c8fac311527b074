"""RAVDESS: two statements spoken (and sung) by 24 actors in eight emotions, all but neutral in two intensities.

    [Actor_01/]03-01-06-01-02-01-12.wav    modality, channel, emotion, intensity, statement, repetition, actor

Modality 03 is sound alone; channel 01 is speech, 02 song. Actors with an even number are women. Any sound format will do.

Source: Livingstone & Russo 2018, The Ryerson Audio-Visual Database of Emotional Speech and Song, PLOS ONE 13(5).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from emotrace.corpora.files import recordings
from emotrace.corpora.voices import Voices, position, table
from emotrace.errors import InputError

NAME = "RAVDESS"
FILE = re.compile(r"(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)")
EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")  # 01..08
CHANNELS = {"speech": "01", "song": "02"}
SOUND_ALONE = "03"
STRONG = "02"


def read(path: Path, channel: Literal["speech", "song"] = "speech") -> Voices:
    """RAVDESS from its folder, with or without the actors' folders in it; a sentence that lies in it twice is read once.

    What is offered at Kaggle has all of it twice, in Actor_01 ... and in audio_speech_actors_01-24/Actor_01 ...

    Args:
        path: the folder.
        channel: what is read; the other is left out.

    Raises:
        InputError: a file is not named as in RAVDESS, or there is nothing of that channel.
    """
    named: dict[tuple[str, ...], Path] = {}
    for file in recordings(path):
        named.setdefault(_fields(file), file)
    kept = [(file, fields) for fields, file in named.items() if fields[:2] == (SOUND_ALONE, CHANNELS[channel])]
    if not kept:
        raise InputError(
            f"{path}: expected {channel}, files named {SOUND_ALONE}-{CHANNELS[channel]}-...; "
            f"found {len(named)} others, as {next(iter(named.values())).name}"
        )
    return table(
        NAME,
        [file for file, _ in kept],
        [position(EMOTIONS[int(fields[2]) - 1], NAME) for _, fields in kept],
        [file.relative_to(path).as_posix() for file, _ in kept],
        intensity=[float(fields[3] == STRONG) for _, fields in kept],
        speaker=[fields[6] for _, fields in kept],
        gender=["male" if int(fields[6]) % 2 else "female" for _, fields in kept],
        statement=[fields[4] for _, fields in kept],
    )


def _fields(file: Path) -> tuple[str, ...]:
    found = FILE.fullmatch(file.stem)
    if found is None or not 1 <= int(found.group(3)) <= len(EMOTIONS):
        raise InputError(f"{file}: expected a name of RAVDESS as 03-01-06-01-02-01-12{file.suffix}")
    return found.groups()
