"""Expression, valence and arousal of a voice, by our own network on Whisper's first blocks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from emotrace.engine import Device, OnnxNetwork
from emotrace.scheme import VOICE_EXPRESSION, VOICE_NETWORK, VOICE_VALENCE_AROUSAL, Scheme
from emotrace.views import VoiceSamples
from emotrace.voice.log_mel import SAMPLE_RATE, log_mel

NETWORK = "voice.network"      # the component whose values the other two take their columns of
LONGEST = 10 * SAMPLE_RATE     # samples the network has positions for; what is longer is heard in equal parts
SHORTEST = SAMPLE_RATE // 10   # samples under which nothing can be said
BATCH = 16                     # windows at a time; more are no faster, and their attention is held in memory
EXPRESSIONS = len(VOICE_EXPRESSION)


class VoiceNetwork:
    """All that the network says of windows of sound, in one pass.

    Windows of digital silence, and those shorter than 0.1 s, are not measured. Windows longer than 10 s are heard in equal
    parts of at most that, and the answers averaged.

    Source: docs/cards/voice_emotion.md.

    Args:
        device: where to run.
    """

    scheme = VOICE_NETWORK

    def __init__(self, device: Device = "auto") -> None:
        self.network = OnnxNetwork("voice_emotion", device)

    def extract(self, samples: VoiceSamples) -> NDArray[np.float32]:
        """Eight probabilities that sum to 1, valence and arousal -1..1, (n, 10); NaN where not measured.

        Raises:
            InputError: the sound is not at 16 kHz.
            WeightsError: the network's file is missing or damaged.
        """
        values = np.full((len(samples), len(VOICE_NETWORK)), np.nan, np.float32)
        if samples.length < SHORTEST:
            return values
        for begin in range(0, len(samples), BATCH):
            rows = np.arange(begin, min(begin + BATCH, len(samples)))
            windows = samples[rows].windows()
            sounding = windows.any(axis=1)
            if sounding.any():
                values[rows[sounding]] = self._of_windows(windows[sounding], samples.sample_rate)
        return values

    def _of_windows(self, windows: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
        parts = -(-windows.shape[1] // LONGEST)
        length = windows.shape[1] // parts
        cut = windows[:, : parts * length].reshape(-1, length)
        said = self.network.run_prepared(log_mel(cut, sample_rate))
        averaged: NDArray[np.float32] = said.reshape(len(windows), parts, -1).mean(axis=1)
        return averaged

    def of_clips(self, clips: Iterable[NDArray[np.float32]], sample_rate: int = SAMPLE_RATE) -> NDArray[np.float32]:
        """The same for whole clips (s,) of any length, n -> (n, 10); one is asked for when the one before is heard."""
        values = [self.extract(VoiceSamples.whole(clip, sample_rate)) for clip in clips]
        return np.concatenate(values) if values else np.zeros((0, len(VOICE_NETWORK)), np.float32)


class VoiceEmotion:
    """Expression of the voice, of what the network said."""

    scheme: Scheme = VOICE_EXPRESSION

    def extract(self, samples: VoiceSamples) -> NDArray[np.float32]:
        """Eight probabilities that sum to 1, (n, 8); NaN where not measured."""
        return samples.measured[NETWORK][:, :EXPRESSIONS]

    def of_clips(self, clips: Iterable[NDArray[np.float32]], sample_rate: int = SAMPLE_RATE) -> NDArray[np.float32]:
        """The same for whole clips (s,) of any length, n -> (n, 8)."""
        return VoiceNetwork().of_clips(clips, sample_rate)[:, :EXPRESSIONS]


class VoiceValenceArousal:
    """Valence and arousal of the voice, of what the network said."""

    scheme: Scheme = VOICE_VALENCE_AROUSAL

    def extract(self, samples: VoiceSamples) -> NDArray[np.float32]:
        """Valence and arousal, -1..1, (n, 2); NaN where not measured."""
        return samples.measured[NETWORK][:, EXPRESSIONS:]

    def of_clips(self, clips: Iterable[NDArray[np.float32]], sample_rate: int = SAMPLE_RATE) -> NDArray[np.float32]:
        """The same for whole clips (s,) of any length, n -> (n, 2)."""
        return VoiceNetwork().of_clips(clips, sample_rate)[:, EXPRESSIONS:]
