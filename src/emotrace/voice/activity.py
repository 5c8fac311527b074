"""Where somebody speaks: the probability of speech every 32 ms, and the stretches made of it.

    blocks of sound ─Activity.update─▶ probability (m,) ─segments─▶ (k, 2) s
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emotrace.engine import OnnxNetwork
from emotrace.errors import InputError

SAMPLE_RATE = 16_000
FRAME = 512                       # samples of a probability
CONTEXT = 64                      # samples before a frame that the network hears, too
HOP_SECONDS = FRAME / SAMPLE_RATE
STATE = (1, 1, 128)               # of each half of the recurrent state
BATCH = 8192                      # frames at a time, so that an hour of sound needs no gigabyte


class Activity:
    """Silero's voice activity network along one stretch of sound, given in blocks of any length.

    What comes out is the same, to the last digits, however the sound is cut into blocks.

    Source: Silero Team, Silero VAD 6.2 (MIT). We run its variant for sequences at 16 kHz, which gives what the one for
    single frames gives.
    """

    def __init__(self) -> None:
        self._network = OnnxNetwork("silero_vad", "cpu")
        self.reset()

    def reset(self) -> None:
        """Forget all that was heard: the next sample is the first of another stretch."""
        self._before = np.zeros(CONTEXT, np.float32)   # context of the next frame, and the samples that fill no frame yet
        self._state = np.zeros(STATE, np.float32), np.zeros(STATE, np.float32)

    def update(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """Hear the next block.

        Args:
            sound: (s,) float32 mono at 16 kHz, -1..1.

        Returns:
            (m,) float32 probability of speech, 0..1, of each frame of 512 samples that is now whole; frame i of the stretch
            begins at i * HOP_SECONDS.

        Raises:
            InputError: the sound is not one channel.
            WeightsError: the network cannot be fetched.
        """
        if sound.ndim != 1:
            raise InputError(f"got sound of shape {sound.shape}, expected one channel (s,) at {SAMPLE_RATE} Hz")
        heard = np.concatenate([self._before, sound.astype(np.float32, copy=False)])
        count = (len(heard) - CONTEXT) // FRAME
        self._before = heard[count * FRAME :].copy()
        if count == 0:
            return np.zeros(0, np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(heard, CONTEXT + FRAME)[::FRAME]   # (count, 576)
        return np.concatenate([self._run(frames[start : start + BATCH]) for start in range(0, count, BATCH)])

    def _run(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        feed = {"input": np.ascontiguousarray(frames), "h": self._state[0], "c": self._state[1]}
        probability, *state = self._network.session.run(None, feed)
        self._state = state[0], state[1]
        return np.asarray(probability, np.float32)


def segments(
    probability: NDArray[np.float32],
    hop_seconds: float = HOP_SECONDS,
    *,
    on: float = 0.5,
    off: float = 0.35,
    min_speech: float = 0.25,
    min_silence: float = 0.1,
) -> NDArray[np.float64]:
    """Stretches of speech, with hysteresis.

    Speech begins where the probability reaches `on` and lasts until it falls below `off`. Silences shorter than `min_silence`
    between two stretches are then filled, and after that stretches shorter than `min_speech` are dropped.

    Args:
        probability: (m,) of speech in consecutive frames; NaN (nothing heard) counts as 0.
        hop_seconds: s from one frame to the next.
        on: probability at which speech begins.
        off: probability below which it ends, at most `on`.
        min_speech: s; shorter stretches are no speech.
        min_silence: s; shorter silences do not part two stretches.

    Returns:
        (k, 2) float64 s, start and end of each stretch in order, counted from the first frame's start.

    Raises:
        InputError: `off` is above `on`, or the hop is not positive.

    Source: thresholds and durations as in Silero's get_speech_timestamps (off = on - 0.15, 250 ms, 100 ms), without its
    padding of 30 ms.
    """
    if off > on or not hop_seconds > 0:
        raise InputError(f"got off = {off}, on = {on}, hop {hop_seconds} s; expected off <= on and a hop of more than 0 s")
    said = np.nan_to_num(probability)
    known = np.flatnonzero((said >= on) | (said < off))             # in between, speech goes on as it was
    last = np.searchsorted(known, np.arange(len(said)), side="right") - 1
    speech = np.zeros(len(said), np.bool_)
    speech[last >= 0] = (said[known] >= on)[last[last >= 0]]
    edges = np.flatnonzero(np.diff(speech, prepend=False, append=False)) * hop_seconds
    starts, ends = edges[::2], edges[1::2]
    parted = starts[1:] - ends[:-1] >= min_silence - 1e-9
    starts, ends = starts[np.append(True, parted)[: len(starts)]], ends[np.append(parted, True)[: len(ends)]]
    found: NDArray[np.float64] = np.stack([starts, ends], axis=1)[ends - starts >= min_speech - 1e-9]
    return found
