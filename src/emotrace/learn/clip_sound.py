"""The whole sound of a clip as the 68 features of pyAudioAnalysis, kept by the clip's content."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.clips import Clips
from emotrace.errors import VideoError
from emotrace.learn.arrays import Arrays
from emotrace.learn.clip_measures import SAMPLE_RATE, VOICE, sound_of
from emotrace.learn.clip_store import ClipStore
from emotrace.video import Video
from emotrace.views import VoiceSamples
from emotrace.voice.features import MidTerm

WIDTH = len(MidTerm.scheme)  # 68


def sound_features(clips: Clips, store: ClipStore) -> NDArray[np.float32]:
    """Means and deviations of the 34 short-term features over each clip.

    Returns:
        (n, 68) float32; NaN where there is no sound, less of it than one frame, or no file that can be read.
    """
    rows = [store.of(path, "mid_term", partial(_features, path))[VOICE] for path in clips.paths]
    return np.stack(rows).astype(np.float32) if rows else np.zeros((0, WIDTH), np.float32)


def _features(path: Path) -> Arrays:
    nothing = np.full(WIDTH, np.nan, np.float32)
    try:
        heard = sound_of(Video.open(path))
    except VideoError:  # a folder of pictures has no sound; of a broken file `Clips.unreadable` says why
        return {VOICE: nothing}
    return {VOICE: MidTerm().extract(VoiceSamples.whole(heard, SAMPLE_RATE))[0] if len(heard) else nothing}
