"""`expression_compact`: the network that `analyze` reads expressions with.

    FER2013 Training ─without non-faces─▶ 48 x 48 grey ─┬─augment─▶ Compact ─▶ 7-way and 8-way logits
                                                        └─augment─▶ (a teacher, four times as wide) ─▶ share in the targets
    targets, 7-way: 0.7 hard label + 0.3 what the FER+ votes say of the hard label;  8-way: the FER+ votes

The hard label of FER2013 is noisy, and FER+ names many of the same pictures differently (65 % agreement), so votes are not
used as they are: a logistic regression fitted on the training rows turns a row of votes into the distribution of hard
labels that such votes go with. `Config()` is what the shipped weights were made with. `DISTILLED` fits a teacher on these
targets first; the student then learns from a blend of them and of what the teacher says of the very picture it sees,
augmented alike.

Source: Barsoum et al. 2016 (votes as distribution), Hinton et al. 2015 and Beyer et al. 2022 (distillation, the same view
for both), Tan & Le 2021 (size grows while training).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from emotrace.corpora import fer2013
from emotrace.corpora.table import Faces
from emotrace.learn import fit as loop
from emotrace.learn.augment import Augmentation, augment
from emotrace.learn.checkpoint import load_weights
from emotrace.learn.export import export
from emotrace.learn.fit import Augment, Examples
from emotrace.learn.log import Report, lines
from emotrace.learn.losses import cross_entropy
from emotrace.learn.metrics import calibration_error, softmax, temperature
from emotrace.learn.networks.compact import EXPRESSIONS, Compact
from emotrace.learn.plan import Plan, device_of, precision_of
from emotrace.learn.predict import outputs_of
from emotrace.learn.state import Progress
from emotrace.learn.votes import hard_given_votes, shares
from emotrace.recipes import Published
from emotrace.scheme import EXPRESSION_7, EXPRESSION_8

PUBLISHED = Published(None, "accuracy", "PublicTest", "our own; tuned single VGGs: 73.3 %, Khaireddin & Chen 2021")
HEADS = (EXPRESSION_7, EXPRESSION_8)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of the training.

    Args:
        first: its first epoch, counted from 0.
        size: side at which the network sees the pictures, px; small ones first, since they cost less and teach the coarse.
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
class Run:
    """A network and how it is fitted.

    Args:
        stem, widths, blocks, dropout: of `Compact`.
        stages: sizes and augmentation, by epoch; at the last size the finished network sees faces.
        plan: optimiser and schedule.
    """

    stem: int
    widths: tuple[int, int, int]
    blocks: tuple[int, int, int]
    dropout: float
    stages: tuple[Stage, ...]
    plan: Plan

    def network(self) -> Compact:
        """With fresh weights."""
        return Compact(self.stem, self.widths, self.blocks, self.dropout)

    def stage(self, epoch: int) -> Stage:
        """The stage that an epoch belongs to."""
        return next(stage for stage in reversed(self.stages) if epoch >= stage.first)


SHIPPED = Run(
    stem=24, widths=(48, 96, 192), blocks=(1, 2, 2), dropout=0.3,
    stages=(Stage(0, 32, STRONG), Stage(6, 32, GENTLE), Stage(14, 40, LIGHT)),
    plan=Plan(
        epochs=28, batch=128, rate=0.1, warmup=1.5, weight_decay=5e-4, average=0.999,
        schedule="linear", points=((14, 1.0), (16, 5 / 6), (21, 5 / 9), (28, 0.0)),
    ),
)  # fmt: skip
TEACHER = Run(
    stem=32, widths=(64, 160, 384), blocks=(1, 2, 2), dropout=0.4,
    stages=(Stage(0, 32, STRONG), Stage(12, 40, GENTLE), Stage(26, 44, LIGHT)),
    plan=Plan(
        epochs=32, batch=128, rate=0.1, warmup=1.5, weight_decay=5e-4, average=0.999, precision="bf16", compiled=True,
        schedule="linear", points=((12, 1.0), (32, 0.0)),
    ),
)  # fmt: skip
STUDENT = Run(
    stem=32, widths=(48, 96, 256), blocks=(1, 2, 2), dropout=0.2,
    stages=(Stage(0, 32, STRONG), Stage(20, 40, GENTLE)),
    plan=Plan(
        epochs=70, batch=128, rate=0.1, warmup=1.5, weight_decay=2e-4, average=0.999, precision="bf16", compiled=True,
        schedule="linear", points=((20, 1.0), (70, 0.0)),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Config:
    """Every constant of the recipe.

    Args:
        hard_share: share of the hard label in the 7-way target; the rest is what the votes say of it.
        votes_weight: weight of the 8-way loss beside the 7-way one.
        teacher: fitted first, in the folder's `teacher/`, where it has a share.
        teacher_share: share of the teacher's answer in the student's targets; 0 = no teacher.
        teacher_temperature: softens that answer.
        student: what is shipped.
    """

    hard_share: float = 0.7
    votes_weight: float = 0.6
    teacher: Run = field(default=TEACHER)
    teacher_share: float = 0.0
    teacher_temperature: float = 1.5
    student: Run = field(default=SHIPPED)

    @property
    def plan(self) -> Plan:
        """Of the student."""
        return self.student.plan


DISTILLED = Config(teacher_share=0.7, student=STUDENT)


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
    """Accuracy on the hard label, on the FER+ majority, and calibration of the former."""
    outputs = outputs_of(network, images)
    majority = fer2013.majority(faces)
    named = outputs[:, EXPRESSIONS:].argmax(1)
    return {
        "accuracy": float((outputs[:, :EXPRESSIONS].argmax(1) == faces.label).mean()),
        "accuracy_votes": float((named == majority)[majority >= 0].mean()),
        "ece": calibration_error(softmax(outputs[:, :EXPRESSIONS]), faces.label),
    }


def teaching(teacher: nn.Module, run: Run, temperature: float, share: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Targets that a teacher has a share in.

    Args:
        teacher: trained as `run` says.
        temperature: softens its answers.
        share: of its answer; the rest is the target itself.

    Returns:
        A function of augmented pictures (n, 1, h, w) and targets (n, 15) that gives the new targets.
    """
    device = device_of(run.plan)
    seen = At(teacher, run.stages[-1].size).to(device).eval()

    @torch.no_grad()
    def taught(images: Tensor, targets: Tensor) -> Tensor:
        with precision_of(run.plan, device):
            outputs = seen(images.to(device)).float().cpu() / temperature
        seven, eight = outputs[:, :EXPRESSIONS].softmax(1), outputs[:, EXPRESSIONS:].softmax(1)
        return (1 - share) * targets + share * torch.cat([seven, eight], 1)

    return taught


def varied(run: Run) -> Augment:
    """Augmentation of each stage, at its size."""
    def vary(images: Tensor, targets: Tensor, epoch: int, generator: Generator) -> tuple[Tensor, Tensor]:
        stage = run.stage(epoch)
        return augment(images, targets, stage.augmentation, stage.size, generator)

    return vary


def fit(corpus: Path, folder: Path, config: Config | None = None, report: Report = lines) -> Progress:
    """Fit on FER2013's Training part, a teacher first where it has a share; chosen on PublicTest; continues a run."""
    config = config or Config()
    faces = fer2013.read(corpus)
    lessons, held_out = examples(faces.of_split("Training"), config), faces.of_split("PublicTest")
    if config.teacher_share == 0:
        return fit_one(config.student, lessons, held_out, varied(config.student), folder, config, report)
    fit_one(config.teacher, lessons, held_out, varied(config.teacher), folder / "teacher", config, report)
    teacher = load_weights(folder / "teacher" / "best", config.teacher.network())
    taught = teaching(teacher, config.teacher, config.teacher_temperature, config.teacher_share)

    def with_teacher(images: Tensor, targets: Tensor, epoch: int, generator: Generator) -> tuple[Tensor, Tensor]:
        stage = config.student.stage(epoch)
        images, targets = augment(images, targets, stage.augmentation, fer2013.SIDE, generator)
        return resized(images, stage.size), taught(images, targets)

    return fit_one(config.student, lessons, held_out, with_teacher, folder, config, report)


def fit_one(
    run: Run, lessons: Examples, held_out: Faces, vary: Augment, folder: Path, config: Config, report: Report
) -> Progress:
    """Fit one of the two networks."""
    torch.manual_seed(run.plan.seed)
    pictures = held_out.images(fer2013.SIDE)
    return loop.fit(
        run.network(),
        lessons,
        run.plan,
        loss=lambda outputs, targets: loss(outputs, targets, config.votes_weight),
        augment=vary,
        validate=lambda network: validation(At(network, run.stages[-1].size), held_out, pictures),
        folder=folder,
        report=report,
    )


def trained(folder: Path, config: Config) -> nn.Module:
    """The best student of a run, fed with 48 x 48 grey levels: logits of both heads side by side.

    Raises:
        InputError: no weights of the student lie there.
    """
    student = config.student
    return At(load_weights(folder / "best", student.network()), student.stages[-1].size).eval()


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
    network = trained(folder, config or Config())
    outputs = outputs_of(network, images)
    temperatures = (
        temperature(outputs[:, :EXPRESSIONS], faces.label),
        temperature(outputs[:, EXPRESSIONS:], fer2013.majority(faces)),
    )
    example = torch.from_numpy(images[:64])[:, None].float()
    export(Shipped(network, *temperatures), example, path, "images", (EXPRESSION_7.name, EXPRESSION_8.name))
    return temperatures
