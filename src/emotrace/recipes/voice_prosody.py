"""`voice_prosody`: what the pitch and quality of a voice say of its expression, beside the network that hears it.

    RAVDESS, nEMO ─voice.prosody─▶ 7 values ─2 hidden layers─▶ 8 logits ─weight─▶ ┐
                                           runs of `voice_emotion` ─▶ 8 logits ──▶ sum ─▶ scores, speakers left out

Log-mel bands are too wide to tell a pitch by, and the network that hears them trusts the timbre of the voices that it knows.
Few values of prosody name fewer expressions, but of a stranger they may say what the network misses: the product of both is
measured. What it gave, and why `voice.emotion` does without it, is in docs/results.md. Runs leave out whom those of
`voice_emotion` leave out, of which two or more have to be there. The weight of prosody is fitted on what is said of speakers
left out, both corpora counting the same; for the scores of a run, on those of the other runs. Valence and arousal are learnt
beside and not used: joined they come no nearer.

Source: Eyben et al. 2016, section 3 (why these values); Genest & Zidek 1986, section 3 (logarithmic pool).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from emotrace.errors import InputError
from emotrace.learn import arrays, facts
from emotrace.learn import fit as loop
from emotrace.learn.fit import Examples
from emotrace.learn.log import Report, lines
from emotrace.learn.metrics import pool_weight
from emotrace.learn.networks.prosody import ProsodyReader
from emotrace.learn.networks.voice import EXPRESSIONS, OUTPUTS
from emotrace.learn.plan import Plan
from emotrace.learn.ranges import From0, Share
from emotrace.learn.state import Progress
from emotrace.learn.voice_manner import Manner
from emotrace.learn.voice_protocol import (
    FILE,
    GROUPS,
    NAMES,
    RECORDINGS,
    SHORT,
    Clips,
    Said,
    cross_scores,
    done_in,
    gathered,
    left_out,
    left_out_by,
    read,
    recordings_of,
    said_before,
    warmth_of,
)
from emotrace.learn.voice_targets import loss_of, targets
from emotrace.recipes import Published

PUBLISHED = Published(
    None, "unweighted recall", "RAVDESS, 20 actors in 5 groups", "our own; with voice_emotion, beside Luna-Jiménez et al. 2022"
)


@dataclass(frozen=True, slots=True)
class Config:
    """Every constant of the recipe.

    Args:
        network: folder of a run of `voice_emotion` on the same corpora, whose answers are joined.
        dropout, noise: of `ProsodyReader`.
        smoothing: share of a label that is spread over the expressions its corpus has.
        affect_weight: of the squared error of valence and arousal, beside the cross-entropy.
        balance: power of the class weights, 1 = all classes count the same.
        plan: of the fit.
    """

    network: str = ""
    dropout: Share = 0.2
    noise: From0 = 0.2
    smoothing: Share = 0.1
    affect_weight: From0 = 1.0
    balance: From0 = 0.5
    plan: Plan = field(
        default=Plan(
            epochs=25, batch=128, method="adamw", rate=3e-3, weight_decay=0.05, warmup=2.0, average=0.995, watch="epoch",
            channels_last=False,
        )
    )  # fmt: skip


def examples(parts: list[Manner], balance: float) -> Examples:
    """All views in which there is a voice, (m, 8), and what is learnt of them; corpora count the same."""
    shown, wanted = [], []
    total = sum(len(part.clips) for part in parts)
    for part in parts:
        goals = targets(part.clips.corpus, balance)
        goals[:, :EXPRESSIONS] *= total / (len(parts) * len(part.clips))
        known = np.isfinite(part.prosody).all(axis=2)
        shown.append(part.prosody[known])
        wanted.append(np.repeat(goals[:, None], part.prosody.shape[1], axis=1)[known])
    return Examples(torch.from_numpy(np.concatenate(shown)), torch.from_numpy(np.concatenate(wanted)))


def fit_on(parts: list[Manner], folder: Path, config: Config, report: Report) -> ProsodyReader:
    """A reader fitted on the corpora; goes on with the run in `folder`. It has the average of the last epoch."""
    torch.manual_seed(config.plan.seed)
    network, lessons = ProsodyReader(dropout=config.dropout, noise=config.noise), examples(parts, config.balance)
    network.range_of(lessons.images)
    loop.fit(
        network, lessons, config.plan, loss=loss_of(config.smoothing, config.affect_weight),
        augment=lambda images, wanted, epoch, generator: (images, wanted), validate=lambda average: {}, folder=folder,
        report=report,
    )  # fmt: skip
    return network.eval()


@torch.no_grad()
def said_of(network: ProsodyReader, prosody: NDArray[np.float32]) -> NDArray[np.float32]:
    """What is read from (n, 8): logits, valence and arousal, (n, 10); 0 where there is no voice."""
    said = np.zeros((len(prosody), OUTPUTS), np.float32)
    known = np.isfinite(prosody).all(axis=1)
    said[known] = network(torch.from_numpy(prosody[known])).numpy()
    return said


def validate_run(actors: Manner, polish: Manner, run: int, folder: Path, config: Config, report: Report) -> None:
    """One run of the cross-validation: fit on the others, and keep what is read of those left out.

    Raises:
        InputError: the run is done, but on other recordings.
    """
    place, known = folder / f"run{run}", recordings_of((actors.clips, polish.clips))
    if (place / FILE).is_file():
        said_before(place, known)
        return
    outside = left_out(actors.clips, polish.clips, run)
    pairs = list(zip((actors, polish), outside, strict=True))
    network = fit_on([part[~rows] for part, rows in pairs], place, config, report)
    said: arrays.Arrays = {RECORDINGS: np.array(known)}
    for name, (part, rows) in zip(NAMES, pairs, strict=True):
        for view, kind in enumerate((name, name + SHORT)):
            said[kind] = said_of(network, part.prosody[rows][:, view])
    arrays.save(place / FILE, said)


def joined(heard: Said, told: Said, weights: dict[str, NDArray[np.float32]], warmth: float) -> Said:
    """What network and prosody say together: the network's logits over its temperature, and those of prosody, weighted.

    Args:
        heard: by the network, by corpus.
        told: by prosody, of the same clips.
        weights: of prosody, (n,) for the clips of each corpus.
        warmth: temperature of the network.
    """
    found: Said = {}
    for name, (outputs, table) in heard.items():
        both, weight = outputs.copy(), weights[name.removesuffix(SHORT)][:, None]
        both[:, :EXPRESSIONS] = outputs[:, :EXPRESSIONS] / np.float32(warmth) + weight * told[name][0][:, :EXPRESSIONS]
        found[name] = both, table
    return found


def weight_of(heard: Said, told: Said, warmth: float, rows: dict[str, NDArray[np.bool_]] | None = None) -> float:
    """The weight of prosody that makes the labels of whole clips most likely, of all or some rows; corpora count the same."""
    parts = [(name, np.flatnonzero(rows[name]) if rows else np.arange(len(heard[name][0]))) for name in NAMES]
    network = np.concatenate([heard[name][0][row, :EXPRESSIONS] for name, row in parts]) / warmth
    prosody = np.concatenate([told[name][0][row, :EXPRESSIONS] for name, row in parts])
    counts = np.concatenate([np.full(len(row), 1 / max(1, len(row))) for _, row in parts])
    truth = np.concatenate([heard[name][1].label[row] for name, row in parts])
    return pool_weight(network.astype(np.float32), prosody, truth, counts)


def crossed(heard: Said, told: Said, runs: dict[str, NDArray[np.int64]], warmth: float) -> dict[str, NDArray[np.float32]]:
    """The weight of prosody for each clip, fitted on what other runs say than the one that left it out; (n,) by corpus."""
    weights = {name: np.zeros(len(row), np.float32) for name, row in runs.items()}
    for run in np.unique(np.concatenate(list(runs.values()))):
        value = weight_of(heard, told, warmth, {name: row != run for name, row in runs.items()})
        for name, row in runs.items():
            weights[name][row == run] = value
    return weights


def fit(corpus: Path, folder: Path, config: Config | None = None, report: Report = lines) -> Progress:
    """Cross-validate beside the network, and fit on all there is; goes on with what lies in `folder`, and writes `scores.json`.

    Args:
        corpus: folder that holds `ravdess` and `nemo`.
        folder: of the runs.
        config: of the recipe; its `network` has to be there.
        report: of each epoch.

    Returns:
        Progress whose best number is the unweighted recall on RAVDESS's actors left out, of network and prosody together.

    Raises:
        InputError: there are not two runs of the network, or they heard other recordings.
    """
    config = config or Config()
    clips = read(corpus)
    runs, heard = answers_of_network(*clips, config)
    actors, polish = (Manner.of(part, folder / f"{name}.npz") for name, part in zip(NAMES, clips, strict=True))
    for run in runs:
        validate_run(actors, polish, run, folder, config, report)
    told, warmth = gathered(*clips, folder, runs), warmth_of(heard)
    weights = crossed(heard, told, left_out_by(*clips, runs), warmth)
    scores = cross_scores(joined(heard, told, weights, warmth))
    each = {"network": cross_scores(heard, warmth), "prosody": cross_scores(told)}
    alone = {f"{name}, {what} alone": value for what, found in each.items() for name, value in found.items()}
    facts.write(folder / facts.SCORES, {**scores, **alone, "weight": weight_of(heard, told, warmth), "temperature": warmth})
    fit_on([actors, polish], folder / "all", config, report)
    return Progress(config.plan.epochs, [], float(str(scores[NAMES[0]]["uar"])), config.plan.epochs)


def answers_of_network(actors: Clips, polish: Clips, config: Config) -> tuple[list[int], Said]:
    """The runs of `voice_emotion` that are done, and what they say of those left out.

    Raises:
        InputError: there are not two that left out actors of RAVDESS, or they heard other recordings.
    """
    place = Path(config.network)
    runs = done_in(place, polish) if config.network else []
    if len([run for run in runs if run < GROUPS]) < 2:
        raise InputError(
            f"got {len(runs)} finished runs of voice_emotion in {config.network or 'no folder'}, expected two or more of the "
            f"first {GROUPS}; give its folder as --set network=FOLDER"
        )
    return runs, gathered(actors, polish, place, runs)
