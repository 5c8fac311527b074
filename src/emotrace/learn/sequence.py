"""An LSTM over the features of a clip's frames, with or without shuffling of the frames.

    clips of n_i frames (n_i, d) ─standardised─▶ [frames in random order] ─padded batch─▶ LSTM ─last hidden state─▶ 7 logits

If frames that are shuffled teach as well as frames in order, then it is not the order that was learnt.

Source: Knyazev et al. 2017, the experiment with an LSTM and frame shuffling. Size, optimiser and stopping are ours.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

from emotrace.errors import InputError
from emotrace.learn.ranges import Above0, Count, From0, Seed, Share

Frames = Sequence[NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class LstmPlan:
    """How an LSTM is fitted.

    Args:
        hidden: size of its state.
        dropout: share of its input and of its last state that is dropped while it learns.
        shuffle: frames come in another random order every time a clip is seen in training.
        epochs: passes over the clips, at most.
        patience: epochs without a smaller loss on the validation clips until it stops.
        batch: clips a step.
        rate: of Adam.
        weight_decay: L2.
        seed: of all chance.
    """

    hidden: Count = 128
    dropout: Share = 0.5
    shuffle: bool = False
    epochs: Count = 60
    patience: Count = 10
    batch: Count = 16
    rate: Above0 = 1e-3
    weight_decay: From0 = 1e-4
    seed: Seed = 0


class ClipLstm(nn.Module):
    """An LSTM whose last state is read by one linear layer.

    Args:
        features: d of a frame.
        hidden: size of its state.
        classes: logits.
        dropout: share of input and last state dropped.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, features: int, hidden: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))
        self.lstm = nn.LSTM(features, hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.last = nn.Linear(hidden, classes)

    def forward(self, clips: Sequence[Tensor]) -> Tensor:
        """Logits of b clips of n_i frames, each (n_i, d) with n_i at least 1 -> (b, classes)."""
        lengths = torch.tensor([len(clip) for clip in clips])
        padded = (pad_sequence(list(clips), batch_first=True) - self.mean) / self.scale  # (b, longest, d)
        packed = pack_padded_sequence(self.dropout(padded), lengths, batch_first=True, enforce_sorted=False)
        _, (state, _) = self.lstm(packed)
        logits: Tensor = self.last(self.dropout(state[-1]))
        return logits


def fit(
    clips: Frames,
    labels: NDArray[np.int64],
    train_rows: NDArray[np.int64],
    valid_rows: NDArray[np.int64],
    classes: int,
    plan: LstmPlan | None = None,
) -> ClipLstm:
    """Fit on training clips until the loss on validation clips falls no more; the weights of its least are kept.

    Args:
        clips: n clips, (n_i, d) each; those without frames are left out.
        labels: (n,).
        train_rows: positions of the clips to learn from.
        valid_rows: positions of the clips to stop by.
        classes: number of labels.
        plan: how.

    Raises:
        InputError: no training or no validation clip has frames.
    """
    plan = plan or LstmPlan()
    train, valid = ([int(row) for row in rows if len(clips[row])] for rows in (train_rows, valid_rows))
    if not train or not valid:
        raise InputError(f"{len(train)} training and {len(valid)} validation clips have frames; both need at least one")
    sequences = [torch.from_numpy(np.asarray(clip, np.float32)) for clip in clips]
    truth = torch.from_numpy(labels)
    chance = Generator().manual_seed(plan.seed)
    with torch.random.fork_rng():
        torch.manual_seed(plan.seed)  # weights and dropout draw from the global generator
        network = _start([sequences[row] for row in train], classes, plan)
        steps = torch.optim.Adam(network.parameters(), lr=plan.rate, weight_decay=plan.weight_decay)
        least, since, best = float("inf"), 0, copy.deepcopy(network.state_dict())
        for _ in range(plan.epochs):
            for rows in _batches(train, plan.batch, chance):
                _step(network.train(), steps, [_ordered(sequences[row], plan.shuffle, chance) for row in rows], truth[rows])
            loss = _loss(network.eval(), [sequences[row] for row in valid], truth[valid])
            since += 1
            if loss < least:
                least, since, best = loss, 0, copy.deepcopy(network.state_dict())
            if since >= plan.patience:
                break
    network.load_state_dict(best)
    return network.eval()


@torch.no_grad()
def posteriors(network: ClipLstm, clips: Frames, classes: int, batch: int = 64) -> NDArray[np.float32]:
    """What a fitted LSTM says of clips, frames in their order: n of (n_i, d) -> (n, classes); NaN rows without frames."""
    found = np.full((len(clips), classes), np.nan, np.float32)
    known = [row for row, clip in enumerate(clips) if len(clip)]
    for start in range(0, len(known), batch):
        rows = known[start : start + batch]
        logits = network([torch.from_numpy(np.asarray(clips[row], np.float32)) for row in rows])
        found[rows] = logits.softmax(1).numpy()
    return found


def _start(train: list[Tensor], classes: int, plan: LstmPlan) -> ClipLstm:
    """A fresh network that standardises by the mean and deviation of the training clips' frames."""
    frames = torch.cat(train)
    network = ClipLstm(frames.shape[1], plan.hidden, classes, plan.dropout)
    network.mean.copy_(frames.mean(0))
    deviation = frames.std(0, correction=0)
    network.scale.copy_(torch.where(deviation > 0, deviation, 1.0))
    return network


def _step(network: ClipLstm, steps: torch.optim.Optimizer, clips: list[Tensor], truth: Tensor) -> None:
    steps.zero_grad()
    torch.autograd.backward(F.cross_entropy(network(clips), truth))
    nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    steps.step()


def _batches(rows: list[int], size: int, chance: Generator) -> Iterator[list[int]]:
    order = torch.randperm(len(rows), generator=chance).tolist()
    for start in range(0, len(rows), size):
        yield [rows[i] for i in order[start : start + size]]


def _ordered(clip: Tensor, shuffle: bool, chance: Generator) -> Tensor:
    return clip[torch.randperm(len(clip), generator=chance)] if shuffle else clip


@torch.no_grad()
def _loss(network: ClipLstm, clips: list[Tensor], truth: Tensor) -> float:
    return F.cross_entropy(network(clips), truth).item()
