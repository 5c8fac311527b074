"""The pictures of docs/registration.md, from the sample clip of a woman (Wolfgang Langer, Pexels licence).

    python docs/pictures/registration.py
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrace import samples
from emotrace.engine import grey
from emotrace.face.landmarks import ibug_68
from emotrace.learn.light import isotropic_smoothing
from emotrace.learn.registration import crops, each, inner, mean_shape, moved, whole_set
from emotrace.learn.small_faces import Enlargement, SmallFaces
from emotrace.video import Video

HERE = Path(__file__).parent
SECONDS = (1.0, 5.0, 9.0, 13.0, 17.0)
SIDE = 120
TURNS = (-22.0, 9.0, 26.0, -12.0, 3.0)   # degrees that the faces are turned by before they are registered
ZOOMS = (0.8, 1.1, 0.95, 1.3, 1.0)
Grey = NDArray[np.uint8]


def frames() -> tuple[Grey, NDArray[np.float64]]:
    """Grey frames of the clip, (5, H, W), and the 51 landmarks in each, (5, 51, 2)."""
    video = Video.open(samples.path("woman"))
    found: dict[float, NDArray[np.uint8]] = {}
    for chunk in video.chunks():
        for second in SECONDS:
            for row in np.flatnonzero(np.asarray(chunk.time) >= second)[:1]:
                found.setdefault(second, chunk.images[row])
    colour = np.stack([found[second] for second in SECONDS])
    finder = SmallFaces(Enlargement(1, 0))
    return grey(colour), inner(ibug_68(np.stack([finder.mesh(frame) for frame in colour])))


def framings(shapes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Maps to loose crops, each turned and scaled its own way, (5, 2, 3)."""
    matrices = []
    for shape, turn, zoom in zip(shapes, TURNS, ZOOMS, strict=True):
        x, y = shape.mean(axis=0)
        scale = zoom * 0.45 * SIDE / np.ptp(shape[:, 1])
        matrix = cv2.getRotationMatrix2D((x, y), turn, scale)
        matrix[:, 2] += SIDE / 2 - np.array([x, y])
        matrices.append(matrix)
    return np.stack(matrices)


def dotted(pictures: Grey, points: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Pictures in colour with a dot at each point, (n, h, w) and (n, k, 2) -> (n, h, w, 3) BGR."""
    coloured = np.repeat(pictures[..., None], 3, axis=3)
    for picture, found in zip(coloured, points, strict=True):
        for x, y in found:
            cv2.circle(picture, (round(16 * x), round(16 * y)), 24, (60, 220, 60), -1, cv2.LINE_AA, 4)
    return coloured


def write(name: str, rows: list[NDArray[np.uint8]]) -> None:
    """Rows of pictures, all grey or all in colour, as one file."""
    margin = ((0, 0), (2, 2), (2, 2), (0, 0))[: rows[0].ndim]
    sheet = np.concatenate([np.concatenate(list(np.pad(row, margin, constant_values=255)), axis=1) for row in rows])
    cv2.imwrite(str(HERE / name), sheet, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    print(HERE / name, sheet.shape, (HERE / name).stat().st_size)


def registration(pictures: Grey, shapes: NDArray[np.float64]) -> None:
    """As cut, after a similarity, after an affine map."""
    matrices = framings(shapes)
    cut, points = crops(pictures, matrices, SIDE), moved(shapes, matrices)
    target = mean_shape(points)
    target = (target - target.mean(axis=0)) + [SIDE / 2, SIDE / 2]
    rows = [dotted(cut, points)]
    print(f"landmarks as cut lie {np.linalg.norm(points - points.mean(axis=0), axis=2).mean():.1f} px from their mean")
    for kind in ("similarity", "affine"):
        maps = each(points, target, kind)
        after = moved(points, maps)
        rows.append(dotted(crops(cut, maps, SIDE), after))
        print(f"after {kind} maps {np.linalg.norm(after - target, axis=2).mean():.1f} px from the mean shape")
    write("registration.png", rows)


def borders(pictures: Grey, shapes: NDArray[np.float64]) -> None:
    """A tightly cut set, mapped onto the framing of a loose one: edges repeated, and noise."""
    low, high = shapes.min(axis=1), shapes.max(axis=1)
    scale = 0.8 * SIDE / (high - low).max(axis=1)
    tight = np.zeros((len(shapes), 2, 3))
    tight[:, 0, 0] = tight[:, 1, 1] = scale
    tight[:, :, 2] = SIDE / 2 - scale[:, None] * (low + high) / 2
    cut = crops(pictures, tight, SIDE)
    points = moved(shapes, tight)
    loose = (points.mean(axis=0) - SIDE / 2) * 0.6 + [SIDE / 2, 0.56 * SIDE]   # how the other set frames its faces
    matrix = whole_set(points, loose)
    maps = np.repeat(matrix[None], len(cut), axis=0)
    write("borders.png", [cut, crops(cut, maps, SIDE), crops(cut, maps, SIDE, np.random.default_rng(0))])


def light(pictures: Grey, shapes: NDArray[np.float64]) -> None:
    """A face, its luminance and its reflectance; the same face lit from the left; the same lit from above."""
    matrices = each(shapes, mean_shape(shapes))
    centre = shapes.mean(axis=(0, 1))
    scale = 0.5 * SIDE / np.ptp(mean_shape(shapes)[:, 1])
    matrices = scale * matrices
    matrices[:, :, 2] += SIDE / 2 - scale * centre
    face = crops(pictures, matrices, SIDE)[2]
    ramp = np.linspace(1, 0.1, SIDE)
    lit = np.stack([face, np.rint(face * ramp), np.rint(face * ramp[:, None])]).astype(np.uint8)
    reflectance, luminance = isotropic_smoothing(lit)
    for name, stack in (("pictures", lit), ("reflectances", reflectance)):
        alike = [np.corrcoef(stack[0].ravel(), other.ravel())[0, 1] for other in stack[1:]]
        print(f"correlation of the {name} with that of the evenly lit face: " + ", ".join(f"{value:.2f}" for value in alike))
    shown = np.rint(255 * np.clip(reflectance / 2, 0, 1)).astype(np.uint8)
    write("light.png", [lit, np.rint(255 * np.clip(luminance, 0, 1)).astype(np.uint8), shown])


def main() -> None:
    """Write all pictures."""
    pictures, shapes = frames()
    registration(pictures, shapes)
    borders(pictures, shapes)
    light(pictures, shapes)


if __name__ == "__main__":
    main()
