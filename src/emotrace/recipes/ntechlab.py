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

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora import catalogue as corpora
from emotrace.corpora.clips import Clips
from emotrace.corpora.table import Faces
from emotrace.errors import InputError
from emotrace.learn import arrays, face_nets, facts, sequence
from emotrace.learn.aggregation import AGGREGATIONS, Aggregation, Normalisation, aggregate
from emotrace.learn.clip_store import ClipStore
from emotrace.learn.fine_tuning import FineTuning
from emotrace.learn.frame_faces import FaceFinder, FaceFinding
from emotrace.learn.frame_features import features_of_clips
from emotrace.learn.kept import Kept
from emotrace.learn.linear_machine import COSTS, LinearMachine, fit_machine
from emotrace.learn.log import say
from emotrace.learn.mixture import Mixture
from emotrace.learn.ranges import Costs, Count, Folds, Names, Seed
from emotrace.learn.scoreboard import Row, Say, Scoreboard, begin, beside_best, row, silent
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
SYSTEM, MIXTURE, VOICE, ON_BOTH = "system", "mixture.json", "voice", ", Train and Val"
TABLES = {2: "Table 2: networks and aggregations", 3: "Table 3: what each step is worth", 4: "Table 4: order of frames",
          6: "Table 6: combinations"}  # fmt: skip
LARGER_COSTS = (1e-2, 1e-1, 1.0, 10.0, 100.0)  # tried, too, where features are not standardised, and so are small
Features = NDArray[np.float32]
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


@dataclass(frozen=True, slots=True)
class Bench:
    """What single models are fitted with.

    Args:
        clips: all clips.
        config: constants.
        watch: times the fits.
        machines: what was fitted, by the name of its row.
    """

    clips: Clips
    config: Config
    watch: Stopwatch
    machines: dict[str, LinearMachine] = field(default_factory=dict)

    def said(
        self, name: str, features: Features, how: Normalisation | None = None, parts: tuple[str, ...] = ("Train",)
    ) -> Features:
        """Fit a machine on the clips of some parts; what it says of all, (n, 7), NaN where the features are."""
        config = self.config
        costs = config.costs if how is None or how.standardise else (*config.costs, *LARGER_COSTS)
        rows = np.concatenate([labelled(self.clips, part) for part in parts])
        rows = rows[~np.isnan(features[rows]).any(axis=1)]
        if len(np.unique(self.clips.label[rows])) < 2:  # no clip of Train has a face, or a voice
            return np.full((len(self.clips), CLASSES), np.nan, np.float32)
        with self.watch.time(name):
            self.machines[name] = fit_machine(
                features[rows], self.clips.label[rows], self.clips.subject[rows], how=how, costs=costs,
                folds=config.folds, sigmoid_folds=config.sigmoid_folds, seed=config.seed,
            )  # fmt: skip
        return self.machines[name].probabilities(features, CLASSES)

    def row(self, name: str, posteriors: Features, table: int, *parts: str) -> Row:
        """A line of a table, with the seconds of the parts that it took."""
        return row(name, posteriors, self.clips, TABLES[table], self.watch.seconds(*(parts or (name,))))


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
    clips, watch = corpora.clips_at(corpus), Stopwatch(folder, report)
    for part in ("Train", "Val"):
        if not len(labelled(clips, part)):
            raise InputError(f"{corpus}: no labelled clips in {part}; the system learns from Train and is chosen by Val")
    if len(np.unique(clips.label[labelled(clips, "Train")])) < 2:
        raise InputError(f"{corpus}: the labelled clips in Train are all of one class; expected two at least, to be told apart")
    damage = begin(folder, clips, report)
    with watch.time("fine-tuning"):
        found = nets(config, folder, stills, report)
    frames: dict[str, list[Features]] = {}
    plain: dict[str, list[Features]] = {}
    for name, net in found.items():
        for seen, views in ((frames, views_of(config)), (plain, PLAIN)):
            with watch.time(f"{name}, {len(views)} views"):
                seen[name] = frames_of(clips, net, folder, config, views, report)
    kind = first_installed(config.voices)
    with watch.time("voice features"):
        voice = voice_features(clips, kind, ClipStore(folder / "clips"))
    bench = Bench(clips, config, watch)
    singles, alone = single_models(bench, frames, voice, kind)
    lines = list(alone)
    lines += ablations(bench, frames, plain, singles)
    lines += orders(bench, plain, {name: net.name for name, net in found.items()}, Kept(folder, clips))
    lines += combinations(bench, singles)
    answer, system = submitted(bench, frames, voice)
    keep(bench, folder, kind, system)
    notes = (beside_best(alone, answer), *NOTES, *silent(lines), *damage)
    board = Scoreboard("NTechLab 2017", (*lines, answer), answer.name, notes)
    board.write(folder, [f"{name}: {config.aggregation}" for name in found])
    return board


NOTES = (
    "The system's answer is what the paper submitted, the mean of all, fitted on Train and Val; what counts alike is ours.",
    "The LSTMs are stopped by Val, so Val says too much of them; the machines have seen nothing of Val.",
    "Published: Test as announced, Val as the authors' code says of its own run, both on AFEW. Other figures of the paper's "
    "tables were not at hand.",
)


def labelled(clips: Clips, part: str) -> NDArray[np.int64]:
    """Rows of a part that have one of the seven labels."""
    return np.flatnonzero((clips.split == part) & (clips.label >= 0) & (clips.label < CLASSES))


def views_of(config: Config) -> tuple[View, ...]:
    """The views that features are averaged over."""
    return EIGHTEEN if config.augmented else PLAIN


def frames_of(
    clips: Clips, net: Trunk, folder: Path, config: Config, views: tuple[View, ...], report: Say
) -> list[Features]:
    """Features of every clip's frames by one network."""
    return features_of_clips(clips, net, FaceFinder(config.finding), ClipStore(folder / "clips"), views, report)


def aggregated(frames: Sequence[Features], kind: str, config: Config) -> Features:
    """One vector a clip, (n, d); NaN for a clip without frames."""
    return np.stack([aggregate(clip, kind, config.bands) for clip in frames])


def single_models(
    bench: Bench, frames: Mapping[str, list[Features]], voice: Features, kind: str
) -> tuple[dict[str, Features], list[Row]]:
    """Table 2. Gives what each network, and the voice, says by the combination's aggregation, and the rows."""
    singles: dict[str, Features] = {}
    rows = []
    for name, clips in frames.items():
        for aggregation in AGGREGATIONS:
            title = f"{name}: {aggregation}"
            posteriors = bench.said(title, aggregated(clips, aggregation, bench.config))
            rows.append(bench.row(title, posteriors, 2))
            if aggregation == bench.config.aggregation:
                singles[name] = posteriors
    singles[VOICE] = bench.said(f"{VOICE}: {ABOUT[kind]}", voice, Normalisation(root=False))  # code
    rows.append(bench.row(f"{VOICE}: {ABOUT[kind]}", singles[VOICE], 2))
    return singles, rows


def ablations(
    bench: Bench, frames: Mapping[str, list[Features]], plain: Mapping[str, list[Features]], singles: Mapping[str, Features]
) -> list[Row]:
    """Table 3: each step of the features left out."""
    steps = {
        "no rescaling": Normalisation(rescale=False),
        "no rootSIFT": Normalisation(root=False),
        "no standardisation": Normalisation(standardise=False),
        "none of these": Normalisation(False, False, False),
    }
    kind, rows = bench.config.aggregation, []
    for name in frames:
        whole = f"{name}: {kind}"
        rows.append(bench.row(f"{name}, all steps", singles[name], 3, whole))
        title = f"{name}, one view"
        rows.append(bench.row(title, bench.said(title, aggregated(plain[name], kind, bench.config)), 3))
        features = aggregated(frames[name], kind, bench.config)
        for step, how in steps.items():
            title = f"{name}, {step}"
            rows.append(bench.row(title, bench.said(title, features, how), 3))
    return rows


def orders(bench: Bench, frames: Mapping[str, list[Features]], weights: Mapping[str, str], kept: Kept) -> list[Row]:
    """Table 4: an LSTM that sees the frames in order, and one that learns from shuffled frames.

    Args:
        bench: clips and constants.
        frames: of each network, seen in one view.
        weights: tells the weights of each network from others.
        kept: what was fitted before.
    """
    clips, rows = bench.clips, []
    train, val = labelled(clips, "Train"), labelled(clips, "Val")
    for name, sequences in frames.items():
        if not all(any(len(sequences[i]) for i in part) for part in (train, val)):
            continue  # no clip to learn from, or to stop by, could be read
        for shuffle in (False, True):
            title = f"{name}, LSTM{', frames shuffled' if shuffle else ''}"
            plan = replace(bench.config.lstm, shuffle=shuffle, seed=bench.config.seed)

            def made(sequences: list[Features] = sequences, plan: LstmPlan = plan) -> Features:
                network = sequence.fit(sequences, clips.label, train, val, CLASSES, plan)
                return sequence.posteriors(network, sequences, CLASSES)

            with bench.watch.time(title):
                posteriors = kept.posteriors(title, (plan, bench.config.finding, weights[name]), made)
            rows.append(bench.row(title, posteriors, 4))
    return rows


def combinations(bench: Bench, singles: Mapping[str, Features]) -> list[Row]:
    """Table 6: means of networks, with and without the voice, and class weights."""
    names = [name for name in singles if name != VOICE]
    prior, alike = prior_of(bench, ("Train",)), bench.config.alike
    by = "" if bench.config.prior else " by Train's classes"
    mixtures = {
        **{f"{name} and voice": Mixture.alike([name], VOICE, "models") for name in names},
        "all networks": Mixture(tuple(names), (1.0,) * len(names)),
        **{f"all networks and voice, {what} alike": Mixture.alike(names, VOICE, what) for what in ("models", "modalities")},
        f"{alike} alike, weighted{by}": Mixture.alike(names, VOICE, alike, prior),
        f"{alike} alike, weighted by AFEW's Test": Mixture.alike(names, VOICE, alike, AFEW_TEST),
    }
    rows = [bench.row(title, mixture.of(singles), 6) for title, mixture in mixtures.items()]
    weighted = f"{alike} alike, weighted by AFEW's Test"
    published = {"Val": 185 / 383, "Test": 0.6003}
    return [replace(line, published=published) if line.name == weighted else line for line in rows]


def prior_of(bench: Bench, parts: tuple[str, ...]) -> tuple[int, ...]:
    """The counts of the classes whose roots weigh the answer: those stated, else those of some parts."""
    rows = np.concatenate([labelled(bench.clips, part) for part in parts])
    counts = np.bincount(bench.clips.label[rows], minlength=CLASSES)
    return bench.config.prior or tuple(counts.tolist())


def submitted(bench: Bench, frames: Mapping[str, list[Features]], voice: Features) -> tuple[Row, Mixture]:
    """Table 6's last line, the system's answer: all models fitted on Train and Val, weighted; Test alone is scored."""
    config, parts = bench.config, ("Train", "Val")
    said = {on_both(name): bench.said(on_both(name), aggregated(clips, config.aggregation, config), None, parts)
            for name, clips in frames.items()}  # fmt: skip
    said[on_both(VOICE)] = bench.said(on_both(VOICE), voice, Normalisation(root=False), parts)
    mixture = Mixture.alike([on_both(name) for name in frames], on_both(VOICE), config.alike, prior_of(bench, parts))
    title = f"all networks and voice, {config.alike} alike, weighted, fitted on Train and Val"
    seconds = bench.watch.seconds(*said)
    return row(title, mixture.of(said), bench.clips, TABLES[6], seconds, splits=("Test",)), mixture


def on_both(name: str) -> str:
    """The title of a model that is fitted on Train and Val."""
    return f"{name}{ON_BOTH}"


def keep(bench: Bench, folder: Path, voice: str, mixture: Mixture) -> None:
    """Write all that `predict` needs beside the networks: the machines of a mixture, and what it is made of."""
    own, members = folder / SYSTEM, []
    own.mkdir(parents=True, exist_ok=True)
    for number, title in enumerate(mixture.members):
        if title in bench.machines:
            file = f"machine-{number}.npz"
            arrays.keep(own / file, bench.machines[title])
            members.append({"name": title.removesuffix(ON_BOTH), "machine": file, "weight": mixture.weights[number]})
    content = {"members": members, "voice": voice, "prior": list(mixture.prior)}
    (own / MIXTURE).write_text(json.dumps(content, indent=1), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Member:
    """A model of the mixture: network or voice, the file of its machine, and its weight."""

    name: str
    machine: str
    weight: float


@dataclass(frozen=True, slots=True)
class Submission:
    """What answers, as mixture.json says.

    Args:
        members: that learnt something.
        voice: set of voice features.
        prior: counts of the classes.
    """

    members: tuple[Member, ...]
    voice: str
    prior: tuple[int, ...]

    @property
    def names(self) -> set[str]:
        """Of the members."""
        return {member.name for member in self.members}


def predict(clips: Clips, folder: Path, config: Config, report: Say = say) -> Features:
    """What the system of the run in `folder` says of clips, (n, 7); NaN where it says nothing.

    Raises:
        InputError: the folder holds no such run.
        MissingExtraError: its voice features need libraries that are not installed.
    """
    system = submission(folder)
    found = nets(config, folder, None, report) if system.names - {VOICE} else {}

    def described(name: str) -> Features:
        if name == VOICE:
            return voice_features(clips, system.voice, ClipStore(folder / "clips"))
        return aggregated(frames_of(clips, found[name], folder, config, views_of(config), report), config.aggregation, config)

    return mixed(system, described, len(clips), folder)


def check(folder: Path, config: Config) -> None:
    """See that all of a run's system is there and goes together, by asking it about a clip of zeros.

    Raises:
        InputError: the folder holds no finished run, or what lies there is not whole.
        MissingExtraError: its voice features need libraries that are not installed.
    """
    system = submission(folder)
    with arrays.going_together(folder):
        found = nets(config, folder, None, say) if system.names - {VOICE} else {}

        def described(name: str) -> Features:
            if name == VOICE:
                return np.zeros((1, len(SETS[first_installed((system.voice,))]().scheme)), np.float32)
            return aggregated([np.zeros((1, found[name].width), np.float32)], config.aggregation, config)

        mixed(system, described, 1, folder)


def submission(folder: Path) -> Submission:
    """What answers in a run's folder.

    Raises:
        InputError: the folder holds no finished run.
    """
    file = folder / SYSTEM / MIXTURE
    if not file.is_file():
        raise InputError(f"{file}: no such file; expected the folder of a finished run of ntechlab")
    return facts.read(file, Submission)


def mixed(system: Submission, described: Callable[[str], Features], clips: int, folder: Path) -> Features:
    """What a system says of clips that are described to each member by its name, (n, 7)."""
    if not system.members:
        return np.full((clips, CLASSES), np.nan, np.float32)
    singles: dict[str, Features] = {}
    for member in system.members:
        machine = arrays.loaded(LinearMachine, folder / SYSTEM / member.machine)
        singles[member.name] = machine.probabilities(described(member.name), CLASSES)
    return Mixture(tuple(singles), tuple(member.weight for member in system.members), system.prior).of(singles)
