"""The sound of a clip as rows of frame features at three time scales on one clock: what the audio network of EmoNets sees.

    clip ─48 kHz─▶ frames of 1,024, 2,048 and 4,096 samples ─247 features each─▶ rows every 2,048 samples (42.7 ms):
                   four frames of 1,024 side by side (988), two of 2,048 (494), one of 4,096 (247)

Source: Kahou et al. 2016, EmoNets, section 3.2: features of all kinds that Yaafe has, at 48 kHz and several time scales. How
the scales are brought to one clock is not published; here a row takes of every scale the frames that begin in its step.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.learn.arrays import Arrays
from emotrace.learn.clip_sound import sound_of
from emotrace.learn.clip_store import ClipStore
from emotrace.voice.yaafe import NAMES, SCALES, frame_features

SAMPLE_RATE = 48_000
STEP = SCALES[-1] / 2                                              # s from row to row
FRAMES = tuple(round(SCALES[-1] / scale) for scale in SCALES)      # frames of each scale in a row: 4, 2, 1
WIDTHS = tuple(frames * len(NAMES) for frames in FRAMES)           # 988, 494, 247
NAME = "yaafe-48000"


def sound_frames(path: Path, store: ClipStore) -> list[NDArray[np.float32]]:
    """Rows of one clip, kept in the store.

    Args:
        path: clip. Sound of another rate is resampled; above half of the original rate there is nothing to be heard.
        store: of the run.

    Returns:
        One (t, w) array per time scale, w as `WIDTHS`; NaN where a feature has no value. t is the same for all, and 0 where
        there is no sound, less of it than one frame of 85 ms, or no file that can be read.
    """
    found = store.of(path, NAME, lambda: _rows(sound_of(path, SAMPLE_RATE)))
    return [np.asarray(found[str(i)], np.float32) for i in range(len(SCALES))]


def _rows(sound: NDArray[np.float32]) -> Arrays:
    tables = [frame_features(sound, SAMPLE_RATE, scale, scale / 2) for scale in SCALES]
    rows = len(tables[-1])   # whose frames reach furthest: the others have all that their step needs
    cut = (table[: rows * frames].reshape(rows, frames * len(NAMES)) for table, frames in zip(tables, FRAMES, strict=True))
    return {str(i): table.astype(np.float32) for i, table in enumerate(cut)}
