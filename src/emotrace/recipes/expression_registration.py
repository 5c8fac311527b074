"""Does it help to register faces? A quick network on FER2013 as it is, and registered in two ways, with equal short budgets.

    FER2013 ─mesh─▶ 51 landmarks ─mean shape, a map for each face─▶ crops, noise beyond the edge ─▶ network ─▶ accuracy
                                                                         └─isotropic smoothing─▶ network ─▶ accuracy

Faces in which no landmarks are found stay as they are, in every arm. Run as `python -m emotrace.recipes.expression_registration
CORPUS FOLDER`; what is done already in FOLDER is gone on from.

Source: the comparison is that of Kahou et al. 2015 (EmoNets). The network here is small and sees a part of FER2013, so that
four of them are trained in minutes: only the differences between the arms mean something, not how high they are.
"""

from __future__ import annotations

if __name__ == "__main__":
    from emotrace.learn.command import run

    run("emotrace.recipes.expression_registration")

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from emotrace.corpora import fer2013
from emotrace.errors import InputError
from emotrace.learn import fer
from emotrace.learn.augment import crops_of
from emotrace.learn.light import unlit
from emotrace.learn.log import Report, lines
from emotrace.learn.networks.compact import standardise
from emotrace.learn.plan import Plan
from emotrace.learn.registration import crops, each, inner, mean_shape
from emotrace.learn.small_faces import SmallFaces
from emotrace.learn.state import Progress
from emotrace.scheme import EXPRESSION_7

CROP = 40    # px of the 48, at random places while training
PART = 250   # pictures whose landmarks are kept together


@dataclass(frozen=True, slots=True)
class Config:
    """Constants of the comparison.

    Args:
        sample: training pictures, drawn at random.
        held_out: pictures of PublicTest, from the first on.
        plan: of every arm.
        seed: of the draw and of the noise beyond the edges.
    """

    sample: int = 2000
    held_out: int = 2000
    plan: Plan = field(
        default_factory=lambda: Plan(
            epochs=25, batch=64, rate=0.05, weight_decay=1e-3, schedule="cosine", average=0.99, precision="bf16",
        )
    )
    seed: int = 0


class QuickNet(nn.Module):
    """Three strided convolutions and a linear layer: seven expression logits of the middle 40 px of standardised faces."""

    def __init__(self) -> None:
        super().__init__()
        widths = (1, 24, 48, 96)
        layers = [
            nn.Sequential(nn.Conv2d(inputs, outputs, 5, 2, 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())
            for inputs, outputs in pairwise(widths)
        ]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(0.4), nn.Linear(widths[-1] * (CROP // 8) ** 2, len(EXPRESSION_7)))

    def forward(self, images: Tensor) -> Tensor:
        """(n, 1, h, w) grey levels, h and w at least 40 -> (n, 7) logits."""
        top, left = (images.shape[2] - CROP) // 2, (images.shape[3] - CROP) // 2
        middle = standardise(images)[:, :, top : top + CROP, left : left + CROP]
        logits: Tensor = self.classifier(self.features(middle).flatten(1))
        return logits


def measure(corpus: Path, folder: Path, config: Config | None = None, report: Report = lines) -> Iterator[tuple[str, Progress]]:
    """Fit one network an arm.

    Yields:
        The arm's name and its run, as each is finished.

    Raises:
        InputError: the corpus cannot be read, or FOLDER holds another comparison.
    """
    config = config or Config()
    lessons = drawn(fer.read(corpus), config)
    shapes = [inner(landmarks(images, folder / "landmarks" / part)) for part, images in
              (("training", lessons.images), ("held_out", lessons.held_out))]  # fmt: skip
    for part, found in zip(("Training", "PublicTest"), shapes, strict=True):
        print(f"{part}: landmarks in {np.isfinite(found).all(axis=(1, 2)).sum()} of {len(found)} pictures", flush=True)
    for arm, registered in arms(lessons, shapes[0], shapes[1], config):
        print(arm, flush=True)
        torch.manual_seed(config.plan.seed)
        yield arm, fer.fit(QuickNet(), registered, config.plan, crops_of(CROP), folder / arm, report)


def drawn(lessons: fer.Lessons, config: Config) -> fer.Lessons:
    """The pictures that are used; a larger sample begins with the smaller one."""
    rows = np.random.default_rng(config.seed).permutation(len(lessons.label))[: config.sample]
    held_out = slice(config.held_out)
    return fer.Lessons(
        lessons.images[rows], lessons.label[rows], lessons.held_out[held_out], lessons.held_out_label[held_out]
    )


def landmarks(images: NDArray[np.uint8], folder: Path) -> NDArray[np.float32]:
    """The 68 landmarks of all pictures, (n, 68, 2), NaN where no face is found; parts found before are read from the folder.

    Raises:
        InputError: the folder holds landmarks of other pictures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    finder, found = SmallFaces(), []
    for start in range(0, len(images), PART):
        file, part = folder / f"{start:06d}.npy", images[start : start + PART]
        if not file.is_file():
            draft = file.with_suffix(".new.npy")
            np.save(draft, finder.landmarks(part))
            draft.replace(file)
        found.append(np.load(file))
        if len(found[-1]) != len(part):
            raise InputError(f"{file}: landmarks of {len(found[-1])} pictures, expected {len(part)}; use another folder")
    return np.concatenate(found).astype(np.float32, copy=False)


def arms(
    lessons: fer.Lessons, training: NDArray[np.float64], held_out: NDArray[np.float64], config: Config
) -> Iterator[tuple[str, fer.Lessons]]:
    """The same pictures, registered and lit in each way that is compared."""
    target = target_of(training)
    yield "none", lessons
    random = np.random.default_rng(config.seed)
    for kind in ("affine", "similarity"):
        registered = replace(
            lessons,
            images=crops(lessons.images, each(training, target, kind), fer2013.SIDE, random),
            held_out=crops(lessons.held_out, each(held_out, target, kind), fer2013.SIDE, random),
        )
        yield kind, registered
    yield "similarity-light", replace(registered, images=unlit(registered.images), held_out=unlit(registered.held_out))


def target_of(shapes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean shape of the faces with landmarks, where they have it.

    Raises:
        InputError: there are none.
    """
    known = np.isfinite(shapes).all(axis=(1, 2))
    if not known.any():
        raise InputError(f"no face found in {len(shapes)} pictures, so there is no shape to register to")
    return mean_shape(shapes[known])


def main() -> None:
    """Print the accuracy of every arm after its last epoch; PublicTest chooses nothing."""
    parser = argparse.ArgumentParser(prog="python -m emotrace.recipes.expression_registration", description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    for arm, progress in dict(measure(given.corpus, given.folder)).items():
        print(f"{arm:20} {100 * progress.history[-1]['accuracy']:.1f} %")
