"""Face recognition's MobileNet, taught expressions.

    MobileNet of 9,131 people's faces ─┐
    FER2013 Training ─augment─▶ 128 px ┼▶ fitted ─▶ 7-way and 8-way logits ─8 bits─▶ ONNX
    a large network's answers ─────────┘  (`TAUGHT`, which is what is shipped)

Whoever has learnt to tell people apart has learnt faces; on 28,000 pictures that is worth more than any schedule. Weights and
activations in 8 bits make 128 px as quick as 48 px are without.

Source: Knyazev et al. 2017 (networks of face recognition fine-tuned on FER2013); Savchenko 2019 (the weights to start from);
learn/two_heads.py for targets.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from emotrace.corpora import fer2013
from emotrace.learn import taught, two_heads
from emotrace.learn.augment import Augmentation
from emotrace.learn.checkpoint import load_weights
from emotrace.learn.log import Report, lines
from emotrace.learn.networks import face_densenet
from emotrace.learn.networks.face_mobilenet import FEATURES, OUTPUTS, FaceMobileNet, pretrained
from emotrace.learn.plan import Plan, device_of
from emotrace.learn.state import Progress
from emotrace.learn.taught import Lesson, Student, Teacher, Teaching
from emotrace.learn.two_heads import GENTLE, LIGHT, At, Stage
from emotrace.learn.two_heads import HEADS as HEADS
from emotrace.recipes import Published

PUBLISHED = Published(None, "accuracy", "PublicTest", "our own; tuned single VGGs: 73.3 %, Khaireddin & Chen 2021")
FINE = Plan(
    epochs=16, batch=64, method="adamw", rate=3e-4, warmup=0.5, weight_decay=0.05, average=0.999, precision="bf16",
    rate_factors=(("heads", 5.0),),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Config:
    """Every constant of the recipe.

    Args:
        hard_share: share of the hard label in the 7-way target; the rest is what the votes say of it.
        votes_weight: weight of the 8-way loss beside the 7-way one.
        fixed, dropout: of `FaceMobileNet`.
        teaching: how much is learnt from `face_densenet`; None: nothing.
        stages: sizes and augmentation, by epoch; at the last size the finished network sees faces.
        plan: optimiser and schedule.
    """

    hard_share: float = 0.7
    votes_weight: float = 0.6
    fixed: int = 1
    dropout: float = 0.4
    teaching: Teaching | None = None
    stages: tuple[Stage, ...] = (Stage(0, 128, GENTLE), Stage(12, 128, LIGHT))
    plan: Plan = FINE

    @property
    def size(self) -> int:
        """Side at which the finished network sees faces, px."""
        return self.stages[-1].size

    def network(self) -> FaceMobileNet:
        """With fresh weights."""
        return FaceMobileNet(self.fixed, self.dropout)

    def learner(self, network: FaceMobileNet) -> nn.Module:
        """The network as it is fitted."""
        return Student(network, FEATURES, face_densenet.FEATURES) if self.teaching else network


BLENDED = Augmentation(
    rotation=15.0, scale=(0.9, 1.2), noise=4.0, contrast=(0.7, 1.3), erase=0.2, mix=0.5, mix_alpha=0.5
)
TAUGHT = Config(  # the last average is shipped: PublicTest chooses no epoch
    teaching=Teaching(), stages=(Stage(0, 128, BLENDED),),
    plan=replace(FINE, epochs=32, cycle=8, watch="epoch", rate_factors=(("heads", 5.0), ("projector", 5.0))),
)  # fmt: skip


def fit(corpus: Path, folder: Path, config: Config | None = None, report: Report = lines) -> Progress:
    """Fit on FER2013's Training part; PublicTest chooses the epoch unless the plan watches that alone; continues a run."""
    config = config or Config()
    plan, teaching = config.plan, config.teaching
    faces = fer2013.read(corpus)
    lessons = two_heads.examples(faces.of_split("Training"), config.hard_share)
    vary, loss = two_heads.varied(config.stages), two_heads.loss_of(config.votes_weight)
    if teaching:
        steps = len(lessons) // plan.batch
        kept = folder / answers_folder(config, len(lessons))
        vary = Lesson(vary, teacher(plan), teaching, plan, steps, face_densenet.FEATURES, kept)
        loss = taught.loss_of(loss, OUTPUTS, teaching)
    torch.manual_seed(plan.seed)
    network = config.learner(pretrained(config.network()))
    progress = two_heads.fit(network, plan, lessons, faces.of_split("PublicTest"), vary, config.size, loss, folder, report)
    if plan.watch == "epoch":
        progress.best = progress.history[-1]["accuracy"]
    return progress


def answers_folder(config: Config, lessons: int) -> str:
    """Name of the folder with what the teacher said: another one for whatever makes other pictures of other views."""
    views = (config.stages, config.plan.seed, config.plan.batch, lessons)
    return f"teacher-{hashlib.sha256(repr(views).encode()).hexdigest()[:16]}"


def teacher(plan: Plan) -> Teacher:
    """The network that teaches, in half precision, compiled."""
    network = face_densenet.published().to(device_of(plan), torch.bfloat16).requires_grad_(False)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return torch.compile(network, dynamic=False, options={"freezing": True})


def trained(folder: Path, config: Config) -> nn.Module:
    """The best network of a run, fed with 48 x 48 grey levels: logits of both heads side by side.

    Raises:
        InputError: no weights of it lie there.
    """
    network = config.network()
    load_weights(folder / "best", config.learner(network))
    return At(network, config.size).eval()


def ship(corpus: Path, folder: Path, path: Path, config: Config | None = None) -> tuple[float, float]:
    """Calibrate the best weights of a run, write them as ONNX in 8 bits; gives the temperatures of both heads."""
    return two_heads.ship(corpus, trained(folder, config or Config()), path, "int8")
