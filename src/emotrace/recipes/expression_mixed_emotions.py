"""`expression_mixed_emotions`: the MixedEmotions expression CNN on FER2013.

    FER2013 Training ─rotations, shifts, zoom, mirror images─▶ 58.6 M-parameter CNN ─▶ 7 logits

Source: MixedEmotions deliverable D4.6 (2016). Rates and epochs are not given there; those here are ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Generator, Tensor, nn

from emotrace.corpora import fer2013
from emotrace.learn import fer
from emotrace.learn.augment import Augmentation, augment
from emotrace.learn.checkpoint import load_weights
from emotrace.learn.log import Report, lines
from emotrace.learn.networks.compact import standardise
from emotrace.learn.networks.mixed_emotions import MixedEmotions
from emotrace.learn.plan import Plan
from emotrace.learn.state import Progress
from emotrace.recipes import Published
from emotrace.scheme import EXPRESSION_7

PUBLISHED = Published(0.705, "accuracy", "test", "MixedEmotions D4.6 (2016)")
HEADS = (EXPRESSION_7,)


@dataclass(frozen=True, slots=True)
class Config:
    """Constants of the report.

    Args:
        augmentation: rotations of 30 degrees, shifts, zoom, mirror images.
        plan: SGD with momentum and very small weight decay; the numbers are ours. The rate falls, is raised once more at 24,
            and falls again. An epoch takes five minutes of one core.
    """

    augmentation: Augmentation = field(
        default_factory=lambda: Augmentation(
            rotation=30.0, scale=(0.9, 1.1), stretch=0.0, shift=0.1, contrast=(1.0, 1.0), brightness=0.0, noise=0.0,
            erase=0.0, mix=0.0,
        )
    )
    plan: Plan = field(
        default_factory=lambda: Plan(
            epochs=36, batch=128, method="sgd", rate=0.02, momentum=0.9, weight_decay=1e-5, schedule="linear",
            points=((12, 1.0), (24, 0.0), (25, 1.5), (28, 1.5), (36, 0.0)), warmup=0.5, precision="bf16",
        )
    )


class Standardised(nn.Module):
    """The network on standardised pictures."""

    def __init__(self, network: MixedEmotions) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """(n, 1, 48, 48) grey levels -> (n, 7) logits."""
        logits: Tensor = self.network(standardise(images))
        return logits


def fit(corpus: Path, folder: Path, config: Config | None = None, report: Report = lines) -> Progress:
    """Fit the CNN on FER2013's Training part, choosing on PublicTest; continues the run that lies in `folder`."""
    config = config or Config()
    torch.manual_seed(config.plan.seed)

    def vary(images: Tensor, targets: Tensor, epoch: int, generator: Generator) -> tuple[Tensor, Tensor]:
        return augment(images, targets, config.augmentation, fer2013.SIDE, generator)

    return fer.fit(Standardised(MixedEmotions()), fer.read(corpus), config.plan, vary, folder, report)


def trained(folder: Path, config: Config) -> nn.Module:
    """The best network of a run, fed with 48 x 48 grey levels.

    Raises:
        InputError: no weights of the CNN lie there.
    """
    return load_weights(folder / "best", Standardised(MixedEmotions())).eval()
