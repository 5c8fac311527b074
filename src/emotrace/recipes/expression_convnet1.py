"""`expression_convnet1`: ConvNet 1 of EmoNets on FER2013.

    FER2013 Training ─standardised─▶ random 40 x 40 crops, mirror images ─▶ ConvNet 1 ─▶ 7 logits; measured on the middle crop

Source: Kahou et al. 2015, EmoNets: Multimodal deep learning approaches for emotion recognition in video, section 3.1. There
the network was trained on TFD and a web set, on faces registered and cleared of light; here it sees FER2013 as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F  # noqa: N812

from emotrace.corpora import fer2013
from emotrace.learn import fit as loop
from emotrace.learn.augment import crop_and_flip
from emotrace.learn.fit import Examples
from emotrace.learn.log import Report, lines
from emotrace.learn.losses import cross_entropy
from emotrace.learn.networks.compact import standardise
from emotrace.learn.networks.convnet1 import DECAYS, RATE_FACTORS, ConvNet1
from emotrace.learn.plan import Plan
from emotrace.learn.predict import outputs_of
from emotrace.learn.state import Progress
from emotrace.recipes import Published

PUBLISHED = Published(None, "accuracy", "PublicTest", "Kahou et al. 2015 give no FER2013 score for ConvNet 1 alone")
CROP = 40  # section 3.1


@dataclass(frozen=True, slots=True)
class Config:
    """Constants of the paper.

    Args:
        plan: rate .001 (biases .002), momentum .9, weight decay .004 (fully connected 1); epochs, batch and patience are ours.
    """

    plan: Plan = field(
        default_factory=lambda: Plan(
            epochs=150, batch=128, method="sgd", rate=0.001, momentum=0.9, schedule="constant", warmup=0.0,
            rate_factors=RATE_FACTORS, decays=DECAYS, average=0.999, patience=20,
        )
    )


class Centred(nn.Module):
    """The network on the middle of standardised pictures."""

    def __init__(self, network: ConvNet1) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """(n, 1, h, w) grey levels, h and w at least 40 -> (n, 7) logits."""
        top, left = (images.shape[2] - CROP) // 2, (images.shape[3] - CROP) // 2
        logits: Tensor = self.network(standardise(images)[:, :, top : top + CROP, left : left + CROP])
        return logits


def fit(corpus: Path, folder: Path, config: Config | None = None, report: Report = lines) -> Progress:
    """Fit ConvNet 1 on FER2013's Training part, choosing on PublicTest; continues the run that lies in `folder`."""
    config = config or Config()
    faces = fer2013.read(corpus)
    training, held_out = faces.of_split("Training"), faces.of_split("PublicTest")
    training = training[fer2013.shows_a_face(training)]
    pictures = held_out.images(fer2013.SIDE)
    torch.manual_seed(config.plan.seed)

    def vary(images: Tensor, targets: Tensor, epoch: int, generator: Generator) -> tuple[Tensor, Tensor]:
        return crop_and_flip(images, CROP, generator), targets

    return loop.fit(
        Centred(ConvNet1()),
        Examples(torch.from_numpy(training.images())[:, None], F.one_hot(torch.from_numpy(training.label), 7).float()),
        config.plan,
        loss=cross_entropy,
        augment=vary,
        validate=lambda network: {"accuracy": float(np.mean(outputs_of(network, pictures).argmax(1) == held_out.label))},
        folder=folder,
        report=report,
    )
