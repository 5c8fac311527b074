"""Small films that are difficult to decode in one way each: every frame another grey level, sound of one tone."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

RATE = 25
SOUND_RATE = 48_000
SIZE = 96, 64   # px


def film(
    target: Path, frames: int = 100, codec: str = "mpeg2video", tone: float = 0.0, first: int = 0, layout: str = "mono",
    options: dict[str, str] | None = None,
) -> Path:
    """Write a film of grey frames, a key frame each second.

    Args:
        target: file to write.
        frames: how many; 25 a second.
        codec: of the pictures; "": none.
        tone: Hz of its sound; 0: none.
        first: time of the first frame, in frames.
        layout: of the sound.
        options: of the container.
    """
    with av.open(str(target), "w", options=options or {}) as writer:
        pictures = writer.add_stream(codec, rate=RATE, options={"g": str(RATE), "bf": "2"}) if codec else None
        sound = writer.add_stream("mp2" if target.suffix != ".flv" else "aac", rate=SOUND_RATE, layout=layout) if tone else None
        if pictures is not None:
            pictures.width, pictures.height, pictures.pix_fmt = *SIZE, "yuv420p"
        for i in range(frames):
            if pictures is not None:
                frame = av.VideoFrame.from_ndarray(np.full((SIZE[1] * 3 // 2, SIZE[0]), 40 + i % 160, np.uint8), "yuv420p")
                frame.pts, frame.time_base = i + first, Fraction(1, RATE)
                writer.mux(pictures.encode(frame))
            if sound is not None:
                writer.mux(sound.encode(_tone(sound, i, tone, layout)))
        for stream in (pictures, sound):
            if stream is not None:
                writer.mux(stream.encode(None))
    return target


def _tone(sound: av.AudioStream, i: int, tone: float, layout: str) -> av.AudioFrame:
    size = SOUND_RATE // RATE
    wave = 0.5 * np.sin(2 * np.pi * tone * (i * size + np.arange(size)) / SOUND_RATE)
    channels = len(av.AudioLayout(layout).channels)
    kind = sound.codec_context.format.name
    values = np.repeat(wave[None], channels, 0) if kind.endswith("p") else np.repeat(wave, channels)[None]
    samples = values.astype(np.float32) if kind.startswith("flt") else (values * 32767).astype(np.int16)
    block = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), kind, layout)
    block.sample_rate, block.pts, block.time_base = SOUND_RATE, i * size, Fraction(1, SOUND_RATE)
    return block


def joined(target: Path, *parts: Path) -> Path:
    """Files end to end, as `cat` makes one of several: time stamps start again."""
    target.write_bytes(b"".join(part.read_bytes() for part in parts))
    return target


def with_cover_first(target: Path, source: Path) -> Path:
    """An MP4 whose cover picture lies before its track."""
    cover = target.with_suffix(".jpg")
    cv2.imwrite(str(cover), np.zeros((50, 50, 3), np.uint8))
    with av.open(str(source)) as reader, av.open(str(cover)) as picture, av.open(str(target), "w") as writer:
        streams = {
            container: writer.add_stream_from_template(container.streams.video[0]) for container in (reader, picture)
        }
        streams[picture].disposition = av.stream.Disposition.attached_pic
        for container, stream in streams.items():
            for packet in container.demux(video=0):
                if packet.size:
                    packet.stream = stream
                    writer.mux(packet)
    content = target.read_bytes()
    _, place, size = next(box for box in _boxes(content, 0, len(content)) if box[0] == b"moov")
    order = {b"mvhd": 0, b"udta": 1}
    inner = sorted(_boxes(content, place + 8, place + size), key=lambda box: order.get(box[0], 2))
    moov = b"".join(content[start : start + length] for _, start, length in inner)
    target.write_bytes(content[: place + 8] + moov + content[place + size :])
    return target


def _boxes(content: bytes, start: int, end: int) -> list[tuple[bytes, int, int]]:
    """Name, place and size of the boxes of an MP4."""
    found = []
    while start < end:
        size, name = struct.unpack(">I4s", content[start : start + 8])
        found.append((name, start, size))
        start += size
    return found


def with_late_text(target: Path, source: Path) -> Path:
    """An FLV in which a stream of text begins in the last quarter, as streaming servers write it."""
    content, at, tags = source.read_bytes(), 13, []
    while at < len(content) - 11:
        tags.append(at)
        at += 11 + int.from_bytes(content[at + 1 : at + 4], "big") + 4
    place = tags[len(tags) * 3 // 4]
    said = b"\x08\0\0\0\x01" + _named(b"text") + b"\x02" + _named(b"hello") + b"\0\0\x09"
    body = b"\x02" + _named(b"onTextData") + said
    head = b"\x12" + len(body).to_bytes(3, "big") + content[place + 4 : place + 8] + b"\0\0\0"
    tag = head + body + (len(head) + len(body)).to_bytes(4, "big")
    target.write_bytes(content[:place] + tag + content[place:])
    return target


def with_one_stamp_ahead(target: Path, source: Path, number: int, seconds: int) -> Path:
    """An FLV in which the stamp of one packet of sound, counted from 0, is ahead by so many seconds."""
    content, at, sounds = bytearray(source.read_bytes()), 13, []
    while at < len(content) - 11:
        if content[at] == 8:
            sounds.append(at)
        at += 11 + int.from_bytes(content[at + 1 : at + 4], "big") + 4
    place = sounds[number] + 4
    time = int.from_bytes(bytes([content[place + 3], *content[place : place + 3]]), "big") + 1000 * seconds
    high, *rest = time.to_bytes(4, "big")
    content[place : place + 4] = bytes([*rest, high])
    target.write_bytes(content)
    return target


def _named(text: bytes) -> bytes:
    return len(text).to_bytes(2, "big") + text


def with_unknown_sound(target: Path, source: Path) -> Path:
    """An MP4 with a sound track for which there is no decoder."""
    content = source.read_bytes()
    place = content.index(b"mp4a", content.index(b"smhd"))
    coder = content.index(b"esds", place)
    target.write_bytes(content[:place] + b"zzzz" + content[place + 4 : coder] + b"free" + content[coder + 4 :])
    return target
