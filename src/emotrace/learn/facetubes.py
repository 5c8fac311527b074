"""Facetubes: one subject's face through a clip, as a run of square crops whose place and size vary smoothly.

    clip ─Detector, every frame─▶ boxes ─place, size, overlap; never across a cut─▶ tubes with gaps
                        ─colours near the closest detection─▶ gaps filled ─11 frames averaged, sides fitted─▶ squares ─▶ crops

The file is decoded once for the boxes, once more where there are gaps and once for the crops, so that memory does not grow with
its length.

Source: Kahou et al. 2015, EmoNets, section 2: order of steps, the window of 11 frames, the largest centred square and the slope
of 1.5. The detector is ours, as are the limits below, and that tubes end at cuts and reach no further than their detections.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from emotrace.corpora.clips import pictures_of
from emotrace.corpora.table import decode
from emotrace.errors import InputError, VideoError
from emotrace.face.detect import Detector, overlap
from emotrace.learn.arrays import Arrays
from emotrace.learn.clip_store import ClipStore
from emotrace.learn.histogram_search import histogram, search
from emotrace.learn.tube_smoothing import squares
from emotrace.shots import ShotDetector
from emotrace.video import Video

UNLIKE = 1.5            # distance of centres in sides + |log2 of the ratio of sizes| + 1 - overlap: more is another subject
LONGEST_GAP = 25        # frames without a detection that a tube may have in a row
LEAST_SIMILARITY = 0.6  # of the colours of a filled frame and of its closest detection
LARGEST_SHRINK = 8      # times that pixels are averaged when a crop is smaller than its face
FAR = 1e6               # cost of what must not be assigned


@dataclass(frozen=True, slots=True)
class Tube:
    """One subject in n frames of a clip, in order; frames in which the face was not found again are left out.

    Args:
        frame: (n,) int64 number of the frame in the file.
        time: (n,) float64 s.
        box: (n, 4) float32 x1 y1 x2 y2 px of square pixels, as found.
        detected: (n,) bool, False where the box was found by its colours.
    """

    frame: NDArray[np.int64]
    time: NDArray[np.float64]
    box: NDArray[np.float32]
    detected: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.frame)


@dataclass(slots=True)
class Detected:
    """A subject's detections while they are gathered: frame, time, box and histogram of each, and the shot they lie in."""

    shot: int
    frame: list[int] = field(default_factory=list)
    time: list[float] = field(default_factory=list)
    box: list[NDArray[np.float32]] = field(default_factory=list)
    colours: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, frame: int, time: float, box: NDArray[np.float32], colours: NDArray[np.float64]) -> None:
        """One more detection."""
        self.frame.append(frame)
        self.time.append(time)
        self.box.append(box)
        self.colours.append(colours)

    def missing(self) -> NDArray[np.int64]:
        """Frames between the first and the last detection that have none."""
        return np.setdiff1d(np.arange(self.frame[0], self.frame[-1] + 1), self.frame)


def tubes_of(video: Video, detector: Detector | None = None) -> list[Tube]:
    """Tubes of all subjects of a clip, the longest first, the earliest first among equals.

    Args:
        video: with pictures; one without has no tubes.
        detector: finds faces in single frames; None: that of `analyze`.
    """
    if not video.has_pictures:
        return []
    subjects = associated(video, detector or Detector())
    return sorted(filled(video, subjects), key=len, reverse=True)


def associated(video: Video, detector: Detector) -> list[Detected]:
    """Detections of a clip, sorted by subject: each frame's boxes are assigned to the subjects at the least total cost."""
    done: list[Detected] = []
    shots = ShotDetector()
    for chunk in video.chunks():
        _, shot = shots.update(chunk.luma)
        for i, picture in enumerate(chunk.images):
            image = square_pixels(picture, video.pixel_aspect)
            number, boxes = int(chunk.number[i]), detector.detect(image).box
            alive = [subject for subject in done if subject.shot == shot[i] and number - subject.frame[-1] <= LONGEST_GAP + 1]
            owner = assigned([subject.box[-1] for subject in alive], boxes)
            for box, position in zip(boxes, owner.tolist(), strict=True):
                if position < 0:
                    done.append(Detected(int(shot[i])))
                subject = done[-1] if position < 0 else alive[position]
                subject.add(number, float(chunk.time[i]), box, histogram(image, box))
    return done


def assigned(known: Sequence[NDArray[np.float32]], boxes: NDArray[np.float32]) -> NDArray[np.int64]:
    """Which known box each of the new ones continues, (m,); -1 for none."""
    owner = np.full(len(boxes), -1, np.int64)
    if len(known) and len(boxes):
        cost = unlikeness(np.stack(known), boxes)
        rows, columns = linear_sum_assignment(np.where(cost <= UNLIKE, cost, FAR))
        fits = cost[rows, columns] <= UNLIKE
        owner[columns[fits]] = rows[fits]
    return owner


def unlikeness(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    """How little boxes look like one subject's, (n, 4) and (m, 4) -> (n, m); 0 for equal boxes.

    The sum of the distance of their centres over their mean side, |log2 of the ratio of their sides|, and 1 - overlap.
    """
    (centre_a, side_a), (centre_b, side_b) = (_place_and_side(box) for box in (a, b))
    distance = np.linalg.norm(centre_a[:, None] - centre_b, axis=2) / ((side_a[:, None] + side_b) / 2)
    return np.asarray(distance + np.abs(np.log2(side_a[:, None] / side_b)) + 1 - overlap(a, b), np.float64)


def filled(video: Video, subjects: Sequence[Detected]) -> list[Tube]:
    """Tubes of subjects; in the frames between, the face is looked for by the colours of the temporally closest detection."""
    found: list[list[tuple[int, float, NDArray[np.float32]]]] = [[] for _ in subjects]
    wanted = [set(subject.missing().tolist()) for subject in subjects]
    if any(wanted):
        for number, time, image in frames_of(video):
            for subject, gaps, additions in zip(subjects, wanted, found, strict=True):
                if number in gaps:
                    closest = int(np.abs(np.array(subject.frame) - number).argmin())
                    match = search(image, subject.colours[closest], subject.box[closest])
                    if match.similarity >= LEAST_SIMILARITY:
                        additions.append((number, time, match.box))
    return [_tube(subject, additions) for subject, additions in zip(subjects, found, strict=True)]


def frames_of(video: Video) -> Iterator[tuple[int, float, NDArray[np.uint8]]]:
    """Number, time in s and RGB picture (H, W, 3), of square pixels, of every frame of a clip."""
    for chunk in video.chunks():
        for number, time, image in zip(chunk.number.tolist(), chunk.time.tolist(), chunk.images, strict=True):
            yield number, time, square_pixels(image, video.pixel_aspect)


def square_pixels(image: NDArray[np.uint8], aspect: float) -> NDArray[np.uint8]:
    """A picture (H, W, 3) of pixels `aspect` times as wide as high, widened so that faces have their own proportions."""
    width = round(image.shape[1] * aspect)
    return image if width == image.shape[1] else np.asarray(cv2.resize(image, (width, image.shape[0])), np.uint8)


def longest(path: Path, store: ClipStore) -> Arrays:
    """The longest tube of a clip: `frame` (n,), `time` (n,), smoothed `square` (n, 4); n is 0 where no face is found.

    A clip that cannot be opened has none either (`Clips.unreadable` says why).
    """

    def make() -> Arrays:
        try:
            tubes = tubes_of(Video.open(path))
        except VideoError:
            tubes = []
        if not tubes:
            return {"frame": np.zeros(0, np.int64), "time": np.zeros(0), "square": np.zeros((0, 4))}
        return {"frame": tubes[0].frame, "time": tubes[0].time, "square": squares(tubes[0].box)}

    return store.of(path, "facetubes", make)


def spread(frames: NDArray[np.uint8], most: int) -> NDArray[np.uint8]:
    """At most `most` frames, uniformly over all, each in the middle of its stretch; (f, h, w) -> (g, h, w)."""
    if len(frames) <= most:
        return frames
    return frames[((np.arange(most) + 0.5) * len(frames) / most).astype(np.int64)]


def shown(path: Path, tube: Arrays) -> Iterator[tuple[int, float, NDArray[np.uint8]]]:
    """The frames of a clip that a tube has, as `frames_of`; none are decoded for an empty tube."""
    if len(tube["frame"]):
        numbers = set(tube["frame"].tolist())
        yield from (frame for frame in frames_of(Video.open(path)) if frame[0] in numbers)


def readable(folder: Path) -> Iterator[NDArray[np.uint8]]:
    """The pictures of a folder that can be decoded, by name, (h, w) grey levels each."""
    for file in pictures_of(folder):
        try:
            yield decode(file)
        except InputError:
            continue


def cut(image: NDArray[np.uint8], square: NDArray[np.floating], side: int) -> NDArray[np.uint8]:
    """A square x1 y1 x2 y2 of an RGB picture as (side, side) grey levels; beyond the picture its last pixels are repeated."""
    x1, y1, x2, _ = np.asarray(square, np.float64)
    scale = side / (x2 - x1)
    return mapped(image, np.array([[scale, 0, -scale * x1], [0, scale, -scale * y1]]), side)


def mapped(image: NDArray[np.uint8], matrix: NDArray[np.float64], side: int) -> NDArray[np.uint8]:
    """A crop by a map of px in which pixel i reaches from i to i + 1; pixels are averaged where it shrinks the picture.

    Args:
        image: (H, W, 3) RGB or (H, W) grey levels.
        matrix: (2, 3) from picture to crop.
        side: of the crop, px.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 else image
    shrink = 1 / np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    times = int(np.clip(np.rint(shrink), 1, LARGEST_SHRINK))
    whole = matrix * times
    whole[:, 2] += whole[:, :2] @ [0.5, 0.5] - 0.5   # OpenCV counts from the middle of the first pixel
    large = cv2.warpAffine(grey, whole, (side * times, side * times), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA) if times > 1 else large, np.uint8)


def crops_and_times(frames: Sequence[NDArray[np.uint8]], times: Sequence[float], side: int) -> Arrays:
    """Crops and times as they are kept; `frames` (0, side, side) where there are none."""
    stacked = np.stack(frames) if frames else np.zeros((0, side, side), np.uint8)
    return {"frames": stacked, "times": np.asarray(times, np.float64)}


def _place_and_side(box: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    corners = box.reshape(-1, 2, 2).astype(np.float64)
    return corners.mean(axis=1), np.sqrt(np.maximum(np.prod(corners[:, 1] - corners[:, 0], axis=1), 1e-9))


def _tube(subject: Detected, additions: list[tuple[int, float, NDArray[np.float32]]]) -> Tube:
    frame = np.array([*subject.frame, *(number for number, _, _ in additions)], np.int64)
    time = np.array([*subject.time, *(time for _, time, _ in additions)], np.float64)
    box = np.stack([*subject.box, *(box for _, _, box in additions)])
    order = np.argsort(frame, kind="stable")
    return Tube(frame[order], time[order], box[order], (np.arange(len(frame)) < len(subject.frame))[order])
