"""A head trained frame by frame on a frozen trunk's features, and what it says of clips: the mean of their frames' softmax.

    frames' features (f, p, d), p = as seen and augmented ─Adam, cross-entropy─▶ FC layers ─▶ best epoch on held-out clips
    clip ─▶ (f, 7) softmax ─mean─▶ (7,);  last hidden layer (f, 256) ─mean─▶ (256,)

What a frozen trunk gives of a picture never changes, so each frame is augmented a few times beforehand, and every epoch draws
one of its versions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torch.nn import functional as F  # noqa: N812

from emotrace.learn import checkpoint
from emotrace.learn.augment import Augmentation, geometry, light
from emotrace.learn.fit import Examples, fit
from emotrace.learn.log import Report
from emotrace.learn.losses import cross_entropy
from emotrace.learn.networks.heads import Headed
from emotrace.learn.networks.published import freeze
from emotrace.learn.plan import Plan
from emotrace.learn.ranges import Above0, Count, CountOrNone, Counts, Names, Seed, Share
from emotrace.learn.trunks import Run
from emotrace.scheme import EXPRESSION_7

CLASSES = len(EXPRESSION_7)
FAR = 1e9  # a norm that no gradient reaches


@dataclass(frozen=True, slots=True)
class Frames:
    """Features of the frames of several clips.

    Args:
        features: (f, p, d) float32, p versions of each frame, the first as it was seen.
        clip: (f,) int64 row of the corpus that a frame belongs to, rising.
    """

    features: NDArray[np.float32]
    clip: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.clip)

    @classmethod
    def joined(cls, features: Sequence[NDArray[np.float32]], rows: NDArray[np.int64]) -> Frames:
        """Frames of clips, (f, p, d) each with one d; of all clips as many versions are kept as each of them has.

        Args:
            features: of each clip.
            rows: (clips,) where these stand in the corpus.
        """
        versions = min((part.shape[1] for part in features if len(part)), default=1)
        parts = [part[:, :versions] for part in features if len(part)]
        width = features[0].shape[2] if len(features) else 0
        clip = np.repeat(np.asarray(rows, np.int64), [len(part) for part in features])
        return cls(np.concatenate(parts) if parts else np.zeros((0, versions, width), np.float32), clip)


@dataclass(frozen=True, slots=True)
class HeadPlan:
    """How a head is trained.

    Args:
        widths: of its hidden layers; (256,) or (512, 256).
        learning: parts of parameter names that learn; the others keep what they begin with.
        dropout: share dropped behind each hidden layer.
        rate: of Adam; the other constants are its authors' defaults (Kingma & Ba 2015).
        batch: frames a step.
        epochs: at most.
        patience: epochs without a better one until it stops.
        seed: of weights, order, versions and dropout.
    """

    widths: Counts = (256,)
    learning: Names = ("fc",)
    dropout: Share = 0.5
    rate: Above0 = 1e-3
    batch: Count = 32
    epochs: Count = 40
    patience: CountOrNone = 10
    seed: Seed = 0

    @property
    def parameters(self) -> list[str]:
        """Names of the head's parameters, which `learning` has parts of."""
        return [f"fc{layer}.{kind}" for layer in range(1, len(self.widths) + 2) for kind in ("weight", "bias")]


class Standardised(nn.Module):
    """Features less their mean over the training frames, over their deviation; (n, d) -> (n, d)."""

    mean: Tensor
    scale: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    def forward(self, features: Tensor) -> Tensor:
        """(n, d) -> (n, d)."""
        return (features - self.mean) / self.scale


def new_head(width: int, plan: HeadPlan) -> Headed:
    """A head on features of a trunk, with weights drawn from the plan's seed.

    Raises:
        InputError: no layer has one of the names that are to learn.
    """
    with torch.random.fork_rng():
        torch.manual_seed(plan.seed)
        network = Headed(Standardised(width), width, plan.widths, CLASSES, dropout=plan.dropout)
    freeze(network.head, plan.learning)
    return network


def fit_head(
    frames: Frames,
    labels: NDArray[np.int64],
    held_out: Frames,
    folder: Path,
    plan: HeadPlan,
    first: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
    report: Report = lambda numbers: None,
) -> Headed:
    """Train a head frame by frame, and keep the epoch whose clip means are right most often on held-out clips.

    Args:
        frames: to learn from, at least one.
        labels: (n,) of the corpus' clips, 0..6 where frames are.
        held_out: frames of labelled clips that choose the epoch; where there are none, the training clips do.
        folder: of the fit; one that was broken off is gone on with.
        plan: of the fit.
        first: weight (o, d) and bias (o,) that the first layer begins with, as a trunk's own; features are then taken as they
            are, else standardised.
        report: told each epoch's numbers.

    Returns:
        The head of the best epoch, in eval mode.

    Raises:
        InputError: `folder` holds a fit of another plan.
    """
    network = new_head(frames.features.shape[2], plan)
    _begin(network, frames, first)
    judged = held_out if len(held_out) else frames
    targets = F.one_hot(torch.from_numpy(labels[frames.clip]), CLASSES).float()

    def validate(now: nn.Module) -> dict[str, float]:
        assert isinstance(now, Headed)
        said, _ = clips_of(now, judged, len(labels))
        there = ~np.isnan(said).any(axis=1)
        right = said[there].argmax(axis=1) == labels[there]
        return {"accuracy": float(right.mean()), "likelihood": float(np.log(said[there, labels[there]] + 1e-9).mean())}

    steps = Plan(
        epochs=plan.epochs, batch=min(plan.batch, len(frames)), method="adam", rate=plan.rate, weight_decay=0, warmup=0,
        schedule="constant", average=0, clip=FAR, patience=plan.patience, seed=plan.seed, device="cpu",
    )  # fmt: skip
    examples = Examples(torch.from_numpy(frames.features), targets)
    fit(network, examples, steps, loss=cross_entropy, augment=_one_version, validate=validate, folder=folder, report=report)
    checkpoint.load_weights(folder / "best", network)
    return network.eval()


def load_head(folder: Path, width: int, plan: HeadPlan) -> Headed:
    """The head that `fit_head` left in a folder.

    Raises:
        InputError: none lies there, or one of another shape.
    """
    network = new_head(width, plan)
    checkpoint.load_weights(folder / "best", network)
    return network.eval()


def _begin(
    network: Headed, frames: Frames, first: tuple[NDArray[np.float32], NDArray[np.float32]] | None
) -> None:
    if first is not None:
        layer = network.head["fc1"]
        layer.load_state_dict({"weight": torch.from_numpy(first[0]), "bias": torch.from_numpy(first[1])})
        return
    seen = torch.from_numpy(frames.features).flatten(0, 1)
    assert isinstance(network.trunk, Standardised)
    network.trunk.mean.copy_(seen.mean(0))
    deviation = seen.std(0, correction=0)
    network.trunk.scale.copy_(torch.where(deviation > 0, deviation, 1))


def _one_version(features: Tensor, targets: Tensor, epoch: int, chance: Generator) -> tuple[Tensor, Tensor]:
    drawn = torch.randint(features.shape[1], (len(features),), generator=chance)
    return features[torch.arange(len(features)), drawn], targets


@torch.no_grad()
def clips_of(network: Headed, frames: Frames, clips: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What a head says of clips, and the means of its last hidden layer; frames as they were seen.

    Args:
        network: in eval mode.
        frames: of some clips.
        clips: number of clips of the corpus.

    Returns:
        (clips, 7) posteriors and (clips, hidden); NaN for clips without frames.
    """
    hidden = network.before_last(torch.from_numpy(frames.features[:, 0]))
    *_, last = network.head.values()
    posteriors = last(hidden).softmax(1).numpy()
    return clip_means(posteriors, frames.clip, clips), clip_means(hidden.numpy(), frames.clip, clips)


def clip_means(values: NDArray[np.float32], clip: NDArray[np.int64], clips: int) -> NDArray[np.float32]:
    """Mean of the rows of each clip, (f, k) and (f,) -> (clips, k); NaN for a clip without rows."""
    total = np.zeros((clips, values.shape[1]))
    np.add.at(total, clip, values)
    count = np.bincount(clip, minlength=clips)[:, None]
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(count > 0, total / count, np.nan), np.float32)


def varied(
    pictures: NDArray[np.uint8], run: Run, how: Augmentation, versions: int, generator: Generator
) -> NDArray[np.float32]:
    """Features of augmented pictures, (n, size, size, 3) -> (n, versions, d).

    Args:
        pictures: aligned, RGB.
        run: the trunk.
        how: of the augmentation; geometry, contrast, brightness and noise of it are used.
        versions: of each picture, at least one.
        generator: of the augmentation.
    """
    if not len(pictures):
        return np.stack([run(pictures)] * versions, axis=1)
    images, seen = torch.from_numpy(pictures).permute(0, 3, 1, 2), []
    for _ in range(versions):
        changed = light(geometry(images, how, pictures.shape[1], generator), how, generator)
        seen.append(run(np.ascontiguousarray(changed.round().byte().permute(0, 2, 3, 1).numpy())))
    return np.stack(seen, axis=1)
