"""Prosody of the clips of a corpus, as a network learns to read it: of whole clips, of 2 s of them, and of those in noise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.voices import SAMPLE_RATE, decode
from emotrace.learn import arrays
from emotrace.learn.mel_augment import FRAMES_PER_SECOND
from emotrace.learn.voice_protocol import RECORDINGS, WINDOW, Clips, recordings_of, starts_of
from emotrace.views import VoiceSamples
from emotrace.voice.prosody import Prosody

NOISE = (5.0, 40.0)   # dB of voice over noise, drawn evenly
VIEWS = 3
FRAME = SAMPLE_RATE // FRAMES_PER_SECOND
KEPT = "prosody"


@dataclass(frozen=True, slots=True)
class Manner:
    """Clips of a corpus and their prosody.

    Args:
        clips: n of them.
        prosody: (n, 3, 8) values of `voice.prosody`, of the views that `prosody_of` names.
    """

    clips: Clips
    prosody: NDArray[np.float32]

    @classmethod
    def of(cls, clips: Clips, file: Path) -> Manner:
        """Measure each clip, or read what was measured before.

        Args:
            clips: of a corpus.
            file: gets the values; those of other recordings are measured anew.
        """
        known = recordings_of([clips])
        if file.is_file() and str((kept := arrays.load(file)).get(RECORDINGS)) == known:
            return cls(clips, np.asarray(kept[KEPT], np.float32))
        values = prosody_of(clips)
        arrays.save(file, {KEPT: values, RECORDINGS: np.array(known)})
        return cls(clips, values)

    def __getitem__(self, rows: NDArray[np.bool_]) -> Manner:
        """The rows of a mask."""
        return Manner(self.clips[rows], self.prosody[rows])


def prosody_of(clips: Clips, seed: int = 0) -> NDArray[np.float32]:
    """Prosody of every clip whole, of the 2 s in the middle of its voice, and of these in white noise, (n, 3, 8).

    Args:
        clips: of a corpus; each is decoded in its turn.
        seed: of the noise.
    """
    random, prosody = np.random.default_rng(seed), Prosody()
    values = np.empty((len(clips), VIEWS, len(Prosody.scheme)), np.float32)
    for row, recording, start in zip(values, clips.corpus.recordings, starts_of(clips.mels), strict=True):
        sound = decode(recording)
        middle = sound[start * FRAME : (start + WINDOW) * FRAME]
        for view, heard in enumerate((sound, middle, in_noise(middle, random))):
            row[view] = prosody.extract(VoiceSamples.whole(heard, SAMPLE_RATE))[0]
    return values


def in_noise(sound: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Sound (s,) with white noise, so many dB below it."""
    level = np.sqrt(np.square(sound).mean()) * 10 ** (-random.uniform(*NOISE) / 20)
    return np.asarray(sound + level * random.standard_normal(len(sound)), np.float32)
