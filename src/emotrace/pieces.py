"""Pieces: a video cut at its shots into short clips, each a small file of its own with the same frames, times and sound.

    frames.parquet ─pieces()─▶ Piece(start, end, first, last) ─cut()─▶ 000000.nut, 000001.nut, ...

The pictures are decoded once, the sound once, and both are kept without loss: a system sees and hears what was analysed. The
codec and the container are FFmpeg's own; the container keeps time stamps to the microsecond, at whatever rate frames come.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from emotrace.errors import FolderError
from emotrace.frames import edges_of, lasts
from emotrace.sound import Sound
from emotrace.video import Video

LONGEST = 4.0     # s; AFEW's clips, which such systems learn from, last from 0.3 to 5.4 s
SHORTEST = 0.5    # s; less shows an expression no more than a still does
CLOCK = Fraction(1, 1_000_000)   # s, of the time stamps
USUAL_RATE = 25   # frames/s said in the head of a piece where the video says none; the time stamps hold all the same
BLOCK = 10        # blocks of sound a second
SUFFIX = ".nut"


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive frames of one shot.

    Args:
        start: s, time of its first frame.
        end: s, at which its last frame ends.
        first: number of its first frame in the file.
        last: number of its last frame.
        before: number and time (s) of the frame before its first; None where it begins with the first frame analysed.
    """

    start: float
    end: float
    first: int
    last: int
    before: tuple[int, float] | None

    @property
    def frames(self) -> int:
        """How many frames it has."""
        return self.last - self.first + 1


def pieces(number: NDArray[np.int64], time: NDArray[np.float64], shot: NDArray[np.int32]) -> list[Piece]:
    """Where to cut a video: at its shots, shots longer than LONGEST evenly, what is shorter than SHORTEST left out.

    Args:
        number: (n,) of each frame, increasing.
        time: (n,) s.
        shot: (n,) the shot each frame is in.
    """
    if not len(time):
        return []
    end = time + lasts(time, time)   # a hole in the file is not shown
    first, last = _runs(shot)
    length = end[last] - time[first]
    parts = np.maximum(np.ceil(length / LONGEST - 1e-6), 1)
    own = np.repeat(np.arange(len(first)), last - first + 1)       # (n,) shot, counted from 0
    share = (time - time[first][own]) / np.maximum(length, 1e-9)[own]
    first, last = _runs(own * (parts.max() + 1) + np.floor(share * parts[own] + 1e-6))
    long = np.flatnonzero(end[last] - time[first] > SHORTEST - 1e-6)
    before = [None if i == 0 else (int(number[i - 1]), float(time[i - 1])) for i in first.tolist()]
    return [
        Piece(float(time[first[k]]), float(end[last[k]]), int(number[first[k]]), int(number[last[k]]), before[k])
        for k in long.tolist()
    ]


def _runs(values: NDArray[np.generic]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last position of each run of equal values."""
    edges = edges_of(values)
    return edges[:-1], edges[1:] - 1


def cut(video: Video, wanted: Sequence[Piece], folder: Path, start: float = 0.0) -> Iterator[Path]:
    """Write one piece after the other, each when it is asked for.

    Args:
        video: the file.
        wanted: pieces in order of time.
        folder: where to.
        start: s, from which the frames were numbered when the video was analysed.

    Yields:
        The file of each piece. Its first frame is at 0 s. It has a sound track where the video has sound in it, mono at the
        video's own sample rate, with silence where the sound begins later, ends earlier or has a hole.

    Raises:
        FolderError: a piece cannot be written.
    """
    if not wanted:
        return
    track = _Track(video)
    with closing(_frames(video, wanted[0], start)) as frames:
        for i, piece in enumerate(wanted):
            file = folder / f"{i:06d}{SUFFIX}"
            try:
                _write(file, video, piece, _between(frames, piece), track.between(piece.start, piece.end))
            except OSError as error:
                raise FolderError(f"{file}: cannot be written ({error.strerror or error}); is the disk full?") from error
            yield file


@dataclass(frozen=True, slots=True)
class _Frame:
    number: int
    time: float
    image: NDArray[np.uint8]


def _frames(video: Video, first: Piece, start: float) -> Generator[_Frame, None, None]:
    """All frames from a piece on, decoded as they were when they were analysed."""
    for chunk in video.chunks(start=start, after=first.before):
        for number, time, image in zip(chunk.number.tolist(), chunk.time.tolist(), chunk.images, strict=True):
            yield _Frame(number, time, image)


def _between(frames: Iterator[_Frame], piece: Piece) -> Iterator[_Frame]:
    """The frames of a piece; those before it are passed over, those behind it stay for the next."""
    for frame in frames:
        if frame.number >= piece.first:
            yield frame
        if frame.number >= piece.last:
            return


class _Track:
    """The sound of a video, taken a piece at a time."""

    def __init__(self, video: Video) -> None:
        self.rate = video.sound_rate
        self.blocks = video.sound(self.rate) if video.has_sound else iter(())
        self.waiting: list[Sound] = []

    def between(self, start: float, end: float) -> NDArray[np.float32] | None:
        """(n,) samples from `start` to `end` (s), 0 where there is no sound; None where there is none at all."""
        self._gather(end)
        whole = np.zeros(round((end - start) * self.rate), np.float32)
        heard = False
        for block in self.waiting:
            place = round((block.time - start) * self.rate)
            there = block.samples[max(-place, 0) : max(len(whole) - place, 0)]
            whole[max(place, 0) : max(place, 0) + len(there)] = there
            heard = heard or len(there) > 0
        self.waiting = [block for block in self.waiting if self._end(block) > end]
        return whole if heard else None

    def _gather(self, end: float) -> None:
        while not self.waiting or self._end(self.waiting[-1]) < end:
            block = next(self.blocks, None)
            if block is None:
                return
            self.waiting.append(block)

    def _end(self, block: Sound) -> float:
        return block.time + len(block.samples) / self.rate


def _write(
    file: Path, video: Video, piece: Piece, frames: Iterable[_Frame], sound: NDArray[np.float32] | None
) -> None:
    rate = Fraction(video.rate).limit_denominator(100_000) if video.rate > 0 else USUAL_RATE
    with av.open(str(file.absolute()), "w", format="nut") as film:   # "12:30.emotrace/..." would be an address
        pictures = film.add_stream("utvideo", rate=rate, options={"pred": "median"})
        pictures.width, pictures.height, pictures.pix_fmt = video.width, video.height, "gbrp"
        pictures.time_base = pictures.codec_context.time_base = CLOCK
        if sound is not None:
            _write_sound(film, sound, video.sound_rate)
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame.image, format="rgb24")
            picture.pts, picture.time_base = round((frame.time - piece.start) / CLOCK), CLOCK
            film.mux(pictures.encode(picture))
        film.mux(pictures.encode(None))


def _write_sound(film: av.container.OutputContainer, sound: NDArray[np.float32], sample_rate: int) -> None:
    """The whole track at once, before the pictures: it is small, and so the container need not hold pictures back for it."""
    track = film.add_stream("pcm_f32le", rate=sample_rate, layout="mono")
    size = max(sample_rate // BLOCK, 1)
    for place in range(0, len(sound), size):
        block = av.AudioFrame.from_ndarray(sound[None, place : place + size], format="flt", layout="mono")
        block.sample_rate, block.pts, block.time_base = sample_rate, place, Fraction(1, sample_rate)
        film.mux(track.encode(block))
    film.mux(track.encode(None))
