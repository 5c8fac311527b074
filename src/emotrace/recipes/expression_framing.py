"""Where FER2013's faces lie in their 48 x 48 px: the template that `analyze` aligns faces to for the expression network.

    FER2013 Training ─4x, replicated border─▶ YuNet ─▶ mesh ─five places─▶ back to 48 px ─mean─▶ template

Measured with the mesh that `analyze` aligns by, since detectors and meshes put eyes and mouth up to a pixel apart here. Pixel
i covers i to i + 1, so the middle of the picture is (24, 24). Run as `python -m emotrace.recipes.expression_framing PATH`.
"""

from __future__ import annotations

if __name__ == "__main__":
    from emotrace.learn.command import run

    run("emotrace.recipes.expression_framing")

import argparse
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora import fer2013
from emotrace.errors import InputError
from emotrace.learn.small_faces import Enlargement, SmallFaces

PLACES = {  # the person's right and left; mesh points whose mean is the place
    "right eye": (33, 133),
    "left eye": (263, 362),
    "nose tip": (4,),
    "right mouth corner": (61,),
    "left mouth corner": (291,),
}


@dataclass(frozen=True, slots=True)
class Config:
    """Constants of the measurement.

    Args:
        sample: pictures looked at, evenly spread over the Training part.
        enlargement: how the pictures are made ready for the detector.
        turned: faces whose nose lies further from the middle of the eyes than this share of their distance are turned
            aside and left out.
    """

    sample: int = 2000
    enlargement: Enlargement = field(default_factory=Enlargement)
    turned: float = 0.25


@dataclass(frozen=True, slots=True)
class Framing:
    """Where faces lie, in px of the 48 x 48 picture.

    Args:
        looked_at: pictures looked at.
        points: (n, 5, 2) x, y of the faces found; see PLACES.
    """

    looked_at: int
    points: NDArray[np.float32]

    @property
    def template(self) -> NDArray[np.float64]:
        """Mean points, (5, 2), made mirror-symmetric, since half of the training pictures are mirrored."""
        mean = self.points.mean(axis=0, dtype=np.float64)
        mirrored = np.column_stack([fer2013.SIDE - mean[:, 0], mean[:, 1]])[[1, 0, 2, 4, 3]]
        return np.asarray((mean + mirrored) / 2, np.float64)


def five_places(image: NDArray[np.uint8], finder: SmallFaces) -> NDArray[np.float32]:
    """The five places of the best face in a small grey picture, (5, 2) px of that picture; (0, 2) where none is found."""
    mesh = finder.mesh(finder.how.enlarged(image))
    if np.isnan(mesh).any():
        return np.zeros((0, 2), np.float32)
    return finder.how.back(np.stack([mesh[list(indices), :2].mean(axis=0) for indices in PLACES.values()]))


def frontal(points: NDArray[np.float32], config: Config) -> bool:
    """True when the nose lies between the eyes."""
    right, left, nose = points[:3]
    along = (left - right) / max(float(np.linalg.norm(left - right)), 1e-6)
    aside = abs(float((nose - (left + right) / 2) @ along))
    return aside <= config.turned * float(np.linalg.norm(left - right))


def measure(corpus: Path, config: Config | None = None) -> Framing:
    """Measure the framing.

    Raises:
        InputError: the corpus cannot be read, or no face is found in it.
    """
    config = config or Config()
    faces = fer2013.read(corpus).of_split("Training")
    faces = faces[fer2013.shows_a_face(faces)]
    rows = np.linspace(0, len(faces) - 1, min(config.sample, len(faces))).astype(np.int64)
    finder = SmallFaces(config.enlargement)
    found = [five_places(image, finder) for image in faces[rows].images()]
    kept = [points for points in found if len(points) and frontal(points, config)]
    if not kept:
        raise InputError(f"{corpus}: no frontal face found in {len(rows)} pictures")
    return Framing(len(rows), np.stack(kept))


def main() -> None:
    """Print the framing of the corpus named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m emotrace.recipes.expression_framing", description=__doc__.split("\n")[0])
    parser.add_argument("corpus", type=Path, help="fer2013.csv or fer2013.parquet")
    framing = measure(parser.parse_args().corpus)
    print(f"{len(framing.points)} frontal faces of {framing.looked_at} pictures; x, y in px of 48 x 48")
    columns = {
        "mean": framing.points.mean(axis=0), "deviation": framing.points.std(axis=0),
        "median": np.median(framing.points, axis=0), "template": framing.template,
    }  # fmt: skip
    for i, place in enumerate(PLACES):
        numbers = "  ".join(f"{name} {values[i][0]:5.2f} {values[i][1]:5.2f}" for name, values in columns.items())
        print(f"{place:20} {numbers}")
