"""Video and sound of a file, decoded once, in chunks, on the container's clock.

    Video.open(path) ─chunks()─▶ Chunk(number, time, images, luma, ...)      frames, upright, RGB
                     └sound()──▶ Sound(time, samples)                         mono float32

Times are the container's own time stamps in seconds, for pictures and sound alike. Rotation metadata is applied. A packet
that cannot be decoded is skipped and counted, and decoding goes on behind it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import av.container
import av.error
import av.video.stream
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from emotrace.errors import InputError, VideoError

CHUNK_BYTES = 24_000_000   # pictures of one chunk in memory; up to five chunks are alive at once
CHUNK_FRAMES = 32
LUMA_SIZE = (64, 36)       # width, height of the picture used to find cuts
HOLE = 0.1                 # s between sound stamps that is a hole in the sound; less is jitter of the stamps
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


@dataclass(frozen=True, slots=True)
class Sound:
    """Consecutive samples of sound: `time` (s) of the first one, and (n,) float32 in [-1, 1], mono."""

    time: float
    samples: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Video:
    """What a file says about itself before anything is decoded.

    Args:
        path: the file.
        width: upright width in px.
        height: upright height in px.
        rotation: degrees counter-clockwise by which stored pictures are turned to stand upright.
        duration: s, the time at which the last frame ends as the container says; NaN where it does not say.
        rate: average frames a second; NaN where unknown.
        codec: name of the video codec.
        has_sound: True where there is a sound track.
        pixel_aspect: width of a pixel over its height.
        is_image: True for a still picture, which is a video of one frame at 0 s.
    """

    path: Path
    width: int
    height: int
    rotation: int
    duration: float
    rate: float
    codec: str
    has_sound: bool
    pixel_aspect: float = 1.0
    is_image: bool = False
    chunk_frames: int = field(default=CHUNK_FRAMES)

    @classmethod
    def open(cls, path: str | Path) -> Video:
        """Read a file's head and its first frame.

        Raises:
            VideoError: missing, unreadable, empty, not a video, no video stream, or no frame that can be decoded.
        """
        file = Path(path)
        _check_readable(file)
        try:
            with av.open(str(file)) as container:
                if not container.streams.video:
                    what = "only sound" if container.streams.audio else "no video stream"
                    raise VideoError(f"{file}: has {what}; emotrace needs pictures, give it a video or an image")
                stream = container.streams.video[0]
                first = _first_frame(container, stream, file)
                turn = round(first.rotation / 90) % 4
                upright = (first.width, first.height) if turn % 2 == 0 else (first.height, first.width)
                is_image = container.format.name == "image2" or container.format.name.endswith("_pipe")
                return cls(
                    path=file,
                    width=upright[0],
                    height=upright[1],
                    rotation=turn * 90,
                    duration=_end(container, stream),
                    rate=float(stream.average_rate) if stream.average_rate and not is_image else math.nan,
                    codec=stream.codec_context.name,
                    has_sound=bool(container.streams.audio),
                    pixel_aspect=float(stream.sample_aspect_ratio or 1),
                    is_image=is_image,
                    chunk_frames=max(1, min(CHUNK_FRAMES, CHUNK_BYTES // (upright[0] * upright[1] * 3))),
                )
        except av.error.FFmpegError as error:
            raise VideoError(f"{file}: is not a video that can be read ({error.strerror}); is the file complete?") from error

    def chunks(
        self,
        start: float = 0.0,
        end: float = math.inf,
        rate: float | None = None,
        after: tuple[int, float] | None = None,
    ) -> Iterator[Chunk]:
        """Decode frames with start <= time < end, in chunks of `chunk_frames`.

        Args:
            start: s; frames before it are not part of the analysis.
            end: s.
            rate: frames a second to choose for analysis, evenly on the clock; None: all.
            after: number and time of the last frame already had; decoding goes on behind it.

        Raises:
            InputError: rate is not positive, or end is not behind start.
        """
        if rate is not None and rate <= 0:
            raise InputError(f"rate must be more than 0 frames a second, got {rate}")
        if end <= start:
            raise InputError(f"end ({end} s) must be later than start ({start} s)")
        yield from _Decoder(self, start, end, rate).run(after)

    def sound(self, sample_rate: int) -> Iterator[Sound]:
        """Decode the first sound track to mono at `sample_rate` Hz, block by block, on the same clock as the frames.

        A track that starts late has its first block at that time; packets that cannot be decoded leave a gap. Nothing is
        yielded where there is no sound.
        """
        if not self.has_sound:
            return
        with av.open(str(self.path)) as container:
            stream = container.streams.audio[0]
            resampler, clock = _mono(sample_rate), math.nan
            for packet in container.demux(stream):
                for frame in _decoded(packet):
                    assert isinstance(frame, av.AudioFrame)
                    begins = clock if frame.time is None else frame.time
                    if not abs(begins - clock) <= HOLE:   # also for the first frame, before which the clock is NaN
                        resampler, clock = _mono(sample_rate), begins
                    for samples in _resampled(resampler, frame):
                        yield Sound(clock, samples)
                        clock += len(samples) / sample_rate
            for samples in _resampled(resampler, None):
                yield Sound(clock, samples)
                clock += len(samples) / sample_rate


def _mono(sample_rate: int) -> av.AudioResampler:
    return av.AudioResampler("flt", "mono", sample_rate)


def _resampled(resampler: av.AudioResampler, frame: av.AudioFrame | None) -> Iterator[NDArray[np.float32]]:
    """What comes out of the resampler for a frame; None at the end takes out what it still holds."""
    for out in resampler.resample(frame):
        samples = out.to_ndarray().reshape(-1)
        if len(samples):
            yield np.asarray(samples, np.float32)


def _check_readable(file: Path) -> None:
    if not file.exists():
        raise VideoError(f"{file}: no such file; check the path")
    if file.is_dir():
        raise VideoError(f"{file}: is a folder, expected a video file")
    try:
        with file.open("rb") as stream:
            if not stream.read(1):
                raise VideoError(f"{file}: is empty (0 bytes); copy or record it again")
    except OSError as error:
        raise VideoError(f"{file}: cannot be read ({error.strerror}); check its permissions") from error


def _decoded(packet: av.Packet[Any]) -> list[object]:
    """Frames of a packet; none where it is damaged."""
    try:
        return list(packet.decode())
    except av.error.FFmpegError:
        return []


def _first_frame(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream, file: Path
) -> av.VideoFrame:
    for packet in container.demux(stream):
        for frame in _decoded(packet):
            assert isinstance(frame, av.VideoFrame)
            return frame
    raise VideoError(f"{file}: has a video stream but no frame that can be decoded; is the file complete?")


def _end(container: av.container.InputContainer, stream: av.video.stream.VideoStream) -> float:
    """Time (s) at which the last picture ends, as the container says."""
    if stream.duration is not None and stream.time_base is not None:
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    if container.duration is not None:
        return ((container.start_time or 0) + container.duration) / av.time_base
    return math.nan


@dataclass(slots=True)
class _Decoder:
    """One pass over the pictures of a file; holds what a chunk gathers."""

    video: Video
    start: float
    end: float
    rate: float | None
    reformatter: VideoReformatter = field(default_factory=VideoReformatter)
    lost: int = 0
    guessed: int = 0

    def run(self, after: tuple[int, float] | None) -> Iterator[Chunk]:
        with av.open(str(self.video.path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            number, last = after if after is not None else (self._frames_before(self.start) - 1, -math.inf)
            wanted = max(self.start, last)
            if wanted > SEEK_MARGIN and not self._seek(container, stream, wanted - SEEK_MARGIN):
                yield from self._gather(self._reopened(after), number, last)
                return
            yield from self._gather(self._frames(container, stream), number, last)

    def _reopened(self, after: tuple[int, float] | None) -> Iterator[av.VideoFrame]:
        """All frames from the beginning, for containers in which no seeking is possible."""
        with av.open(str(self.video.path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            yield from self._frames(container, stream)

    def _seek(
        self, container: av.container.InputContainer, stream: av.video.stream.VideoStream, time: float
    ) -> bool:
        assert stream.time_base is not None
        try:
            container.seek(int(time / stream.time_base), stream=stream, backward=True)
        except av.error.FFmpegError:
            return False
        return True

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

    def _frames(
        self, container: av.container.InputContainer, stream: av.video.stream.VideoStream
    ) -> Iterator[av.VideoFrame]:
        """Every frame that can be decoded from here on; packets that cannot are counted."""
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
        def ticks(t: float) -> int:
            return math.floor((t - self.start) * self.rate + 1e-6)  # type: ignore[operator]  # not None here
        return ticks(time) > ticks(last)

    def _empty(self) -> _Gathered:
        room = self.video.chunk_frames
        return _Gathered(room, np.empty((room, self.video.height, self.video.width, 3), np.uint8))

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

    room: int
    images: NDArray[np.uint8]   # (room, H, W, 3), of which `chosen` are filled
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
