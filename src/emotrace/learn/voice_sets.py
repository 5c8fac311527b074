"""The whole sound of clips as one vector each, by any of the feature sets for voices, kept by the clips' content.

    interspeech2010   1,582   of openSMILE, as in the paper; needs the `opensmile` extra, whose licence is for research only
    egemaps              88   emotrace's own measure of the like of eGeMAPS
    midterm              68   means and deviations of the short-term features of pyAudioAnalysis
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.clips import Clips
from emotrace.errors import MissingExtraError, unknown
from emotrace.learn.arrays import Arrays
from emotrace.learn.clip_sound import vector_of
from emotrace.learn.clip_store import ClipStore
from emotrace.views import VoiceExtractor
from emotrace.voice.egemaps import EgemapsLike
from emotrace.voice.features import MidTerm
from emotrace.voice.opensmile import Interspeech2010

SETS: dict[str, Callable[[], VoiceExtractor]] = {
    "interspeech2010": Interspeech2010, "egemaps": EgemapsLike, "midterm": MidTerm,
}  # fmt: skip
ABOUT = {"interspeech2010": "IS10", "egemaps": "eGeMAPS", "midterm": "68 features"}


def first_installed(names: tuple[str, ...]) -> str:
    """The first of several sets whose libraries are there.

    Raises:
        UnknownNameError: there is no set of such a name.
        MissingExtraError: none of them can be had.
    """
    for name in names:
        if name not in SETS:
            raise unknown("set of voice features", name, list(SETS))
        try:
            SETS[name]()
        except MissingExtraError:
            if name == names[-1]:
                raise
            continue
        return name
    raise unknown("set of voice features", "", list(SETS))


def voice_features(clips: Clips, name: str, store: ClipStore) -> NDArray[np.float32]:
    """One vector a clip, (n, k) float32; NaN where there is no sound, too little of it, or no file that can be read.

    Raises:
        MissingExtraError: the set's libraries are not installed.
    """
    extractor = SETS[name]()

    def kept(path: Path) -> Arrays:
        return store.of(path, f"voice-{name}", lambda: {"features": vector_of(path, extractor)})

    rows = [kept(path)["features"] for path in clips.paths]
    return np.stack(rows).astype(np.float32) if rows else np.zeros((0, len(extractor.scheme)), np.float32)
