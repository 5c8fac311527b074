"""The four models of EmoNets as parts of a system: faces, sound, motion, mouths.

    faces    registered tubes, 48 px ─ConvNet from stills─▶ frames (f, 7) ─▶ 10 groups (70,) ─RBF SVM
    audio    features at three time scales ─components─▶ (t, 1650) ─stack of RBMs, perceptron, sorted pooling
    activity blocks ─synchrony autoencoder, words─▶ histogram (3000,) ─chi-squared SVM
    mouths   registered tubes, 96 px ─patches, k-means─▶ frames (f, 6400) ─logistic regression, mean

Components, machines, filters, words and centroids are learnt from Train's clips without labels, once for all fits.

Source: Kahou et al. 2016, EmoNets, sections 3.1 to 3.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from emotrace.corpora.clips import Clips
from emotrace.corpora.table import Faces
from emotrace.errors import InputError
from emotrace.learn import activity, audio_dbn, bag_of_mouths, chi_squared, clip_posteriors, stills
from emotrace.learn.arrays import Arrays, as_arrays, restored
from emotrace.learn.bag_of_mouths import Codebook, Mouths, Regression
from emotrace.learn.clip_parts import Features
from emotrace.learn.clip_posteriors import Chosen
from emotrace.learn.clip_store import ClipStore
from emotrace.learn.kept import known_of
from emotrace.learn.labelled import Rows, described
from emotrace.learn.light import unlit
from emotrace.learn.log import Say, say
from emotrace.learn.mark import content, mark
from emotrace.learn.motion_words import SUPER, MotionFeatures
from emotrace.learn.networks.convnet1 import Centred, ConvNet1
from emotrace.learn.networks.dbn_mlp import AudioNetwork
from emotrace.learn.networks.rbm import Rbm
from emotrace.learn.online_pca import Projection
from emotrace.learn.registered_tubes import frames_of_clips
from emotrace.learn.sound_frames import WIDTHS
from emotrace.learn.stills import ConvNetPlan
from emotrace.learn.support_vectors import SupportVectors
from emotrace.scheme import EXPRESSION_7

CLASSES = len(EXPRESSION_7)
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FacePart:
    """Section 3.1: a network that has seen stills alone, and a machine on what it says of a clip's frames.

    Args:
        config: of the network.
        seed: of the machine's folds.
        store: of tubes.
        folder: of the run; the network's own lies in it under a name made of its settings.
        pictures: stills to learn from; not looked at where the network was kept.
        report: told how far it is.
    """

    config: ConvNetPlan
    seed: int
    store: ClipStore
    folder: Path
    pictures: Sequence[Faces] = ()
    report: Say = say
    name: str = "faces"
    modality: str = "face"

    @property
    def settings(self) -> object:
        """The network's constants, and what the stills show and are called."""
        shown = [mark(faces.label, faces.votes, *faces.split, *map(content, faces.pictures)) for faces in self.pictures]
        return self.config, self.seed, shown

    def learn(self, clips: Clips, train: Rows, valid: Rows) -> Arrays:
        """The network's weights: fitted on stills, stopped where it names most of Val's clips right."""
        pictures = stills.read(self.pictures)
        frames = [unlit(clip) for clip in frames_of_clips(clips[valid], stills.SIDE, self.store, report=self.report)]
        ready = stills.Stills(stills.prepared(pictures.images), pictures.label)
        own = self.folder / f"convnet-{mark(self.settings, known_of(clips[valid]))[:8]}"
        network = stills.fit(ready, frames, clips.label[valid], own, self.config)
        return {name: value.numpy() for name, value in network.state_dict().items()}

    def features(self, learnt: Arrays, clips: Clips) -> Features:
        """(70,) a clip; NaN where there is no face."""
        tubes = frames_of_clips(clips, stills.SIDE, self.store, report=self.report)
        return self._described(learnt, [unlit(clip) for clip in tubes])

    def blank(self, learnt: Arrays) -> Features:
        """Of a clip of one frame."""
        return self._described(learnt, [np.zeros((1, stills.SIDE, stills.SIDE), np.uint8)])

    def _described(self, learnt: Arrays, tubes: Sequence[NDArray[np.uint8]]) -> Features:
        network = Centred(ConvNet1())
        network.load_state_dict({name: torch.from_numpy(value) for name, value in learnt.items()})
        return list(clip_posteriors.features_of([stills.frame_posteriors(network.eval(), frames) for frames in tubes]))

    def fit(self, learnt: Arrays, features: Features, labels: Labels, rows: Rows, valid: Rows) -> Arrays:
        """The machine, C and gamma chosen coarse, then fine."""
        chosen = clip_posteriors.search(np.stack(features), labels, rows, valid, seed=self.seed)
        return self._machine(np.stack(features), labels, rows, chosen)

    def refit(self, learnt: Arrays, features: Features, labels: Labels, rows: Rows, fitted: Arrays) -> Arrays:
        """The machine with the same C and gamma."""
        chosen = Chosen(*(float(fitted[f"chosen {name}"]) for name in ("cost", "gamma", "accuracy")))
        return self._machine(np.stack(features), labels, rows, chosen)

    def _machine(self, features: NDArray[np.float32], labels: Labels, rows: Rows, chosen: Chosen) -> Arrays:
        machine = clip_posteriors.machine_of(features, labels, rows, chosen, self.seed)
        return as_arrays(machine) | as_arrays(chosen, "chosen ")

    def answer(self, learnt: Arrays, fitted: Arrays, features: Features) -> NDArray[np.float32]:
        """Posteriors, (n, 7)."""
        return restored(SupportVectors, fitted).posteriors(np.stack(features), CLASSES)


@dataclass(frozen=True, slots=True)
class AudioPart:
    """Section 3.2: the network for sound.

    Args:
        config: its constants.
        seed: of all chance.
        store: of the sound's features.
    """

    config: audio_dbn.Config
    seed: int
    store: ClipStore
    name: str = "audio"
    modality: str = "voice"

    @property
    def settings(self) -> object:
        """Its constants."""
        return self.config, self.seed

    def learn(self, clips: Clips, train: Rows, valid: Rows) -> Arrays:
        """Components of every time scale, and the stack of machines."""
        projections = audio_dbn.project(clips, self.store, train, self.config)
        rows = [audio_dbn.prepared(clips, self.store, row, projections, self.config.whiten) for row in train.tolist()]
        stack = audio_dbn.pretrain(torch.cat(rows), self.config, torch.Generator().manual_seed(self.seed))
        kept: Arrays = {}
        for scale, projection in enumerate(projections):
            kept |= as_arrays(projection, f"scale {scale} ")
        for layer, machine in enumerate(stack):
            kept |= {f"layer {layer} {name}": getattr(machine, name).numpy() for name in ("weights", "visible", "hidden")}
        return kept

    def features(self, learnt: Arrays, clips: Clips) -> Features:
        """(t, d) a clip; t is 0 where there is no sound."""
        projections = self._projections(learnt)
        return [
            np.asarray(audio_dbn.prepared(clips, self.store, row, projections, self.config.whiten).numpy(), np.float32)
            for row in range(len(clips))
        ]

    def blank(self, learnt: Arrays) -> Features:
        """Of a clip of one row."""
        rows = [np.zeros((1, width), np.float32) for width in WIDTHS]
        return [audio_dbn.components(rows, self._projections(learnt), self.config.whiten)]

    def fit(self, learnt: Arrays, features: Features, labels: Labels, rows: Rows, valid: Rows) -> Arrays:
        """The network, stopped where it is best on the validation rows."""
        return self._tuned(learnt, features, labels, rows, valid, self.config)

    def refit(self, learnt: Arrays, features: Features, labels: Labels, rows: Rows, fitted: Arrays) -> Arrays:
        """The network after as many passes."""
        return self._tuned(learnt, features, labels, rows, rows[:0], replace(self.config, epochs=int(fitted["passes"])))

    def answer(self, learnt: Arrays, fitted: Arrays, features: Features) -> NDArray[np.float32]:
        """Posteriors, (n, 7)."""
        network = self._network(self._stack(learnt), torch.Generator().manual_seed(self.seed))
        weights = {name: torch.from_numpy(value) for name, value in fitted.items() if name != "passes"}
        network.load_state_dict(weights)
        heard = [row for row, clip in enumerate(features) if len(clip)]
        found = np.full((len(features), CLASSES), np.nan, np.float32)
        clips = [torch.from_numpy(features[row]) for row in heard]
        found[heard] = audio_dbn.logits(network, clips, self.config.batch).softmax(dim=1).numpy()
        return found

    def _tuned(
        self, learnt: Arrays, features: Features, labels: Labels, rows: Rows, valid: Rows, config: audio_dbn.Config
    ) -> Arrays:
        clips, generator = [torch.from_numpy(clip) for clip in features], torch.Generator().manual_seed(self.seed)
        train, stop = (audio_dbn.labelled(clips, labels, chosen) for chosen in (rows, valid))
        if len(torch.unique(train.labels)) < 2:
            raise InputError(f"{len(train.clips)} training clips with sound, of fewer than two classes; expected two")
        with torch.random.fork_rng(devices=[]):   # dropout has no generator of its own
            torch.manual_seed(self.seed)
            network, passes = audio_dbn.tune(self._stack(learnt), train, stop, config, generator)
        return {name: value.numpy() for name, value in network.state_dict().items()} | {"passes": np.array(passes)}

    def _projections(self, learnt: Arrays) -> list[Projection]:
        return [restored(Projection, learnt, f"scale {scale} ") for scale in range(len(WIDTHS))]

    def _stack(self, learnt: Arrays) -> list[Rbm]:
        def tensor(layer: int, name: str) -> torch.Tensor:
            return torch.from_numpy(np.array(learnt[f"layer {layer} {name}"]))

        return [
            Rbm(tensor(layer, "weights"), tensor(layer, "visible"), tensor(layer, "hidden"), kind)
            for layer, kind in enumerate(self.config.kinds)
        ]

    def _network(self, stack: list[Rbm], generator: torch.Generator) -> AudioNetwork:
        config = self.config
        return AudioNetwork(
            stack, CLASSES, drop_features=config.drop_features, drop_hidden=config.drop_hidden,
            train_weights=config.train_weights, test_weights=config.test_weights, generator=generator,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ActivityPart:
    """Section 3.3: words of motion.

    Args:
        config: its constants.
        seed: of all chance.
        store: of frames and features.
    """

    config: activity.Config
    seed: int
    store: ClipStore
    name: str = "activity"
    modality: str = "scene"

    @property
    def settings(self) -> object:
        """Its constants."""
        return self.config, self.seed

    def learn(self, clips: Clips, train: Rows, valid: Rows) -> Arrays:
        """Filters, components and words."""
        _, _, motion = activity.learn_features(clips, self.store, train, self.seed, self.config)
        words = activity.learn_words(clips, self.store, motion, train, self.seed, self.config)
        return as_arrays(motion) | {"words": words}

    def features(self, learnt: Arrays, clips: Clips) -> Features:
        """(words,) a clip; NaN where there are no pictures."""
        motion, words = restored(MotionFeatures, learnt), np.asarray(learnt["words"], np.float32)
        return list(activity.histograms(clips, self.store, motion, words, self.config))

    def blank(self, learnt: Arrays) -> Features:
        """Of a clip of one super-block."""
        motion, words = restored(MotionFeatures, learnt), np.asarray(learnt["words"], np.float32)
        return [activity.shares(motion.of(np.zeros(SUPER, np.float32)), words)]

    def fit(self, learnt: Arrays, features: Features, labels: Labels, rows: Rows, valid: Rows) -> Arrays:
        """The training histograms, and the C that names most of the validation clips right."""
        table = np.stack(features)
        rows, valid = described(rows, table), described(valid, table)
        said = chi_squared.posteriors(table[valid], table[rows], labels[rows], CLASSES, self.config.costs, self.seed)
        best = int((said.argmax(axis=2) == labels[valid]).sum(axis=1).argmax())
        return {"histograms": table[rows], "labels": labels[rows], "cost": np.array(self.config.costs[best])}

    def refit(self, learnt: Arrays, features: Features, labels: Labels, rows: Rows, fitted: Arrays) -> Arrays:
        """The histograms of other rows, with the same C."""
        table = np.stack(features)
        rows = described(rows, table)
        return {"histograms": table[rows], "labels": labels[rows], "cost": fitted["cost"]}

    def answer(self, learnt: Arrays, fitted: Arrays, features: Features) -> NDArray[np.float32]:
        """Posteriors, (n, 7)."""
        table = np.stack(features)
        seen = described(np.arange(len(table)), table)
        found = np.full((len(table), CLASSES), np.nan, np.float32)
        histograms, labels = np.asarray(fitted["histograms"], np.float32), np.asarray(fitted["labels"], np.int64)
        costs = (float(fitted["cost"]),)
        found[seen] = chi_squared.posteriors(table[seen], histograms, labels, CLASSES, costs, self.seed)[0]
        return found


@dataclass(frozen=True, slots=True)
class MouthPart:
    """Section 3.4: the bag of mouths.

    Args:
        config: its constants.
        seed: of all chance.
        store: of tubes.
        report: told how far it is.
    """

    config: Mouths
    seed: int
    store: ClipStore
    report: Say = say
    name: str = "mouths"
    modality: str = "face"

    @property
    def settings(self) -> object:
        """Its constants."""
        return self.config, self.seed

    def learn(self, clips: Clips, train: Rows, valid: Rows) -> Arrays:
        """Whitening and centroids."""
        frames = frames_of_clips(clips[train], self.config.side, self.store, self.config.frames, self.report)
        book = bag_of_mouths.book_of(frames, self.seed, self.config)
        return {"mean": book.mean, "whitening": book.whitening, "centroids": book.centroids}

    def features(self, learnt: Arrays, clips: Clips) -> Features:
        """(f, 6400) a clip; f is 0 where there is no face."""
        frames = frames_of_clips(clips, self.config.side, self.store, self.config.frames, self.report)
        return bag_of_mouths.features_of(frames, self._book(learnt))

    def blank(self, learnt: Arrays) -> Features:
        """Of a clip of one frame."""
        return bag_of_mouths.features_of([np.zeros((1, self.config.side, self.config.side), np.uint8)], self._book(learnt))

    def _book(self, learnt: Arrays) -> Codebook:
        return Codebook(self.config, *(np.asarray(learnt[name], np.float32) for name in ("mean", "whitening", "centroids")))

    def fit(self, learnt: Arrays, features: Features, labels: Labels, rows: Rows, valid: Rows) -> Arrays:
        """The regression, its cost chosen on the validation rows."""
        return self._regression(features, labels, rows, bag_of_mouths.search(features, labels, rows, valid, self.config))

    def refit(self, learnt: Arrays, features: Features, labels: Labels, rows: Rows, fitted: Arrays) -> Arrays:
        """The regression with the same cost."""
        return self._regression(features, labels, rows, float(fitted["cost"]))

    def _regression(self, features: Features, labels: Labels, rows: Rows, cost: float) -> Arrays:
        return as_arrays(bag_of_mouths.regression(features, labels, rows, cost)) | {"cost": np.array(cost)}

    def answer(self, learnt: Arrays, fitted: Arrays, features: Features) -> NDArray[np.float32]:
        """Posteriors, (n, 7)."""
        return restored(Regression, fitted).of_clips(features)
