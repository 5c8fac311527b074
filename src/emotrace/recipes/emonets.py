"""`emonets`: EmoNets, which won EmotiW 2013: four models of a clip, and how they are combined.

    clip ─┬─ faces ── registered tubes ─ConvNet that has learnt from stills─▶ 10 groups ─▶ RBF SVM ─┐
          ├─ audio ── features at 48 kHz ─▶ RBMs ─▶ network, sorted pooling ────────────────────────┼▶ averages, weights,
          ├─ activity ── words of motion ─▶ chi-squared SVM ────────────────────────────────────────┤  machines on scores
          └─ mouths ── registered tubes ─▶ patches and k-means ─▶ logistic regression ──────────────┘  ─▶ (7,)

Every model is fitted on Train (constants chosen on Val), on Val (chosen on Train), and on both. Combinations learn from what is
said of Val, or from swapped predictions; which one is the system's answer is chosen out of fold on Val, of equals the one
that has learnt from more clips. Test is only reported.

    emotrace train emonets --corpus AFEW --stills fer2013=fer2013.csv [--stills tfd=TFD_48x48.mat] --out FOLDER

What is computed lies in the folder, and a run that was stopped goes on.

Source: Kahou, Bouthillier, Lamblin, Gulcehre, Michalski, Konda, Jean, Froumenty, Dauphin, Boulanger-Lewandowski et al. 2016,
EmoNets: Multimodal deep learning approaches for emotion recognition in video, Journal on Multimodal User Interfaces 10;
arXiv 1503.01800. How we deviate is said in the modules of the parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.clips import Clips
from emotrace.corpora.table import Faces
from emotrace.errors import InputError
from emotrace.learn import audio_dbn, facts, fusion
from emotrace.learn.activity import Config as Activity  # a field of Config is named activity, and hides a module of that name
from emotrace.learn.answers import Answers
from emotrace.learn.arrays import Arrays, going_together, load, save
from emotrace.learn.bag_of_mouths import Mouths
from emotrace.learn.clip_parts import FittedPart, Part, fit_parts
from emotrace.learn.clip_store import ClipStore
from emotrace.learn.combinations import Lessons, averages, combined, lessons, singles
from emotrace.learn.emonets_parts import ActivityPart, AudioPart, FacePart, MouthPart
from emotrace.learn.fusion import Rule
from emotrace.learn.kept import Kept
from emotrace.learn.labelled import labelled, read
from emotrace.learn.log import Say, say
from emotrace.learn.plots import weights_svg
from emotrace.learn.ranges import Above0, Count, From0, Seed
from emotrace.learn.registered_tubes import follow_faces
from emotrace.learn.scaled_svm import ScaledSearch, scaled_svm
from emotrace.learn.scoreboard import Scoreboard, begin, beside_best, best, published
from emotrace.learn.stacking import mlp, rbf_svm
from emotrace.learn.stills import SIDE, ConvNetPlan
from emotrace.learn.stopwatch import Stopwatch
from emotrace.learn.weight_search import Search, bagged_search, search_weights
from emotrace.recipes import Published
from emotrace.scheme import EXPRESSION_7

PUBLISHED = Published(0.4767, "accuracy", "Test of AFEW, 2014", "Kahou et al. 2016, EmoNets, JMUI 10")
HEADS = (EXPRESSION_7,)
FIGURES = {"faces": {"Test": 0.3558}, "random search, then local (Val)": {"Test": 0.4103}}  # Kahou et al. 2013, abstract
NOTE = (
    "Beside ours: accuracy on the test part of AFEW in 2013 (Kahou et al. 2013: the best single model, a ConvNet, and the best "
    "combination). In 2014 the whole system reached 47.67 % (Kahou et al. 2016)."
)
CLIPS, SYSTEM, RULE = "clips", "system", "rule.json"


@dataclass(frozen=True, slots=True)
class Config:
    """Every constant of the paper; those of the parts say what is published and what is ours.

    Args:
        faces: section 3.1.
        audio: section 3.2.
        activity: section 3.3.
        mouths: section 3.4.
        search: section 4, random search of weights, uniform, then local.
        searches: section 4, bagged.
        bagged: each of these.
        scaled: section 4, factors of the machine on scores.
        hidden: units of the perceptron on scores; not published.
        decay: of its weights; not published.
        cost: C of the machine on scores; not published.
        seed: of all chance.
    """

    faces: ConvNetPlan = field(default_factory=ConvNetPlan)
    audio: audio_dbn.Config = field(default_factory=audio_dbn.Config)
    activity: Activity = field(default_factory=Activity)
    mouths: Mouths = field(default_factory=Mouths)
    search: Search = field(default_factory=Search)
    searches: Count = 350
    bagged: Search = field(default_factory=lambda: Search(draws=2_000, rounds=2, local=1_000))
    scaled: ScaledSearch = field(default_factory=ScaledSearch)
    hidden: Count = 16
    decay: From0 = 1.0
    cost: Above0 = 1.0
    seed: Seed = 0


@dataclass(frozen=True, slots=True)
class Combination:
    """What answers, as rule.json says: names of the rule and of the models that it combines."""

    rule: str
    parts: tuple[str, ...]


def fit(
    corpus: Path, folder: Path, config: Config | None = None, stills: Sequence[Faces] = (), report: Say = say
) -> Scoreboard:
    """Fit all models and all combinations; goes on with the run that lies in `folder`.

    Args:
        corpus: folder in the layout of AFEW.
        folder: of the run: scores.json, scores.md, confusion/, weights.svg, and what `predict` needs in system/.
        config: constants.
        stills: labelled pictures of faces that no clip shows, FER2013 and, where there is one, TFD; all of each corpus.
        report: told how far it is, in a line.

    Returns:
        The tables of the paper, for this corpus.

    Raises:
        InputError: the corpus cannot be read, has no labelled clips of two classes in Train or in Val, there are no stills, or
            no model can be fitted.
    """
    config = config or Config()
    if not stills:
        raise InputError("emonets learns faces from stills; give some, as --stills fer2013=fer2013.csv")
    clips = read(corpus, ("Train", "Val"))
    train, valid = (labelled(clips, split) for split in ("Train", "Val"))
    damage = begin(folder, clips, report)
    watch, kept = Stopwatch(folder, report), Kept(folder, clips)
    with watch.time("face tubes"):
        follow_faces(clips, (SIDE, config.mouths.side), ClipStore(folder / CLIPS), report=report)
    fitted, notes = fit_parts(parts(folder, config, stills, report), clips, train, valid, kept, watch)
    from_val, from_swapped = lessons(fitted, clips, train, valid)
    of_val, of_swapped = (combined(lesson, rules(config), clips, config.seed, watch) for lesson in (from_val, from_swapped))
    alone = singles(fitted, clips, watch)
    rows = published([*alone, *averages(from_val, clips), *of_val, *of_swapped], FIGURES)
    with watch.time("weights"):
        draw_weights(folder, from_swapped.answers, config)
    choices = [*of_swapped, *of_val]  # of those that are level on Val, what has learnt from more clips
    answer = next(line for line in choices if line.name == best(choices))
    took = f"The whole training took {watch.total:.0f} s."
    notes += [took, *damage]
    board = Scoreboard("EmoNets", tuple(rows), answer.name, (beside_best(alone, answer), NOTE, *notes))
    for lesson, rule in product((from_val, from_swapped), rules(config)):
        if lesson.title(rule) == board.chosen:
            keep_system(folder / SYSTEM, fitted, lesson, rule)
    board.write(folder, pictured=[part.part.name for part in fitted])   # last: with it, the run is whole
    return board


def predict(clips: Clips, folder: Path, config: Config, report: Say = say) -> NDArray[np.float32]:
    """What the system of a run says of clips, (n, 7) in the order of EXPRESSION_7; NaN where no model says anything.

    Args:
        clips: any; their labels are not looked at.
        folder: of a run that ended.
        config: of that run.
        report: told how far it is, in a line.

    Raises:
        InputError: no whole system lies in the folder.
    """
    chosen, answers, rule = combination(folder, config, report)
    said = np.stack([answered(part, folder / SYSTEM, clips) for part in chosen])
    return rule.fit(answers, np.random.default_rng(config.seed))(said)


def check(folder: Path, config: Config) -> None:
    """See that all of a run's system is there and goes together, by asking its models about a clip of zeros.

    Raises:
        InputError: no whole system lies in the folder.
    """
    with going_together(folder):
        for part in combination(folder, config)[0]:
            learnt, fitted = of_part(part, folder / SYSTEM)
            part.answer(learnt, fitted, part.blank(learnt))


def combination(folder: Path, config: Config, report: Say = say) -> tuple[list[Part], Answers, Rule]:
    """The models of the chosen combination, what its rule learns from, and the rule.

    Raises:
        InputError: no whole system lies in the folder.
        KeyError: a model or a lesson is not there.
    """
    kept = folder / SYSTEM
    found, lessons_kept = facts.read(kept / RULE, Combination), load(kept / "lessons.npz")
    models = {part.name: part for part in parts(folder, config, report=report)}
    chosen, known = [models[name] for name in found.parts], {rule.name: rule for rule in rules(config)}
    answers = Answers(
        found.parts, tuple(part.modality for part in chosen), np.asarray(lessons_kept["posteriors"], np.float32),
        np.asarray(lessons_kept["truth"], np.int64), np.asarray(lessons_kept["group"], np.str_),
    )  # fmt: skip
    return chosen, answers, known[found.rule]


def parts(folder: Path, config: Config, stills: Sequence[Faces] = (), report: Say = say) -> list[Part]:
    """The four models, section 3; what they compute of single clips is kept in `folder`."""
    store = ClipStore(folder / CLIPS)
    return [
        FacePart(config.faces, config.seed, store, folder, stills, report),
        AudioPart(config.audio, config.seed, store),
        ActivityPart(config.activity, config.seed, store),
        MouthPart(config.mouths, config.seed, store, report),
    ]


def rules(config: Config) -> tuple[Rule, ...]:
    """The combinations of section 4."""
    return (
        Rule("average of all", fusion.mean),
        Rule("average of the best subset", fusion.best_subset),
        Rule("random search, then local", fusion.searched(config.search)),
        Rule(f"{config.searches} random searches, bagged", fusion.bagged(config.searches, config.bagged)),
        Rule("SVM on scores", fusion.stacked(rbf_svm(config.cost))),
        Rule("SVM on scores, searched factors", scaled_svm(config.scaled)),
        Rule("MLP on scores", fusion.stacked(mlp(config.hidden, config.decay, config.seed))),
    )


def keep_system(folder: Path, fitted: Sequence[FittedPart], lesson: Lessons, rule: Rule) -> None:
    """Write what `predict` needs: the models as fitted for this rule, and what the rule learns from."""
    for part in fitted:
        save(folder / f"{part.part.name}-learnt.npz", part.learnt)
        save(folder / f"{part.part.name}-fitted.npz", part.fitted[lesson.fits])
    answers = lesson.answers
    save(folder / "lessons.npz", {"posteriors": answers.posteriors, "truth": answers.truth, "group": answers.group})
    facts.write(folder / RULE, Combination(rule.name, answers.models))


def answered(part: Part, folder: Path, clips: Clips) -> NDArray[np.float32]:
    """What a model that was kept says of clips, (n, 7)."""
    learnt, fitted = of_part(part, folder)
    return part.answer(learnt, fitted, part.features(learnt, clips))


def of_part(part: Part, folder: Path) -> tuple[Arrays, Arrays]:
    """What a model that was kept has learnt without labels, and its classifier."""
    return load(folder / f"{part.name}-learnt.npz"), load(folder / f"{part.name}-fitted.npz")


def draw_weights(folder: Path, answers: Answers, config: Config) -> None:
    """The weights of each model and class that searches find on swapped predictions, as pictures."""
    said, truth = answers.posteriors, answers.truth
    found = {
        "weights": search_weights(said, truth, np.random.default_rng(config.seed), config.search).weights,
        "weights-bagged": bagged_search(said, truth, np.random.default_rng(config.seed), config.searches, config.bagged),
    }
    for name, weights in found.items():
        (folder / f"{name}.svg").write_text(weights_svg(weights, answers.models, EXPRESSION_7.labels), encoding="utf-8")
