"""`expression_compact`: a network of emotrace's own that learns expressions from nothing but FER2013.

    FER2013 Training ─without non-faces─▶ 48 x 48 grey ─augment─▶ Compact ─▶ 7-way and 8-way logits
    targets, 7-way: 0.7 hard label + 0.3 what the FER+ votes say of the hard label;  8-way: the FER+ votes

Source: learn/two_heads.py for the targets; Tan & Le 2021 (size grows while training).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from emotrace.corpora import fer2013
from emotrace.learn import two_heads
from emotrace.learn.augment import Augmentation
from emotrace.learn.checkpoint import load_weights
from emotrace.learn.log import Report, lines
from emotrace.learn.networks.compact import Compact
from emotrace.learn.plan import Plan
from emotrace.learn.ranges import Count, From0, Share
from emotrace.learn.state import Progress
from emotrace.learn.two_heads import GENTLE, LIGHT, At, Stage, Stages
from emotrace.learn.two_heads import HEADS as HEADS
from emotrace.recipes import Published

PUBLISHED = Published(None, "accuracy", "PublicTest", "our own; tuned single VGGs: 73.3 %, Khaireddin & Chen 2021")
STRONG = Augmentation()

PLAN = Plan(
    epochs=28, batch=128, rate=0.1, warmup=1.5, weight_decay=5e-4, average=0.999,
    schedule="linear", points=((14, 1.0), (16, 5 / 6), (21, 5 / 9), (28, 0.0)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Config:
    """Every constant of the recipe.

    Args:
        hard_share: share of the hard label in the 7-way target; the rest is what the votes say of it.
        votes_weight: weight of the 8-way loss beside the 7-way one.
        stem, widths, blocks, dropout: of `Compact`.
        stages: sizes and augmentation, by epoch; at the last size the finished network sees faces.
        plan: optimiser and schedule.
    """

    hard_share: Share = 0.7
    votes_weight: From0 = 0.6
    stem: Count = 24
    widths: tuple[Count, Count, Count] = (48, 96, 192)
    blocks: tuple[Count, Count, Count] = (1, 2, 2)
    dropout: Share = 0.3
    stages: Stages = (Stage(0, 32, STRONG), Stage(6, 32, GENTLE), Stage(14, 40, LIGHT))
    plan: Plan = PLAN

    @property
    def size(self) -> int:
        """Side at which the finished network sees faces, px."""
        return self.stages[-1].size

    def network(self) -> Compact:
        """With fresh weights."""
        return Compact(self.stem, self.widths, self.blocks, self.dropout)


def fit(corpus: Path, folder: Path, config: Config | None = None, report: Report = lines) -> Progress:
    """Fit on FER2013's Training part; chosen on PublicTest; continues a run."""
    config = config or Config()
    faces = fer2013.read(corpus)
    torch.manual_seed(config.plan.seed)
    return two_heads.fit(
        config.network(),
        config.plan,
        two_heads.examples(faces.of_split("Training"), config.hard_share),
        faces.of_split("PublicTest"),
        two_heads.varied(config.stages),
        config.size,
        two_heads.loss_of(config.votes_weight),
        folder,
        report,
    )


def trained(folder: Path, config: Config) -> nn.Module:
    """The best network of a run, fed with 48 x 48 grey levels: logits of both heads side by side.

    Raises:
        InputError: no weights of the recipe lie there.
    """
    return At(load_weights(folder / "best", config.network()), config.size).eval()


def ship(corpus: Path, folder: Path, path: Path, config: Config | None = None) -> tuple[float, float]:
    """Calibrate the best weights of a run and write them as ONNX; gives the temperatures of both heads."""
    return two_heads.ship(corpus, trained(folder, config or Config()), path)
