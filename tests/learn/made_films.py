"""A corpus in AFEW's layout of tiny films with sound and face crops, in which three expressions look and sound different."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.table import Faces, table

SAMPLE_RATE = 48_000
CLASSES = {"Angry": 0, "Happy": 3, "Sad": 4}   # folder -> label; the other classes have no clip
PARTS = {"Train": 5, "Val": 3, "Test": 2}      # clips of each class
SPEED = {0: (0.0, 1.0), 3: (1.0, 0.0), 4: (0.0, 0.0)}
PITCH = {0: 120.0, 3: 240.0, 4: 480.0}


def face(label: int, size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A blob with stripes whose direction tells the label, in noise."""
    y, x = np.mgrid[:size, :size] / size
    angle = np.pi * label / 7
    stripes = np.sin(2 * np.pi * 5 * (x * np.cos(angle) + y * np.sin(angle)) + rng.uniform(0, 0.5))
    return np.clip(128 + 60 * stripes + 8 * rng.normal(size=(size, size)), 0, 255).astype(np.uint8)


def film(path: Path, label: int, frames: int, rng: np.random.Generator, sound: bool = True) -> Path:
    """An AVI of 32 x 32 px at 25 frames a second in which a texture drifts, with a buzz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    texture = cv2.GaussianBlur(np.asarray(rng.normal(size=(64, 64)), np.float32), (0, 0), 1.5)
    grey = np.clip(128 + 40 * texture / texture.std(), 0, 255).astype(np.uint8)
    with av.open(str(path), "w") as writer:
        pictures = writer.add_stream("ffv1", rate=25)
        pictures.width = pictures.height = 32
        pictures.pix_fmt = "yuv420p"
        voice = writer.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="mono") if sound else None
        for number in range(frames):
            rows, columns = (np.arange(32) + round(number * step) for step in SPEED[label])
            image = np.repeat(grey[np.ix_(rows % 64, columns % 64)][:, :, None], 3, axis=2)
            writer.mux(pictures.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        writer.mux(pictures.encode(None))
        if voice is not None:
            time = np.arange(SAMPLE_RATE * frames // 25) / SAMPLE_RATE
            buzz = sum(np.sin(2 * np.pi * PITCH[label] * k * time) / k for k in range(1, 6))
            wave = (3000 * buzz + 100 * rng.normal(size=len(time))).astype(np.int16)
            block = av.AudioFrame.from_ndarray(wave[None], "s16", "mono")
            block.sample_rate, block.time_base, block.pts = SAMPLE_RATE, Fraction(1, SAMPLE_RATE), 0
            writer.mux(voice.encode(block))
            writer.mux(voice.encode(None))
    return path


def crops(folder: Path, label: int, count: int, rng: np.random.Generator) -> None:
    """Cropped faces of a clip, as the challenge gave them."""
    folder.mkdir(parents=True)
    for number in range(count):
        cv2.imwrite(str(folder / f"{number:03d}.png"), face(label, 64, rng))


def write(path: Path) -> Path:
    """The corpus; in Train there are also a broken file, and clips of three frames, without sound and without a face."""
    rng = np.random.default_rng(0)
    for part, count in PARTS.items():
        for word, label in CLASSES.items():
            for number in range(count):
                name = f"{part.lower()}{label}{number}"
                film(path / part / word / f"{name}.avi", label, 18, rng)
                crops(path / part / "faces" / name, label, 6, rng)
    (path / "Train" / "Happy" / "broken.avi").write_bytes(b"no film")
    film(path / "Train" / "Sad" / "short.avi", 4, 3, rng)
    film(path / "Train" / "Angry" / "mute.avi", 0, 16, rng, sound=False)
    crops(path / "Train" / "faces" / "mute", 0, 3, rng)
    film(path / "Test" / "Happy" / "faceless.avi", 3, 18, rng)
    return path


def stills(each: int = 12) -> Faces:
    """Pictures of the seven labels in FER2013's columns, all of them in its Training part."""
    rng = np.random.default_rng(1)
    labels = np.tile(np.arange(7), each).tolist()
    pictures = [face(label, 48, rng) for label in labels]
    return table("FER2013", pictures, labels, [f"made:{i}" for i in range(len(labels))], split=["Training"] * len(labels))
