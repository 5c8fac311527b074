"""How a voice sounds: pitch, loudness, jitter, shimmer and harmonics-to-noise ratio of each window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emotrace.scheme import PROSODY
from emotrace.views import VoiceSamples
from emotrace.voice.functionals import average, deviation
from emotrace.voice.loudness import loudness
from emotrace.voice.periods import periods
from emotrace.voice.pitch import pitch

BATCH = 16            # windows at a time, so that an hour of them needs no gigabyte
SEMITONES = 12.0      # an octave


class Prosody:
    """Pitch, loudness, jitter, shimmer and harmonics-to-noise ratio of each window of sound.

    Means over the window's voiced frames (10 ms apart), except for loudness, which is over all frames. Where no frame is
    voiced, all but `voiced` (0) and the loudness are NaN; in a window shorter than 50 ms nothing is known of the voice and
    only the loudness is given, and in one shorter than 20 ms nothing. `loudness_spread` is NaN in digital silence.

    Source: Boersma 1993 (pitch, harmonicity; see `voice.pitch`), Praat's local jitter and shimmer (see `voice.periods`),
    Hermansky 1990 (loudness; see `voice.loudness`).
    """

    scheme = PROSODY

    def extract(self, samples: VoiceSamples) -> NDArray[np.float32]:
        """Values, (n, 8)."""
        parts = [np.zeros((0, len(self.scheme)), np.float32)]
        for start in range(0, len(samples), BATCH):
            parts.append(_prosody(samples[start : start + BATCH].windows(), samples.sample_rate))
        return np.concatenate(parts)


def _prosody(sounds: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    track = pitch(sounds, sample_rate)
    pairs = periods(sounds, sample_rate, track)
    level = loudness(sounds, sample_rate)
    mean = average(level)
    columns = (
        average(track.hz), SEMITONES * deviation(np.log2(track.hz)), average(track.voiced),
        mean, np.divide(deviation(level), mean, out=np.full_like(mean, np.nan), where=mean > 0),
        average(pairs.jitter), average(pairs.shimmer), average(track.hnr),
    )  # fmt: skip
    return np.column_stack(columns).astype(np.float32)
