"""`expression_convnet1`: ConvNet 1 of EmoNets on FER2013.

    FER2013 Training ─one contrast─▶ random 40 x 40 crops, mirror images ─▶ ConvNet 1 ─▶ 7 logits; measured on the middle crop

Source: Kahou et al. 2015, EmoNets: Multimodal deep learning approaches for emotion recognition in video, section 3.1. There
the network was trained on TFD and a web set, on faces registered and cleared of light; here it sees FER2013 as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from emotrace.learn import fer
from emotrace.learn.augment import crops_of
from emotrace.learn.checkpoint import load_weights
from emotrace.learn.log import Report, lines
from emotrace.learn.networks.convnet1 import DECAYS, INPUT, RATE_FACTORS, Centred, ConvNet1
from emotrace.learn.plan import Plan
from emotrace.learn.state import Progress
from emotrace.recipes import Published
from emotrace.scheme import EXPRESSION_7

PUBLISHED = Published(None, "accuracy", "PublicTest", "Kahou et al. 2015 give no FER2013 score for ConvNet 1 alone")
HEADS = (EXPRESSION_7,)


@dataclass(frozen=True, slots=True)
class Config:
    """Constants of the paper.

    Args:
        plan: rate .001 (biases .002), momentum .9, weight decay .004 (fully connected 1). Ours: batch, epochs, that the rate
            falls in the last quarter, the average of weights, and the precision.
    """

    plan: Plan = field(
        default_factory=lambda: Plan(
            epochs=60, batch=128, method="sgd", rate=0.001, momentum=0.9, schedule="linear", points=((45, 1.0), (60, 0.02)),
            warmup=0.0, rate_factors=RATE_FACTORS, decays=DECAYS, average=0.995, precision="bf16", compiled=True,
        )
    )


def fit(corpus: Path, folder: Path, config: Config | None = None, report: Report = lines) -> Progress:
    """Fit ConvNet 1 on FER2013's Training part, choosing on PublicTest; continues the run that lies in `folder`."""
    config = config or Config()
    torch.manual_seed(config.plan.seed)
    return fer.fit(Centred(ConvNet1()), fer.read(corpus), config.plan, crops_of(INPUT), folder, report)


def trained(folder: Path, config: Config) -> nn.Module:
    """The best network of a run, fed with 48 x 48 grey levels.

    Raises:
        InputError: no weights of ConvNet 1 lie there.
    """
    return load_weights(folder / "best", Centred(ConvNet1())).eval()
