"""Face recognition's MobileNet, taught expressions.

    MobileNet of 9,131 people's faces ─┐
    FER2013 Training ─augment─▶ 128 px ┴▶ teacher ─what it says of the same picture─┐
                      └─augment─▶ 96 px ─▶ student, which starts where the teacher ended ┴▶ 7-way and 8-way logits

Whoever has learnt to tell people apart has learnt faces; on 28,000 pictures that is worth more than any schedule. The
teacher is fitted on the targets of learn/two_heads.py; the student sees smaller pictures, which is what makes it quick.

Source: Knyazev et al. 2017 (networks of face recognition fine-tuned on FER2013); Savchenko 2019 (the weights to start from);
learn/two_heads.py for targets and distillation.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Generator, Tensor, nn

from emotrace.corpora import fer2013
from emotrace.learn import two_heads
from emotrace.learn.augment import augment
from emotrace.learn.checkpoint import load_weights
from emotrace.learn.log import Report, lines
from emotrace.learn.networks.face_mobilenet import FaceMobileNet, pretrained
from emotrace.learn.plan import Plan
from emotrace.learn.state import Progress
from emotrace.learn.two_heads import GENTLE, LIGHT, At, Stage, resized, stage_of
from emotrace.learn.two_heads import HEADS as HEADS
from emotrace.recipes import Published

PUBLISHED = Published(None, "accuracy", "PublicTest", "our own; tuned single VGGs: 73.3 %, Khaireddin & Chen 2021")
FINE = Plan(
    epochs=16, batch=64, method="adamw", rate=3e-4, warmup=0.5, weight_decay=0.05, average=0.999, precision="bf16",
    rate_factors=(("heads", 5.0),),
)  # fmt: skip
FINER = Plan(
    epochs=5, batch=64, method="adamw", rate=2e-4, warmup=0.3, weight_decay=0.02, average=0.998, precision="bf16",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """One of the two networks and how it is fitted.

    Args:
        fixed, dropout: of `FaceMobileNet`.
        stages: sizes and augmentation, by epoch; at the last size the finished network sees faces.
        plan: optimiser and schedule.
    """

    fixed: int
    dropout: float
    stages: tuple[Stage, ...]
    plan: Plan

    @property
    def size(self) -> int:
        """Side at which the finished network sees faces, px."""
        return self.stages[-1].size

    def network(self) -> FaceMobileNet:
        """With fresh weights."""
        return FaceMobileNet(self.fixed, self.dropout)


@dataclass(frozen=True, slots=True)
class Config:
    """Every constant of the recipe.

    Args:
        hard_share: share of the hard label in the 7-way target; the rest is what the votes say of it.
        votes_weight: weight of the 8-way loss beside the 7-way one.
        teacher: fitted first, in the folder's `teacher/`.
        teacher_share: share of the teacher's answer in the student's targets.
        teacher_temperature: softens that answer.
        student: the quick one.
    """

    hard_share: float = 0.7
    votes_weight: float = 0.6
    teacher: Run = Run(1, 0.4, (Stage(0, 128, GENTLE), Stage(12, 128, LIGHT)), FINE)
    teacher_share: float = 0.3
    teacher_temperature: float = 1.0
    student: Run = Run(1, 0.2, (Stage(0, 96, LIGHT),), FINER)

    @property
    def plan(self) -> Plan:
        """Of the student."""
        return self.student.plan


def fit(corpus: Path, folder: Path, config: Config | None = None, report: Report = lines) -> Progress:
    """Fit the teacher, then the student, on FER2013's Training part; chosen on PublicTest; continues a run."""
    config = config or Config()
    faces = fer2013.read(corpus)
    lessons = two_heads.examples(faces.of_split("Training"), config.hard_share)
    held_out = faces.of_split("PublicTest")
    teacher, student = config.teacher, config.student
    torch.manual_seed(teacher.plan.seed)
    network, vary, weight = pretrained(teacher.network()), two_heads.varied(teacher.stages), config.votes_weight
    two_heads.fit(network, teacher.plan, lessons, held_out, vary, teacher.size, weight, folder / "teacher", report)
    master = load_weights(folder / "teacher" / "best", teacher.network())
    taught = two_heads.teaching(At(master, teacher.size), student.plan, config.teacher_temperature, config.teacher_share)

    def with_teacher(images: Tensor, targets: Tensor, epoch: int, generator: Generator) -> tuple[Tensor, Tensor]:
        stage = stage_of(student.stages, epoch)
        images, targets = augment(images, targets, stage.augmentation, teacher.size, generator)
        return resized(images, stage.size), taught(images, targets)

    network = load_weights(folder / "teacher" / "best", student.network())
    return two_heads.fit(network, student.plan, lessons, held_out, with_teacher, student.size, weight, folder, report)


def trained(folder: Path, config: Config) -> nn.Module:
    """The best student of a run, fed with 48 x 48 grey levels: logits of both heads side by side.

    Raises:
        InputError: no weights of the student lie there.
    """
    return At(load_weights(folder / "best", config.student.network()), config.student.size).eval()


def ship(corpus: Path, folder: Path, path: Path, config: Config | None = None) -> tuple[float, float]:
    """Calibrate the best weights of a run, write them as ONNX in half precision; gives the temperatures of both heads."""
    return two_heads.ship(corpus, trained(folder, config or Config()), path, half=True)
