"""Names of expressions as corpora write them, mapped once to EXPRESSION_8."""

from __future__ import annotations

from emotrace.errors import InputError
from emotrace.scheme import EXPRESSION_8

WRITTEN = {
    "anger": ("angry", "anger", "an", "ang"),
    "disgust": ("disgust", "disgusted", "di", "dis"),
    "fear": ("fear", "fearful", "afraid", "scared", "fe", "fea"),
    "happiness": ("happy", "happiness", "joy", "ha", "hap"),
    "sadness": ("sad", "sadness", "sa"),
    "surprise": ("surprise", "surprised", "su", "sur"),
    "neutral": ("neutral", "calm", "ne", "neu", "no"),
    "contempt": ("contempt", "contemptuous", "co", "con"),
}  # fmt: skip
POSITION = {word: EXPRESSION_8.labels.index(label) for label, words in WRITTEN.items() for word in words}


def position(word: str, corpus: str) -> int:
    """Position in EXPRESSION_8 of a label as a corpus writes it ("Angry", "HA").

    Raises:
        InputError: the word names no expression that is known.
    """
    if word.strip().lower() not in POSITION:
        raise InputError(f"{corpus}: {word!r} is no known expression; expected one of {', '.join(sorted(POSITION))}")
    return POSITION[word.strip().lower()]
