"""What the sound of a clip says of its expression: the audio network of EmoNets.

    clips ─sound_frames─▶ rows at three time scales ─online PCA each─▶ (t, d) ─three RBMs, no labels─▶ AudioNetwork ─▶ (n, 7)

Source: Kahou et al. 2016, EmoNets: Multimodal deep learning approaches for emotion recognition in video, section 3.2.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from emotrace.corpora.clips import Clips
from emotrace.errors import InputError
from emotrace.learn import online_pca
from emotrace.learn.clip_store import ClipStore
from emotrace.learn.nesterov_rmsprop import NesterovRmsprop, bound_norms
from emotrace.learn.networks import rbm
from emotrace.learn.networks.dbn_mlp import AudioNetwork
from emotrace.learn.networks.rbm import Kind, Rbm
from emotrace.learn.online_pca import Projection
from emotrace.learn.precision import computed_in
from emotrace.learn.ranges import Above0, Count, CountOrNone, Counts, From0, Share
from emotrace.learn.sound_frames import WIDTHS, sound_frames
from emotrace.scheme import EXPRESSION_7


@dataclass(frozen=True, slots=True)
class Config:
    """Section 3.2 of the paper; what is not published is marked so.

    Args:
        components: of the online PCA at each time scale; there are 909, 494 and 247 with our features, not 3 x 909.
        whiten: components are brought to unit variance each, or keep their share; not published.
        units: of each hidden layer.
        kinds: of the hidden units, from below.
        rates: learning rates of the machines.
        decays: L2 of the machines.
        persistent: stochastic maximum likelihood; False: CD-1. The paper names both.
        pretraining_epochs: passes of each machine.
        pretraining_batch: rows a step; not published.
        rate: eps of RMSProp.
        momentum: mu.
        mean_square: rho.
        batch: clips a step.
        drop_features: share of the features.
        drop_hidden: share of hidden units; not published.
        largest_norm: of the incoming weights of a unit.
        decay: L2 of the perceptron.
        train_weights: of the largest activations over time.
        test_weights: of the same in test.
        annealed_from: passes after which the rate shrinks. The paper says iterations.
        annealing: factor on the rate in each of them.
        epochs: most passes over the clips; not published.
        patience: passes without a better one on the validation clips until it stops; not published.
        precision: of the matrix products in training; "bf16" is quicker, and taken only, where the processor knows it.

    Raises:
        InputError: units, kinds, rates and decays are of different numbers of layers.
    """

    components: Count = 909
    whiten: bool = False
    units: Counts = (350, 350, 350)
    kinds: tuple[Kind, ...] = ("noisy_relu", "bernoulli", "bernoulli")
    rates: tuple[float, ...] = (6e-4, 5e-4, 1e-3)
    decays: tuple[float, ...] = (2e-3, 2e-4, 2e-4)
    persistent: bool = False
    pretraining_epochs: CountOrNone = 15
    pretraining_batch: Count = 100
    rate: Above0 = 5e-4
    momentum: Share = 0.46
    mean_square: Share = 0.92
    batch: Count = 98
    drop_features: Share = 0.4
    drop_hidden: Share = 0.5
    largest_norm: Above0 = 1.2875
    decay: From0 = 1e-5
    train_weights: tuple[float, ...] = (1.4, 0.6)
    test_weights: tuple[float, ...] = (1.3, 0.7)
    annealed_from: CountOrNone = 50
    annealing: Above0 = 0.99
    epochs: Count = 200
    patience: Count = 40
    precision: Literal["fp32", "bf16"] = "bf16"

    def __post_init__(self) -> None:
        lengths = [len(given) for given in (self.units, self.kinds, self.rates, self.decays)]
        if len(set(lengths)) > 1:
            raise InputError(f"units, kinds, rates and decays of {lengths} layers; expected as many of each")


@dataclass(frozen=True, slots=True)
class Labelled:
    """Clips with sound and label: rows of each, (t, d), and (n,) labels."""

    clips: list[Tensor]
    labels: Tensor


def project(clips: Clips, store: ClipStore, rows: NDArray[np.int64], config: Config) -> list[Projection]:
    """The components of each time scale, found on the clips of some rows."""
    paths = [clips.paths[i] for i in rows]
    return [
        online_pca.fit(lambda scale=scale: (sound_frames(path, store)[scale] for path in paths), config.components)  # type: ignore[misc]
        for scale in range(len(WIDTHS))
    ]


def prepared(clips: Clips, store: ClipStore, row: int, projections: list[Projection], whiten: bool) -> Tensor:
    """What the network sees of one clip: the components of all scales side by side, (t, d)."""
    return torch.from_numpy(components(sound_frames(clips.paths[row], store), projections, whiten))


def components(tables: list[NDArray[np.float32]], projections: list[Projection], whiten: bool) -> NDArray[np.float32]:
    """The components of all scales side by side, (t, w) each -> (t, d)."""
    return np.concatenate([scale.apply(table, whiten) for scale, table in zip(projections, tables, strict=True)], axis=1)


def pretrain(rows: Tensor, config: Config, generator: torch.Generator) -> list[Rbm]:
    """The stack of machines from below, each trained on what the one below it makes of the rows, (n, d)."""
    stack: list[Rbm] = []
    for units, kind, rate, decay in zip(config.units, config.kinds, config.rates, config.decays, strict=True):
        machine = Rbm.start(rows.shape[1], units, kind, generator)
        with computed_in(config.precision):
            rbm.train(
                machine, rows, rate=rate, decay=decay, epochs=config.pretraining_epochs, batch=config.pretraining_batch,
                persistent=config.persistent, generator=generator,
            )  # fmt: skip
        stack.append(machine)
        rows = machine.activity(rows)
    return stack


def labelled(rows: list[Tensor], labels: NDArray[np.int64], chosen: NDArray[np.int64]) -> Labelled:
    """The chosen clips that have sound and one of the seven labels."""
    kept = [i for i in chosen if len(rows[i]) and 0 <= labels[i] < len(EXPRESSION_7)]
    return Labelled([rows[i] for i in kept], torch.from_numpy(labels[kept]))


def tune(
    stack: list[Rbm], train: Labelled, valid: Labelled, config: Config, generator: torch.Generator
) -> tuple[AudioNetwork, int]:
    """The network at its lowest cross-entropy on the validation clips, and after how many passes that was.

    Raises:
        InputError: there are no training clips, or the loss is never finite.
    """
    if not train.clips:
        raise InputError("no training clip has both sound and a label of the seven; the audio network cannot be fitted")
    network = AudioNetwork(
        stack, len(EXPRESSION_7), drop_features=config.drop_features, drop_hidden=config.drop_hidden,
        train_weights=config.train_weights, test_weights=config.test_weights, generator=generator,
    )  # fmt: skip
    optimiser = NesterovRmsprop(network.parameters(), config.rate, config.momentum, config.mean_square)
    best, least, passes = copy.deepcopy(network.state_dict()), math.inf, 0
    for epoch in range(config.epochs):
        for group in optimiser.param_groups:
            group["lr"] = config.rate * config.annealing ** max(0, epoch - config.annealed_from)
        train_once(network, optimiser, train, config, generator)
        with computed_in(config.precision):
            said = logits(network, valid.clips, config.batch)
        loss = float(F.cross_entropy(said, valid.labels)) if valid.clips else -epoch
        if loss < least:
            best, least, passes = copy.deepcopy(network.state_dict()), loss, epoch + 1
        elif epoch + 1 - passes >= config.patience:
            break
    if not passes and config.epochs:
        raise InputError(f"the audio network's loss was never finite; take a lower rate than {config.rate:g}")
    network.load_state_dict(best)
    return network, passes


def train_once(
    network: AudioNetwork, optimiser: NesterovRmsprop, train: Labelled, config: Config, generator: torch.Generator
) -> None:
    """One pass over the training clips in random order; the last batch has those that are left."""
    network.train()
    order = torch.randperm(len(train.clips), generator=generator)
    for start in range(0, len(order), config.batch):
        chosen = order[start : start + config.batch]
        with computed_in(config.precision):   # anew for each step: in it, weights are cast once and kept
            answer = network([train.clips[i] for i in chosen]).float()
        size = sum(layer.weight.square().sum() for layer in network.modules() if isinstance(layer, torch.nn.Linear))
        loss = F.cross_entropy(answer, train.labels[chosen]) + config.decay * size
        optimiser.zero_grad()
        loss.backward()   # type: ignore[no-untyped-call]
        optimiser.step()
        bound_norms(network, config.largest_norm)


@torch.no_grad()
def logits(network: AudioNetwork, clips: list[Tensor], batch: int) -> Tensor:
    """Answers to clips of one row or more, (n, 7)."""
    network.eval()
    answers = [network(clips[start : start + batch]) for start in range(0, len(clips), batch)]
    return torch.cat([torch.zeros(0, len(EXPRESSION_7)), *answers])
