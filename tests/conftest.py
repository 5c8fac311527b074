"""Recordings the tests run on: real clips, and files made from them that are difficult in one way each."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from emotrace import samples
from emotrace.analysis import Analysis
from emotrace.api import analyze
from emotrace.face.landmarks import Mesh, box_of_mesh, region_of_detection, region_of_mesh
from emotrace.face.detect import Detector
from emotrace.tracks import Tracks
from emotrace.video import Video
from emotrace.views import FaceSamples


@pytest.fixture(scope="session")
def woman() -> Path:
    """A woman from crying to laughing; 640 x 360, 472 frames, silent track."""
    return samples.path("woman")


@pytest.fixture(scope="session")
def single_face() -> Path:
    """One talking face, 72 frames."""
    return samples.path("single_face")


@pytest.fixture(scope="session")
def face_noface() -> Path:
    """A face until 2.4 s, then none; 169 frames at a variable rate, sound from 2.43 s."""
    return samples.path("face_noface")


@pytest.fixture(scope="session")
def five_people() -> Path:
    """A photo of five people."""
    return samples.path("multi_face")


@pytest.fixture(scope="session")
def obama() -> Path:
    """Two men, 105 frames of 320 x 240, English speech."""
    return samples.path("obama")


@pytest.fixture(scope="session")
def data() -> Path:
    """The shared research data; skips where it is not there."""
    folder = Path(os.environ.get("EMOTRACE_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the shared data are not here (set EMOTRACE_DATA)")
    return folder


@pytest.fixture(scope="session")
def woman_analysis(woman: Path, tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """The whole analysis of the woman's clip, made once."""
    return analyze(woman, tmp_path_factory.mktemp("woman") / "woman.emotrace")


@pytest.fixture(scope="session")
def obama_analysis(obama: Path, tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """The whole analysis of the two men's clip, made once."""
    return analyze(obama, tmp_path_factory.mktemp("obama") / "obama.emotrace")


@pytest.fixture(scope="session")
def faces(five_people: Path) -> FaceSamples:
    """The five faces of the photo, ready to be measured."""
    image = next(Video.open(five_people).chunks()).images[0]
    return samples_of(image)


def samples_of(image: np.ndarray) -> FaceSamples:
    """The faces of one picture as samples."""
    mesh = Mesh()
    found = Detector().detect(image)
    regions = [region_of_detection(box, points) for box, points in zip(found.box, found.points, strict=True)]
    rough = [mesh.locate(image, region)[0] for region in regions]
    located = [mesh.locate(image, region_of_mesh(points)) for points in rough]
    n = len(located)
    tracks = Tracks(
        np.zeros(n, np.int64), np.zeros(n), np.arange(n), np.stack([box_of_mesh(points) for points, _ in located]),
        np.array([presence for _, presence in located], np.float32), np.stack([points for points, _ in located]),
    )  # fmt: skip
    return FaceSamples(tracks, image[None], np.zeros(n, np.int64))


def encode(
    target: Path,
    source: Path,
    times: list[Fraction],
    sound_from: Fraction | None = None,
    options: dict[str, str] | None = None,
    gop: int = 12,
) -> Path:
    """Encode the first frames of a clip anew with the given time stamps (s), and a tone from `sound_from` on."""
    base = Fraction(1, 90000)
    with av.open(str(source)) as reader, av.open(str(target), "w", options=options or {}) as writer:
        first = reader.streams.video[0]
        stream = writer.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = first.width, first.height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = base
        stream.codec_context.gop_size = gop
        sound = writer.add_stream("aac", rate=48000, layout="mono") if sound_from is not None else None
        for frame, time in zip(reader.decode(first), times, strict=False):
            out = av.VideoFrame.from_ndarray(frame.to_ndarray(format="yuv420p"), "yuv420p")
            out.pts, out.time_base = int(time / base), base
            writer.mux(stream.encode(out))
        writer.mux(stream.encode(None))
        if sound is not None and sound_from is not None:
            wave = (0.5 * np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)).astype(np.float32)
            block = av.AudioFrame.from_ndarray(wave[None], "fltp", "mono")
            block.sample_rate, block.time_base = 48000, Fraction(1, 48000)
            block.pts = int(sound_from * 48000)
            writer.mux(sound.encode(block))
            writer.mux(sound.encode(None))
    return target


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for files that tests make."""
    return tmp_path_factory.mktemp("made")


@pytest.fixture(scope="session")
def steady(woman: Path, made: Path) -> Path:
    """60 frames at exactly 30 a second, its head in front (faststart)."""
    return encode(made / "steady.mp4", woman, [Fraction(i, 30) for i in range(60)], options={"movflags": "faststart"})


VARIABLE = [Fraction(i, 30) + (Fraction(1, 2) if i >= 20 else 0) + Fraction(i * i, 9000) for i in range(60)]


@pytest.fixture(scope="session")
def variable(woman: Path, made: Path) -> Path:
    """60 frames at times that nothing but the time stamps tells."""
    return encode(made / "variable.mp4", woman, VARIABLE)


@pytest.fixture(scope="session")
def rotated(steady: Path, made: Path) -> Path:
    """The steady clip with a display matrix in its head that turns it by a quarter."""
    content = bytearray(steady.read_bytes())
    matrix = content.index(b"tkhd") + 44
    values = (0, 1 << 16, 0, (1 << 32) - (1 << 16), 0, 0, 0, 0, 1 << 30)
    content[matrix : matrix + 36] = b"".join(value.to_bytes(4, "big") for value in values)
    target = made / "rotated.mp4"
    target.write_bytes(content)
    return target


@pytest.fixture(scope="session")
def truncated(steady: Path, made: Path) -> Path:
    """The first 60 % of the steady clip's bytes."""
    content = steady.read_bytes()
    target = made / "truncated.mp4"
    target.write_bytes(content[: len(content) * 6 // 10])
    return target


@pytest.fixture(scope="session")
def corrupted(steady: Path, made: Path) -> Path:
    """The steady clip with the bytes of two packets in the middle destroyed."""
    with av.open(str(steady)) as reader:
        packets = [(packet.pos, packet.size) for packet in reader.demux(video=0) if packet.size]
    content = bytearray(steady.read_bytes())
    for position, size in packets[27:29]:
        content[position : position + size] = b"\xff" * size
    target = made / "corrupted.mp4"
    target.write_bytes(content)
    return target


@pytest.fixture(scope="session")
def late_sound(woman: Path, made: Path) -> Path:
    """30 frames from 0 s, and a second of tone from 0.5 s."""
    return encode(made / "late.mkv", woman, [Fraction(i, 30) for i in range(30)], sound_from=Fraction(1, 2))
