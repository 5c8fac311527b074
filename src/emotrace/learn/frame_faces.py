"""The face of every frame of a clip, cropped; the whole frame where no face is found.

    clip ─frames (rate, every)─▶ [rescaled] ─YuNet, low threshold─▶ the face that goes on, else the largest ─square crop─┐
                                                    └─▶ none: the whole frame ───────────────────────────────────┴▶ FrameFaces
    folder of pictures of a face, cropped already ─▶ every picture is a face

A low threshold finds faces that are dark, turned or blurred, and some things that are none; `score` tells them apart later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.clips import pictures_of
from emotrace.errors import InputError, VideoError
from emotrace.face.detect import Detections, Detector, overlap
from emotrace.learn.clip_store import ClipStore
from emotrace.learn.face_source import PICTURE_RATE
from emotrace.video import Video

CONTINUES = 0.3     # intersection over union from which a face is the one of the frame before
LEFT_FOR = 4.0      # times as plausible must another face be for the one that continues to be left
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FaceFinding:
    """How faces are found in frames and cropped.

    Args:
        side: of the crops, px.
        score: detections below this are dropped, 0..1.
        margin: added to the box on each side, as a share of its longer side; the crop is square.
        size: width and height that frames are rescaled to before anything else; None: as they are.
        rate: frames a second, evenly on the clock; None: all.
        every: of these, one in so many.
        min_face: width in px of the smallest face to find; None: as `Detector`.

    Raises:
        InputError: side, every or size is less than 1, rate is not above 0, or margin is negative.
    """

    side: int = 128
    score: float = 0.3
    margin: float = 0.25
    size: tuple[int, int] | None = None
    rate: float | None = None
    every: int = 1
    min_face: float | None = None

    def __post_init__(self) -> None:
        if self.side < 1 or self.every < 1 or self.margin < 0:
            raise InputError(f"side {self.side}, every {self.every}, margin {self.margin}; expected 1, 1, 0 or more")
        if not (self.rate is None or self.rate > 0) or min(self.size or (1, 1)) < 1:
            raise InputError(f"rate {self.rate}, size {self.size}; expected more than 0, or None")

    @property
    def name(self) -> str:
        """Tells these settings from others; a valid file name."""
        words = [f"{self.side}px", f"score{self.score:g}", f"margin{self.margin:g}"]
        words += ["{}x{}".format(*self.size)] if self.size else []
        words += [f"{self.rate:g}fps"] if self.rate else []
        words += [f"every{self.every}"] if self.every > 1 else []
        words += [f"from{self.min_face:g}"] if self.min_face else []
        return "frame_faces-" + "-".join(words)


@dataclass(frozen=True, slots=True)
class FrameFaces:
    """The faces of n frames of one clip; n is 0 for a clip that cannot be read.

    Args:
        pictures: (n, side, side, 3) uint8 RGB.
        times: (n,) float64 s.
        found: (n,) bool, False where the picture is the whole frame.
        score: (n,) float32 of the detector, 0..1; NaN where nothing was found or nothing was looked for.
        box: (n, 4) float32 x1 y1 x2 y2 px of the frame (as rescaled); NaN likewise.
        points: (n, 5, 2) float32 px of the picture: the person's right eye, left eye, nose tip, right and left mouth corner;
            NaN likewise.
    """

    pictures: NDArray[np.uint8]
    times: NDArray[np.float64]
    found: NDArray[np.bool_]
    score: NDArray[np.float32]
    box: NDArray[np.float32]
    points: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.int64] | slice) -> FrameFaces:
        """The frames of a mask, of positions or of a slice."""
        return FrameFaces(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Face:
    """One frame's picture, and where its face lies; see FrameFaces."""

    picture: NDArray[np.uint8]
    found: bool
    score: float
    box: NDArray[np.float32]
    points: NDArray[np.float32]


class FaceFinder:
    """Finds and crops the faces of clips. Not for use from two threads at once.

    Args:
        how: settings.

    Source: Knyazev et al. 2017: a low threshold, and the whole frame where no face is found.
    """

    def __init__(self, how: FaceFinding | None = None) -> None:
        self.how = how or FaceFinding()
        self.detector = Detector(self.how.min_face, self.how.score)

    def of(self, path: Path) -> FrameFaces:
        """The faces of a video file's frames, or of a folder of face pictures; none of a file that cannot be read."""
        frames = self._folder(path) if path.is_dir() else self._video(path)
        return self._joined(list(frames))

    def _video(self, path: Path) -> Iterator[tuple[float, Face]]:
        try:
            video = Video.open(path)
        except VideoError:
            return
        before: NDArray[np.float32] | None = None
        for time, frame in _every(_frames(video, self.how.rate), self.how.every):
            image = cv2.resize(frame, self.how.size, interpolation=cv2.INTER_AREA) if self.how.size else frame
            face = self.face(np.asarray(image, np.uint8), before)
            before = face.box if face.found else before
            yield time, face

    def _folder(self, path: Path) -> Iterator[tuple[float, Face]]:
        files = pictures_of(path)
        times = np.arange(len(files)) / PICTURE_RATE
        if self.how.rate is not None:
            ticks = np.floor(times * self.how.rate + 1e-6)
            kept = np.flatnonzero(np.diff(ticks, prepend=-1) > 0)
            files, times = [files[i] for i in kept], times[kept]
        for time, file in _every(zip(times.tolist(), files, strict=True), self.how.every):
            try:
                image = next(Video.open(file).chunks()).images[0]
            except VideoError:
                continue
            yield time, Face(self._resized(image), True, np.nan, *_nowhere())

    def face(self, image: NDArray[np.uint8], before: NDArray[np.float32] | None = None) -> Face:
        """The face of one frame (H, W, 3), or the whole frame.

        Args:
            image: RGB.
            before: (4,) box of the face that may go on in this frame.
        """
        detected = self.detector.detect(image)
        best = most_plausible(detected, before)
        if best is None:
            return Face(self._resized(image), False, np.nan, *_nowhere())
        box, points = detected.box[best], detected.points[best]
        corner, width = square(box, self.how.margin)
        picture = self._resized(cut(image, corner, width))
        return Face(picture, True, float(detected.score[best]), box, (points - corner) * (self.how.side / width))

    def _resized(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        side = self.how.side
        shrinks = max(image.shape[:2]) > side
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(image, (side, side), interpolation=method), np.uint8)

    def _joined(self, frames: list[tuple[float, Face]]) -> FrameFaces:
        side, n = self.how.side, len(frames)
        faces = [face for _, face in frames]
        return FrameFaces(
            np.reshape(np.array([face.picture for face in faces], np.uint8), (n, side, side, 3)),
            np.array([time for time, _ in frames], np.float64),
            np.array([face.found for face in faces], np.bool_),
            np.array([face.score for face in faces], np.float32),
            np.reshape(np.array([face.box for face in faces], np.float32), (n, 4)),
            np.reshape(np.array([face.points for face in faces], np.float32), (n, 5, 2)),
        )


def most_plausible(detected: Detections, before: NDArray[np.float32] | None) -> int | None:
    """Row of the face of a frame; None where there is none.

    That which goes on from the frame before is taken, unless another is four times as plausible; else the most plausible one.
    How plausible a face is, is its score times its area: in film the person meant is near.

    Args:
        detected: of the frame.
        before: (4,) box in the frame before; None: there is none.
    """
    if len(detected) == 0:
        return None
    extent = detected.box[:, 2:] - detected.box[:, :2]
    plausible = detected.score * extent.prod(axis=1)
    best = int(plausible.argmax())
    if before is None:
        return best
    alike = overlap(detected.box, before[None])[:, 0]
    same = int(alike.argmax())
    goes_on = alike[same] >= CONTINUES and plausible[best] < LEFT_FOR * plausible[same]
    return same if goes_on else best


def square(box: NDArray[np.float32], margin: float) -> tuple[NDArray[np.float32], int]:
    """The square about a box with a margin: its corner x, y in whole px, and its side in px."""
    extent = box[2:] - box[:2]
    side = max(1, round(float(extent.max()) * (1 + 2 * margin)))
    return np.asarray(np.round((box[:2] + box[2:] - side) / 2), np.float32), side


def cut(image: NDArray[np.uint8], corner: NDArray[np.float32], side: int) -> NDArray[np.uint8]:
    """A square (side, side, 3) of a picture (H, W, 3); beyond the edge its last pixels are repeated."""
    span = np.arange(side)
    rows = np.clip(span + int(corner[1]), 0, image.shape[0] - 1)
    columns = np.clip(span + int(corner[0]), 0, image.shape[1] - 1)
    return image[rows[:, None], columns]


def faces_of_clip(path: Path, store: ClipStore, finder: FaceFinder) -> FrameFaces:
    """The faces of a clip, found once and then kept.

    Args:
        path: video file, or folder of face pictures; one that cannot be read gives no faces.
        store: where they are kept, under the finder's settings.
        finder: finds them.
    """

    def make() -> dict[str, NDArray[np.generic]]:
        faces = finder.of(path)
        return {field.name: getattr(faces, field.name) for field in fields(FrameFaces)}

    kept = store.of(path, finder.how.name, make)
    return FrameFaces(*(kept[field.name] for field in fields(FrameFaces)))  # type: ignore[arg-type]


def _nowhere() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The box and the points of no face."""
    return np.full(4, np.nan, np.float32), np.full((5, 2), np.nan, np.float32)


def _frames(video: Video, rate: float | None) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    for chunk in video.chunks(rate=rate):
        yield from zip(chunk.time[chunk.analysed].tolist(), chunk.images, strict=True)


def _every(frames: Iterable[tuple[float, T]], step: int) -> Iterator[tuple[float, T]]:
    return islice(frames, 0, None, step)
