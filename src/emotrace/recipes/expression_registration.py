"""Does it help to register faces? ConvNet 1 on FER2013 as it is, and registered in two ways, with equal short budgets.

    FER2013 ─mesh─▶ 51 landmarks ─mean shape, a map for each face─▶ crops, noise beyond the edge ─▶ ConvNet 1 ─▶ accuracy
                                                                         └─isotropic smoothing─▶ ConvNet 1 ─▶ accuracy

Faces in which no landmarks are found stay as they are, in every arm. Run as `python -m emotrace.recipes.expression_registration
CORPUS FOLDER`; what is done already in FOLDER is gone on from.

Source: the comparison is that of Kahou et al. 2015 (EmoNets); the networks see a part of FER2013 for minutes, so only the
differences between the arms mean something, not how high they are.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from emotrace.corpora import fer2013
from emotrace.errors import EmotraceError, InputError
from emotrace.learn import fer
from emotrace.learn.augment import crop_and_flip
from emotrace.learn.light import grey_levels, isotropic_smoothing
from emotrace.learn.log import Report, lines
from emotrace.learn.networks.convnet1 import DECAYS, INPUT, RATE_FACTORS, Centred, ConvNet1
from emotrace.learn.plan import Plan
from emotrace.learn.registration import crops, each, inner, mean_shape
from emotrace.learn.small_faces import SmallFaces
from emotrace.learn.state import Progress

PART = 250   # pictures whose landmarks are kept together


@dataclass(frozen=True, slots=True)
class Config:
    """Constants of the comparison.

    Args:
        sample: training pictures, evenly spread; PublicTest is used whole.
        plan: of every arm; the rates of ConvNet 1.
        seed: of the noise beyond the edges.
    """

    sample: int = 4000
    plan: Plan = field(
        default_factory=lambda: Plan(
            epochs=8, batch=128, method="sgd", rate=0.001, momentum=0.9, schedule="linear", points=((5, 1.0), (8, 0.02)),
            warmup=0.0, rate_factors=RATE_FACTORS, decays=DECAYS, average=0.99, precision="bf16", compiled=True,
        )
    )
    seed: int = 0


def measure(corpus: Path, folder: Path, config: Config | None = None, report: Report = lines) -> Iterator[tuple[str, Progress]]:
    """Fit one network an arm.

    Yields:
        The arm's name and its run, as each is finished.

    Raises:
        InputError: the corpus cannot be read, or FOLDER holds another comparison.
    """
    config = config or Config()
    lessons = fer.read(corpus)
    rows = np.linspace(0, len(lessons.label) - 1, min(config.sample, len(lessons.label))).astype(np.int64)
    lessons = replace(lessons, images=lessons.images[rows], label=lessons.label[rows])
    shapes = [inner(landmarks(images, folder / "landmarks" / part)) for part, images in
              (("training", lessons.images), ("held_out", lessons.held_out))]  # fmt: skip
    for part, found in zip(("Training", "PublicTest"), shapes, strict=True):
        print(f"{part}: landmarks in {np.isfinite(found).all(axis=(1, 2)).sum()} of {len(found)} pictures", flush=True)
    for arm, registered in arms(lessons, shapes[0], shapes[1], config):
        print(arm, flush=True)
        torch.manual_seed(config.plan.seed)
        yield arm, fer.fit(Centred(ConvNet1()), registered, config.plan, vary, folder / arm, report)


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
    target = mean_shape(training[np.isfinite(training).all(axis=(1, 2))])
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


def unlit(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures without their light, (n, h, w)."""
    return grey_levels(isotropic_smoothing(images)[0])


def vary(images: Tensor, targets: Tensor, epoch: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Random crops and mirror images."""
    return crop_and_flip(images, INPUT, generator), targets


def main() -> None:
    """Print the accuracy of every arm after its last epoch; PublicTest chooses nothing."""
    parser = argparse.ArgumentParser(prog="python -m emotrace.recipes.expression_registration", description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    try:
        found = dict(measure(given.corpus, given.folder))
    except EmotraceError as error:
        print(f"emotrace: {error}", file=sys.stderr)
        sys.exit(2)
    for arm, progress in found.items():
        print(f"{arm:20} {100 * progress.history[-1]['accuracy']:.1f} %")


if __name__ == "__main__":
    main()
