"""NTechLab's system of EmotiW 2017: several face networks, statistics of their features over time, linear machines, one mean.

    frames ─face, or the whole frame─▶ 18 views ─each network─▶ features a frame ─mean, std, min over time─▶ linear SVM ─┐
    sound ─1,582 functionals (IS10)─────────────────────────────────────────────────────────────────────▶ linear SVM ────┴▶ mean
    posteriors' mean x square root of how frequent the classes are ─▶ the answer; in the end fitted on Train and Val

The paper's networks are VGG-Face and three of the company's own; each is fine-tuned on FER2013. Here stand networks that can be
had: a MobileNet of face recognition, fine-tuned likewise, and VGG-Face where the user has its weights; SFace as it is; and two
that were taught expressions on FER2013 from nothing. Nets that saw FER2013 have seen the 168 pictures that Train of the
constructed corpus shows (those fine-tuned here have not: they are taken out of the stills), and the latter two were chosen on
the part of FER2013 that its Val and Test are taken from. SFace and the MobileNet before fine-tuning have seen none of them.

The paper's text was not at hand: constants marked "code" are from the code that its authors published (2017/submission5.py at
github.com/bknyaz/emotiw), those marked "paper" from a description of it, the others are ours. The tables are named after the
paper's; of its figures only those are given that the published code and result file say.

Run as `emotrace train ntechlab --corpus FOLDER --stills fer2013=fer2013.csv --out RUN`. `--config QUICK` is for two cores: two
frames a second in place of all, nothing fine-tuned here, and no network that knows faces alone (`UNTUNED` has two of these);
`--set mobilenet=RUN` takes a network that `emotrace train expression_mobilenet` has fine-tuned on all of FER2013's Training
part, those 168 pictures included; `--set vgg_face=FILE` fine-tunes VGG-Face, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.clips import Clips
from emotrace.corpora.table import Faces
from emotrace.errors import InputError
from emotrace.learn import face_nets, kept_mixture, sequence
from emotrace.learn.aggregation import AGGREGATIONS, Aggregation, Normalisation, aggregate
from emotrace.learn.arrays import going_together
from emotrace.learn.clip_store import ClipStore
from emotrace.learn.fine_tuning import FineTuning
from emotrace.learn.frame_faces import FaceFinder, FaceFinding
from emotrace.learn.frame_features import features_of_clips
from emotrace.learn.kept import Kept
from emotrace.learn.kept_mixture import KeptMixture
from emotrace.learn.labelled import labelled, read
from emotrace.learn.linear_machine import COSTS
from emotrace.learn.log import Say, say
from emotrace.learn.machine_bench import Bench
from emotrace.learn.mixture import Mixture
from emotrace.learn.ranges import Costs, Count, Folds, Names, Seed
from emotrace.learn.scoreboard import Row, Scoreboard, begin, beside_best, published, row, silent
from emotrace.learn.sequence import LstmPlan
from emotrace.learn.stopwatch import Stopwatch
from emotrace.learn.trunks import Trunk
from emotrace.learn.views import EIGHTEEN, PLAIN, View
from emotrace.learn.voice_sets import ABOUT, SETS, first_installed, voice_features
from emotrace.recipes import Published
from emotrace.scheme import EXPRESSION_7

PUBLISHED = Published(0.6003, "accuracy", "Test", "Knyazev et al. 2017, arXiv 1711.04598, submission 5, on AFEW")
HEADS = (EXPRESSION_7,)
CLASSES = len(EXPRESSION_7)
AFEW_TEST = (98, 40, 70, 144, 80, 28, 193)  # clips of each class of AFEW's Test, which the organisers told; code
CLIPS, SYSTEM, VOICE = "clips", "system", "voice"
TABLES = {2: "Table 2: networks and aggregations", 3: "Table 3: what each step is worth", 4: "Table 4: order of frames",
          6: "Table 6: combinations"}  # fmt: skip
FIGURES = {"Val": 185 / 383, "Test": 0.6003}  # of what was submitted, weighted by AFEW's Test; code and result file
STEPS = {
    "no rescaling": Normalisation(rescale=False), "no rootSIFT": Normalisation(root=False),
    "no standardisation": Normalisation(standardise=False), "none of these": Normalisation(False, False, False),
}  # fmt: skip
VOICE_STEPS = Normalisation(root=False)  # code
Features = NDArray[np.float32]
Frames = list[Features]  # (n_i, d) of each clip
FINDING, TUNING, LSTM = FaceFinding(side=128, score=0.3, margin=0.25), FineTuning(precision="bf16"), LstmPlan()


@dataclass(frozen=True, slots=True)
class Config:
    """Constants.

    Args:
        finding: how faces are found; a low threshold, every frame: paper. Crop and threshold are ours.
        tuned: networks that are fine-tuned on stills; see learn/face_nets.py.
        frozen: networks that are taken as they are.
        vgg_face: file of VGG-Face's weights, which is then fine-tuned, too; "" = none.
        mobilenet: folder of a run of the recipe expression_mobilenet, whose network joins; "" = none.
        tuning: paper.
        augmented: features are averaged over 18 views; paper.
        aggregation: of the combination: mean, deviation and least value; code.
        bands: of frequency, where the aggregation has them.
        costs: values of C; code.
        folds: of its choice; code.
        sigmoid_folds: of the probabilities; code.
        voices: sets of voice features, the first whose libraries are installed is taken; IS10: code.
        alike: what counts the same in the mean of scores: every model, or face and voice; ours, chosen on Val.
        prior: counts of the classes whose square roots weigh the answer; () = those of Train. The paper took AFEW_TEST.
        lstm: of the experiment with the order of frames.
        seed: of everything.

    Raises:
        InputError: prior is of other classes, or all of it is 0.
    """

    finding: FaceFinding = FINDING
    tuned: tuple[str, ...] = ("face_mobilenet",)
    frozen: tuple[str, ...] = ("sface", "expression", "compact", "mini_xception")
    vgg_face: str = ""
    mobilenet: str = ""
    tuning: FineTuning = TUNING
    augmented: bool = True
    aggregation: Aggregation = "STAT*"
    bands: Count = 4
    costs: Costs = COSTS
    folds: Folds = 5
    sigmoid_folds: Folds = 3
    voices: Names = ("interspeech2010", "midterm")
    alike: Literal["models", "modalities"] = "modalities"
    prior: tuple[int, ...] = ()
    lstm: LstmPlan = LSTM
    seed: Seed = 0

    def __post_init__(self) -> None:
        if self.prior and (len(self.prior) != CLASSES or min(self.prior) < 0 or not any(self.prior)):
            raise InputError(f"counts {list(self.prior)} of {CLASSES} classes; expected one of 0 or more for each, or none")


QUICK = Config(finding=replace(FINDING, rate=2.0), tuned=(), frozen=("expression", "compact", "mini_xception"))
UNTUNED = replace(QUICK, frozen=(*QUICK.frozen, "face_mobilenet", "sface"))


NOTES = (
    "The system's answer is what the paper submitted, the mean of all, fitted on Train and Val; what counts alike is ours.",
    "The LSTMs are stopped by Val, so Val says too much of them; the machines have seen nothing of Val.",
    "Published: Test as announced, Val as the authors' code says of its own run, both on AFEW. Other figures of the paper's "
    "tables were not at hand.",
)


def fit(
    corpus: Path, folder: Path, config: Config | None = None, stills: Sequence[Faces] = (), report: Say = say
) -> Scoreboard:
    """Train the whole system; what was computed before in the folder is taken from there.

    Args:
        corpus: folder in AFEW's layout, with Train and Val.
        folder: of the run.
        config: constants.
        stills: FER2013, where networks are fine-tuned.
        report: told what is done, and how long it took.

    Raises:
        InputError: the corpus cannot be read, it has no labelled clips in Train, of one class alone, or none in Val, or stills
            are missing.
        MissingExtraError: none of the sets of voice features can be had.
    """
    config = config or Config()
    clips, watch = read(corpus), Stopwatch(folder, report)
    damage = begin(folder, clips, report)
    with watch.time("fine-tuning"):
        found = nets(config, folder, stills, report)
    frames, plain = dict[str, Frames](), dict[str, Frames]()
    for name, net in found.items():
        for seen, views in ((frames, views_of(config)), (plain, PLAIN)):
            with watch.time(f"{name}, {len(views)} views"):
                seen[name] = frames_of(clips, net, folder, config, views, report)
    kind = first_installed(config.voices)
    with watch.time("voice features"):
        voice = voice_features(clips, kind, ClipStore(folder / CLIPS))
    bench = Bench(clips, watch, config.costs, config.folds, config.sigmoid_folds, config.seed)
    alone, singles = single_models(bench, frames, voice, kind, config)
    lines = [*alone, *ablations(bench, frames, plain, singles, config)]
    lines += orders(bench, plain, {name: net.name for name, net in found.items()}, Kept(folder, clips), config)
    lines += combinations(clips, singles, config)
    answer, system = submitted(bench, frames, voice, config)
    fitted = {name: bench.machines[on_both(name)] for name in system.members if on_both(name) in bench.machines}
    kept_mixture.write(folder / SYSTEM, system, fitted, kind)
    notes = (beside_best(alone, answer), *NOTES, *silent(lines), *damage)
    board = Scoreboard("NTechLab 2017", (*lines, answer), answer.name, notes)
    board.write(folder, [f"{name}: {config.aggregation}" for name in found])
    return board


def nets(config: Config, folder: Path, stills: Sequence[Faces] | None, report: Say) -> dict[str, Trunk]:
    """All networks, by name; those to be fine-tuned are, on stills, or come from the run in `folder` where stills are None."""
    names = (*config.tuned, *(("vgg_face",) if config.vgg_face else ()))
    if not (names or config.frozen or config.mobilenet):
        raise InputError("no network is named; give at least one of tuned and frozen")
    files = {"vgg_face": Path(config.vgg_face)} if config.vgg_face else {}
    found = face_nets.of_run(names, folder) if stills is None else face_nets.tuned(
        names, folder, stills, config.tuning, files, report
    )  # fmt: skip
    given = Path(config.mobilenet) if config.mobilenet and stills is not None else None
    own = {face_nets.EXPRESSION: face_nets.given(given, folder)} if config.mobilenet else {}
    return {f"{name}, fine-tuned": net for name, net in found.items()} | own | face_nets.frozen(config.frozen)


def views_of(config: Config) -> tuple[View, ...]:
    """The views that features are averaged over."""
    return EIGHTEEN if config.augmented else PLAIN


def frames_of(clips: Clips, net: Trunk, folder: Path, config: Config, views: tuple[View, ...], report: Say) -> Frames:
    """Features of every clip's frames by one network, (n_i, d) each."""
    return features_of_clips(clips, net, FaceFinder(config.finding), ClipStore(folder / CLIPS), views, report)


def aggregated(frames: Frames, kind: str, config: Config) -> Features:
    """One vector a clip, (n, d); NaN for a clip without frames."""
    return np.stack([aggregate(clip, kind, config.bands) for clip in frames])


def single_models(
    bench: Bench, frames: Mapping[str, Frames], voice: Features, kind: str, config: Config
) -> tuple[list[Row], dict[str, Features]]:
    """Table 2, and what each network, and the voice, says by the combination's aggregation."""
    rows, singles = [], {}
    for name, aggregation in product(frames, AGGREGATIONS):
        title = f"{name}: {aggregation}"
        posteriors = bench.said(title, aggregated(frames[name], aggregation, config))
        rows.append(bench.row(title, posteriors, TABLES[2]))
        if aggregation == config.aggregation:
            singles[name] = posteriors
    title = f"{VOICE}: {ABOUT[kind]}"
    singles[VOICE] = bench.said(title, voice, VOICE_STEPS)
    return [*rows, bench.row(title, singles[VOICE], TABLES[2])], singles


def ablations(
    bench: Bench, frames: Mapping[str, Frames], plain: Mapping[str, Frames], singles: Mapping[str, Features], config: Config
) -> list[Row]:
    """Table 3: each step of the features left out."""
    rows, kind = [], config.aggregation
    for name in frames:
        rows.append(bench.row(f"{name}, all steps", singles[name], TABLES[3], f"{name}: {kind}"))
        whole, one = (aggregated(seen[name], kind, config) for seen in (frames, plain))
        tried = [("one view", one, None), *((step, whole, how) for step, how in STEPS.items())]
        for step, features, how in tried:
            title = f"{name}, {step}"
            rows.append(bench.row(title, bench.said(title, features, how), TABLES[3]))
    return rows


def orders(
    bench: Bench, frames: Mapping[str, Frames], weights: Mapping[str, str], kept: Kept, config: Config
) -> list[Row]:
    """Table 4: an LSTM that sees the frames in order, and one that learns from shuffled frames.

    Args:
        bench: clips, and the watch.
        frames: of each network, seen in one view.
        weights: tells the weights of each network from others.
        kept: what was fitted before.
        config: constants.
    """
    clips, rows = bench.clips, []
    train, val = labelled(clips, "Train"), labelled(clips, "Val")
    for name, shuffle in product(frames, (False, True)):
        seen, plan = frames[name], replace(config.lstm, shuffle=shuffle, seed=config.seed)
        if not all(any(len(seen[i]) for i in part) for part in (train, val)):
            continue  # no clip to learn from, or to stop by, could be read

        def made(seen: Frames = seen, plan: LstmPlan = plan) -> Features:
            return sequence.posteriors(sequence.fit(seen, clips.label, train, val, CLASSES, plan), seen, CLASSES)

        title = f"{name}, LSTM{', frames shuffled' if shuffle else ''}"
        with bench.watch.time(title):
            posteriors = kept.posteriors(title, (plan, config.finding, weights[name]), made)
        rows.append(bench.row(title, posteriors, TABLES[4]))
    return rows


def combinations(clips: Clips, singles: Mapping[str, Features], config: Config) -> list[Row]:
    """Table 6: means of networks, with and without the voice, and class weights."""
    names = [name for name in singles if name != VOICE]
    prior, alike = prior_of(clips, ("Train",), config), config.alike
    by = "" if config.prior else " by Train's classes"
    weighted = f"{alike} alike, weighted by AFEW's Test"
    mixtures = {
        **{f"{name} and voice": Mixture.alike([name], VOICE, "models") for name in names},
        "all networks": Mixture(tuple(names), (1.0,) * len(names)),
        **{f"all networks and voice, {what} alike": Mixture.alike(names, VOICE, what) for what in ("models", "modalities")},
        f"{alike} alike, weighted{by}": Mixture.alike(names, VOICE, alike, prior),
        weighted: Mixture.alike(names, VOICE, alike, AFEW_TEST),
    }
    rows = [row(title, mixture.of(singles), clips, TABLES[6]) for title, mixture in mixtures.items()]
    return published(rows, {weighted: FIGURES})


def prior_of(clips: Clips, parts: Sequence[str], config: Config) -> tuple[int, ...]:
    """The counts of the classes whose roots weigh the answer: those stated, else those of some parts."""
    counts = np.bincount(clips.label[labelled(clips, *parts)], minlength=CLASSES)
    return config.prior or tuple(counts.tolist())


def submitted(bench: Bench, frames: Mapping[str, Frames], voice: Features, config: Config) -> tuple[Row, Mixture]:
    """Table 6's last line, the system's answer: all models fitted on Train and Val, weighted; Test alone is scored."""
    parts = ("Train", "Val")
    said = {name: bench.said(on_both(name), aggregated(seen, config.aggregation, config), None, parts)
            for name, seen in frames.items()}  # fmt: skip
    said[VOICE] = bench.said(on_both(VOICE), voice, VOICE_STEPS, parts)
    mixture = Mixture.alike(list(frames), VOICE, config.alike, prior_of(bench.clips, parts, config))
    title = f"all networks and voice, {config.alike} alike, weighted, fitted on Train and Val"
    seconds = bench.watch.seconds(*map(on_both, said))
    return row(title, mixture.of(said), bench.clips, TABLES[6], seconds, splits=("Test",)), mixture


def on_both(name: str) -> str:
    """The title of a model that is fitted on Train and Val."""
    return f"{name}, Train and Val"


def predict(clips: Clips, folder: Path, config: Config, report: Say = say) -> Features:
    """What the system of the run in `folder` says of clips, (n, 7); NaN where it says nothing.

    Raises:
        InputError: the folder holds no such run.
        MissingExtraError: its voice features need libraries that are not installed.
    """
    system, found = kept_system(folder, config, report)

    def described(name: str) -> Features:
        if name == VOICE:
            return voice_features(clips, system.voice, ClipStore(folder / CLIPS))
        return aggregated(frames_of(clips, found[name], folder, config, views_of(config), report), config.aggregation, config)

    return system.said(described, len(clips), CLASSES, folder / SYSTEM)


def check(folder: Path, config: Config) -> None:
    """See that all of a run's system is there and goes together, by asking it about a clip of zeros.

    Raises:
        InputError: the folder holds no finished run, or what lies there is not whole.
        MissingExtraError: its voice features need libraries that are not installed.
    """
    with going_together(folder):
        system, found = kept_system(folder, config, say)

        def described(name: str) -> Features:
            if name == VOICE:
                return np.zeros((1, len(SETS[first_installed((system.voice,))]().scheme)), np.float32)
            return aggregated([np.zeros((1, found[name].width), np.float32)], config.aggregation, config)

        system.said(described, 1, CLASSES, folder / SYSTEM)


def kept_system(folder: Path, config: Config, report: Say) -> tuple[KeptMixture, dict[str, Trunk]]:
    """What answers in a run's folder, and the networks that it listens to."""
    system = kept_mixture.read(folder / SYSTEM)
    return system, nets(config, folder, None, report) if system.names - {VOICE} else {}
