"""Decoding of pictures: one pass over a file, in chunks, on the container's clock, behind damage and from any time on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import av
import av.container
import av.error
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

if TYPE_CHECKING:
    from emotrace.video import Video

LUMA_SIZE = (64, 36)       # width, height of the picture used to find cuts
SEEK_MARGIN = 1.0          # s; a decoder is started this much before the first frame wanted


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive decoded frames.

    Args:
        number: (t,) int64 position of each frame in the file, from 0.
        time: (t,) float64 s.
        analysed: (t,) bool, True where the frame was chosen for analysis (`rate`).
        images: (m, H, W, 3) uint8 RGB of the m chosen frames, upright.
        luma: (t + 1, 36, 64) uint8 grey levels of every frame, averaged down, and of the frame that follows the chunk (the
            last one again at the end of the file); for finding cuts.
        damaged: (t,) bool, True where the decoder says that the picture is damaged.
        lost_packets: packets that could not be decoded since the last chunk.
        guessed_times: frames without a usable time stamp of their own; set one frame after the frame before.
    """

    number: NDArray[np.int64]
    time: NDArray[np.float64]
    analysed: NDArray[np.bool_]
    images: NDArray[np.uint8]
    luma: NDArray[np.uint8]
    damaged: NDArray[np.bool_]
    lost_packets: int = 0
    guessed_times: int = 0

    def __len__(self) -> int:
        return len(self.number)


def decoded(packet: av.Packet[Any]) -> list[object]:
    """Frames of a packet; none where it is damaged."""
    try:
        return list(packet.decode())
    except av.error.FFmpegError:
        return []


@dataclass(slots=True)
class PictureDecoder:
    """One pass over the pictures of a file.

    Args:
        video: the file.
        start: s; frames before it are left out.
        end: s; frames from it on are left out.
        rate: frames a second to choose for analysis; None: all.
    """

    video: Video
    start: float
    end: float
    rate: float | None
    reformatter: VideoReformatter = field(default_factory=VideoReformatter)
    lost: int = 0
    guessed: int = 0

    def run(self, after: tuple[int, float] | None) -> Iterator[Chunk]:
        """Chunks behind the frame `after` (number, time), or from the start."""
        number, last = after if after is not None else (self._frames_before(self.start) - 1, -math.inf)
        yield from self._gather(self._frames_from(max(self.start, last)), number, last)

    def _frames_from(self, time: float) -> Iterator[av.VideoFrame]:
        """Frames from some time before `time` on; from the beginning where the container cannot seek to there."""
        if time > SEEK_MARGIN:
            with av.open(str(self.video.path)) as container:
                frames = self._frames_behind(container, time - SEEK_MARGIN)
                first = next(frames, None)
                if first is not None and first.time is not None and first.time <= time:
                    yield first
                    yield from frames
                    return
        with av.open(str(self.video.path)) as container:
            yield from self._frames(container)

    def _frames_behind(self, container: av.container.InputContainer, time: float) -> Iterator[av.VideoFrame]:
        """Frames from the last key frame before `time` on; none where no seeking is possible."""
        stream = container.streams.video[0]
        assert stream.time_base is not None
        try:
            container.seek(int(time / stream.time_base), stream=stream, backward=True)
        except av.error.FFmpegError:
            return
        yield from self._frames(container)

    def _frames_before(self, time: float) -> int:
        """Frames in the file before `time`, counted by their packets without decoding."""
        if time <= 0:
            return 0
        count = 0
        with av.open(str(self.video.path)) as container:
            stream = container.streams.video[0]
            for packet in container.demux(stream):
                if packet.pts is None or packet.time_base is None:
                    continue
                count += float(packet.pts * packet.time_base) < time
                if packet.dts is not None and float(packet.dts * packet.time_base) >= time:
                    break
        return count

    def _frames(self, container: av.container.InputContainer) -> Iterator[av.VideoFrame]:
        """Every frame that can be decoded from here on; packets that cannot are counted."""
        stream = container.streams.video[0]
        stream.thread_type = "NONE"   # damage is met in order, and other threads have the cores
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:   # the container itself breaks off; the missing time is reported at the end
                self.lost += 1
                return
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                self.lost += packet.size > 0
                continue
            for frame in frames:
                assert isinstance(frame, av.VideoFrame)
                yield frame

    def _gather(self, frames: Iterator[av.VideoFrame], number: int, last: float) -> Iterator[Chunk]:
        gathered = self._empty()
        step = 1 / self.video.rate if self.video.rate > 0 else 0.04
        behind = False   # True once the first wanted frame has been seen; before it, frames are only decoded
        for frame in frames:
            time = frame.time
            if not behind and time is not None and (time < self.start or time <= last):
                self.lost = 0   # what was lost before belongs to a run that is over, or is left out
                continue
            if time is None or time <= last:
                time = (last if math.isfinite(last) else self.start - step) + step
                self.guessed += 1
            behind = True
            if time >= self.end:
                break
            number += 1
            luma = self._luma(frame)
            if len(gathered) == self.video.chunk_frames:
                yield self._chunk(gathered, luma)
                gathered = self._empty()
            gathered.add(number, time, frame.is_corrupt, luma)
            if self._chosen(time, last):
                self._upright(frame, gathered.choose())
            last = time
        if len(gathered) or self.lost:
            yield self._chunk(gathered, gathered.luma[-1] if len(gathered) else np.zeros(LUMA_SIZE[::-1], np.uint8))

    def _chosen(self, time: float, last: float) -> bool:
        """True where a tick of `rate` lies between the frame before and this one."""
        if self.rate is None or not math.isfinite(last):
            return True
        before, now = (math.floor((t - self.start) * self.rate + 1e-6) for t in (last, time))
        return now > before

    def _empty(self) -> _Gathered:
        return _Gathered(np.empty((self.video.chunk_frames, self.video.height, self.video.width, 3), np.uint8))

    def _upright(self, frame: av.VideoFrame, target: NDArray[np.uint8]) -> None:
        """Put a frame into its place in the chunk, RGB and upright, with one copy."""
        turn = self.video.rotation // 90
        size = (self.video.width, self.video.height) if turn % 2 == 0 else (self.video.height, self.video.width)
        plane = self.reformatter.reformat(frame, width=size[0], height=size[1], format="rgb24").planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(size[1], plane.line_size)   # lines may be padded
        target[:] = np.rot90(rows[:, : 3 * size[0]].reshape(size[1], size[0], 3), turn)

    def _luma(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """Grey levels averaged down, straight from the luma plane where the format has one of 8 bits."""
        name = frame.format.name
        if not (name.startswith(("yuv4", "yuvj4", "nv12", "nv21", "gray")) and frame.format.components[0].bits == 8):
            frame = frame.reformat(format="gray")
        plane = frame.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
        every = max(1, frame.height // (4 * LUMA_SIZE[1]))   # some lines of each cell are enough, and cost less
        return np.asarray(cv2.resize(rows[::every], LUMA_SIZE, interpolation=cv2.INTER_AREA), np.uint8)

    def _chunk(self, gathered: _Gathered, following: NDArray[np.uint8]) -> Chunk:
        chunk = gathered.chunk(following, self.lost, self.guessed)
        self.lost = self.guessed = 0
        return chunk


@dataclass(slots=True)
class _Gathered:
    """Frames on their way into a chunk."""

    images: NDArray[np.uint8]   # (chunk_frames, H, W, 3), of which `chosen` are filled
    chosen: int = 0
    number: list[int] = field(default_factory=list)
    time: list[float] = field(default_factory=list)
    damaged: list[bool] = field(default_factory=list)
    luma: list[NDArray[np.uint8]] = field(default_factory=list)
    analysed: list[bool] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.number)

    def add(self, number: int, time: float, damaged: bool, luma: NDArray[np.uint8]) -> None:
        self.number.append(number)
        self.time.append(time)
        self.damaged.append(damaged)
        self.luma.append(luma)
        self.analysed.append(False)

    def choose(self) -> NDArray[np.uint8]:
        """Mark the last frame as analysed; gives the place for its picture."""
        self.analysed[-1] = True
        self.chosen += 1
        place: NDArray[np.uint8] = self.images[self.chosen - 1]
        return place

    def chunk(self, following: NDArray[np.uint8], lost: int, guessed: int) -> Chunk:
        return Chunk(
            np.asarray(self.number, np.int64),
            np.asarray(self.time, np.float64),
            np.asarray(self.analysed, np.bool_),
            self.images[: self.chosen],
            np.stack([*self.luma, following]),
            np.asarray(self.damaged, np.bool_),
            lost,
            guessed,
        )
