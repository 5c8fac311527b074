"""What face and voice say, and what they say it by, fused: fitted, kept in a run's folder, and read back to answer.

    posteriors of both ─sum, weights of each class equal or out of Val's confusion matrices─▶ (n, 7)   decisions-....npz
    features of both ─side by side─▶ principal components ─▶ layer and softmax, or SVM ─▶ (n, 7)   reduction, layers, joint .npz

Of a clip that lacks one of the two the other answers alone.

Source: a UPC thesis (2017) on bimodal emotion recognition; see learn/confusion_weights.py and learn/feature_fusion.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.clips import Clips
from emotrace.fuse import mean_pool
from emotrace.learn import arrays, confusion_weights, fusion
from emotrace.learn import feature_fusion as side
from emotrace.learn.answers import Answers
from emotrace.learn.chosen_svm import said_by
from emotrace.learn.labelled import described, labelled
from emotrace.learn.scoreboard import slug
from emotrace.scheme import EXPRESSION_7

CLASSES = len(EXPRESSION_7)
DECISIONS = {"decisions, equal weights": "equal", "decisions, weights by confusion matrix": None,
             "decisions, weights preferring video": "face", "decisions, weights preferring audio": "voice"}  # fmt: skip
PERCEPTRON, MACHINE = "features, 324 to 68, FC 14", "features, 324 to 68, SVM"
FUSIONS = (*DECISIONS, PERCEPTRON, MACHINE)
REDUCTION, LAYERS, JOINT = "reduction.npz", "layers.npz", "joint.npz"
Features = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Model:
    """What a modality says of all clips, (n, 7), and the features it says it by, (n, 256 or 68); NaN where it is not there."""

    name: str
    posteriors: Features
    features: Features


def fit_decisions(face: Model, voice: Model, clips: Clips, folder: Path, seed: int) -> dict[str, Features]:
    """Sums with a weight for each modality and emotion, equal or out of Val's confusion matrices, by name.

    What stands for Val is said of each speaker (or fifth, where speakers are not known) with the weights of the others.
    """
    both, val = answers(face, voice, clips), labelled(clips, "Val")
    said = {}
    for name, preferred in DECISIONS.items():
        equal = np.ones((2, CLASSES), np.float32)
        weights = equal if preferred == "equal" else confusion_weights.weights(both[val], preferred)
        arrays.save(folder / f"{slug(name)}.npz", {"weights": weights})
        said[name] = fused(name, face, voice, folder)
        if preferred != "equal" and len(np.unique(both.group[val])) > 1:
            rule = fusion.Rule(name, fusion.by_confusion(preferred))
            said[name][val] = fusion.out_of_group(rule, both[val], seed)
    return said


def answers(face: Model, voice: Model, clips: Clips) -> Answers:
    """What both say; groups are speakers, or fifths of the clips where these are not known."""
    known = len(np.unique(clips.subject)) > 1
    group = clips.subject if known else np.char.mod("%d", np.arange(len(clips)) % 5)
    posteriors = np.stack([face.posteriors, voice.posteriors])
    return Answers((face.name, voice.name), ("face", "voice"), posteriors, clips.label, group)


def fit_features(
    face: Model, voice: Model, clips: Clips, folder: Path, fit_machine: Callable[[Features, Path], None],
    *, components: int, hidden: int, epochs: int, seed: int,
) -> dict[str, Features]:  # fmt: skip
    """Principal components of both side by side, and a layer with softmax or a machine on them, learnt from Train; by name.

    Args:
        face: with its features.
        voice: the same.
        clips: of both.
        folder: of the run; without a reduction afterwards where Train has fewer than two classes of clips with face and voice.
        fit_machine: fits one on Train's clips out of features (n, components) of all, and keeps it in a file.
        components: that are kept.
        hidden: units of the layer.
        epochs: of the layer.
        seed: of the layer.
    """
    joined = side.side_by_side(face.features, voice.features)
    train = described(labelled(clips, "Train"), joined)
    if len(np.unique(clips.label[train])) > 1:
        reduction = side.fit_reduction(joined[train], components)
        few, labels = reduction.of(joined), clips.label[train]
        arrays.keep(folder / LAYERS, side.fit_perceptron(few[train], labels, CLASSES, hidden, epochs=epochs, seed=seed))
        fit_machine(few, folder / JOINT)
        arrays.keep(folder / REDUCTION, reduction)
    else:
        (folder / REDUCTION).unlink(missing_ok=True)
    return {name: fused(name, face, voice, folder) for name in (PERCEPTRON, MACHINE)}


def fused(name: str, face: Model, voice: Model, folder: Path) -> Features:
    """What the fusion of a name, one of FUSIONS, says, (n, 7), as it lies in the folder."""
    if name in DECISIONS:
        weights = arrays.load(folder / f"{slug(name)}.npz")["weights"]
        return mean_pool(np.stack([face.posteriors, voice.posteriors]), np.asarray(weights, np.float32))
    said = np.full_like(face.posteriors, np.nan)
    if (folder / REDUCTION).is_file():
        few = arrays.loaded(side.Reduction, folder / REDUCTION).of(side.side_by_side(face.features, voice.features))
        layers = arrays.loaded(side.Perceptron, folder / LAYERS)
        said = layers.probabilities(few) if name == PERCEPTRON else said_by(folder / JOINT, few, CLASSES)
    return side.instead(said, face.posteriors, voice.posteriors)
