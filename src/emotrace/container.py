"""What decoders of pictures and of sound share: a file opened, the streams that can be decoded, their packets, their frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import av.audio.stream
import av.container
import av.error
import av.stream
import av.video.stream

COVER = av.stream.Disposition.attached_pic


def opened(path: Path) -> av.container.InputContainer:
    """A file, whatever it is called: "12:30.mp4" alone would be an address of the protocol "12".

    Raises:
        av.error.FFmpegError: it cannot be read.
    """
    return av.open(str(path.absolute()))


def pictures_of(container: av.container.InputContainer) -> av.video.stream.VideoStream | None:
    """The first stream of pictures that can be decoded; a cover is none."""
    found = (stream for stream in container.streams.video if not stream.disposition & COVER)
    return next((stream for stream in found if _known(stream)), None)


def sound_of(container: av.container.InputContainer) -> av.audio.stream.AudioStream | None:
    """The first sound track that can be decoded."""
    return next((stream for stream in container.streams.audio if _known(stream)), None)


def _known(stream: av.stream.Stream) -> bool:
    """True where there is a decoder for the stream."""
    return getattr(stream, "codec_context", None) is not None


def packets_of(container: av.container.InputContainer, stream: av.stream.Stream) -> Iterator[av.Packet[Any] | None]:
    """The packets of a stream; None at the end where the file breaks off instead of ending."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, IndexError):   # the latter at the end of a file in which a stream begins midway: PyAV's own
            return
        except av.error.FFmpegError:
            yield None
            return
        yield packet


def decoded(packet: av.Packet[Any]) -> list[object]:
    """Frames of a packet; none where it is damaged."""
    try:
        return list(packet.decode())
    except av.error.FFmpegError:
        return []
