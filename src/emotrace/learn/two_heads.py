"""Two heads on one face: the hard label of FER2013, and what the FER+ raters voted.

    targets, 7-way: a share of the hard label, the rest what the votes say of it;  8-way: the votes
    outputs (n, 7 + 8) side by side ─▶ loss of both ─▶ validation ─▶ temperatures, ONNX

The hard label of FER2013 is noisy, and FER+ names many of the same pictures differently (65 % agreement), so votes are not
used as they are: a logistic regression fitted on the training rows turns a row of votes into the distribution of hard
labels that such votes go with.

Source: Barsoum et al. 2016 (votes as distribution).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import AfterValidator
from torch import Generator, Tensor, nn

from emotrace.corpora import fer2013
from emotrace.corpora.table import Faces
from emotrace.errors import InputError
from emotrace.learn import fit as loop
from emotrace.learn.augment import Augmentation, augment
from emotrace.learn.export import export
from emotrace.learn.fit import Augment, Examples, Loss
from emotrace.learn.log import Report, lines
from emotrace.learn.losses import cross_entropy
from emotrace.learn.metrics import calibration_error, softmax, temperature
from emotrace.learn.plan import Plan
from emotrace.learn.predict import outputs_of
from emotrace.learn.quantise import quantise
from emotrace.learn.ranges import Count, CountOrNone
from emotrace.learn.state import Progress
from emotrace.learn.votes import hard_given_votes, shares
from emotrace.scheme import EXPRESSION_7, EXPRESSION_8

HEADS = (EXPRESSION_7, EXPRESSION_8)
EXPRESSIONS = len(EXPRESSION_7)
SHOWN = 512  # pictures by which ranges are measured

# How strongly pictures are varied in most of a training, and at its end.
GENTLE = Augmentation(rotation=15.0, scale=(0.9, 1.2), noise=4.0, contrast=(0.7, 1.3), erase=0.3, mix=0.2)
LIGHT = Augmentation(
    rotation=12.0, scale=(0.9, 1.15), shift=0.06, noise=3.0, contrast=(0.75, 1.3), brightness=15.0, erase=0.2, mix=0.0
)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of the training.

    Args:
        first: its first epoch, counted from 0.
        size: side at which the network sees the pictures, px; small ones first, since they cost less and teach the coarse.
        augmentation: how strongly they are varied.
    """

    first: CountOrNone
    size: Count
    augmentation: Augmentation


def _from_the_start(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    if not stages or stages[0].first != 0:
        raise InputError(f"stages from epochs {[stage.first for stage in stages]}; the first has to begin at 0")
    return stages


Stages = Annotated[tuple[Stage, ...], AfterValidator(_from_the_start)]


def stage_of(stages: tuple[Stage, ...], epoch: int) -> Stage:
    """The stage that an epoch belongs to."""
    return next(stage for stage in reversed(stages) if epoch >= stage.first)


def examples(faces: Faces, hard_share: float) -> Examples:
    """Training rows with both targets side by side, (n, 7 + 8); only those that show a face and have one of the seven labels.

    Raises:
        InputError: no row has such a label.
    """
    faces = fer2013.labelled(faces[fer2013.shows_a_face(faces)])
    votes = shares(faces)
    hard = np.eye(EXPRESSIONS, dtype=np.float32)[faces.label]
    mixed = hard_share * hard + (1 - hard_share) * hard_given_votes(votes, faces.label)
    images = torch.from_numpy(faces.images(fer2013.SIDE))[:, None]
    return Examples(images, torch.from_numpy(np.concatenate([mixed, votes], axis=1)))


def loss_of(votes_weight: float) -> Loss:
    """Cross-entropy of both heads against their distributions."""
    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        hard = cross_entropy(outputs[:, :EXPRESSIONS], targets[:, :EXPRESSIONS])
        return hard + votes_weight * cross_entropy(outputs[:, EXPRESSIONS:], targets[:, EXPRESSIONS:])

    return loss


def resized(images: Tensor, size: int) -> Tensor:
    """(n, 1, h, w) -> (n, 1, size, size), the same way in training and in use."""
    return nn.functional.interpolate(images, (size, size), mode="bilinear", align_corners=False)


class At(nn.Module):
    """A network on pictures brought to one size, sampled as in training.

    Args:
        network: takes (n, 1, size, size).
        size: px.
    """

    def __init__(self, network: nn.Module, size: int) -> None:
        super().__init__()
        self.network, self.size = network, size

    def forward(self, images: Tensor) -> Tensor:
        """(n, 1, h, w) -> the network's output."""
        outputs: Tensor = self.network(resized(images, self.size))
        return outputs


def validation(network: nn.Module, faces: Faces, images: NDArray[np.uint8]) -> dict[str, float]:
    """Accuracy on the hard label, calibration of it, and accuracy on the FER+ majority where there is one.

    Args:
        network: with both heads.
        faces: n rows with one of the seven labels.
        images: (n, h, w) uint8, what they show.
    """
    outputs = outputs_of(network, images)
    majority = fer2013.majority(faces)
    right = (outputs[:, EXPRESSIONS:].argmax(1) == majority)[majority >= 0]
    return {
        "accuracy": float((outputs[:, :EXPRESSIONS].argmax(1) == faces.label).mean()),
        **({"accuracy_votes": float(right.mean())} if len(right) else {}),
        "ece": calibration_error(softmax(outputs[:, :EXPRESSIONS]), faces.label),
    }


def varied(stages: tuple[Stage, ...]) -> Augment:
    """Augmentation of each stage, at its size."""
    def vary(images: Tensor, targets: Tensor, epoch: int, generator: Generator) -> tuple[Tensor, Tensor]:
        stage = stage_of(stages, epoch)
        return augment(images, targets, stage.augmentation, stage.size, generator)

    return vary


def fit(
    network: nn.Module, plan: Plan, lessons: Examples, held_out: Faces, vary: Augment, size: int, loss: Loss, folder: Path,
    report: Report = lines,
) -> Progress:
    """Fit a network with both heads; chosen on what is held out and has one of the seven labels, seen at `size` px.

    Raises:
        InputError: nothing that is held out has such a label, or as `emotrace.learn.fit.fit` has it.
    """
    held_out = fer2013.labelled(held_out)
    pictures = held_out.images(fer2013.SIDE)
    return loop.fit(
        network,
        lessons,
        plan,
        loss=loss,
        augment=vary,
        validate=lambda network: validation(At(network, size), held_out, pictures),
        folder=folder,
        report=report,
        beside=(pictures, held_out.label, held_out.votes),
    )


class CalibratedHeads(nn.Module):
    """The network as `analyze` runs it: probabilities, with each head's temperature folded in.

    Args:
        network: trained, with both heads.
        temperature_7: of the hard-label head.
        temperature_8: of the votes head.
    """

    def __init__(self, network: nn.Module, temperature_7: float, temperature_8: float) -> None:
        super().__init__()
        self.network = network
        self.temperature_7, self.temperature_8 = temperature_7, temperature_8

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 1, 48, 48) grey levels 0..255 -> (n, 7) and (n, 8) probabilities."""
        outputs = self.network(images)
        return (
            (outputs[:, :EXPRESSIONS] / self.temperature_7).softmax(1),
            (outputs[:, EXPRESSIONS:] / self.temperature_8).softmax(1),
        )


def ship(
    corpus: Path, network: nn.Module, path: Path, precision: Literal["fp32", "int8"] = "fp32"
) -> tuple[float, float]:
    """Calibrate a network on PublicTest and write it as ONNX.

    Args:
        corpus: FER2013.
        network: fed with 48 x 48 grey levels.
        path: file to write.
        precision: of weights and arithmetic; for "int8" ranges are measured on SHOWN pictures of Training.

    Returns:
        The temperatures of the 7-way and the 8-way head.
    """
    everything = fer2013.read(corpus)
    faces, learnt = fer2013.labelled(everything.of_split("PublicTest")), everything.of_split("Training")
    images = faces.images(fer2013.SIDE)
    outputs = outputs_of(network, images)
    temperatures = (
        temperature(outputs[:, :EXPRESSIONS], faces.label),
        temperature(outputs[:, EXPRESSIONS:], fer2013.majority(faces)),
    )
    example = torch.from_numpy(images[:64])[:, None].float()
    export(CalibratedHeads(network, *temperatures), example, path, "images", tuple(head.name for head in HEADS))
    if precision == "int8":
        chosen = np.random.default_rng(0).permutation(len(learnt))[:SHOWN]
        quantise(path, learnt[np.sort(chosen)].images(fer2013.SIDE)[:, None].astype(np.float32))
    return temperatures
