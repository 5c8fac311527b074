"""A frame network learnt from still pictures alone, stopped where it names most clips right.

    FER2013 (+ TFD) ─without what the clips show, registered where landmarks are given, without light─▶ pictures ─▶ network
    each epoch: frames of the validation clips ─network, mean of their softmax─▶ accuracy of clips ─highest─▶ the network kept

Source: Kahou et al. 2015, EmoNets, section 3.1, on TFD and the set from image search that became FER2013.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F  # noqa: N812

from emotrace.corpora import fer2013
from emotrace.corpora.table import Faces
from emotrace.errors import InputError
from emotrace.learn import fit as loop
from emotrace.learn.augment import crops_of
from emotrace.learn.checkpoint import load_weights
from emotrace.learn.fit import Examples
from emotrace.learn.light import unlit
from emotrace.learn.log import Report, lines
from emotrace.learn.losses import cross_entropy
from emotrace.learn.networks.convnet1 import DECAYS, INPUT, RATE_FACTORS, Centred, ConvNet1
from emotrace.learn.plan import Plan
from emotrace.learn.predict import outputs_of
from emotrace.learn.registered_tubes import MEAN_FACE
from emotrace.learn.registration import crops, each, inner
from emotrace.scheme import EXPRESSION_7

SIDE = fer2013.SIDE
HELD_OUT = ("PublicTest", "PrivateTest")
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


def read(pictures: Sequence[Faces]) -> Stills:
    """Pictures to learn from: those that are labelled, show a face and are not held out (FER2013's PublicTest and PrivateTest).

    Args:
        pictures: FER2013, TFD, ...; without what the clips show, as `emotrace.corpora.paired.unshown` gives them.

    Raises:
        InputError: no picture is left.
    """
    parts = [faces[learnable(faces)] for faces in pictures]
    parts = [faces for faces in parts if len(faces)]
    if not parts:
        raise InputError("no labelled pictures to learn from; give some, as --stills fer2013=fer2013.csv")
    return Stills(np.concatenate([faces.images(SIDE) for faces in parts]), np.concatenate([faces.label for faces in parts]))


def learnable(faces: Faces) -> NDArray[np.bool_]:
    """Which pictures are learnt from, (n,)."""
    known = (faces.label >= 0) & (faces.label < len(EXPRESSION_7))
    return np.asarray(known & fer2013.shows_a_face(faces) & ~np.isin(faces.split, HELD_OUT), np.bool_)


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
    folder: Path,
    config: ConvNetPlan | None = None,
    report: Report = lines,
) -> nn.Module:
    """ConvNet 1 learnt from stills, of the epoch that names most validation clips right; continues the run in `folder`.

    Args:
        stills: as `prepared` makes them.
        clips: (f, 48, 48) frames of each of n validation clips, registered and unlit.
        labels: (n,) positions in EXPRESSION_7.
        folder: of the run, as `emotrace.learn.fit.fit` keeps it.
        config: constants.
        report: told each epoch's numbers.

    Returns:
        The network in eval mode: (n, 1, 48, 48) grey levels -> (n, 7) logits.

    Raises:
        InputError: no validation clip has a frame, or `folder` holds a run of another plan.
    """
    plan = (config or ConvNetPlan()).plan
    rows = [row for row, clip in enumerate(clips) if len(clip)]
    if not rows:
        raise InputError(f"no validation clip of {len(clips)} clips has a face; stopping early needs some with one")
    frames = [clips[row][np.linspace(0, len(clips[row]) - 1, FRAMES).astype(int)] for row in rows]
    shown, truth = np.concatenate(frames), labels[rows]

    def validate(network: nn.Module) -> dict[str, float]:
        posteriors = frame_posteriors(network, shown).reshape(len(rows), FRAMES, -1).mean(axis=1)
        return {"accuracy": float((posteriors.argmax(axis=1) == truth).mean())}

    torch.manual_seed(plan.seed)
    targets = F.one_hot(torch.from_numpy(stills.label), len(EXPRESSION_7)).float()
    loop.fit(
        Centred(ConvNet1()), Examples(torch.from_numpy(stills.images)[:, None], targets), plan,
        loss=cross_entropy, augment=crops_of(INPUT), validate=validate, folder=folder, report=report,
    )  # fmt: skip
    return trained(folder)


def trained(folder: Path) -> nn.Module:
    """The network kept in the folder of a run, in eval mode.

    Raises:
        InputError: no weights of ConvNet 1 lie there.
    """
    return load_weights(folder / "best", Centred(ConvNet1())).eval()


def frame_posteriors(network: nn.Module, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a network says of each frame, (f, 48, 48) uint8 -> (f, 7); f may be 0."""
    if not len(frames):
        return np.zeros((0, len(EXPRESSION_7)), np.float32)
    return torch.from_numpy(outputs_of(network, frames)).softmax(1).numpy()
