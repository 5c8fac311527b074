"""`voice_emotion`: the network that `analyze` hears expressions with.

    RAVDESS, nEMO ─log-mel─▶ stretches, varied ─▶ Whisper base, four blocks mixed ─statistics─▶ 8 logits, valence, arousal

The head is fitted first, on what the untouched encoder hears; then all of it, the encoder at a lower rate; then perceptrons of
the encoder are pruned, so that what is shipped is about as small as the whole of tiny.en, which hears English alone. nEMO has
six of the eight expressions: its clips say nothing against the other two. Valence and arousal are derived: the label's place in
the circumplex, nearer to the origin where RAVDESS acted at normal intensity.

Cross-validation leaves speakers out (`learn.voice_protocol`), and they choose nothing: the number of epochs is fixed and the
last average is taken.

Source: Radford et al. 2022 (encoder); Kumar et al. 2022, Fine-Tuning can Distort Pretrained Features (head first).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Generator, Tensor, nn

from emotrace.corpora import ravdess
from emotrace.errors import InputError
from emotrace.learn import arrays, facts
from emotrace.learn import fit as loop
from emotrace.learn.fit import Examples
from emotrace.learn.log import Report, lines
from emotrace.learn.mel_augment import MelAugmentation, augment, speech_of
from emotrace.learn.metrics import score, softmax
from emotrace.learn.networks.voice import VoiceListener
from emotrace.learn.networks.whisper import BASE
from emotrace.learn.networks.whisper_files import SIZES, Name, pretrained
from emotrace.learn.plan import Plan, device_of
from emotrace.learn.precision import computed_in
from emotrace.learn.pruning import pruned
from emotrace.learn.ranges import Above0, Count, CountOrNone, From0, Share
from emotrace.learn.state import Progress
from emotrace.learn.voice_export import export_voice, heard_by
from emotrace.learn.voice_protocol import (
    FILE,
    NAMES,
    RECORDINGS,
    Clips,
    cross_scores,
    gathered,
    left_out,
    outputs_of,
    read,
    recordings_of,
    runs_of,
    said_before,
    said_of,
    shown_of,
    warmth_of,
)
from emotrace.learn.voice_targets import loss_of, targets
from emotrace.recipes import Published
from emotrace.scheme import VOICE_EXPRESSION

PUBLISHED = Published(
    0.82, "accuracy", "RAVDESS, 24 actors, subject-wise in 5 folds",
    "Luna-Jiménez et al. 2022, A Proposal for Multimodal Emotion Recognition Using Aural Transformers (wav2vec 2.0 xlsr)",
)


@dataclass(frozen=True, slots=True)
class Config:
    """Every constant of the recipe.

    Args:
        encoder: of Whisper.
        blocks: of it.
        hidden: units of each of its perceptrons that stay in what is shipped; 0: all.
        mixed: what all blocks hear is mixed in shares that are learnt; else the last block's is taken.
        dropout: of what is pooled.
        smoothing: share of a label that is spread over the expressions its corpus has.
        affect_weight: of the squared error of valence and arousal, beside the cross-entropy.
        balance: power of the class weights, 1 = all classes count the same.
        turns: epochs in which all of nEMO is heard once, so that RAVDESS, which is smaller, counts the same.
        augmentation: how clips are varied.
        head_passes: over the clips, heard by the untouched encoder, to fit the head on.
        head_epochs: over what was heard.
        head_rate: highest learning rate of the head alone.
        plan: of the fine-tuning.

    Raises:
        InputError: the encoder's perceptrons have fewer units than are to stay.
    """

    encoder: Name = "base"
    blocks: Annotated[int, Field(ge=1, le=BASE.blocks)] = 4
    hidden: CountOrNone = 960
    mixed: bool = True
    dropout: Share = 0.3
    smoothing: Share = 0.1
    affect_weight: From0 = 1.0
    balance: From0 = 0.5
    turns: Count = 3
    augmentation: MelAugmentation = field(default=MelAugmentation())
    head_passes: Count = 2
    head_epochs: Count = 30
    head_rate: Above0 = 3e-3
    plan: Plan = field(
        default=Plan(
            epochs=10, batch=32, method="adamw", rate=3e-4, weight_decay=0.05, warmup=1.5, average=0.995, clip=2.0,
            watch="epoch", precision="bf16", channels_last=False, rate_factors=(("encoder", 0.35),),
        )
    )  # fmt: skip

    def __post_init__(self) -> None:
        if self.hidden > (units := SIZES[self.encoder].hidden):   # said before hours of fitting, not after
            raise InputError(f"hidden is {self.hidden}, but perceptrons of {self.encoder} have {units}; give at most that")


TINY = Config(encoder="tiny.en", hidden=0)                          # what was shipped before; see docs/results.md
SHALLOW = Config(encoder="tiny.en", hidden=0, blocks=2, mixed=False)  # quicker and worse than that


class Lessons:
    """Clips of corpora as the loop takes them: rows are places in an epoch, and `vary` makes them into a batch.

    Args:
        clips: of the corpora; all of RAVDESS is heard in each epoch, and others in turns.
        config: of the recipe.
    """

    def __init__(self, clips: Sequence[Clips], config: Config) -> None:
        self.config = config
        self.mels = [mel for part in clips for mel in part.mels]
        self.speech = torch.tensor([speech_of(mel) for mel in self.mels])
        self.wanted = torch.from_numpy(np.concatenate([targets(part.corpus, config.balance) for part in clips]))
        starts = np.cumsum([0, *(len(part) for part in clips)])
        steps = [1 if part.corpus.corpus == ravdess.NAME else config.turns for part in clips]
        places = [np.arange(first, last - step + 1, step) for first, last, step in zip(starts, starts[1:], steps, strict=False)]
        self.step = torch.from_numpy(np.repeat(steps, [len(place) for place in places]))
        first = torch.from_numpy(np.concatenate(places))
        self.examples = Examples(torch.arange(len(first)), self.wanted[first])
        self.first = first

    def vary(self, rows: Tensor, wanted: Tensor, epoch: int, generator: Generator) -> tuple[Tensor, Tensor]:
        """Stretches of the clips whose turn it is, varied: (n, t, 81), and their targets."""
        del wanted
        clips = self.first[rows] + epoch % self.step[rows]
        mels = [self.mels[i] for i in clips.tolist()]
        return augment(mels, self.speech[clips], self.wanted[clips], self.config.augmentation, generator)


def fit_on(clips: Sequence[Clips], folder: Path, config: Config, report: Report) -> VoiceListener:
    """A network fitted on clips; goes on with the run in `folder`. It has the average of the last epoch."""
    torch.manual_seed(config.plan.seed)
    encoder, lessons = pretrained(config.blocks, config.encoder), Lessons(clips, config)
    network = VoiceListener(encoder, config.dropout, config.mixed)
    if not (folder / "last").exists():
        head_first(network, lessons, config)
    loop.fit(
        network, lessons.examples, config.plan, loss=loss_of(config.smoothing, config.affect_weight),
        augment=lessons.vary, validate=lambda average: {}, folder=folder, report=report,
        beside=[recordings_of(clips)],
    )  # fmt: skip
    return network.eval()


def narrowed(network: VoiceListener, clips: Sequence[Clips], config: Config) -> VoiceListener:
    """The network as it is shipped: its perceptrons pruned, by what they hear of clips that it was fitted on."""
    if config.hidden:
        network.encoder = pruned(network.encoder, shown_of(clips), config.hidden)
    return network.eval()


def head_first(network: VoiceListener, lessons: Lessons, config: Config) -> None:
    """Fit the head on what the untouched encoder hears, every position counting the same."""
    nn.init.zeros_(network.pool.last.weight)
    heard, wanted = _heard(network.eval(), lessons, config)
    chance = Generator().manual_seed(config.plan.seed)
    network.train()
    loss = loss_of(config.smoothing, config.affect_weight)
    steps = torch.optim.AdamW(network.head.parameters(), config.head_rate, weight_decay=config.plan.weight_decay)
    total = config.head_epochs * (len(heard) // config.plan.batch)
    decay = torch.optim.lr_scheduler.LinearLR(steps, 1.0, 0.0, total)
    for _ in range(config.head_epochs):
        order = torch.randperm(len(heard), generator=chance)[: len(heard) // config.plan.batch * config.plan.batch]
        for rows in torch.split(order, config.plan.batch):
            value = loss(network.bounded(network.head(heard[rows])), wanted[rows])
            steps.zero_grad()
            torch.autograd.backward(value)
            steps.step()
            decay.step()


@torch.no_grad()
def _heard(network: VoiceListener, lessons: Lessons, config: Config) -> tuple[Tensor, Tensor]:
    """What is pooled of varied clips, (n, 2 width), and their targets, in so many passes."""
    found: list[tuple[Tensor, Tensor]] = []
    for number in range(config.head_passes):
        for batch, wanted in loop.batches(lessons.examples, config.plan, number, lessons.vary):
            with computed_in(config.plan.precision, device_of(config.plan)):
                found.append((network.pooled(batch).float(), wanted))
    heard, wanted = (torch.cat(part) for part in zip(*found, strict=True))
    return heard, wanted


def validate_run(actors: Clips, polish: Clips, run: int, folder: Path, config: Config, report: Report = lines) -> None:
    """One run of the cross-validation: fit on the others, and keep what the network, as shipped, says of those left out.

    Raises:
        InputError: the run is done, but on other recordings.
    """
    place, known = folder / f"run{run}", recordings_of((actors, polish))
    if (place / FILE).is_file():
        said_before(place, known)
        return
    out_actors, out_polish = left_out(actors, polish, run)
    heard = [actors[~out_actors], polish[~out_polish]]
    network = narrowed(fit_on(heard, place, config, report), heard, config)
    export_voice(network, 1.0, shown_of(heard), place / "voice.onnx")
    said = said_of(partial(heard_by, place / "voice.onnx"), (actors[out_actors], polish[out_polish]))
    arrays.save(place / FILE, said | {RECORDINGS: np.array(known)})


def transferred(learnt: Clips, tested: Clips, folder: Path, config: Config, report: Report = lines) -> float:
    """Unweighted recall on one corpus of a network that learnt on the other alone, over the expressions that both have."""
    network = fit_on([learnt], folder, config, report)
    shared = np.intersect1d(learnt.corpus.label, tested.corpus.label)
    common = tested[np.isin(tested.corpus.label, shared)]
    said = softmax(outputs_of(network, common.mels)[:, shared])
    names = tuple(VOICE_EXPRESSION.labels[i] for i in shared)
    return score(said, np.searchsorted(shared, common.corpus.label).astype(np.int64), names).uar


def fit(corpus: Path, folder: Path, config: Config | None = None, report: Report = lines) -> Progress:
    """Cross-validate, transfer, and fit on all there is; goes on with what lies in `folder`, and writes `scores.json` there.

    Args:
        corpus: folder that holds `ravdess` and `nemo`.
        folder: of the runs.
        config: of the recipe.
        report: of each epoch.

    Returns:
        Progress whose best number is the unweighted recall on RAVDESS's actors left out.
    """
    config = config or Config()
    actors, polish = read(corpus)
    for run in runs_of(polish):
        validate_run(actors, polish, run, folder, config, report)
    said = gathered(actors, polish, folder)
    scores: dict[str, object] = dict(cross_scores(said, warmth_of(said)))
    scores["ravdess to nemo"] = transferred(actors, polish, folder / "from_ravdess", config, report)
    scores["nemo to ravdess"] = transferred(polish, actors, folder / "from_nemo", config, report)
    fit_on([actors, polish], folder / "all", config, report)
    facts.write(folder / facts.SCORES, scores)
    uar = cross_scores(said)[NAMES[0]]["uar"]
    return Progress(config.plan.epochs, [], float(str(uar)), config.plan.epochs)


def ship(corpus: Path, folder: Path, path: Path, config: Config | None = None, report: Report = lines) -> tuple[float]:
    """Write the network fitted on everything as ONNX, with the temperature of the clips whose speakers were left out.

    Returns:
        The temperature.
    """
    config = config or Config()
    actors, polish = read(corpus)
    warmth = warmth_of(gathered(actors, polish, folder))
    network = narrowed(fit_on([actors, polish], folder / "all", config, report), [actors, polish], config)
    export_voice(network, warmth, shown_of([actors, polish]), path)
    return (warmth,)
