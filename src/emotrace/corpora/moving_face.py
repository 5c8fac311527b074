"""A short film of one face picture with a voice: smooth motion on a larger, mottled ground, written as H.264 and AAC.

The motion of each parameter is a sum of three slow sines with phases drawn from the seed, so a clip is the same whenever it is
made. And the head moves with the voice: it nods with the loudness and sways with the pitch; the ground goes half as far
against it, as if the camera were in the speaker's hand. A single thread encodes, since the encoder's output depends on how
many there are.

Source: Busso et al. 2007, Rigid Head Motion in Expressive Speech Animation (heads move with the voice, further in stronger
emotions); Yehia, Kuratate & Vatikiotis-Bateson 2002 (with its pitch). How far is ours.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, uniform_filter1d

from emotrace.corpora import voices
from emotrace.corpora.table import Picture, decode, resize
from emotrace.corpora.voices import SAMPLE_RATE, Recording
from emotrace.errors import FolderError
from emotrace.voice.pitch import pitch

WIDTH, HEIGHT, RATE = 480, 360, 25
SIDE = 200            # px of the enlarged face
SOFT = 0.12           # share of the half side over which the face melts into the ground
SHIFT, GROWTH, TURN, LIGHT = 24.0, 0.08, 6.0, 0.08   # px, factor, degrees, factor: largest departures
SLOWEST, FASTEST = 0.1, 0.5   # Hz
NOD, LOUD = 40.0, 0.1         # px down at this loudness (root mean square, of full scale) and above
SWAY, FURTHEST = 40.0, 1.0    # px to the side an octave above the middle pitch, and octaves beyond which it goes no further
STEADY = 3                    # frames over which both are averaged
AGAINST = -0.5                # how far the ground goes with the head
EDGE = 24                     # px of ground beyond the picture: it never goes further
SPOTS, MOTTLED, GRAIN = 4.0, 12.0, 3.0   # px, and deviations of grey levels, of the ground's spots and of its grain
BLOCK = SAMPLE_RATE // 40     # samples over which loudness is taken
QUIET = 10 ** (-35 / 20)      # loudness of the edges of speech over that of its loudest block
MARGIN, LONGEST = int(0.3 * SAMPLE_RATE), 4 * SAMPLE_RATE   # samples kept around speech, and at most


def film(face: Picture, voice: Recording, target: Path, seed: int) -> None:
    """Make one clip.

    Args:
        face: a picture of a face, cropped.
        voice: a recording of a voice.
        target: .mp4 to be written; it appears only when it is whole.
        seed: of its motion and ground.

    Raises:
        InputError: the picture or the sound cannot be decoded.
        FolderError: the clip cannot be written.
    """
    sound = trimmed(voices.decode(voice))
    frames = pictures(decode(face), moved_by(sound), np.random.default_rng(seed))
    draft = target.with_name(f".{target.stem}.{os.getpid()}{target.suffix}")
    try:
        _write(draft, frames, sound)
        draft.replace(target)
    except OSError as error:
        raise FolderError(f"{target}: cannot be written ({error.strerror}); is there space left?") from error
    finally:
        draft.unlink(missing_ok=True)


def pictures(
    face: NDArray[np.uint8], moved: NDArray[np.float64], rng: np.random.Generator
) -> Iterator[NDArray[np.uint8]]:
    """Frames (HEIGHT, WIDTH) of grey levels in which a face (h, w) moves over a ground of its own mean level.

    Args:
        face: grey levels.
        moved: (2, frames) px to the side and down, as of `moved_by`.
        rng: of all motion besides.
    """
    count = moved.shape[1]
    large = resize(face, SIDE).astype(np.float32)
    ground = _ground(float(large.mean()), rng)
    edge = 1 - np.abs(np.linspace(-1, 1, SIDE, dtype=np.float32))
    opacity = np.clip(np.minimum(edge[:, None], edge) / SOFT, 0, 1)
    light = 1 + LIGHT * wander(1, count, rng)[0]
    for matrix, gain, away in zip(motion(moved, rng), light, AGAINST * moved.T, strict=True):
        behind = cv2.warpAffine(ground, np.column_stack([np.eye(2), away - EDGE]), (WIDTH, HEIGHT))
        shown = cv2.warpAffine(large * gain, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
        cover = cv2.warpAffine(opacity, matrix, (WIDTH, HEIGHT))
        yield np.clip(behind + cover * (shown - behind) + 0.5, 0, 255).astype(np.uint8)


def motion(moved: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Maps from the enlarged face to each frame, (frames, 2, 3); `moved` as of `pictures`."""
    count = moved.shape[1]
    x, y, grown, turned = wander(4, count, rng) * np.array([SHIFT, SHIFT, GROWTH, np.radians(TURN)])[:, None]
    a, b = (1 + grown) * np.cos(turned), (1 + grown) * np.sin(turned)
    linear = np.stack([a, -b, b, a], axis=1).reshape(count, 2, 2)
    middle = np.stack([WIDTH / 2 + x, HEIGHT / 2 + y], axis=1) + moved.T
    return np.concatenate([linear, (middle - linear @ np.full(2, SIDE / 2))[:, :, None]], axis=2)


def moved_by(sound: NDArray[np.float32]) -> NDArray[np.float64]:
    """How far a voice moves the head in each frame, (2, frames): px to the side with the pitch, and down with the loudness.

    Args:
        sound: (s,) at 16 kHz. Where it has no pitch, the head is on its way from one that it had to the next.
    """
    count = max(1, round(len(sound) / SAMPLE_RATE * RATE))
    loudness = np.sqrt([np.mean(np.square(part, dtype=np.float64)) for part in np.array_split(sound, count)])
    track = pitch(sound[None], SAMPLE_RATE)
    voiced, octave = track.voiced[0], np.zeros(count)
    if voiced.any():
        heard = np.log2(track.hz[0, voiced])
        octave = np.interp((np.arange(count) + 0.5) * SAMPLE_RATE / RATE, track.centre[voiced], heard - np.median(heard))
    moves = np.stack([
        SWAY * np.clip(octave, -FURTHEST, FURTHEST), NOD * np.minimum(1, np.sqrt(loudness / LOUD)),
    ])  # fmt: skip
    return np.asarray(uniform_filter1d(moves, STEADY, axis=1, mode="nearest"), np.float64)


def wander(lines: int, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Smooth curves within -1..1, (lines, count): each the mean of three sines of random frequency and phase."""
    rate = rng.uniform(SLOWEST, FASTEST, (lines, 3, 1))
    phase = rng.uniform(0, 2 * np.pi, (lines, 3, 1))
    return np.asarray(np.sin(2 * np.pi * rate * np.arange(count) / RATE + phase).mean(axis=1), np.float64)


def _ground(level: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Grey levels that reach EDGE px beyond the picture on every side."""
    height, width, slope = HEIGHT + 2 * EDGE, WIDTH + 2 * EDGE, rng.uniform(-0.25, 0.25, 2)
    down, right = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)
    spots = gaussian_filter(rng.normal(0, 1, (height, width)), SPOTS)
    noise = MOTTLED * spots / spots.std() + rng.normal(0, GRAIN, (height, width))
    return np.asarray(np.clip(level * (1 + slope[0] * down + slope[1] * right) + noise, 0, 255), np.float32)


def trimmed(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sound (s,) at 16 kHz without the silence before and after, MARGIN kept of it, and at most LONGEST."""
    blocks = sound[: len(sound) // BLOCK * BLOCK].reshape(-1, BLOCK)
    loudness = np.sqrt((blocks**2).mean(axis=1))
    heard = np.flatnonzero(loudness > QUIET * loudness.max(initial=0))
    start = max(0, int(heard[0]) * BLOCK - MARGIN) if len(heard) else 0
    end = (int(heard[-1]) + 1) * BLOCK + MARGIN if len(heard) else len(sound)
    return sound[start : min(end, start + LONGEST)]


def _write(path: Path, frames: Iterator[NDArray[np.uint8]], sound: NDArray[np.float32]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "crf": "20", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        voice = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "gray")))
        container.mux(stream.encode(None))
        block = av.AudioFrame.from_ndarray(sound[None], "fltp", "mono")
        block.sample_rate, block.time_base, block.pts = SAMPLE_RATE, Fraction(1, SAMPLE_RATE), 0
        container.mux(voice.encode(block))
        container.mux(voice.encode(None))
