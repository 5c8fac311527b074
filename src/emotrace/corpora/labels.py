"""Names of expressions as corpora write them, mapped once to EXPRESSION_8."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from emotrace.corpora.table import NO_LABEL
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


def numbered(number: str, order: Sequence[str], where: str) -> int:
    """Position in EXPRESSION_8 of a label that a corpus writes as its place in an order of its own; -1 for "" and "-1".

    Args:
        number: "3".
        order: labels as the corpus numbers them from 0; "" where it means none.
        where: the row, for the message.

    Raises:
        InputError: it is no place in the order.
    """
    words = {str(place): word for place, word in enumerate(order)} | {"": "", "-1": ""}
    if number not in words:
        raise InputError(f"{where}: {number[:40]!r} is no label; expected 0..{len(order) - 1}, or -1 for none")
    return position(words[number], where) if words[number] else NO_LABEL


def in_classes(files: Sequence[Path], path: Path, known: Collection[str]) -> list[Path]:
    """The files whose folders are named after expressions.

    Args:
        files: pictures or recordings that lie anywhere under `path`.
        path: folder of the corpus.
        known: names in lower case, of POSITION; a folder of another name in POSITION is left out, as contempt among voices.

    Raises:
        InputError: files lie in a folder that is named after no expression, or none is left.
    """
    kept = [file for file in files if file.parent.name.lower() in known]
    strange = {file.parent for file in files if file.parent.name.lower() not in POSITION}
    if strange or not kept:
        folders = sorted(folder.relative_to(path).as_posix() for folder in strange or {file.parent for file in files})
        expected = f"expected folders named {', '.join(sorted(known))}; rename those or take them out"
        raise InputError(f"{path}: files lie in folders named after no expression ({', '.join(folders[:8])}); {expected}")
    return kept
