"""Recordings the tests run on: real clips, and files made from them that are difficult in one way each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright

from emotrace import samples
from emotrace.analysis import Analysis
from emotrace.api import analyze
from emotrace.video import Video
from emotrace.views import FaceSamples, VoiceSamples
from recordings import VARIABLE, encode, samples_of

settings.register_profile("emotrace", deadline=None)   # how long an example takes says how busy the machine is
settings.load_profile("emotrace")

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's chromium, one for all tests; skips where there is none."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser to look with: none of {', '.join(BROWSERS)} is in PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


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


@pytest.fixture(scope="session")
def speech(obama: Path) -> VoiceSamples:
    """Three windows of two seconds of the two men's clip, in which one of them speaks."""
    sound = np.concatenate([block.samples for block in Video.open(obama).sound(16_000)])
    return VoiceSamples(sound, 16_000, np.array([16_000, 48_000, 80_000]), 32_000)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for files that tests make."""
    return tmp_path_factory.mktemp("made")


@pytest.fixture(scope="session")
def steady(woman: Path, made: Path) -> Path:
    """60 frames at exactly 30 a second, its head in front (faststart)."""
    return encode(made / "steady.mp4", woman, [Fraction(i, 30) for i in range(60)], options={"movflags": "faststart"})


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
