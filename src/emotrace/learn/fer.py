"""Fitting on FER2013's hard labels: what several recipes do alike.

    fer2013 ─read─▶ Lessons (Training without what shows no face; PublicTest) ─fit─▶ weights that name most of PublicTest right
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F  # noqa: N812

from emotrace.corpora import fer2013
from emotrace.corpora.table import Faces
from emotrace.learn import fit as loop
from emotrace.learn.fit import Augment, Examples
from emotrace.learn.log import Report
from emotrace.learn.losses import cross_entropy
from emotrace.learn.plan import Plan
from emotrace.learn.predict import outputs_of
from emotrace.learn.state import Progress
from emotrace.scheme import EXPRESSION_7


@dataclass(frozen=True, slots=True)
class Lessons:
    """Labelled pictures to learn from, and others to choose by.

    Args:
        images: (n, 48, 48) uint8 of Training.
        label: (n,) positions in EXPRESSION_7.
        held_out: (m, 48, 48) uint8 of PublicTest.
        held_out_label: (m,) positions in EXPRESSION_7.
    """

    images: NDArray[np.uint8]
    label: NDArray[np.int64]
    held_out: NDArray[np.uint8]
    held_out_label: NDArray[np.int64]


def parts(corpus: Path) -> tuple[Faces, Faces]:
    """Training without the rows that show no face, and PublicTest; of both the rows whose label is one of the seven.

    Raises:
        InputError: the corpus cannot be read, or a part is missing or has no labels.
    """
    faces = fer2013.read(corpus)
    training, held_out = (fer2013.labelled(faces.of_split(split)) for split in ("Training", "PublicTest"))
    return training[fer2013.shows_a_face(training)], held_out


def read(corpus: Path) -> Lessons:
    """The pictures of both parts, decoded.

    Raises:
        InputError: the corpus cannot be read, or a part is missing or has no labels.
    """
    training, held_out = parts(corpus)
    return Lessons(training.images(fer2013.SIDE), training.label, held_out.images(fer2013.SIDE), held_out.label)


def fit(network: nn.Module, lessons: Lessons, plan: Plan, vary: Augment, folder: Path, report: Report) -> Progress:
    """Fit a network that gives seven logits, or continue the run in `folder`; accuracy on PublicTest chooses.

    Args:
        network: (b, 1, h, w) float32 grey levels -> (b, 7) logits, with fresh weights.
        lessons: what is learnt from.
        plan: optimiser and schedule.
        vary: augmentation; see `emotrace.learn.fit`.
        folder: of the run.
        report: told each epoch's numbers.

    Raises:
        InputError: `folder` holds a run of another plan, or on other pictures.
    """
    targets = F.one_hot(torch.from_numpy(lessons.label), len(EXPRESSION_7)).float()

    def validate(trained: nn.Module) -> dict[str, float]:
        named = outputs_of(trained, lessons.held_out).argmax(1)
        return {"accuracy": float(np.mean(named == lessons.held_out_label))}

    return loop.fit(
        network, Examples(torch.from_numpy(lessons.images)[:, None], targets), plan,
        loss=cross_entropy, augment=vary, validate=validate, folder=folder, report=report,
        beside=(lessons.held_out, lessons.held_out_label),
    )  # fmt: skip
