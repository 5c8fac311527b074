"""Face recognition's MobileNet, taught expressions.

    MobileNet of 9,131 people's faces ─┐
    FER2013 Training ─augment─▶ 128 px ┴▶ fitted ─▶ 7-way and 8-way logits ─8 bits─▶ ONNX

Whoever has learnt to tell people apart has learnt faces; on 28,000 pictures that is worth more than any schedule. Weights and
activations in 8 bits make 128 px as quick as 48 px are without.

Source: Knyazev et al. 2017 (networks of face recognition fine-tuned on FER2013); Savchenko 2019 (the weights to start from);
learn/two_heads.py for targets.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from emotrace.corpora import fer2013
from emotrace.learn import two_heads
from emotrace.learn.checkpoint import load_weights
from emotrace.learn.log import Report, lines
from emotrace.learn.networks.face_mobilenet import FaceMobileNet, pretrained
from emotrace.learn.plan import Plan
from emotrace.learn.state import Progress
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
        stages: sizes and augmentation, by epoch; at the last size the finished network sees faces.
        plan: optimiser and schedule.
    """

    hard_share: float = 0.7
    votes_weight: float = 0.6
    fixed: int = 1
    dropout: float = 0.4
    stages: tuple[Stage, ...] = (Stage(0, 128, GENTLE), Stage(12, 128, LIGHT))
    plan: Plan = FINE

    @property
    def size(self) -> int:
        """Side at which the finished network sees faces, px."""
        return self.stages[-1].size

    def network(self) -> FaceMobileNet:
        """With fresh weights."""
        return FaceMobileNet(self.fixed, self.dropout)


def fit(corpus: Path, folder: Path, config: Config | None = None, report: Report = lines) -> Progress:
    """Fit on FER2013's Training part; chosen on PublicTest; continues a run."""
    config = config or Config()
    faces = fer2013.read(corpus)
    lessons = two_heads.examples(faces.of_split("Training"), config.hard_share)
    torch.manual_seed(config.plan.seed)
    return two_heads.fit(
        pretrained(config.network()), config.plan, lessons, faces.of_split("PublicTest"), two_heads.varied(config.stages),
        config.size, config.votes_weight, folder, report,
    )  # fmt: skip


def trained(folder: Path, config: Config) -> nn.Module:
    """The best network of a run, fed with 48 x 48 grey levels: logits of both heads side by side.

    Raises:
        InputError: no weights of it lie there.
    """
    return At(load_weights(folder / "best", config.network()), config.size).eval()


def ship(corpus: Path, folder: Path, path: Path, config: Config | None = None) -> tuple[float, float]:
    """Calibrate the best weights of a run, write them as ONNX in 8 bits; gives the temperatures of both heads."""
    return two_heads.ship(corpus, trained(folder, config or Config()), path, "int8")
