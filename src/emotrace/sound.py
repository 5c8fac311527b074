"""Decoding of sound: one pass over a file's track, block by block, mono, on the container's clock."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
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
FAR = 100_000.0            # s by which they leap ahead where they start again, as when a camera learns the date; more than the
                           # whole clock of a transport stream. Silence that long would take hours to hear
LOOK = 5.0                 # s of sound of which it is found out together whether its channels cancel each other
CANCELS = 0.1              # of the power that two unrelated channels have when mixed; with less, what they hold is lost
FAINT = 1e-7               # power, -70 dB, below which nothing is lost


@dataclass(frozen=True, slots=True)
class Sound:
    """Consecutive samples of sound.

    Args:
        time: s, of the first one.
        samples: (n,) float32 in [-1, 1], mono.
        alone: True where they are the left channel of two that cancel each other when they are mixed.
    """

    time: float
    samples: NDArray[np.float32]
    alone: bool = False


def blocks(path: Path, sample_rate: int) -> Iterator[Sound]:
    """The first sound track that can be decoded, block by block, on the same clock as the frames.

    A track that starts late has its first block at that time; packets that cannot be decoded leave a gap, which is silence
    where it is no longer than 0.1 s. Where time stamps start again, the sound goes on behind what was there, as the pictures
    do. Channels and rate may change on the way. Where a file does not say what its channels are, all of three or more count the
    same. Where two channels are of opposite phase, as of a microphone that is wired the
    wrong way, the left one is heard alone; each 5 s are looked at on their own, so that memory does not grow with length.

    Args:
        path: of the file.
        sample_rate: Hz.
    """
    with opened(path) as container:
        stream = sound_of(container)
        if stream is None:
            return
        mixer = Mixer(sample_rate)
        frames = (frame for packet in packets_of(container, stream) for frame in decoded(packet))
        for some in _together(_placed(frames)):
            alone = cancels(some)
            _forget_leaps(some)
            for frame in some:
                yield from mixer.take(frame, alone)
        yield from mixer.rest()


def _placed(frames: Iterator[object]) -> Iterator[av.AudioFrame]:
    """Frames that FFmpeg knows how to mix; of others the mean of their channels.

    Of three or more channels of which a file does not say where they belong, as of microphones side by side, FFmpeg would take
    the third or fourth for a subwoofer's and leave it out; with some numbers and places of channels it gives up.
    """
    form = None
    for frame in frames:
        assert isinstance(frame, av.AudioFrame)
        name, count = frame.layout.name, frame.layout.nb_channels   # "5.1(side)"; "6 channels", "2 channels (LFE+BL)"
        if "channels" not in name or name == "2 channels":
            yield frame
            continue
        if form != (form := (frame.format.name, name, frame.sample_rate)):
            reader = av.AudioResampler("flt", None, frame.sample_rate)   # not in planes: PyAV reads no more than 8 of them
        for out in reader.resample(frame):
            mean = out.to_ndarray().reshape(-1, count).mean(axis=1, dtype=np.float64)
            mixed = av.AudioFrame.from_ndarray(mean[None].astype(np.float32), "fltp", "mono")
            mixed.sample_rate, mixed.pts, mixed.time_base = out.sample_rate, out.pts, out.time_base
            yield mixed


def _together(frames: Iterator[av.AudioFrame]) -> Iterator[list[av.AudioFrame]]:
    """Frames of LOOK s at a time."""
    held: list[av.AudioFrame] = []
    seconds = 0.0
    for frame in frames:
        held.append(frame)
        seconds += frame.samples / frame.sample_rate
        if seconds >= LOOK:
            yield held
            held, seconds = [], 0.0
    yield held


def _forget_leaps(frames: Sequence[av.AudioFrame]) -> None:
    """Take away stamps that the next one takes back; else what follows one that is an hour ahead came too late for an hour."""
    for frame, following in pairwise(frames):
        if frame.time is not None and following.time is not None and frame.time > following.time + BACK:
            frame.pts = None


def cancels(frames: Sequence[av.AudioFrame]) -> bool:
    """Whether the two channels of frames are of opposite phase, so that their mix holds nothing of what each of them holds."""
    form = None
    each, both, samples = 0.0, 0.0, 0
    for frame in frames:
        if frame.layout.nb_channels != 2:
            return False
        if form != (form := (frame.format.name, frame.sample_rate)):
            reader = av.AudioResampler("fltp", "stereo", frame.sample_rate)
        for out in reader.resample(frame):
            channels = out.to_ndarray().astype(np.float64)   # (2, n)
            each += float((channels**2).sum())
            both += float((channels.sum(axis=0) ** 2).sum())
            samples += channels.shape[1]
    return each > FAINT * samples and both < CANCELS * each


class Mixer:
    """Mixes frames down to mono and puts them on the clock."""

    def __init__(self, sample_rate: int) -> None:
        self.rate = sample_rate
        self.form: tuple[str, str, int, bool] | None = None   # of the frame before
        self.resampler = self._new()
        self.clock = math.nan                           # s, end of what was given
        self.shift = 0.0                                # s, between the clock and stamps that have started again
        self.off: deque[float] = deque(maxlen=STEADY)   # s, by which the latest frames were off the clock
        self.fell = self.leapt = 0.0                    # s, by which the stamp of the frame before was too early or too late

    def take(self, frame: av.AudioFrame, alone: bool = False) -> Iterator[Sound]:
        """Blocks that a frame completes; with `alone` of its left channel, of two."""
        form = frame.format.name, frame.layout.name, frame.sample_rate, alone
        if self.form not in (None, form):   # a broadcast goes from stereo to 5.1
            yield from self.rest()
        if self.form != form:
            self.form = form
            self.resampler = self._new()
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
            return 0.0 if math.isnan(self.clock) else self.clock   # without any stamps it begins as pictures do
        begins, fell, self.fell = frame.time + self.shift, self.fell, 0.0
        if fell and abs(begins - fell - self.clock) <= HOLE:   # one stamp alone was too early
            self.shift -= fell
            return begins - fell
        alone = self.leapt and abs(begins + self.leapt - self.clock) <= HOLE   # one stamp alone was too late
        if (begins < self.clock - BACK or begins > self.clock + FAR) and not alone:
            self.fell = self.clock - begins
            self.shift += self.fell
            return self.clock
        return begins

    def rest(self) -> Iterator[Sound]:
        """What the resampler still holds."""
        yield from self._resampled(None)

    def _new(self) -> av.AudioResampler:
        # To integers: only for these does FFmpeg mix channels with weights that sum to 1; two alike would else be 3 dB louder.
        return av.AudioResampler("s32p", "stereo" if self._alone() else "mono", self.rate)

    def _alone(self) -> bool:
        return self.form is not None and self.form[3]

    def _resampled(self, frame: av.AudioFrame | None) -> Iterator[Sound]:
        for out in self.resampler.resample(frame):
            samples = np.frombuffer(memoryview(out.planes[0]), np.int32, out.samples)   # `to_ndarray` takes as long as mixing
            if len(samples):
                yield Sound(self.clock, (samples / FULL_SCALE).astype(np.float32), self._alone())
                self.clock += len(samples) / self.rate
