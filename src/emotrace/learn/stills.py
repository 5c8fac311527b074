"""A frame network learnt from still pictures alone, stopped where it names most clips right.

    FER2013 (+ TFD) ─without what the clips show, registered where landmarks are given, without light─▶ pictures ─▶ network
    each epoch: frames of the validation clips ─network, mean of their softmax─▶ accuracy of clips ─highest─▶ the network kept

Source: Kahou et al. 2015, EmoNets, section 3.1, on TFD and the set from image search that became FER2013.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torch.nn import functional as F  # noqa: N812

from emotrace.corpora import fer2013, tfd
from emotrace.corpora.table import Faces
from emotrace.errors import InputError
from emotrace.learn import fit as loop
from emotrace.learn.augment import crop_and_flip
from emotrace.learn.checkpoint import load_weights
from emotrace.learn.fit import Examples
from emotrace.learn.log import Report, lines
from emotrace.learn.losses import cross_entropy
from emotrace.learn.networks.convnet1 import DECAYS, INPUT, RATE_FACTORS, Centred, ConvNet1
from emotrace.learn.plan import Plan
from emotrace.learn.predict import outputs_of
from emotrace.learn.registered_tubes import MEAN_FACE, unlit
from emotrace.learn.registration import crops, each, inner
from emotrace.scheme import EXPRESSION_7

SIDE = fer2013.SIDE
FRAMES = 10   # of a validation clip that are looked at after each epoch, spread uniformly


@dataclass(frozen=True, slots=True)
class Stills:
    """Labelled pictures: images (n, 48, 48) uint8, and label (n,) positions in EXPRESSION_7."""

    images: NDArray[np.uint8]
    label: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ConvNetPlan:
    """Constants of the fit.

    Args:
        plan: section 3.1: rate .001 (biases .002), momentum .9, weight decay .004 (fully connected 1), crops of 40 of 48 px
            and mirror images. Ours: batch, epochs, that the rate falls in the last third, the average of weights, precision.
    """

    plan: Plan = field(
        default_factory=lambda: Plan(
            epochs=14, batch=128, method="sgd", rate=0.001, momentum=0.9, schedule="linear", points=((9, 1.0), (14, 0.02)),
            warmup=0.0, rate_factors=RATE_FACTORS, decays=DECAYS, average=0.995, precision="bf16", compiled=True,
        )
    )


def read(fer: Path, toronto: Path | None = None, left_out: Collection[str] = ()) -> Stills:
    """Pictures to learn from: FER2013's Training part without what shows no face, and all labelled pictures of TFD.

    Args:
        fer: fer2013.csv or .parquet.
        toronto: TFD_48x48.mat, where there is one.
        left_out: origins of pictures that are not learnt from, as `corpora.paired.faces_shown` gives them; pictures equal to
            one of them are left out, too.

    Raises:
        InputError: a corpus cannot be read, or no picture is left.
    """
    faces = fer2013.read(fer)
    rows = (faces.split == "Training") & fer2013.shows_a_face(faces) & ~shown_rows(faces, left_out)
    images, label = faces[rows].images(SIDE), faces.label[rows]
    if toronto is not None:
        others = tfd.read(toronto)
        others = others[others.label >= 0]
        images, label = np.concatenate([images, others.images(SIDE)]), np.concatenate([label, others.label])
    if not len(label):
        raise InputError(f"{fer}: no picture is left to learn from; expected FER2013 with a Training part")
    return Stills(images, label)


def shown_rows(faces: Faces, origins: Collection[str]) -> NDArray[np.bool_]:
    """Which pictures are, or equal, one of those with these origins, (n,)."""
    named = np.isin(faces.origin, list(origins))
    if not named.any():
        return named
    digests = np.array([hashlib.sha256(image.tobytes()).hexdigest() for image in faces.images(SIDE)])
    return np.isin(digests, digests[named])


def prepared(images: NDArray[np.uint8], landmarks: NDArray[np.floating] | None = None, seed: int = 0) -> NDArray[np.uint8]:
    """Pictures as the network sees them, (n, 48, 48): registered to the mean face, then without their light.

    Args:
        images: (n, 48, 48) grey levels.
        landmarks: (n, 68, 2) px, as `SmallFaces.landmarks` finds them; pictures with NaN are not registered. None: none is,
            and they have FER2013's framing, to which clips are registered, in the mean only.
        seed: of the noise beyond the edges of registered pictures.
    """
    if landmarks is not None:
        images = crops(images, each(inner(landmarks), MEAN_FACE), SIDE, np.random.default_rng(seed))
    return unlit(images)


def fit(
    stills: Stills,
    clips: Sequence[NDArray[np.uint8]],
    labels: NDArray[np.int64],
    valid_rows: NDArray[np.int64],
    folder: Path,
    config: ConvNetPlan | None = None,
    report: Report = lines,
) -> nn.Module:
    """ConvNet 1 learnt from stills, of the epoch that names most validation clips right; continues the run in `folder`.

    Args:
        stills: as `prepared` makes them.
        clips: (f, 48, 48) frames of each of n clips, registered and unlit; only those of the validation rows are looked at.
        labels: (n,) positions in EXPRESSION_7.
        valid_rows: positions of the validation clips.
        folder: of the run, as `emotrace.learn.fit.fit` keeps it.
        config: constants.
        report: told each epoch's numbers.

    Returns:
        The network in eval mode: (n, 1, 48, 48) grey levels -> (n, 7) logits.

    Raises:
        InputError: no validation clip has a frame, or `folder` holds a run of another plan.
    """
    plan = (config or ConvNetPlan()).plan
    rows = [row for row in valid_rows if len(clips[row])]
    if not rows:
        raise InputError(f"{len(valid_rows)} validation clips without a face; stopping early needs some with one")
    frames = [clips[row][np.linspace(0, len(clips[row]) - 1, FRAMES).astype(int)] for row in rows]
    shown, truth = np.concatenate(frames), labels[rows]

    def validate(network: nn.Module) -> dict[str, float]:
        posteriors = frame_posteriors(network, shown).reshape(len(rows), FRAMES, -1).mean(axis=1)
        return {"accuracy": float((posteriors.argmax(axis=1) == truth).mean())}

    torch.manual_seed(plan.seed)
    targets = F.one_hot(torch.from_numpy(stills.label), len(EXPRESSION_7)).float()
    loop.fit(
        Centred(ConvNet1()), Examples(torch.from_numpy(stills.images)[:, None], targets), plan,
        loss=cross_entropy, augment=cropped, validate=validate, folder=folder, report=report,
    )  # fmt: skip
    return trained(folder)


def trained(folder: Path) -> nn.Module:
    """The network kept in the folder of a run, in eval mode.

    Raises:
        InputError: no weights of ConvNet 1 lie there.
    """
    return load_weights(folder / "best", Centred(ConvNet1())).eval()


def cropped(images: Tensor, targets: Tensor, epoch: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Random crops and mirror images, whatever the epoch."""
    return crop_and_flip(images, INPUT, generator), targets


def frame_posteriors(network: nn.Module, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a network says of each frame, (f, 48, 48) uint8 -> (f, 7); f may be 0."""
    if not len(frames):
        return np.zeros((0, len(EXPRESSION_7)), np.float32)
    return torch.from_numpy(outputs_of(network, frames)).softmax(1).numpy()
