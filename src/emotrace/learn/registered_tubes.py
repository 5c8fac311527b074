"""Facetubes registered to the framing of FER2013, for networks that have learnt from still pictures.

    tube ─mesh, from frame to frame─▶ 51 landmarks ─similarity onto the mean face─▶ crops ─isotropic smoothing─▶ network
                  └─not found─▶ the tube's square, framed as wide as registered faces are

Source: Kahou et al. 2015, EmoNets, section 2 (51 landmarks, similarity, isotropic smoothing). There one map is
fitted for each set of pictures; here each frame has a map of its own, so that turned heads are turned back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.clips import Clips
from emotrace.face.align import similarity
from emotrace.face.landmarks import MARGIN, Mesh, Region, ibug_68, region_of_mesh
from emotrace.learn.arrays import Arrays
from emotrace.learn.clip_store import ClipStore
from emotrace.learn.face_source import PICTURE_RATE, face_source
from emotrace.learn.facetubes import crops_and_times, cut, longest, mapped, readable, shown, spread
from emotrace.learn.log import Say, say
from emotrace.learn.registration import inner

PRESENCE = 0.5    # a mesh below this does not look at a face
FRAMED = 1.2      # side of a registered crop over that of the tube's square, as measured in seven clips: 1.0 to 1.3
SEEN = 192        # px to which a small picture of a crop is enlarged for the mesh
EVERY = 50        # clips between two lines of progress
FER_SIDE = 48     # px of the pictures that MEAN_FACE is measured in

# Mean places of the 51 landmarks in FER2013, by the mesh in 2,455 of 3,000 pictures of its Training part drawn at random.
MEAN_FACE = np.array(
    [
        (8.0, 13.7), (9.7, 12.2), (12.2, 11.5), (15.7, 11.7), (19.7, 12.5), (28.2, 12.4), (32.3, 11.6), (35.7, 11.3),
        (38.3, 12.0), (40.0, 13.5), (24.1, 17.4), (24.1, 19.7), (24.1, 23.5), (24.2, 27.7), (19.6, 30.4), (22.0, 31.0),
        (24.2, 31.1), (26.4, 30.9), (28.7, 30.4), (11.6, 18.3), (13.4, 17.2), (16.2, 17.1), (19.1, 18.8), (16.6, 19.3),
        (13.8, 19.4), (29.0, 18.8), (31.8, 17.0), (34.6, 17.1), (36.5, 18.1), (34.3, 19.2), (31.5, 19.2), (16.8, 37.4),
        (19.9, 35.3), (22.1, 34.7), (24.3, 35.1), (26.5, 34.7), (28.6, 35.2), (31.6, 37.3), (28.8, 40.9), (26.8, 41.8),
        (24.3, 42.1), (21.9, 41.8), (19.9, 41.0), (17.5, 37.4), (22.4, 36.7), (24.3, 36.7), (26.1, 36.7), (30.9, 37.3),
        (26.2, 39.2), (24.3, 39.4), (22.4, 39.2),
    ]
)  # fmt: skip


def registered_tube_of_clip(path: Path, side: int, store: ClipStore) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The face of a clip that is seen longest, each frame registered to the mean face.

    Args:
        path: video, or a folder of pictures of a face already cropped, which are the tube in the order of their names.
        side: of the crops, px: 48 for networks, 96 for mouths.
        store: keeps tubes, landmarks and crops.

    Returns:
        (n, side, side) uint8 grey levels, and (n,) float64 s; n is 0 where no face is found or nothing can be opened.
    """

    def make() -> Arrays:
        shapes = landmarks_of_clip(path, store)
        kept = [(time, registered(image, square, shape, side))
                for (time, image, square), shape in zip(_faces(path, store), shapes, strict=True)]  # fmt: skip
        return crops_and_times([crop for _, crop in kept], [time for time, _ in kept], side)

    kept = store.of(path, f"facetube-registered-{side}", make)
    return np.asarray(kept["frames"], np.uint8), np.asarray(kept["times"], np.float64)


def follow_faces(
    clips: Clips, sides: Sequence[int], store: ClipStore, workers: int = 2, report: Say = say
) -> None:
    """Put the registered tubes of all clips into a store, some clips at the same time; what is there is not made again.

    Args:
        clips: corpus.
        sides: of the frames, px.
        store: where they are kept.
        workers: threads; the networks let each other run.
        report: told how far it is, in a line now and then.
    """
    def follow(row: int) -> None:
        for side in sides:
            registered_tube_of_clip(face_source(clips, row), side, store)

    with ThreadPoolExecutor(workers) as pool:
        for done, _ in enumerate(pool.map(follow, range(len(clips))), start=1):
            if done % EVERY == 0:
                report(f"faces of {done} of {len(clips)} clips followed")


def frames_of_clips(
    clips: Clips, side: int, store: ClipStore, most: int = 0, report: Say = say
) -> list[NDArray[np.uint8]]:
    """Registered frames of the longest tube of every clip, (f, side, side) each; f is 0 where there is no face.

    Args:
        clips: corpus; a clip's own folder of face pictures is taken where it has one.
        side: of the frames, px.
        store: keeps tubes, landmarks and frames.
        most: frames of a clip, spread over it uniformly; 0: all.
        report: told how far it is, in a line now and then.
    """
    every: list[NDArray[np.uint8]] = []
    for row in range(len(clips)):
        frames, _ = registered_tube_of_clip(face_source(clips, row), side, store)
        every.append(spread(frames, most) if most else frames)
        if len(every) % EVERY == 0:
            report(f"faces of {len(every)} of {len(clips)} clips followed and registered at {side} px")
    return every


def landmarks_of_clip(path: Path, store: ClipStore) -> NDArray[np.float64]:
    """The 51 landmarks of each frame of the longest tube, (n, 51, 2) px, NaN where none are found; kept in `store`.

    Pixels are those of the clip, made square; of a folder of small crops, those of the pictures enlarged to SEEN.
    """

    def make() -> Arrays:
        mesh, shapes = Mesh(), [np.zeros((0, 51, 2))]
        last: Region | None = None
        for _, image, square in _faces(path, store):
            points, last = followed(mesh, image, square, last)
            shapes.append(np.full((1, 51, 2), np.nan) if points is None else inner(ibug_68(points[None])))
        return {"landmarks": np.concatenate(shapes)}

    return np.asarray(store.of(path, "facetube-landmarks", make)["landmarks"], np.float64)


def followed(
    mesh: Mesh, image: NDArray[np.uint8], square: NDArray[np.float64], last: Region | None
) -> tuple[NDArray[np.float32] | None, Region | None]:
    """The mesh (478, 3) of a face, and where to look for it in the next frame; None twice where it is not found.

    Args:
        mesh: the network.
        image: (H, W, 3) RGB.
        square: (4,) of the tube, px, where the face is looked for if it was not found in the frame before.
        last: what this function gave for the frame before.
    """
    region = last
    if region is None:
        rough, _ = mesh.locate(image, region_of(square))
        region = region_of_mesh(rough)
    points, presence = mesh.locate(image, region)
    middle, inside = points[:, :2].mean(axis=0), square.reshape(2, 2)
    if presence < PRESENCE or (middle < inside[0]).any() or (middle > inside[1]).any():
        return None, None
    return points, region_of_mesh(points)


def region_of(square: NDArray[np.float64]) -> Region:
    """Where the mesh is looked for, from a tube's square (4,)."""
    x, y = square.reshape(2, 2).mean(axis=0)
    return Region(float(x), float(y), MARGIN * float(square[2] - square[0]), 0.0)


def registered(
    image: NDArray[np.uint8], square: NDArray[np.float64], shape: NDArray[np.float64], side: int
) -> NDArray[np.uint8]:
    """One frame, its 51 landmarks brought onto the mean face; framed as wide, but not turned, where they are NaN."""
    if np.isnan(shape).any():
        middle, half = square.reshape(2, 2).mean(axis=0), FRAMED * (square[2] - square[0]) / 2
        return cut(image, np.concatenate([middle - half, middle + half]), side)
    return mapped(image, similarity(shape[None], MEAN_FACE * side / FER_SIDE)[0], side)


def _faces(path: Path, store: ClipStore) -> Iterator[tuple[float, NDArray[np.uint8], NDArray[np.float64]]]:
    """Time, RGB picture and square of each frame of a tube; of a folder of crops the square is the whole picture."""
    if path.is_dir():
        for i, picture in enumerate(readable(path)):
            times = max(1.0, SEEN / max(picture.shape))
            large = cv2.cvtColor(cv2.resize(picture, None, fx=times, fy=times), cv2.COLOR_GRAY2RGB)
            side = float(min(large.shape[:2]))
            x, y = (large.shape[1] - side) / 2, (large.shape[0] - side) / 2
            yield i / PICTURE_RATE, np.asarray(large, np.uint8), np.array([x, y, x + side, y + side])
    else:
        tube = longest(path, store)
        for (_, time, image), square in zip(shown(path, tube), tube["square"], strict=True):
            yield time, image, np.asarray(square, np.float64)
