"""`expression_compact`: the network that `analyze` reads expressions with.

    FER2013 Training ─without non-faces─▶ 48 x 48 grey ─augment, growing size─▶ Compact ─▶ 7-way and 8-way logits
    targets, 7-way: 0.7 hard label + 0.3 what the FER+ votes say of the hard label;  8-way: the FER+ votes

The hard label of FER2013 is noisy, and FER+ names many of the same pictures differently (65 % agreement), so votes are not
used as they are: a logistic regression fitted on the training rows turns a row of votes into the distribution of hard
labels that such votes go with.

Source: Barsoum et al. 2016 (votes as distribution), Tan & Le 2021 (size grows while training).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Generator, Tensor, nn

from emotrace.corpora import fer2013
from emotrace.corpora.table import Faces
from emotrace.learn import fit as loop
from emotrace.learn.augment import Augmentation, augment
from emotrace.learn.checkpoint import load_weights
from emotrace.learn.export import export
from emotrace.learn.fit import Examples
from emotrace.learn.log import Report, lines
from emotrace.learn.losses import cross_entropy
from emotrace.learn.metrics import calibration_error, softmax, temperature
from emotrace.learn.networks.compact import EXPRESSIONS, VOTES, Compact
from emotrace.learn.plan import Plan
from emotrace.learn.predict import outputs_of
from emotrace.learn.state import Progress
from emotrace.recipes import Published
from emotrace.scheme import EXPRESSION_7, EXPRESSION_8

PUBLISHED = Published(None, "accuracy", "PublicTest", "our own; tuned single VGGs: 73.3 %, Khaireddin & Chen 2021")
SHRINK = 1e-4  # of the logistic regression's weights, enough to keep it finite


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of the training.

    Args:
        first: its first epoch, counted from 0.
        size: side of the pictures, px; small ones first, since they cost less and teach the coarse.
        augmentation: how strongly they are varied.
    """

    first: int
    size: int
    augmentation: Augmentation


STRONG = Augmentation()
GENTLE = Augmentation(rotation=15.0, scale=(0.9, 1.2), noise=4.0, contrast=(0.7, 1.3), erase=0.3, mix=0.2)
LIGHT = Augmentation(
    rotation=12.0, scale=(0.9, 1.15), shift=0.06, noise=3.0, contrast=(0.75, 1.3), brightness=15.0, erase=0.2, mix=0.0
)


@dataclass(frozen=True, slots=True)
class Config:
    """Every constant of the recipe.

    Args:
        hard_share: share of the hard label in the 7-way target; the rest is what the votes say of it.
        votes_weight: weight of the 8-way loss beside the 7-way one.
        stages: sizes and augmentation, by epoch.
        plan: optimiser and schedule.
    """

    hard_share: float = 0.7
    votes_weight: float = 0.6
    stages: tuple[Stage, ...] = (Stage(0, 32, STRONG), Stage(6, 32, GENTLE), Stage(14, 40, LIGHT))
    plan: Plan = field(
        default_factory=lambda: Plan(
            epochs=28, batch=128, rate=0.1, warmup=1.5, weight_decay=5e-4, average=0.999,
            schedule="linear", points=((14, 1.0), (16, 5 / 6), (21, 5 / 9), (28, 0.0)),
        )
    )

    def stage(self, epoch: int) -> Stage:
        """The stage that an epoch belongs to."""
        return next(stage for stage in reversed(self.stages) if epoch >= stage.first)

    @property
    def size(self) -> int:
        """Side at which the finished network sees faces, px."""
        return self.stages[-1].size


def shares(faces: Faces) -> NDArray[np.float32]:
    """FER+ votes as a distribution over EXPRESSION_8, (n, 8); all 0 where nobody voted for an expression."""
    votes = np.nan_to_num(faces.votes[:, :VOTES])
    return np.asarray(votes / np.maximum(votes.sum(axis=1, keepdims=True), 1), np.float32)


def hard_given_votes(votes: NDArray[np.float32], label: NDArray[np.int64]) -> NDArray[np.float32]:
    """What votes say of the hard label: multinomial logistic regression of one on the other.

    Args:
        votes: (n, 8) shares.
        label: (n,) positions in EXPRESSION_7.

    Returns:
        (n, 7) float32, rows sum to 1.
    """
    inputs = np.column_stack([votes, np.ones(len(votes))]).astype(np.float64)  # (n, 9), the last for the bias
    truth = np.eye(EXPRESSIONS)[label]

    def predicted(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        powers = np.exp(inputs @ weights.reshape(-1, EXPRESSIONS))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float64)

    def loss_and_slope(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        given = predicted(weights)
        slope = inputs.T @ (given - truth) / len(truth) + 2 * SHRINK * weights.reshape(-1, EXPRESSIONS)
        return -float(np.log((given * truth).sum(axis=1)).mean()) + SHRINK * float(weights @ weights), slope.ravel()

    start = np.zeros(inputs.shape[1] * EXPRESSIONS)
    return predicted(minimize(loss_and_slope, start, jac=True, method="L-BFGS-B").x).astype(np.float32)


def examples(faces: Faces, config: Config) -> Examples:
    """Training rows with both targets side by side, (n, 7 + 8)."""
    faces = faces[fer2013.shows_a_face(faces)]
    votes = shares(faces)
    hard = np.eye(EXPRESSIONS, dtype=np.float32)[faces.label]
    mixed = config.hard_share * hard + (1 - config.hard_share) * hard_given_votes(votes, faces.label)
    images = torch.from_numpy(faces.images(fer2013.SIDE))[:, None]
    return Examples(images, torch.from_numpy(np.concatenate([mixed, votes], axis=1)))


def loss(outputs: Tensor, targets: Tensor, votes_weight: float) -> Tensor:
    """Cross-entropy of both heads against their distributions."""
    hard = cross_entropy(outputs[:, :EXPRESSIONS], targets[:, :EXPRESSIONS])
    return hard + votes_weight * cross_entropy(outputs[:, EXPRESSIONS:], targets[:, EXPRESSIONS:])


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
        resized = nn.functional.interpolate(images, (self.size, self.size), mode="bilinear", align_corners=False)
        outputs: Tensor = self.network(resized)
        return outputs


def validation(network: nn.Module, faces: Faces, images: NDArray[np.uint8]) -> dict[str, float]:
    """Accuracy on the hard label, on the FER+ majority, and calibration of the former."""
    outputs = outputs_of(network, images)
    majority = fer2013.majority(faces)
    named = outputs[:, EXPRESSIONS:].argmax(1)
    return {
        "accuracy": float((outputs[:, :EXPRESSIONS].argmax(1) == faces.label).mean()),
        "accuracy_votes": float((named == majority)[majority >= 0].mean()),
        "ece": calibration_error(softmax(outputs[:, :EXPRESSIONS]), faces.label),
    }


def fit(corpus: Path, folder: Path, config: Config | None = None, report: Report = lines) -> Progress:
    """Fit `compact` on FER2013's Training part, choosing on PublicTest; continues the run that lies in `folder`."""
    config = config or Config()
    faces = fer2013.read(corpus)
    held_out = faces.of_split("PublicTest")
    pictures = held_out.images(fer2013.SIDE)
    torch.manual_seed(config.plan.seed)

    def vary(images: Tensor, targets: Tensor, epoch: int, generator: Generator) -> tuple[Tensor, Tensor]:
        stage = config.stage(epoch)
        return augment(images, targets, stage.augmentation, stage.size, generator)

    return loop.fit(
        Compact(),
        examples(faces.of_split("Training"), config),
        config.plan,
        loss=lambda outputs, targets: loss(outputs, targets, config.votes_weight),
        augment=vary,
        validate=lambda network: validation(At(network, config.size), held_out, pictures),
        folder=folder,
        report=report,
    )


class Shipped(nn.Module):
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


def ship(corpus: Path, folder: Path, path: Path, config: Config | None = None) -> tuple[float, float]:
    """Calibrate the best weights of a run on PublicTest and write them as ONNX.

    Returns:
        The temperatures of the 7-way and the 8-way head.
    """
    faces = fer2013.read(corpus).of_split("PublicTest")
    images = faces.images(fer2013.SIDE)
    network = At(load_weights(folder / "best", Compact()), (config or Config()).size).eval()
    outputs = outputs_of(network, images)
    temperatures = (
        temperature(outputs[:, :EXPRESSIONS], faces.label),
        temperature(outputs[:, EXPRESSIONS:], fer2013.majority(faces)),
    )
    example = torch.from_numpy(images[:64])[:, None].float()
    export(Shipped(network, *temperatures), example, path, "images", (EXPRESSION_7.name, EXPRESSION_8.name))
    return temperatures
