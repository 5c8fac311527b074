"""What the network of `face.expression_densenet`, which teaches `expression_mobilenet`, names right of FER2013.

    python bench/teacher.py fer2013.parquet

Of PublicTest, at the size it wants and at a smaller one, and how sure it is; of pictures of Training, which tells whether it
has learnt those by heart. With `--beside FOLDER` also the mean of its answers and a run's: what a student of both could reach.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from emotrace.corpora import fer2013
from emotrace.corpora.table import Faces
from emotrace.learn import pages
from emotrace.learn.metrics import calibration_error, softmax, temperature
from emotrace.learn.networks import face_densenet
from emotrace.learn.precision import computed_in
from emotrace.learn.predict import outputs_of
from emotrace.recipes import record

KNOWN = 2000   # pictures of Training
SMALLER = 160  # px


class Answers(nn.Module):
    """The teacher's logits alone."""

    def __init__(self) -> None:
        super().__init__()
        self.network = face_densenet.published()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(n, 1, h, w) -> (n, 7)."""
        logits: torch.Tensor = self.network(images)[1]
        return logits


def right(said: NDArray[np.float32], faces: Faces) -> str:
    """The share that is named right."""
    return f"{100 * (said.argmax(1) == faces.label).mean():.1f} % of {len(faces)}"


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--beside", type=Path, metavar="FOLDER", help="of a run of expression_mobilenet")
    given = parser.parse_args()
    pages.keep()
    faces, teacher = fer2013.read(given.corpus), Answers()
    held_out, learnt = faces.of_split("PublicTest"), faces.of_split("Training")
    known = learnt[np.sort(np.random.default_rng(0).permutation(len(learnt))[:KNOWN])]
    pictures = held_out.images()
    with computed_in("bf16"):
        said = outputs_of(teacher, pictures, batch=16)
        warmth = temperature(said, held_out.label)
        sure = [calibration_error(softmax(logits), held_out.label) for logits in (said, said / np.float32(warmth))]
        print(f"PublicTest at {face_densenet.SIZE} px: {right(said, held_out)}; calibration error {sure[0]:.3f}")
        print(f"... {sure[1]:.3f} with the temperature that fits best, {warmth:.2f}")
        print(f"Training at {face_densenet.SIZE} px: {right(outputs_of(teacher, known.images(), batch=16), known)}")
        teacher.network.size = SMALLER
        print(f"PublicTest at {SMALLER} px: {right(outputs_of(teacher, pictures, batch=16), held_out)}")
        if given.beside:
            recipe, config = record.read(given.beside)
            own = outputs_of(recipe.trained(given.beside, config), pictures)[:, :7]
            print(f"{given.beside}: {right(own, held_out)}; both: {right(softmax(own) + softmax(said), held_out)}")


if __name__ == "__main__":
    main()
