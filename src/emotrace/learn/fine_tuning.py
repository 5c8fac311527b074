"""Fine-tuning of a network of face recognition on labelled pictures of faces: the last layer is new, all layers learn.

    stills (48 x 48 grey) ─flip, shift, turn─▶ Fed: enlarged, coloured, means off ─▶ network with seven new outputs

Source: Knyazev et al. 2017: fine-tuning on FER2013 with Nesterov's momentum, rate 1e-4 to 5e-4, weight decay 5e-4, momentum .9,
batches of 32, polynomial decay of the rate, 30,000 iterations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torch.nn import functional as F  # noqa: N812

from emotrace.corpora import fer2013
from emotrace.corpora.table import Faces
from emotrace.errors import InputError
from emotrace.learn import fer
from emotrace.learn.augment import Augmentation, geometry
from emotrace.learn.checkpoint import load_weights
from emotrace.learn.log import Report, lines
from emotrace.learn.plan import Plan
from emotrace.learn.precision import Precision
from emotrace.learn.ranges import Above0, Count, From0, Seed, Share
from emotrace.scheme import EXPRESSION_7

HELD_OUT = ("publictest", "privatetest", "val", "test")   # how names of parts begin
SEEN = Augmentation(rotation=10, scale=(0.9, 1.1), stretch=0, shift=0.05)  # ours: what the 18 views vary, and a shift


@dataclass(frozen=True, slots=True)
class FineTuning:
    """Constants of the paper; ours: power and precision.

    Args:
        iterations: steps.
        rate: highest learning rate; 1e-4 to 5e-4, by network.
        momentum: Nesterov's.
        weight_decay: L2.
        batch: pictures a step.
        power: of the polynomial by which the rate falls to 0.
        precision: of the forward pass.
        seed: of all chance.
    """

    iterations: Count = 30_000
    rate: Above0 = 5e-4
    momentum: Share = 0.9
    weight_decay: From0 = 5e-4
    batch: Count = 32
    power: From0 = 1.0
    precision: Precision = "fp32"
    seed: Seed = 0

    def plan(self, pictures: int) -> Plan:
        """The plan of a fit on so many pictures; whole epochs, at least one."""
        epochs = max(1, round(self.iterations * self.batch / pictures))
        return Plan(
            epochs=epochs, batch=self.batch, method="nesterov", rate=self.rate, momentum=self.momentum,
            weight_decay=self.weight_decay, schedule="polynomial", power=self.power, warmup=0.0, average=0.0, clip=1e9,
            seed=self.seed, precision=self.precision,
        )  # fmt: skip


class Fed(nn.Module):
    """A network that is fed with pictures as they lie about.

    Args:
        network: (n, c, size, size) -> (n, k).
        size: side of its input, px.
        means: taken off each channel of 0..255; one for a network of grey pictures, three (red, green, blue) for others.
        factor: by which what is left is multiplied.
    """

    means: Tensor

    def __init__(self, network: nn.Module, size: int, means: Sequence[float], factor: float = 1.0) -> None:
        super().__init__()
        self.network, self.size, self.factor = network, size, factor
        self.register_buffer("means", torch.tensor(means)[:, None, None], persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """(n, 1 or 3, h, w) float32 grey or RGB 0..255 -> (n, k)."""
        if images.shape[2:] != (self.size, self.size):
            images = F.interpolate(images, (self.size, self.size), mode="bilinear", align_corners=False)
        channels = len(self.means)
        if channels == 1 and images.shape[1] == 3:
            images = (images * images.new_tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
        if channels == 3 and images.shape[1] == 1:
            images = images.expand(-1, 3, -1, -1)
        outputs: Tensor = self.network((images - self.means) * self.factor)
        return outputs.flatten(1)


def replace_last(network: nn.Module, last: str, outputs: int) -> None:
    """Put a fresh layer of so many outputs in the place of the last one, in place.

    Args:
        network: whose last layer is fully connected, or a convolution of 1 x 1.
        last: its name, as in `network.named_modules()`.
        outputs: of the new layer; drawn from torch's global generator.

    Raises:
        InputError: there is no such layer, or it is of another kind.
    """
    layers = dict(network.named_modules())
    old, (parent, _, name) = layers.get(last), last.rpartition(".")
    if isinstance(old, nn.Linear):
        new: nn.Module = nn.Linear(old.in_features, outputs)
    elif isinstance(old, nn.Conv2d) and old.kernel_size == (1, 1):
        new = nn.Conv2d(old.in_channels, outputs, 1)
    else:
        kinds = ", ".join(key for key, layer in layers.items() if isinstance(layer, nn.Linear)) or "none"
        raise InputError(f"{last!r} is no fully connected layer of {type(network).__name__}; these are: {kinds}")
    setattr(layers[parent], name, new)


def fine_tune(network: Fed, last: str, stills: Sequence[Faces], how: FineTuning, folder: Path, report: Report = lines) -> Fed:
    """Fine-tune a network on pictures, or take the one that lies fitted in `folder`.

    Args:
        network: with the weights to start from; changed in place.
        last: name of its last layer, which is replaced.
        stills: pictures with the labels of EXPRESSION_7; those that `held_out` names, if any, choose the best epoch, the
            others are learnt from.
        how: constants.
        folder: of this network's run.
        report: told each epoch's numbers.

    Raises:
        InputError: there are no pictures to learn from, or the last layer is no such layer.
    """
    lessons = lessons_of(stills)
    with torch.random.fork_rng():
        torch.manual_seed(how.seed)
        replace_last(network.network, last, len(EXPRESSION_7))
    plan = how.plan(len(lessons.label))
    if len(lessons.label) < plan.batch:
        plan = replace(plan, batch=len(lessons.label))
    fer.fit(network, lessons, plan, varied, folder, report)
    return fine_tuned(network, folder)


def fine_tuned(network: Fed, folder: Path, last: str = "") -> Fed:
    """A network with the weights of a run.

    Args:
        network: of the same kind.
        folder: of the run.
        last: name of its last layer where that still has to be replaced; "": it has been.

    Raises:
        InputError: no weights of such a network lie there.
    """
    if last:
        replace_last(network.network, last, len(EXPRESSION_7))
    load_weights(folder / "best", network)
    network.eval()
    return network


def lessons_of(stills: Sequence[Faces]) -> fer.Lessons:
    """Pictures to learn from and to choose by; without labels beyond EXPRESSION_7, and without what shows no face.

    Where there are none to choose by, a tenth of the others does.

    Raises:
        InputError: there are no pictures to learn from.
    """
    usable = [faces[fer2013.shows_a_face(faces) & (faces.label >= 0) & (faces.label < len(EXPRESSION_7))] for faces in stills]
    learnt, held = [faces[~held_out(faces)] for faces in usable], [faces[held_out(faces)] for faces in usable]
    (images, label), (held_images, held_label) = _pictures(learnt), _pictures(held)
    if not len(label):
        raise InputError("no labelled pictures to learn from; give some, as --stills fer2013=fer2013.csv")
    if not len(held_label):
        tenth = np.arange(len(label)) % 10 == 0
        return fer.Lessons(images[~tenth], label[~tenth], images[tenth], label[tenth])
    return fer.Lessons(images, label, held_images, held_label)


def held_out(faces: Faces) -> NDArray[np.bool_]:
    """Rows of a part that corpora hold out, as PublicTest, val_set or Val_Aligned_Faces, (n,); others may be cameras, too."""
    last = [split.rpartition("/")[2].lower() for split in faces.split.tolist()]
    return np.array([word.startswith(HELD_OUT) for word in last], np.bool_)


def _pictures(tables: Sequence[Faces]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    side = fer2013.SIDE
    images = [faces.images(side) for faces in tables if len(faces)]
    labels = [faces.label for faces in tables if len(faces)]
    return np.concatenate([np.zeros((0, side, side), np.uint8), *images]), np.concatenate([np.zeros(0, np.int64), *labels])


def varied(images: Tensor, targets: Tensor, epoch: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Pictures mirrored, turned, scaled and shifted, whatever the epoch."""
    return geometry(images, SEEN, images.shape[-1], generator), targets
