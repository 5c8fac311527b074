"""The whole sound of a clip, and the one vector that an extractor for voices makes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.clips import Clips
from emotrace.errors import VideoError
from emotrace.learn.arrays import Arrays
from emotrace.learn.clip_store import ClipStore
from emotrace.video import Video
from emotrace.views import VoiceExtractor, VoiceSamples
from emotrace.voice.features import MidTerm

SAMPLE_RATE = 16_000
WIDTH = len(MidTerm.scheme)  # 68
FEATURES = "voice"           # in the files that keep them


def sound_of(path: Path, sample_rate: int = SAMPLE_RATE) -> NDArray[np.float32]:
    """The whole sound, (s,); s is 0 where there is none, as in a folder of pictures, or where nothing can be opened.

    Of a file that cannot, `Clips.unreadable` says why.
    """
    nothing = np.zeros(0, np.float32)
    try:
        return np.concatenate([nothing, *(block.samples for block in Video.open(path).sound(sample_rate))])
    except VideoError:
        return nothing


def vector_of(path: Path, extractor: VoiceExtractor) -> NDArray[np.float32]:
    """What an extractor makes of the whole sound, (k,); NaN where there is none, or too little of it."""
    heard = sound_of(path)
    if not len(heard):
        return np.full(len(extractor.scheme), np.nan, np.float32)
    row: NDArray[np.float32] = extractor.extract(VoiceSamples.whole(heard, SAMPLE_RATE))[0]
    return row


def sound_features(clips: Clips, store: ClipStore) -> NDArray[np.float32]:
    """Means and deviations of the 34 short-term features of pyAudioAnalysis over each clip, kept by its content.

    Returns:
        (n, 68) float32; NaN where there is no sound, less of it than one frame, or no file that can be read.
    """
    extractor = MidTerm()

    def kept(path: Path) -> Arrays:
        return store.of(path, "mid_term", lambda: {FEATURES: vector_of(path, extractor)})

    rows = [kept(path)[FEATURES] for path in clips.paths]
    return np.stack(rows).astype(np.float32) if rows else np.zeros((0, WIDTH), np.float32)
