"""Video and sound of a file, decoded once, in chunks, on the container's clock.

    Video.open(path) ─chunks()─▶ Chunk(number, time, images, luma, ...)      frames, upright, RGB
                     └sound()──▶ Sound(time, samples)                         mono float32

Times are the container's own time stamps in seconds, for pictures and sound alike. Rotation metadata is applied. A packet
that cannot be decoded is skipped and counted, and decoding goes on behind it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import av.audio.stream
import av.container
import av.error
import av.video.stream

from emotrace.container import decoded, in_square_pixels, opened, packets_of, pictures_of, sound_of, upright
from emotrace.decode import Chunk, PictureDecoder
from emotrace.errors import InputError, VideoError
from emotrace.hdr import Hdr
from emotrace.sound import Sound, blocks

CHUNK_BYTES = 24_000_000   # pictures of one chunk in memory; up to five chunks are alive at once
CHUNK_FRAMES = 32
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)   # as a path has it, with one slash; a drive has one letter


@dataclass(frozen=True, slots=True)
class Video:
    """What a file says about itself before anything is decoded.

    Args:
        path: the file.
        width: upright width in px, as shown.
        height: upright height in px, as shown.
        rotation: degrees counter-clockwise by which stored pictures are turned to stand upright.
        mirrored: True where they are mirrored left to right before.
        duration: s, the time on its clock at which the last frame ends (of sound, where that is all there is) as the container
            says; NaN where it does not say. That is how long the file is only where `start` is 0.
        rate: average frames a second; NaN where unknown.
        codec: name of the video codec.
        has_sound: True where there is a sound track; whether it can be decoded, decoding shows.
        pixel_aspect: width of a pixel over its height, in upright pictures. Where stored ones are off square (as of DV, HDV and
            AVCHD), pictures are given in square ones, and it is 1.
        is_image: True for a still picture, which is a video of one frame at 0 s.
        sound_rate: sample rate of the sound track in Hz, 0 where none can be decoded.
        sound_tracks: how many there are, of which the first that can be decoded is heard.
        has_pictures: False for a file of sound alone; its size is 0 x 0 and it has no chunks.
        start: s, the time of its first frame as the container says; 0 where it does not say.
        stored_aspect: width of a pixel over its height as it is stored.
        hdr: how pictures of high dynamic range are coded; None for ordinary ones.
    """

    path: Path
    width: int
    height: int
    rotation: int
    duration: float
    rate: float
    codec: str
    has_sound: bool
    mirrored: bool = False
    pixel_aspect: float = 1.0
    is_image: bool = False
    sound_rate: int = 0
    sound_tracks: int = 0
    has_pictures: bool = True
    start: float = 0.0
    stored_aspect: float = 1.0
    hdr: Hdr | None = None
    chunk_frames: int = field(default=CHUNK_FRAMES)

    @classmethod
    def open(cls, path: str | Path) -> Video:
        """Read a file's head and its first frame; a cover picture does not make a video of a song.

        Raises:
            VideoError: missing, unreadable, empty, no video, neither pictures nor sound, or no frame that can be decoded.
        """
        file = Path(path)
        _check_readable(file)
        try:
            with opened(file) as container:
                heard, stream = sound_of(container), pictures_of(container)
                if stream is None and heard is not None:
                    return cls._of_sound(file, container, heard)
                if stream is None:
                    raise VideoError(f"{file}: has neither pictures nor sound that can be decoded; give emotrace a video, an "
                                     "image or a recording")  # fmt: skip
                first = _first_frame(container, stream, file)
                mirrored, turn = upright(first)
                is_image = container.format.name == "image2" or container.format.name.endswith("_pipe")
                stored = 1.0 if is_image else float(stream.sample_aspect_ratio or 1)   # a still's says how it is to be printed
                size = in_square_pixels(first.width, first.height, stored)
                aspect = 1.0 if size != (first.width, first.height) else stored
                lies = turn % 2 == 1
                width, height = size[::-1] if lies else size
                return cls(
                    path=file,
                    width=width,
                    height=height,
                    rotation=turn * 90,
                    mirrored=mirrored,
                    duration=_end(container, stream),
                    rate=float(stream.average_rate) if stream.average_rate and not is_image else math.nan,
                    codec=stream.codec_context.name,
                    has_sound=bool(container.streams.audio),
                    pixel_aspect=1 / aspect if lies else aspect,
                    stored_aspect=stored,
                    is_image=is_image,
                    sound_rate=0 if heard is None else heard.rate,
                    sound_tracks=len(container.streams.audio),
                    start=_start(container, stream),
                    hdr=Hdr.of(stream.codec_context),
                    chunk_frames=max(1, min(CHUNK_FRAMES, CHUNK_BYTES // (width * height * 3))),
                )
        except av.error.FFmpegError as error:
            raise VideoError(f"{file}: is not a video that can be read ({error.strerror}); is the file complete? A playlist "
                             "is not read, give the files that it names") from error  # fmt: skip

    @classmethod
    def _of_sound(cls, file: Path, container: av.container.InputContainer, stream: av.audio.stream.AudioStream) -> Video:
        return cls(
            path=file, width=0, height=0, rotation=0, duration=_end(container, stream), rate=math.nan,
            codec=stream.codec_context.name, has_sound=True, sound_rate=stream.rate,
            sound_tracks=len(container.streams.audio), has_pictures=False,
            start=_start(container, stream),
        )  # fmt: skip

    def chunks(
        self,
        start: float = 0.0,
        end: float = math.inf,
        rate: float | None = None,
        after: tuple[int, float] | None = None,
    ) -> Iterator[Chunk]:
        """Decode frames with start <= time < end, in chunks of `chunk_frames`.

        Args:
            start: s; frames before it are not part of the analysis. With 0 all are, also where stamps begin below it.
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
        if self.has_pictures:
            yield from PictureDecoder(self, start, end, rate).run(after)

    def sound(self, sample_rate: int) -> Iterator[Sound]:
        """Decode the first sound track to mono at `sample_rate` Hz, block by block; see `emotrace.sound.blocks`.

        Nothing is yielded where there is no sound, or none that can be decoded.
        """
        if self.has_sound:
            yield from blocks(self.path, sample_rate)


def _check_readable(file: Path) -> None:
    try:
        if not file.exists():
            what = "addresses are not read, give the path of a file" if ADDRESS.match(str(file)) else "check the path"
            raise VideoError(f"{file}: no such file; {what}")
        if file.is_dir():
            raise VideoError(f"{file}: is a folder, expected a video file")
        if not file.is_file():   # it would be waited for whoever writes into it
            raise VideoError(f"{file}: is a pipe or a device, expected a file; write what comes from it into one")
        with file.open("rb") as stream:
            if not stream.read(1):
                raise VideoError(f"{file}: is empty (0 bytes); copy or record it again")
    except OSError as error:
        raise VideoError(f"{file}: cannot be read ({error.strerror}); check its name and permissions") from error


def _first_frame(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream, file: Path
) -> av.VideoFrame:
    for packet in packets_of(container, stream):
        for frame in decoded(packet):
            assert isinstance(frame, av.VideoFrame)
            return frame
    raise VideoError(f"{file}: has a video stream but no frame that can be decoded; is the file complete?")


def _start(container: av.container.InputContainer, stream: av.video.stream.VideoStream | av.audio.stream.AudioStream) -> float:
    """Time (s) at which the stream begins, as the container says; 0 where it does not."""
    if stream.start_time is not None and stream.time_base is not None:
        return float(stream.start_time * stream.time_base)
    return (container.start_time or 0) / av.time_base


def _end(container: av.container.InputContainer, stream: av.video.stream.VideoStream | av.audio.stream.AudioStream) -> float:
    """Time (s) at which the stream ends, as the container says."""
    if stream.duration is not None and stream.time_base is not None:
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    if container.duration is not None:   # Matroska's is counted from 0, others' from the start
        start = 0 if container.format.name.startswith("matroska") else container.start_time or 0
        return (start + container.duration) / av.time_base
    return math.nan
