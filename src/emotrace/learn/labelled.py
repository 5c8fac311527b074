"""Which clips of a corpus a system learns from and is judged on: those with one of the seven labels, and with features."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora import catalogue
from emotrace.corpora.clips import Clips
from emotrace.errors import InputError
from emotrace.scheme import EXPRESSION_7

Rows = NDArray[np.int64]


def read(corpus: Path, fitted: Collection[str] = ("Train",)) -> Clips:
    """The clips of a folder in AFEW's layout, which a system can learn from: seen to before anything is computed.

    Args:
        corpus: the folder.
        fitted: parts that classifiers are fitted on, so that labels of two classes have to be there.

    Raises:
        InputError: the corpus cannot be read, Train or Val has no labelled clips, or what is fitted on is all of one class.
    """
    clips = catalogue.clips_at(corpus)
    classes = {part: len(np.unique(clips.label[labelled(clips, part)])) for part in ("Train", "Val")}
    for part, count in classes.items():
        if not count:
            raise InputError(f"{corpus}: no labelled clips in {part}; expected some in Train and in Val, as Train/Happy/1.avi")
    for part in fitted:
        if classes[part] < 2:
            raise InputError(f"{corpus}: the labelled clips in {part} are all of one class; expected two at least")
    return clips


def labelled(clips: Clips, *parts: str) -> Rows:
    """Positions of the clips that have one of the seven labels, part after part."""
    known = (clips.label >= 0) & (clips.label < len(EXPRESSION_7))
    return np.concatenate([np.flatnonzero(known & (clips.split == part)) for part in parts])


def described(rows: Rows, features: NDArray[np.floating]) -> Rows:
    """Of some positions those whose features (n, d) are there, which is where none of them is NaN."""
    return np.asarray(rows[~np.isnan(features[rows]).any(axis=1)], np.int64)
