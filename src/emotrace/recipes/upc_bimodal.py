"""UPC's bimodal system: a face network fine-tuned frame by frame, a machine on 68 sound features, and four ways to fuse them.

    frames 1020 x 576 ─face found, cropped─▶ augmented ─frozen trunk─▶ FC (512,) 256, softmax 7 ─mean over frames─┐
            └ frames that show another face left out (its future work)                                            ├▶ decisions
    sound ─34 short-term features─▶ 68 means and deviations ─▶ SVM, C by 100 shuffles of 90/10 ───────────────────┤
    mean of the 256 units, beside the 68 features: 324 ─PCA─▶ 68 ─▶ FC 14, softmax 7, or SVM ─────────────────────┘

The trunk of the thesis is VGG-Face, its convolutions frozen. With `--set vgg_face=FILE` its weights are taken from a file that
the user has. Without one, the same heads stand on frozen networks that can be had (learn/face_nets.py): a MobileNet of face
recognition, and emotrace's own, which has learnt expressions from FER2013. On the constructed corpus that one has seen the
pictures of Train (168 of the 28,709 that it learnt from), and was chosen on the part of FER2013 that Val and Test are from.
SFace can be named, too, but what it gives of a face is made to be the same whatever the face expresses.

The thesis itself was not at hand, only a description of it: what that gives is marked "thesis" in `Config`, the rest is ours.
No figure of it on AFEW could be found, so none is given. Run as `emotrace train upc_bimodal --corpus FOLDER`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from emotrace.corpora.clips import Clips
from emotrace.errors import InputError
from emotrace.learn import arrays, face_nets, facts
from emotrace.learn.augment import Augmentation
from emotrace.learn.bimodal import FUSIONS, JOINT, LAYERS, REDUCTION, Model, fit_decisions, fit_features, fused
from emotrace.learn.chosen_svm import fit_kept, said_by
from emotrace.learn.clip_frames import ClipFrames, Looked, Looking
from emotrace.learn.clip_sound import WIDTH as SOUND
from emotrace.learn.clip_sound import sound_features
from emotrace.learn.clip_store import ClipStore
from emotrace.learn.feature_fusion import COMPONENTS, HIDDEN
from emotrace.learn.frame_faces import FaceFinder, FaceFinding
from emotrace.learn.frame_head import Frames, HeadPlan, clips_of, fit_head, load_head
from emotrace.learn.labelled import described, labelled, read
from emotrace.learn.log import Say, say
from emotrace.learn.mark import mark
from emotrace.learn.networks.heads import UPC_ONE, UPC_TWO
from emotrace.learn.networks.published import check_names
from emotrace.learn.outlier_frames import Outliers
from emotrace.learn.ranges import Count, CountOrNone, Counts, Names, Seed, Share
from emotrace.learn.scoreboard import Row, Scoreboard, begin, beside_best, best, row, silent, slug
from emotrace.learn.stopwatch import Stopwatch
from emotrace.learn.support_vectors import Kernel
from emotrace.learn.trunks import Trunk, sface, vgg_face, vgg_face_first_layer
from emotrace.recipes import Published
from emotrace.scheme import EXPRESSION_7

PUBLISHED = Published(None, "accuracy", "Test", "UPC thesis (2017), whose figures could not be found")
HEADS = (EXPRESSION_7,)
CLASSES = len(EXPRESSION_7)
AUDIO = "audio: 68 features, SVM"
ALONE = "One modality"
CLIPS, SYSTEM, VOICE = "clips", "system.json", "audio.npz"
FITTED = (VOICE, REDUCTION, LAYERS, JOINT)
Features = NDArray[np.float32]
Heads = Annotated[tuple[Counts, ...], Field(min_length=1)]
Kernels = Annotated[tuple[Kernel, ...], Field(min_length=1)]

FINDING = FaceFinding(side=160, score=0.5, margin=0.25, rate=2.0)
AUGMENTATION = Augmentation(
    rotation=30.0, scale=(0.8, 1.25), stretch=0.0, shift=0.1, flip=0.5, contrast=(1.0, 1.0), brightness=0.0, noise=0.0
)
HEAD, OUTLIERS = HeadPlan(), Outliers()
NOBODY = Outliers(alike=-1.0, alike_elsewhere=-1.0)  # limits that no frame is beyond


@dataclass(frozen=True, slots=True)
class Config:
    """Constants; "thesis" marks those that its description gives, the others are ours.

    Args:
        frame_size: width and height that frames are rescaled to before faces are looked for; thesis.
        finding: how sure a face is, how wide it is cropped, and frames a second that are looked at.
        augmentation: 30 degrees both ways, flips, zoom and shifts are of the thesis; how much zoom and shift is not.
        versions: augmented ones of each training frame, of which every epoch draws one.
        trunks: frozen networks that stand for VGG-Face; see learn/face_nets.py.
        vgg_face: file of VGG-Face's weights, taken in place of these; "" = none.
        heads: hidden layers on these: FC2 = 256, or FC1 = 512 and FC2 = 256; thesis.
        vgg_heads: the same on VGG-Face, whose own FC1 the first of them keeps; thesis.
        head: frame-wise training, Adam with its authors' defaults; thesis. The best epoch is taken by Val.
        outliers: when a frame shows another face than its clip.
        kernels: of the sound's machine, tried with every C.
        shuffles: of 90/10, by which kernel and C are chosen; thesis.
        components: principal components of face and voice features; thesis.
        hidden: units of the layer on these; thesis.
        epochs: of that layer.
        false_faces: share of each clip's frames exchanged for another clip's, to see what leaving outliers out is worth.
        seed: of everything.

    Raises:
        InputError: nothing in one of the heads has a name that is to learn.
    """

    frame_size: tuple[Count, Count] = (1020, 576)
    finding: FaceFinding = FINDING
    augmentation: Augmentation = AUGMENTATION
    versions: CountOrNone = 2
    trunks: Names = ("face_mobilenet", "expression")
    vgg_face: str = ""
    heads: Heads = ((256,), (512, 256))
    vgg_heads: Heads = (UPC_ONE, UPC_TWO)
    head: HeadPlan = HEAD
    outliers: Outliers = OUTLIERS
    kernels: Kernels = ("rbf", "linear")
    shuffles: Count = 100
    components: Count = COMPONENTS
    hidden: Count = HIDDEN
    epochs: Count = 200
    false_faces: Share = 0.4
    seed: Seed = 0

    def __post_init__(self) -> None:
        for widths in self.widths:
            check_names(replace(self.head, widths=widths).parameters, self.head.learning)

    @property
    def widths(self) -> tuple[tuple[int, ...], ...]:
        """Hidden layers of each head that is trained on a trunk."""
        return self.vgg_heads if self.vgg_face else self.heads


@dataclass(frozen=True, slots=True)
class Film:
    """A video model: a head of hidden layers on a trunk, which is named."""

    trunk: str
    widths: tuple[int, ...]

    @property
    def name(self) -> str:
        """Of its row: "video: sface, FC 512 + 256"."""
        return f"video: {self.trunk}, FC {' + '.join(map(str, self.widths))}"


@dataclass(frozen=True, slots=True)
class Answering:
    """What answers, as system.json says.

    Args:
        chosen: name of a row.
        trunk: of the video model.
        widths: of its hidden layers.
        head: folder of its head in heads/; None: there was nothing to learn.
        machines: files of what was fitted beside it; where none is, there was nothing to learn. Runs of before do not say.
    """

    chosen: str
    trunk: str
    widths: tuple[int, ...]
    head: str | None
    machines: tuple[str, ...] = FITTED

    @property
    def film(self) -> Film:
        """The video model."""
        return Film(self.trunk, self.widths)


def fit(corpus: Path, folder: Path, config: Config | None = None, report: Say = say) -> Scoreboard:
    """Train the whole system; what was computed before in the folder is taken from there.

    Args:
        corpus: folder in AFEW's layout, with Train and Val.
        folder: of the run.
        config: constants.
        report: told what is done, and how long it took.

    Raises:
        InputError: the corpus cannot be read, or there are no labelled clips in Train, of one class alone, or none in Val.
    """
    config = config or Config()
    clips, watch = read(corpus), Stopwatch(folder, report)
    damage = begin(folder, clips, report)
    films = videos(clips, folder, config, watch)                       # the face
    rows = [line for line, *_ in films]
    _, film, head, face = next(found for found in films if found[0].name == best(rows))
    with watch.time(AUDIO):                                            # the voice
        voice = audio(clips, folder, config, learn=True)
    rows.append(row(AUDIO, voice.posteriors, clips, ALONE, watch.seconds(AUDIO)))
    for title, fuse in (("Fusion of decisions", decisions), ("Fusion of features", features)):
        with watch.time(title):
            said = fuse(face, voice, clips, folder, config)
        rows += [row(name, posteriors, clips, title, watch.seconds(title)) for name, posteriors in said.items()]
    with watch.time("outlier frames"):                                 # what the thesis leaves to future work
        extra, notes = outlier_rows(film, clips, folder, config)
    answer = next(line for line in rows if line.name == best(rows))
    singles = [line for line in rows if line.table == ALONE]
    notes = (beside_best(singles, answer), *notes, *silent(rows), *damage)
    board = Scoreboard("UPC bimodal 2017", (*rows, *extra), answer.name, notes)
    there = tuple(file for file in FITTED if (folder / file).is_file())
    facts.write(folder / SYSTEM, Answering(board.chosen, film.trunk, film.widths, head.name if head else None, there))
    board.write(folder, pictured=[face.name, voice.name])
    return board


def predict(clips: Clips, folder: Path, config: Config, report: Say = say) -> Features:
    """What the chosen row of a run says of any clips, (n, 7); NaN for a clip of which it says nothing.

    Raises:
        InputError: the folder holds no finished run.
    """
    system = answering(folder)
    seen = look(clips, system.trunk, folder, config).without_outliers(config.outliers)
    return answered(system, seen, audio(clips, folder, config), folder, config)


def check(folder: Path, config: Config) -> None:
    """See that all of a run's system is there and goes together, by asking it about a clip of zeros.

    Raises:
        InputError: the folder holds no finished run, or what lies there is not whole.
    """
    system = answering(folder)
    with arrays.going_together(folder):
        width = network_of(system.trunk, config).width
        seen, heard = Frames(np.zeros((1, 1, width), np.float32), np.zeros(1, np.int64)), np.zeros((1, SOUND), np.float32)
        answered(system, seen, Model(AUDIO, said_by(folder / VOICE, heard, CLASSES), heard), folder, config)


def answering(folder: Path) -> Answering:
    """What answers in a run's folder.

    Raises:
        InputError: the folder holds no finished run, or part of what was fitted is not there.
    """
    system = facts.read(folder / SYSTEM, Answering)
    if system.chosen not in (system.film.name, AUDIO, *FUSIONS):
        raise InputError(f"{folder / SYSTEM}: no row is named {system.chosen!r}; train anew into another folder")
    if missing := [file for file in system.machines if not (folder / file).is_file()]:
        raise InputError(f"{folder}: no {missing[0]}, of which the system is made; the same training makes it anew")
    return system


def answered(system: Answering, seen: Frames, voice: Model, folder: Path, config: Config) -> Features:
    """What it says of clips of which frames were seen, and the voice's model says something, (n, 7)."""
    head = folder / "heads" / system.head if system.head else None
    face = video(system.film, head, seen, len(voice.posteriors), config)
    if system.chosen in FUSIONS:
        return fused(system.chosen, face, voice, folder)
    return voice.posteriors if system.chosen == AUDIO else face.posteriors


# The face: frames with a face, features of a frozen trunk, a head trained frame by frame.


def videos(clips: Clips, folder: Path, config: Config, watch: Stopwatch) -> list[tuple[Row, Film, Path | None, Model]]:
    """Every head on every trunk: its row, what it is, its folder (None: there is nothing to learn), and what it says."""
    found = []
    for trunk in trunk_names(config):
        with watch.time(f"frames, {trunk}"):
            looked = (look(clips, trunk, folder, config, part) for part in (None, "Train"))
            seen, learnt = (frames.without_outliers(config.outliers) for frames in looked)
        for widths in config.widths:
            film = Film(trunk, widths)
            with watch.time(film.name):
                head = train(film, learnt, seen, clips, folder, config)
                model = video(film, head, seen, len(clips), config)
            line = row(film.name, model.posteriors, clips, ALONE, watch.seconds(film.name))
            found.append((line, film, head, model))
    return found


def trunk_names(config: Config) -> tuple[str, ...]:
    """VGG-Face where a user has it, else what stands for it."""
    return ("vgg_face",) if config.vgg_face else config.trunks


def network_of(trunk: str, config: Config) -> Trunk:
    """The frozen network of a name."""
    return vgg_face(Path(config.vgg_face)) if trunk == "vgg_face" else face_nets.frozen((trunk,))[trunk]


def look(clips: Clips, trunk: str, folder: Path, config: Config, part: str | None = None) -> Looked:
    """Frames of all clips; of the labelled ones of one part of the corpus, also augmented."""
    network = network_of(trunk, config)
    finder = FaceFinder(replace(config.finding, size=config.frame_size))
    looking = Looking(config.augmentation, config.versions, config.seed)
    rows = np.arange(len(clips)) if part is None else labelled(clips, part)
    return ClipFrames(ClipStore(folder / CLIPS), finder, sface(), looking).look(clips, rows, network, part is not None)


def train(film: Film, learnt: Frames, seen: Frames, clips: Clips, folder: Path, config: Config) -> Path | None:
    """Train a head on frames of Train, its best epoch by the clips of Val; its folder, None where there is nothing to learn."""
    if len(np.unique(clips.label[learnt.clip])) < 2:
        return None
    plan = replace(config.head, widths=film.widths, seed=config.seed)
    held_out = np.isin(seen.clip, labelled(clips, "Val"))
    judges = Frames(seen.features[held_out], seen.clip[held_out])
    first = vgg_face_first_layer(Path(config.vgg_face)) if film.trunk == "vgg_face" and film.widths == UPC_ONE else None
    known = (learnt.features, clips.label[learnt.clip], judges.features, clips.label[judges.clip])
    home = folder / "heads" / f"{slug(film.name)}-{mark(f'{film} {plan}', *known)}"
    fit_head(learnt, clips.label, judges, home, plan, first)
    return home


def video(film: Film, head: Path | None, seen: Frames, clips: int, config: Config) -> Model:
    """What a head says of clips: the mean of their frames' softmax; and the mean of its last hidden layer."""
    if head is None:
        said, hidden = (np.full((clips, width), np.nan, np.float32) for width in (CLASSES, film.widths[-1]))
        return Model(film.name, said, hidden)
    network = load_head(head, seen.features.shape[2], replace(config.head, widths=film.widths, seed=config.seed))
    return Model(film.name, *clips_of(network, seen, clips))


# The voice: 68 features, a support vector machine.


def audio(clips: Clips, folder: Path, config: Config, learn: bool = False) -> Model:
    """What the machine on sound says; where it is to learn, then from Train, with the kernel and C that shuffles choose."""
    heard, file = sound_features(clips, ClipStore(folder / CLIPS)), folder / VOICE
    if learn:
        machine(heard, clips, file, config)
    return Model(AUDIO, said_by(file, heard, CLASSES), heard)


def machine(values: Features, clips: Clips, file: Path, config: Config, standardised: bool = True) -> None:
    """Fit a machine on features (n, d) of Train's clips, and keep it; no file is left where there is nothing to learn."""
    train = described(labelled(clips, "Train"), values)
    how = config.kernels, config.shuffles, config.seed, standardised
    fit_kept(file, values[train], clips.label[train], clips.subject[train], *how)


# Fusion, of what both say, or of what both say it by.


def decisions(face: Model, voice: Model, clips: Clips, folder: Path, config: Config) -> dict[str, Features]:
    """Sums with a weight for each modality and emotion, equal or out of Val's confusion matrices, by name."""
    return fit_decisions(face, voice, clips, folder, config.seed)


def features(face: Model, voice: Model, clips: Clips, folder: Path, config: Config) -> dict[str, Features]:
    """Principal components of both modalities' features, and a layer with softmax or a machine on them, by name."""

    def joint(few: Features, file: Path) -> None:
        machine(few, clips, file, config, standardised=False)

    return fit_features(
        face, voice, clips, folder, joint,
        components=config.components, hidden=config.hidden, epochs=config.epochs, seed=config.seed,
    )  # fmt: skip


# What leaving out frames of another face is worth, as found and with false faces planted.


def outlier_rows(film: Film, clips: Clips, folder: Path, config: Config) -> tuple[list[Row], tuple[str, ...]]:
    """The chosen video model with and without outliers in what it learns from and answers from, and what was left out."""
    looked, learnt = (look(clips, film.trunk, folder, config, part) for part in (None, "Train"))
    spoilt, false = looked.with_false_faces(clips, config.false_faces, config.seed)
    planted = f"{config.false_faces:.0%} false faces planted"
    rows = []
    for way, how in {"all frames": NOBODY, "outliers left out": config.outliers}.items():
        head = train(film, learnt.without_outliers(how), looked.without_outliers(how), clips, folder, config)
        for name, frames in {"as found": looked, planted: spoilt}.items():
            said = video(film, head, frames.without_outliers(how), len(clips), config).posteriors
            rows.append(row(f"{name}, {way}", said, clips, "Outlier frames"))
    left, caught = ~looked.belonging(config.outliers), ~spoilt.belonging(config.outliers)
    if not false.any():
        return rows, ()
    note = (
        f"As found, {left.mean():.1%} of {len(left)} frames are left out; with {planted}, {caught[false].mean():.1%} of these "
        f"and {caught[~false].mean():.1%} of the others."
    )
    return rows, (note,)
