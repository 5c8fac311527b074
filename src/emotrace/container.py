"""What decoders of pictures and of sound share: a file opened, the streams that can be decoded, their packets, their frames."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.audio.stream
import av.container
import av.error
import av.filter
import av.stream
import av.video.stream
import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import VideoReformatter

NEW_KINDS = 16   # of data beside a picture that FFmpeg may have and PyAV not know; of FFmpeg 8 it does not know four
# FFmpeg makes RGB from these matrices, numbered as in ITU-T H.273; a picture with another one, as 3 (reserved), it refuses.
MATRICES, UNSPECIFIED = (0, 1, 2, 4, 5, 6, 7, 9), 2
BT709, BT601, FULL_RANGE = 1, 5, 2
OFF_SQUARE = 0.05   # of a pixel's width to its height, up to which pictures are left as they are stored
LONGEST = 3.0       # of a pixel's sides to each other that is believed
COVER = av.stream.Disposition.attached_pic
# How titles are read that are not UTF-8. From 19 on PyAV keeps their bytes, and has no such option.
TITLES: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
# Formats that name other files or addresses, which would be read in place of the one given, whatever that one is called.
LISTS = ("concat", "dash", "hls", "imf", "rtp", "rtsp", "sap", "sdp")
READ = {
    "format_whitelist": ",".join(sorted(av.formats_available.difference(LISTS))),
    "pattern_type": "none",   # of pictures: "%d.png" is a name, and not 1.png, 2.png, ...
}


def opened(path: Path) -> av.container.InputContainer:
    """A file, whatever it is called: "12:30.mp4" alone would be an address of the protocol "12". No other file is opened.

    Titles and the like may be in any encoding.

    Raises:
        av.error.FFmpegError: it cannot be read, or is a list of other files.
    """
    # For the container alone: PyAV 14 takes options of streams for those it knew before it looked into the file, and crashes.
    container: av.container.InputContainer = av.open(str(path.absolute()), "r", container_options=READ, **TITLES)
    return container


def pictures_of(container: av.container.InputContainer) -> av.video.stream.VideoStream | None:
    """The first stream of pictures that can be decoded; cover pictures do not count."""
    found = (stream for stream in container.streams.video if not stream.disposition & COVER)
    return next((stream for stream in found if _known(stream)), None)


def sound_of(container: av.container.InputContainer) -> av.audio.stream.AudioStream | None:
    """The first sound track that can be decoded."""
    return next((stream for stream in container.streams.audio if _known(stream)), None)


def _known(stream: av.stream.Stream) -> bool:
    """True where there is a decoder for the stream."""
    return getattr(stream, "codec_context", None) is not None


def upright(frame: av.VideoFrame) -> tuple[bool, int]:
    """Whether a stored picture is mirrored left to right, and by how many quarters it is then turned counter-clockwise.

    As its display matrix says; one that says nothing sensible turns nothing.
    """
    try:
        beside = frame.side_data
    except ValueError:   # PyAV gives none of it where it does not know one kind, as a photo's EXIF
        beside = _with_known_data(frame).side_data
    matrix = beside.get(Type.DISPLAYMATRIX)  # type: ignore[call-overload, unused-ignore]  # by kind, whatever its stub says
    if matrix is None:
        return False, 0
    a, b, _, c, d = np.frombuffer(bytes(matrix), "<i4")[:5].astype(np.float64)
    if a * d == b * c:
        return False, 0
    mirrored = a * d < b * c
    turn = -math.atan2(-b if mirrored else b, -a if mirrored else a)
    return mirrored, round(turn / (math.pi / 2)) % 4


def in_square_pixels(width: int, height: int, aspect: float) -> tuple[int, int]:
    """Size of a picture as it is shown; it is enlarged in one direction, so that nothing is lost.

    Args:
        width: as it is stored, px.
        height: the same.
        aspect: width of a stored pixel over its height.
    """
    if abs(aspect - 1) <= OFF_SQUARE or not 1 / LONGEST <= aspect <= LONGEST:
        return width, height
    return (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))


def in_colour(reformatter: VideoReformatter, frame: av.VideoFrame, width: int, height: int, form: str) -> av.VideoFrame:
    """A picture in RGB of the format `form` and of a given size, by the matrix and the range that it says it has."""
    # PyAV before 17 heeds neither unless both are said and differ from those of the result. RGB has no matrix: any will do.
    return reformatter.reformat(
        frame, width=width, height=height, format=form,
        src_colorspace=frame.colorspace, dst_colorspace=BT601 if frame.colorspace == BT709 else BT709,
        src_color_range=frame.color_range, dst_color_range=FULL_RANGE,
    )  # fmt: skip


def _with_known_data(frame: av.VideoFrame) -> av.VideoFrame:
    """The same picture without the data beside it of which PyAV does not know the kind."""
    graph, known = av.filter.Graph(), len(Type)   # kinds are counted from 0
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1))
    deleting = (graph.add("sidedata", f"mode=delete:type={kind}") for kind in range(known, known + NEW_KINDS))
    graph.link_nodes(source, *deleting, graph.add("buffersink")).configure()
    graph.vpush(frame)
    return graph.vpull()


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


def decoded(packet: av.Packet[Any] | None) -> list[object]:
    """Frames of a packet; none where it is damaged, or the file breaks off in its place."""
    try:
        return list(packet.decode()) if packet is not None else []
    except av.error.FFmpegError:
        return []
