"""Corpora of a few tiny clips: sounds alone, and folders of pictures in which something moves."""

from __future__ import annotations

import wave
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.clips import Clips
from emotrace.learn.clip_parts import Part

SAMPLE_RATE = 16_000


def corpus(paths: list[Path], labels: list[int], splits: list[str]) -> Clips:
    """Clips of given files, nobody known in them."""
    nobody = np.full(len(paths), "")
    origin = np.array([path.name for path in paths])
    return Clips("made", paths, np.array(labels, np.int64), nobody, np.array(splits), origin, [None] * len(paths))


def said_by(part: Part, clips: Clips) -> NDArray[np.float32]:
    """Posteriors of all clips by a model that is fitted on Train, its constants chosen on Val."""
    train, valid = (np.flatnonzero(clips.split == split) for split in ("Train", "Val"))
    learnt = part.learn(clips, train, valid)
    features = part.features(learnt, clips)
    return part.answer(learnt, part.fit(learnt, features, clips.label, train, valid), features)


def sound(path: Path, samples: NDArray[np.float64]) -> Path:
    """A 16 kHz WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def voice(path: Path, hz: float, seconds: float, rng: np.random.Generator) -> Path:
    """A buzz of about a pitch, in some noise."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = hz * rng.uniform(0.9, 1.1)
    buzz = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, 9))
    return sound(path, 0.1 * buzz + 0.01 * rng.normal(size=len(time)))


def drifting(frames: int, height: int, width: int, speed: tuple[float, float], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A film of a soft random texture that drifts by (rows, columns) px a frame, (t, h, w)."""
    noise = np.asarray(rng.normal(size=(2 * height, 2 * width)), np.float32)
    texture = cv2.GaussianBlur(noise, (0, 0), 1.5, borderType=cv2.BORDER_REFLECT)
    grey = 128 + 40 * texture / texture.std()
    passed = np.rint(np.arange(frames)[:, None] * speed).astype(int)   # (t, 2) px
    rows, columns = np.arange(height) + passed[:, :1], np.arange(width) + passed[:, 1:]
    film = grey[rows[:, :, None] % (2 * height), columns[:, None, :] % (2 * width)]
    return np.clip(film, 0, 255).astype(np.uint8)


def folder(path: Path, film: NDArray[np.uint8]) -> Path:
    """A film as a folder of pictures."""
    path.mkdir()
    for number, frame in enumerate(film):
        cv2.imwrite(str(path / f"{number:03d}.png"), frame)
    return path
