"""Decoding of sound: one pass over a file's track, block by block, mono, on the container's clock."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from emotrace.container import decoded, opened, packets_of, sound_of

FULL_SCALE = 2.0**31       # of the integers that sound is mixed in
HOLE = 0.1                 # s between time stamps that is a hole in the sound; less is jitter of the stamps
SLIP = 0.01                # s by which STEADY frames in turn have to be off the clock before it is set right
STEADY = 4
BACK = 1.0                 # s by which stamps fall back where they start again, as in files joined end to end


@dataclass(frozen=True, slots=True)
class Sound:
    """Consecutive samples of sound: `time` (s) of the first one, and (n,) float32 in [-1, 1], mono."""

    time: float
    samples: NDArray[np.float32]


def blocks(path: Path, sample_rate: int) -> Iterator[Sound]:
    """The first sound track that can be decoded, block by block, on the same clock as the frames.

    A track that starts late has its first block at that time; packets that cannot be decoded leave a gap, which is silence
    where it is no longer than 0.1 s. Where time stamps start again, the sound goes on behind what was there, as the pictures
    do. Channels and rate may change on the way.

    Args:
        path: of the file.
        sample_rate: Hz.
    """
    with opened(path) as container:
        stream = sound_of(container)
        if stream is None:
            return
        mixer = Mixer(sample_rate)
        for packet in packets_of(container, stream):
            for frame in decoded(packet):
                assert isinstance(frame, av.AudioFrame)
                yield from mixer.take(frame)
        yield from mixer.rest()


class Mixer:
    """Mixes frames down to mono and puts them on the clock."""

    def __init__(self, sample_rate: int) -> None:
        self.rate = sample_rate
        self.resampler = self._new()
        self.form: tuple[str, str, int] | None = None   # of the frame before
        self.clock = math.nan                           # s, end of what was given
        self.shift = 0.0                                # s, between the clock and stamps that have started again
        self.off: deque[float] = deque(maxlen=STEADY)   # s, by which the latest frames were off the clock
        self.fell = self.leapt = 0.0                    # s, by which the stamp of the frame before was too early or too late

    def take(self, frame: av.AudioFrame) -> Iterator[Sound]:
        """Blocks that a frame completes."""
        form = frame.format.name, frame.layout.name, frame.sample_rate
        if self.form not in (None, form):   # a broadcast goes from stereo to 5.1
            yield from self.rest()
            self.resampler = self._new()
        self.form = form
        begins = self._begins(frame)
        leap = begins - self.clock
        self.leapt = leap if leap > HOLE else 0.0
        if not abs(leap) <= HOLE:   # also for the first frame, before which the clock is NaN
            self.resampler, self.clock = self._new(), begins
            self.off.clear()
        else:
            yield from self._steadied(leap)
        yield from self._resampled(frame)

    def _steadied(self, leap: float) -> Iterator[Sound]:
        """Set the clock right where frames are off it all the same: packets are lost one by one, or it drifts."""
        self.off.append(leap)
        slips = min(self.off) > SLIP or max(self.off) < -SLIP
        if slips and len(self.off) == STEADY:
            slip = sum(self.off) / STEADY
            self.off.clear()
            if slip > 0:
                yield Sound(self.clock, np.zeros(round(slip * self.rate), np.float32))
            self.clock += slip

    def _begins(self, frame: av.AudioFrame) -> float:
        """Where on the clock a frame begins, s."""
        if frame.time is None:
            return self.clock
        begins, fell, self.fell = frame.time + self.shift, self.fell, 0.0
        if fell and abs(begins - fell - self.clock) <= HOLE:   # one stamp alone was too early
            self.shift -= fell
            return begins - fell
        alone = self.leapt and abs(begins + self.leapt - self.clock) <= HOLE   # one stamp alone was too late
        if begins < self.clock - BACK and not alone:
            self.fell = self.clock - begins
            self.shift += self.fell
            return self.clock
        return begins

    def rest(self) -> Iterator[Sound]:
        """What the resampler still holds."""
        yield from self._resampled(None)

    def _new(self) -> av.AudioResampler:
        # To integers: only for these does FFmpeg mix channels with weights that sum to 1; two alike would else be 3 dB louder.
        return av.AudioResampler("s32", "mono", self.rate)

    def _resampled(self, frame: av.AudioFrame | None) -> Iterator[Sound]:
        for out in self.resampler.resample(frame):
            samples = out.to_ndarray().reshape(-1)
            if len(samples):
                yield Sound(self.clock, (samples / FULL_SCALE).astype(np.float32))
                self.clock += len(samples) / self.rate
