"""Frames of a clip that show another face than the rest, or none: which to leave out of what is said of the clip.

    embeddings (n, d), boxes (n, 4) ─▶ centre of the half that is most alike ─▶ distance of every frame ─▶ (n,) who belongs

Two faces are far from each other where their embeddings are: below a cosine of `ALIKE` they are taken for two people. In a
clip that is blurred or turned all embeddings lie wider apart, so the limit moves with them: twice the median distance from the
centre. A frame whose box is elsewhere, or of another size, than is usual in the clip has to be surer of being the same face.
Centre and limits rest on half of the frames, so that up to half of them may be wrong. Whoever is seen in most frames is kept.

Source: asked for as future work by a UPC thesis (2017) on bimodal emotion recognition; the method is ours. The cosine 0.363 is
OpenCV's for SFace (modules/objdetect, FaceRecognizerSF), chosen on LFW.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotrace.errors import InputError
from emotrace.face.identity import unit

FEWEST = 3  # frames from which there is a majority


@dataclass(frozen=True, slots=True)
class Outliers:
    """When a frame does not belong.

    Args:
        alike: cosine to the centre below which a frame is another face.
        alike_elsewhere: the same where the box is unusual.
        wide: median distances from the centre that are allowed where that is more.
        shift: of the box's centre from the median one, in median sides, beyond which a box is unusual.
        growth: factor between its side and the median one, up or down, beyond which it is.
    """

    alike: float = 0.363
    alike_elsewhere: float = 0.5
    wide: float = 2.0
    shift: float = 1.0
    growth: float = 2.0


def belonging(
    embedding: NDArray[np.floating], box: NDArray[np.floating], how: Outliers | None = None
) -> NDArray[np.bool_]:
    """Which frames of a clip show the face that most of them show.

    Args:
        embedding: (n, d) identity embeddings of any length.
        box: (n, 4) x1 y1 x2 y2 px; NaN where not known, which is never unusual.
        how: limits.

    Returns:
        (n,) True for frames to keep: all of fewer than three, and never less than half.

    Raises:
        InputError: the shapes do not agree.
    """
    how = how or Outliers()
    if embedding.ndim != 2 or box.shape != (len(embedding), 4):
        raise InputError(f"embeddings are {embedding.shape}, boxes {box.shape}; expected (n, d) and (n, 4)")
    if len(embedding) < FEWEST:
        return np.ones(len(embedding), np.bool_)
    away = distance(embedding)
    limit = np.where(unusual(box, how), 1 - how.alike_elsewhere, 1 - how.alike)
    return np.asarray(away <= np.maximum(limit, how.wide * np.median(away)), np.bool_)


def distance(embedding: NDArray[np.floating]) -> NDArray[np.float32]:
    """1 - cosine of every frame to the centre of the half that is most alike, (n, d) -> (n,), 0..2.

    The centre is the mean of the half of the frames nearest to the frame with the highest median cosine to all.
    """
    frames = unit(embedding)
    cosine = frames @ frames.T  # (n, n)
    middle = int(np.median(cosine, axis=1).argmax())
    half = np.argsort(-cosine[middle], kind="stable")[: (len(frames) + 1) // 2]
    return np.asarray(1 - frames @ unit(frames[half].mean(axis=0)), np.float32)


def unusual(box: NDArray[np.floating], how: Outliers | None = None) -> NDArray[np.bool_]:
    """Boxes that are elsewhere, or of another size, than the median box, (n, 4) -> (n,); False where a box is NaN."""
    how, known = how or Outliers(), ~np.isnan(box).any(axis=1)
    found = np.zeros(len(box), np.bool_)
    if known.any():
        centre, side = (box[known, :2] + box[known, 2:]) / 2, np.maximum((box[known, 2:] - box[known, :2]).max(axis=1), 1)
        usual = np.median(side)
        shift = np.linalg.norm(centre - np.median(centre, axis=0), axis=1) / usual
        found[known] = (shift > how.shift) | (np.abs(np.log(side / usual)) > np.log(how.growth))
    return found


def planted(
    clip: NDArray[np.int64], kind: NDArray[np.int64], share: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Which frame stands in the place of each when false faces are planted, to see whether they are found.

    Args:
        clip: (f,) clip of each frame.
        kind: (f,) of each frame's clip, as its label; a false face comes from a clip of another kind.
        share: of each clip's frames that are exchanged, rounded down.
        rng: chooses them.

    Returns:
        (f,) positions; a frame's own where it stays.

    Raises:
        InputError: the share is not within 0 to 0.5.
    """
    if not 0 <= share <= 0.5:
        raise InputError(f"share {share} of false faces; expected 0 to 0.5, above which they are the majority")
    stands = np.arange(len(clip))
    for one in np.unique(clip):
        own = np.flatnonzero(clip == one)
        others = np.flatnonzero(kind != kind[own[0]])
        if len(others):
            exchanged = rng.choice(own, int(share * len(own)), replace=False)
            stands[exchanged] = rng.choice(others, len(exchanged))
    return stands
