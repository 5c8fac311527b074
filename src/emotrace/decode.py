"""Decoding of pictures: one pass over a file, in chunks, on the container's clock, behind damage and from any time on."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, dropwhile
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import av
import av.container
import av.error
import av.video.stream
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from emotrace.container import MATRICES, UNSPECIFIED, in_colour, in_square_pixels, opened, packets_of, pictures_of
from emotrace.hdr import Screen
from emotrace.shots import AHEAD

if TYPE_CHECKING:
    from emotrace.video import Video

T = TypeVar("T")
LUMA_SIZE = (64, 36)       # width, height of the picture used to find cuts
SHAPE = 0.02               # of a picture's longer side that may be missing to the shape of the first
SEEK_MARGIN = 1.0          # s; a decoder is started this much before the first frame wanted


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive decoded frames.

    Args:
        number: (t,) int64 position of each frame in the file, from 0.
        time: (t,) float64 s.
        analysed: (t,) bool, True where the frame was chosen for analysis (`rate`).
        images: (m, H, W, 3) uint8 RGB of the m chosen frames, upright.
        luma: (t + AHEAD, 36, 64) uint8 grey levels of every frame, averaged down, and of the frames that follow the chunk (the
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
class Place:
    """A moment in a file of which time stamps tell what comes before it.

    Args:
        time: s.
        frames: in the file up to it.
        byte: where the last packet of these lies; in a file joined of two, the same time may come again behind it.
    """

    time: float
    frames: int
    byte: int


@dataclass(frozen=True, slots=True)
class _Timed:
    """A frame with its number in the file and its time (s), which may be guessed."""

    number: int
    time: float
    guessed: bool
    frame: av.VideoFrame


class _Seen(NamedTuple):
    """A frame, its grey levels averaged down, and how many packets were lost until it came."""

    item: _Timed
    luma: NDArray[np.uint8]
    lost: int


@dataclass(slots=True)
class PictureDecoder:
    """One pass over the pictures of a file.

    Decoding begins inside the file only where time stamps tell the frames apart; else all frames before are decoded, too, and
    passed over.

    Args:
        video: the file.
        start: s; frames before it are left out, none where it is 0.
        end: s; frames from it on are left out.
        rate: frames a second to choose for analysis; None: all.
    """

    video: Video
    start: float
    end: float
    rate: float | None
    reformatter: VideoReformatter = field(default_factory=VideoReformatter)
    lost: int = 0
    screen: Screen | None = None
    shades: NDArray[np.uint8] | None = None   # (256,) of grey levels, where there is a screen

    def __post_init__(self) -> None:
        if self.video.hdr is not None:
            self.screen = Screen(self.video.hdr)
            self.shades = self.screen.shades()

    def run(self, after: tuple[int, float] | None) -> Iterator[Chunk]:
        """Chunks behind the frame `after` (number, time), or from the start."""
        if after is None:
            return self._gather(self._from_start(), -math.inf)
        number, last = after
        place = self._place(last)
        if place is not None and place.frames == number + 1:   # a frame for each packet so far, none of them lost
            return self._gather(self._behind_place(place), last)
        return self._gather(self._from(self._from_start(), lambda item: item.number <= number), last)

    def _from_start(self) -> Iterator[_Timed]:
        if self.start <= 0:
            return self._timed(self._all(), -1, -math.inf)
        place = self._place(math.nextafter(self.start, -math.inf))
        if place is not None:
            return self._behind_place(place)
        return self._from(self._timed(self._all(), -1, -math.inf), lambda item: item.time < self.start)

    def _behind_place(self, place: Place) -> Iterator[_Timed]:
        frames = self._from(self._near(place), lambda frame: frame.time is None or frame.time <= place.time)
        return self._timed(frames, place.frames - 1, place.time)

    def _from(self, items: Iterator[T], early: Callable[[T], bool]) -> Iterator[T]:
        """Items from the first that is not early on; what is lost before it belongs to a run that is over, or is left out."""
        first = next(dropwhile(early, items), None)
        self.lost = 0
        if first is not None:
            yield first
            yield from items

    def _place(self, time: float) -> Place | None:
        """A time in the file, found by packets without decoding.

        None where they do not tell: one has no time stamp, two have the same, or time stamps go back.
        """
        times: set[float] = set()
        packets, byte, before = 0, 0, -math.inf
        with opened(self.video.path) as container:
            for packet in packets_of(container, _stream(container)):
                if packet is None or packet.size == 0 or packet.is_discard:
                    continue
                if packet.pts is None or packet.time_base is None:
                    return None
                stored = before if packet.dts is None else float(packet.dts * packet.time_base)
                if stored < before:
                    return None
                if stored > time:
                    break
                shown, before, byte = float(packet.pts * packet.time_base), stored, max(byte, packet.pos or 0)
                if shown <= time:
                    times.add(shown)
                    packets += 1
        return Place(time, packets, byte) if len(times) == packets else None

    def _all(self) -> Iterator[av.VideoFrame]:
        with opened(self.video.path) as container:
            yield from self._frames(packets_of(container, _stream(container)))

    def _near(self, place: Place) -> Iterator[av.VideoFrame]:
        """Frames from some time before a place on; from the beginning where the container cannot seek to there."""
        if place.time > SEEK_MARGIN:
            with opened(self.video.path) as container:
                frames = self._sought(container, place)
                first = next(frames, None)
                if first is not None and first.time is not None and first.time <= place.time:
                    yield first
                    yield from frames
                    return
        yield from self._all()

    def _sought(self, container: av.container.InputContainer, place: Place) -> Iterator[av.VideoFrame]:
        """Frames from the last key frame before a place on; none where there is no seeking to it."""
        stream = _stream(container)
        assert stream.time_base is not None
        try:
            container.seek(int((place.time - SEEK_MARGIN) / stream.time_base), stream=stream, backward=True)
        except av.error.FFmpegError:
            return
        packets = packets_of(container, stream)
        first = next(packets, None)
        if first is not None and (first.pos or 0) <= place.byte:
            yield from self._frames(chain([first], packets))

    def _frames(self, packets: Iterator[av.Packet[Any] | None]) -> Iterator[av.VideoFrame]:
        """Every frame that can be decoded; packets that cannot are counted."""
        for packet in packets:
            if packet is None:   # the container itself breaks off; the missing time is reported at the end
                self.lost += 1
                return
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                self.lost += packet.size > 0
                continue
            for frame in frames:
                assert isinstance(frame, av.VideoFrame)
                if frame.colorspace not in MATRICES:
                    frame.colorspace = UNSPECIFIED
                yield frame

    def _timed(self, frames: Iterator[av.VideoFrame], number: int, last: float) -> Iterator[_Timed]:
        """Frames behind the one with this number and time, with their own; guessed where a stamp is missing or goes back."""
        step = 1 / self.video.rate if self.video.rate > 0 else 0.04
        for number, frame in enumerate(frames, number + 1):  # noqa: B020
            guessed = frame.time is None or frame.time <= last
            last = frame.time if not guessed else last + step if math.isfinite(last) else 0.0
            yield _Timed(number, last, guessed, frame)

    def _gather(self, items: Iterator[_Timed], last: float) -> Iterator[Chunk]:
        gathered, guessed, told = self._empty(), 0, 0
        for seen in self._ahead(items):
            item, luma, lost = seen[0]
            if len(gathered) == self.video.chunk_frames:
                yield gathered.chunk([each.luma for each in seen], lost - told, guessed)
                gathered, guessed, told = self._empty(), 0, lost
            gathered.add(item.number, item.time, item.frame.is_corrupt, luma)
            guessed += item.guessed
            if self._chosen(item.time, last):
                self._upright(item.frame, gathered.choose())
            last = item.time
        if len(gathered) or self.lost > told:
            yield gathered.chunk([], self.lost - told, guessed)

    def _ahead(self, items: Iterator[_Timed]) -> Iterator[list[_Seen]]:
        """Each frame up to the end, with those that follow it."""
        seen: deque[_Seen] = deque()
        for item in items:
            if item.time >= self.end:
                break
            seen.append(_Seen(item, self._luma(item.frame), self.lost))
            if len(seen) == AHEAD:
                yield list(seen)
                seen.popleft()
        while seen:
            yield list(seen)
            seen.popleft()

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
        stored = self._fitted(frame, *size)
        target[:] = np.rot90(stored[:, ::-1] if self.video.mirrored else stored, turn)

    def _fitted(self, frame: av.VideoFrame, width: int, height: int) -> NDArray[np.uint8]:
        """A picture in the size of the first; one of another shape, as of a phone that was turned, has black beside it."""
        show = self._plain if self.screen is None else self.screen.show
        shown = in_square_pixels(frame.width, frame.height, self.video.stored_aspect)
        scale = min(width / shown[0], height / shown[1])
        inner = max(round(shown[0] * scale), 1), max(round(shown[1] * scale), 1)
        if max(width - inner[0], height - inner[1]) <= SHAPE * max(width, height):
            return show(frame, width, height)
        left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
        stored = np.zeros((height, width, 3), np.uint8)
        stored[top : top + inner[1], left : left + inner[0]] = show(frame, *inner)
        return stored

    def _plain(self, frame: av.VideoFrame, width: int, height: int) -> NDArray[np.uint8]:
        plane = in_colour(self.reformatter, frame, width, height, "rgb24").planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(height, plane.line_size)   # lines may be padded
        return rows[:, : 3 * width].reshape(height, width, 3)

    def _luma(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """Grey levels averaged down, straight from the luma plane where the format has one of 8 bits."""
        name = frame.format.name
        if not (name.startswith(("yuv4", "yuvj4", "nv12", "nv21", "gray")) and frame.format.components[0].bits == 8):
            frame = frame.reformat(format="gray")
        plane = frame.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
        every = max(1, frame.height // (4 * LUMA_SIZE[1]))   # some lines of each cell are enough, and cost less
        small = np.asarray(cv2.resize(rows[::every], LUMA_SIZE, interpolation=cv2.INTER_AREA), np.uint8)
        return small if self.shades is None else self.shades[small]


def _stream(container: av.container.InputContainer) -> av.video.stream.VideoStream:
    stream = pictures_of(container)
    assert stream is not None   # Video.open has seen to it
    stream.thread_type = "NONE"   # damage is met in order, and other threads have the cores
    return stream


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

    def chunk(self, following: list[NDArray[np.uint8]], lost: int, guessed: int) -> Chunk:
        """What was gathered; where fewer than AHEAD frames follow, the last one is taken again."""
        last = [*self.luma, *following][-1:] or [np.zeros(LUMA_SIZE[::-1], np.uint8)]
        return Chunk(
            np.asarray(self.number, np.int64),
            np.asarray(self.time, np.float64),
            np.asarray(self.analysed, np.bool_),
            self.images[: self.chosen],
            np.stack([*self.luma, *following, *last * (AHEAD - len(following))]),
            np.asarray(self.damaged, np.bool_),
            lost,
            guessed,
        )
