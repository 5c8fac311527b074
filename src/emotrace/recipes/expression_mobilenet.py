"""`expression_mobilenet`: face recognition's MobileNet, taught expressions.

    MobileNet of 9,131 people's faces ─┐
    FER2013 Training ─augment─▶ 128 px ┼▶ fitted ─▶ 7-way and 8-way logits ─8 bits─▶ ONNX
    a large network's answers ─────────┘  (`TAUGHT`, which is what is shipped)

Whoever has learnt to tell people apart has learnt faces; on 28,000 pictures that is worth more than any schedule. Weights and
activations in 8 bits make 128 px as quick as 48 px are without. The teacher is slow, so a round shows a few views of every
picture many times; the next one goes on with others.

Source: Knyazev et al. 2017 (networks of face recognition fine-tuned on FER2013); Savchenko 2019 (the weights to start from);
learn/two_heads.py for targets.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from emotrace.corpora import fer2013
from emotrace.errors import InputError, WeightsError
from emotrace.learn import taught, two_heads
from emotrace.learn.augment import Augmentation
from emotrace.learn.checkpoint import load_weights
from emotrace.learn.log import Report, lines
from emotrace.learn.mark import mark
from emotrace.learn.networks import face_densenet
from emotrace.learn.networks.face_mobilenet import FEATURES, OUTPUTS, FaceMobileNet, pretrained
from emotrace.learn.plan import Plan, device_of
from emotrace.learn.precision import dtype_of
from emotrace.learn.quantise import restored
from emotrace.learn.ranges import CountOrNone, From0, Share
from emotrace.learn.state import Progress
from emotrace.learn.taught import Lesson, Student, Teacher, Teaching
from emotrace.learn.two_heads import GENTLE, LIGHT, At, Stage, Stages
from emotrace.learn.two_heads import HEADS as HEADS
from emotrace.recipes import Published

PUBLISHED = Published(None, "accuracy", "PublicTest", "our own; tuned single VGGs: 73.3 %, Khaireddin & Chen 2021")
PROJECTOR = "projector"  # of `Student`, in the names of its parameters
SHIPPED_AS = "network.network."  # how names of weights begin in what `ship` writes
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
        further: of more rounds: each begins with the last average of the round before, and its own seed shows other views.
        begin: ONNX file that this recipe has shipped, whose weights are begun with; "": those of face recognition.

    Raises:
        InputError: a teacher's views come again in another stage, where what is kept of them would be of other pictures.
    """

    hard_share: Share = 0.7
    votes_weight: From0 = 0.6
    fixed: CountOrNone = 1
    dropout: Share = 0.4
    teaching: Teaching | None = None
    stages: Stages = (Stage(0, 128, GENTLE), Stage(12, 128, LIGHT))
    plan: Plan = FINE
    further: tuple[Plan, ...] = ()
    begin: str = ""

    def __post_init__(self) -> None:
        again = [plan.cycle for plan in (self.plan, *self.further) if 0 < plan.cycle < plan.epochs]
        if self.teaching and again and len(self.stages) > 1:
            raise InputError(
                f"views that a teacher is asked about come again after {again[0]} epochs, but {len(self.stages)} stages show "
                "them differently; give one stage, or a cycle of 0"
            )

    @property
    def size(self) -> int:
        """Side at which the finished network sees faces, px."""
        return self.stages[-1].size

    def network(self) -> FaceMobileNet:
        """With fresh weights."""
        return FaceMobileNet(self.fixed, self.dropout)

    def begun(self) -> FaceMobileNet:
        """With the weights that are begun with.

        Raises:
            WeightsError: they cannot be fetched, or `begin` is no file of this network.
        """
        return shipped(Path(self.begin), self.network()) if self.begin else pretrained(self.network())

    def learner(self, network: FaceMobileNet) -> nn.Module:
        """The network as it is fitted."""
        return Student(network, FEATURES, face_densenet.FEATURES) if self.teaching else network


BLENDED = Augmentation(
    rotation=15.0, scale=(0.9, 1.2), noise=4.0, contrast=(0.7, 1.3), erase=0.2, mix=0.5, mix_alpha=0.5
)
LONG = replace(FINE, epochs=32, cycle=8, watch="epoch", rate_factors=(("heads", 5.0), (PROJECTOR, 5.0)))
TAUGHT = Config(  # the last average is shipped: PublicTest chooses no epoch
    teaching=Teaching(), stages=(Stage(0, 128, BLENDED),), plan=LONG,
    further=(
        replace(LONG, epochs=12, cycle=6, rate=1.5e-4, seed=1),
        replace(LONG, epochs=24, cycle=6, rate=1.5e-4, seed=2),
    ),
)  # fmt: skip
WIDELY = replace(BLENDED, mix=0.75, mix_alpha=1.0)
FOURTH = Config(  # goes on from what three rounds of TAUGHT gave, which `begin` names; more is blended, and more evenly
    teaching=Teaching(), stages=(Stage(0, 128, WIDELY),),
    plan=replace(LONG, epochs=20, batch=32, cycle=5, rate=1.2e-4, average=0.9995, seed=3),
)  # fmt: skip


def fit(corpus: Path, folder: Path, config: Config | None = None, report: Report = lines) -> Progress:
    """Fit on FER2013's Training part; PublicTest chooses the epoch unless the plan watches that alone; continues a run."""
    config = config or Config()
    teaching, vary, loss = config.teaching, two_heads.varied(config.stages), two_heads.loss_of(config.votes_weight)
    faces = fer2013.read(corpus)
    lessons, held_out = two_heads.examples(faces.of_split("Training"), config.hard_share), faces.of_split("PublicTest")
    torch.manual_seed(config.plan.seed)
    network = config.learner(config.begun())
    if teaching:
        large, loss = teacher(config.plan), taught.loss_of(loss, OUTPUTS, teaching)
    for plan, place in rounds(config, folder):
        shown = vary
        if teaching:
            kept = folder / answers_folder(config.stages, plan, lessons.images.numpy())
            shown = Lesson(vary, large, teaching, plan, len(lessons) // plan.batch, face_densenet.FEATURES, kept)
        progress = two_heads.fit(network, plan, lessons, held_out, shown, config.size, loss, place, report)
    if plan.watch == "epoch":
        progress.best = progress.history[-1]["accuracy"]
    return progress


def rounds(config: Config, folder: Path) -> list[tuple[Plan, Path]]:
    """Every round's plan and where its weights lie: the last one's in the run's folder itself."""
    plans = [config.plan, *config.further]
    if not config.teaching:   # whose network has no projector
        plans = [replace(plan, rate_factors=tuple(p for p in plan.rate_factors if p[0] != PROJECTOR)) for plan in plans]
    return [*((plan, folder / f"round{i}") for i, plan in enumerate(plans[:-1], 1)), (plans[-1], folder)]


def answers_folder(stages: tuple[Stage, ...], plan: Plan, pictures: NDArray[np.uint8]) -> str:
    """Name of the folder with what the teacher said: another one for whatever makes other pictures of other views."""
    return f"teacher-{mark((stages, plan.seed, plan.batch), pictures)}"


def teacher(plan: Plan) -> Teacher:
    """The network that teaches, in half precision where that is quick, compiled."""
    device = device_of(plan)
    network = face_densenet.published().to(device, dtype_of("bf16", device)).requires_grad_(False)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return torch.compile(network, dynamic=False, options={"freezing": True})


def trained(folder: Path, config: Config) -> nn.Module:
    """The best network of a run, fed with 48 x 48 grey levels: logits of both heads side by side.

    Raises:
        InputError: no weights of it lie there.
    """
    return At(load_weights(folder / "best", config.network(), Student.PART), config.size).eval()


def shipped(path: Path, network: FaceMobileNet) -> FaceMobileNet:
    """The network with the weights of a file that `ship` has written.

    Raises:
        WeightsError: it is no such file.
    """
    found = {name: torch.tensor(values) for name, values in restored(path, SHIPPED_AS).items()}
    try:
        network.load_state_dict(found)
    except RuntimeError as error:
        raise WeightsError(f"{path}: not the weights of {type(network).__name__}; expected what this recipe ships") from error
    return network


def ship(corpus: Path, folder: Path, path: Path, config: Config | None = None) -> tuple[float, float]:
    """Calibrate the best weights of a run, write them as ONNX in 8 bits; gives the temperatures of both heads."""
    return two_heads.ship(corpus, trained(folder, config or Config()), path, "int8")
