"""A student that learns from a large network beside its labels.

    batch ─augment─▶ the same pictures ┬▶ teacher: 1,024 features, 7 logits ─kept in a file─▶ part of the targets
                                       └▶ student: 15 logits, features ─linear─▶ likened to the teacher's

A teacher that knows the training set by heart says little more than the labels of it, but what it makes of turned, darkened
and blended pictures it has not learnt, and its features hold more than its answers. It is slow, so the augmented pictures come
again every few epochs (`Plan.cycle`), and what it says of them is asked once.

Source: Hinton et al. 2015 (distillation); Beyer et al. 2022, Knowledge distillation: a good teacher is patient and consistent
(the same view for both, blended pictures); Chen et al. 2022, Knowledge distillation with the reused teacher classifier
(features likened through a projector).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F  # noqa: N812

from emotrace.learn.fit import Augment, Loss
from emotrace.learn.plan import Plan, device_of, view_of
from emotrace.learn.ranges import Above0, From0, Share

ASKED = 16  # pictures at a time: more do not fit the caches of a core
Teacher = Callable[[Tensor], tuple[Tensor, Tensor]]


class Featured(Protocol):
    """A network that can be taught: its features, and what it makes of them."""

    def features(self, images: Tensor) -> Tensor:
        """(n, 1, h, w) -> (n, width)."""
        ...

    def answers(self, features: Tensor) -> Tensor:
        """(n, width) -> (n, k) logits."""
        ...


@dataclass(frozen=True, slots=True)
class Teaching:
    """How much is learnt from the teacher.

    Args:
        share: of its answer in the target of the hard label.
        temperature: softens its answer.
        likeness: weight of the features' likeness beside the loss of the labels.
    """

    share: Share = 0.5
    temperature: Above0 = 1.5
    likeness: From0 = 1.0


class Student(nn.Module):
    """A network that, while it learns, also says what its features are as the teacher's.

    Args:
        network: a module; its logits are this module's outside of training.
        width: of its features.
        teacher_width: of the teacher's.
    """

    PART = "network."  # how names of the network's weights begin in those of this module

    def __init__(self, network: Featured, width: int, teacher_width: int) -> None:
        super().__init__()
        self.network = network
        self.projector = nn.Linear(width, teacher_width)

    def forward(self, images: Tensor) -> Tensor:
        """(n, 1, h, w) -> (n, k) logits; in training (n, k + teacher_width)."""
        features = self.network.features(images)
        logits = self.network.answers(features)
        return torch.cat([logits, self.projector(features)], 1) if self.training else logits


@dataclass(slots=True)
class Lesson:
    """An augmentation whose targets the teacher takes part in; see `emotrace.learn.fit.Augment`.

    Args:
        vary: the augmentation.
        teacher: (n, 1, h, w) -> features (n, width), logits (n, 7).
        teaching: how much of it is learnt.
        plan: of the student; its cycle says how many views there are.
        steps: batches of an epoch.
        width: of the teacher's features.
        folder: gets a file of answers per view; those that lie there are not asked again.
    """

    vary: Augment
    teacher: Teacher
    teaching: Teaching
    plan: Plan
    steps: int
    width: int
    folder: Path
    epoch: int = field(default=-1, init=False)
    step: int = field(default=0, init=False)
    kept: np.memmap[tuple[int, int, int], np.dtype[np.float16]] | None = field(default=None, init=False)

    def __call__(self, images: Tensor, targets: Tensor, epoch: int, generator: Generator) -> tuple[Tensor, Tensor]:
        """Augmented pictures; targets with the teacher's share, and behind them its features."""
        images, targets = self.vary(images, targets, epoch, generator)
        if epoch != self.epoch or self.kept is None:
            self.epoch, self.step, self.kept = epoch, 0, self._opened(view_of(self.plan, epoch), len(images))
        said = self.kept[self.step]
        if np.isnan(said).any():
            said[:] = self._asked(images)
        self.step += 1
        answer = torch.from_numpy(said.astype(np.float32))
        features, logits = answer[:, : self.width], answer[:, self.width :]
        seven = logits.shape[1]
        share = self.teaching.share * (logits / self.teaching.temperature).softmax(1)
        hard = (1 - self.teaching.share) * targets[:, :seven] + share
        return images, torch.cat([hard, targets[:, seven:], features], 1)

    def _opened(self, view: int, batch: int) -> np.memmap[tuple[int, int, int], np.dtype[np.float16]]:
        path, shape = self.folder / f"view{view:02d}.npy", (self.steps, batch, self.width + 7)
        if path.is_file() and (kept := np.lib.format.open_memmap(path, "r+")).shape == shape:
            return kept
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_name("." + path.name)   # a file that is filled in place would be of zeros, were it left half filled
        np.save(draft, np.full(shape, np.nan, np.float16))
        draft.replace(path)
        return np.lib.format.open_memmap(path, "r+")

    @torch.no_grad()
    def _asked(self, images: Tensor) -> np.ndarray[tuple[int, int], np.dtype[np.float16]]:
        parts = [self.teacher(part) for part in torch.split(images.to(device_of(self.plan)), ASKED)]
        answer = torch.cat([torch.cat(part, 1) for part in parts])
        return answer.float().cpu().numpy().astype(np.float16)


def loss_of(labels: Loss, outputs: int, teaching: Teaching) -> Loss:
    """The loss of the labels, and how unlike the features are.

    Features are likened by the cosine between them, each counted from the batch's mean: a student need not find the
    teacher's scale, nor what all faces have in common.

    Args:
        labels: loss of the student's logits and their targets.
        outputs: how many logits there are.
        teaching: gives the weight.
    """
    def loss(given: Tensor, targets: Tensor) -> Tensor:
        found, wanted = (part[:, outputs:] - part[:, outputs:].mean(0) for part in (given, targets))
        likeness = F.cosine_similarity(found, wanted, dim=1).mean()
        return labels(given[:, :outputs], targets[:, :outputs]) + teaching.likeness * (1 - likeness)

    return loss
