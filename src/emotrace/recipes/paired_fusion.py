"""Fusion of face and voice, measured on the constructed corpus from end to end.

    clips ─▶ face.expression, face.expression_mini_xception, mean over frames ─────────┐
          └▶ 68 features, frozen Whisper ─▶ SVMs and trees fitted on Train's speakers ┴▶ rules: fitted on Val, seen on Test

The face networks have learnt from the very pictures of Train, so nothing that weighs them is fitted there: rules are fitted on
Val, and judged on Val one speaker at a time. Feature fusion alone is fitted on Train, on blendshapes, whose network has not
seen these pictures. Test is looked at once. Run as `python -m emotrace.recipes.paired_fusion CORPUS FOLDER`; FOLDER keeps
what was measured of the clips, the voice machines (.npz), scores.json and scores.md.
"""

from __future__ import annotations

if __name__ == "__main__":
    from emotrace.learn.command import run

    run("emotrace.recipes.paired_fusion")

import argparse
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from emotrace.corpora import paired
from emotrace.corpora.clips import Clips
from emotrace.fuse import FACE_AND_VOICE, LateFusion, late_fusion, log_pool, mean_pool, temper
from emotrace.learn import arrays, classical, facts, fusion
from emotrace.learn.answers import Answers, Judged, judge, temperatures
from emotrace.learn.clip_measures import VOICE, WHISPER, Measures, measure_clips, measure_whisper
from emotrace.learn.stacking import Stack, principal_components
from emotrace.learn.support_vectors import Kernel
from emotrace.learn.svm import fit_svm
from emotrace.recipes import Published
from emotrace.scheme import EXPRESSION_7

PUBLISHED = Published(None, "accuracy", "Test", "the corpus is our own")
FACES = ("face.expression", "face.expression_mini_xception")
CLASSES = len(EXPRESSION_7)
FEATURES = {VOICE: "voice, 68 features", WHISPER: "voice, frozen Whisper"}
MACHINES: tuple[tuple[str, Kernel], ...] = ((WHISPER, "rbf"), (VOICE, "rbf"), (VOICE, "linear"))


@dataclass(frozen=True, slots=True)
class Config:
    """Constants.

    Args:
        rate: frames a second at which faces are looked at.
        shuffles: of Train's speakers, by which the machines' C is chosen.
        trees: of the extra trees.
        components: principal components of the fused features.
        by_speaker: voice features are normalised by each speaker's own mean and deviation, over all of a speaker's clips.
        seed: of everything.
    """

    rate: float = 5.0
    shuffles: int = 100
    trees: int = 500
    components: int = 40
    by_speaker: bool = False
    seed: int = 0

    @property
    def suffix(self) -> str:
        """Of the files of a run, so that runs with and without normalisation by speaker can share a folder."""
        return "_by_speaker" if self.by_speaker else ""


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured.

    Args:
        alone: models and modalities by themselves; nothing was fitted on Val.
        fused: rules, judged on Val by leaving one speaker out.
        chosen: the rule with the best accuracy on Val.
        constants: of the late fusion of face.expression and the RBF machine on Whisper, from Val.
        answered: how the late fusion of `analyze` does on Test with these temperatures: of both, and of the face alone.
    """

    alone: list[fusion.Outcome]
    fused: list[fusion.Outcome]
    chosen: str
    constants: LateFusion
    answered: dict[str, Answered]


@dataclass(frozen=True, slots=True)
class Answered:
    """Shares of clips, 0..1.

    Args:
        share: that get an answer.
        right: of these, that are named right.
        otherwise: of those without an answer, that would have been; NaN where there are none.
    """

    share: float
    right: float
    otherwise: float


def fit(corpus: Path, folder: Path, config: Config | None = None) -> Result:
    """Measure every rule on the constructed corpus.

    Args:
        corpus: its folder.
        folder: of the run.
        config: constants.

    Raises:
        InputError: the corpus cannot be read, or a part is missing.
    """
    config = config or Config()
    clips = paired.read(corpus)
    measures = measure_clips(clips, folder, config.rate) | measure_whisper(clips, folder)
    if config.by_speaker:
        for name in (VOICE, WHISPER):
            measures[name] = classical.normalised_by_speaker(measures[name], clips.subject)
    answers = answers_of(clips, measures, folder, config)
    val, test = (answers[clips.split == split] for split in ("Val", "Test"))
    rules = fusion.compare(val, test, fusion.rules(), config.seed)
    fused = [*rules, feature_fusion(clips, measures, config)]
    chosen = max(fused, key=lambda outcome: outcome.held_out.accuracy).name
    found = constants(val)
    result = Result(alone(val, test), fused, chosen, found, answered(test, found))
    facts.write(folder / f"scores{config.suffix}.json", {"config": asdict(config), **asdict(result)})
    (folder / f"scores{config.suffix}.md").write_text(table(result), encoding="utf-8")
    return result


def answers_of(clips: Clips, measures: Measures, folder: Path, config: Config) -> Answers:
    """What faces and voices say of all clips; the voice models are fitted on Train's clips."""
    train = (clips.split == "Train") & ~np.isnan(measures[VOICE]).any(axis=1)
    labels, speakers = clips.label[train], clips.subject[train]
    names, said = list(FACES), [measures[name] for name in FACES]
    for what, kernel in MACHINES:
        features, shuffles = measures[what][train], config.shuffles
        cost = classical.choose(f"svm_{kernel}", features, labels, speakers, shuffles=shuffles, seed=config.seed).value
        machine = fit_svm(features, labels, kernel=kernel, cost=cost, groups=speakers, seed=config.seed)
        arrays.keep(folder / f"{what}_svm_{kernel}{config.suffix}.npz", machine)
        names.append(f"{FEATURES[what]}, {kernel} SVM, C = {cost:g}")
        said.append(machine.probabilities(measures[what]))
    trees = classical.build("extra_trees", config.trees, config.seed).fit(measures[VOICE][train], labels)
    names.append(f"{FEATURES[VOICE]}, {config.trees} extra trees")
    said.append(classical.posteriors(trees, measures[VOICE], CLASSES))
    modality = tuple("face" if name in FACES else "voice" for name in names)
    return Answers(tuple(names), modality, np.stack(said), clips.label, clips.subject)


def alone(val: Answers, test: Answers) -> list[fusion.Outcome]:
    """Every model, and the mean of each modality's models."""
    sets = [(name, np.array([i])) for i, name in enumerate(val.models)]
    sets += [(f"mean of the {word} models", val.of_modality(word)) for word in ("face", "voice")]

    def of(part: Answers, rows: NDArray[np.int64]) -> Judged:
        return judge(mean_pool(part.posteriors[rows], np.ones(len(rows))), part.truth)

    return [fusion.Outcome(name, of(val, rows), of(test, rows), 0.0) for name, rows in sets]


def feature_fusion(clips: Clips, measures: Measures, config: Config) -> fusion.Outcome:
    """Blendshapes and voice features side by side, principal components, logistic regression; fitted on Train."""
    blocks = [measures["face.blendshapes"], measures[VOICE]]
    train, val, test = (np.flatnonzero(clips.split == split) for split in ("Train", "Val", "Test"))
    begun = time.perf_counter()
    stack = Stack(
        [block[train] for block in blocks], clips.label[train], clips.subject[train], CLASSES,
        principal_components(config.components),
    )  # fmt: skip
    held_out, unseen = (judge(stack.predict([block[rows] for block in blocks]), clips.label[rows]) for rows in (val, test))
    name = f"features, {config.components} principal components, logistic regression"
    return fusion.Outcome(name, held_out, unseen, time.perf_counter() - begun)


def constants(val: Answers) -> LateFusion:
    """Temperatures, evidence and floor for the first face and the first voice model."""
    two = face_and_voice(val)
    heat, equal = temperatures(two), np.ones(2, np.float32)
    evidence = fusion.calibrated_evidence(two, heat, equal)
    fused = log_pool(temper(two.posteriors, heat), equal, evidence)
    return LateFusion((float(heat[0]), float(heat[1])), evidence, floor(fused, val.truth))


def face_and_voice(answers: Answers, voice: int = 0) -> Answers:
    """The first face model and one voice model, the first unless told otherwise, alone."""
    rows = [int(answers.of_modality("face")[0]), int(answers.of_modality("voice")[voice])]
    return Answers(("face", "voice"), ("face", "voice"), answers.posteriors[rows], answers.truth, answers.group)


def answered(test: Answers, found: LateFusion) -> dict[str, Answered]:
    """How the first face and the first voice do together, and the face alone, with the evidence and floor of `analyze`."""
    said, every = face_and_voice(test).posteriors, replace(FACE_AND_VOICE, temperatures=found.temperatures)
    nothing = np.full_like(said[1], np.nan)
    shares = {}
    for name, sources in (("both", said), ("face alone", np.stack([said[0], nothing]))):
        sure, _ = late_fusion(sources, np.ones(2, np.float32), every)
        all_of_them, _ = late_fusion(sources, np.ones(2, np.float32), replace(every, floor=0.0))
        given, right = ~np.isnan(sure).any(axis=1), np.nan_to_num(all_of_them).argmax(axis=1) == test.truth
        otherwise = float(right[~given].mean()) if (~given).any() else float("nan")
        shares[name] = Answered(float(given.mean()), float(right[given].mean()), otherwise)
    return shares


def floor(fused: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    """The lowest confidence from which on answers are right more often than wrong.

    How often they are right is taken to rise with confidence (isotonic regression), so that a few odd clips decide nothing.

    Args:
        fused: (n, k), NaN rows without an answer, n at least 1.
        truth: (n,).

    Returns:
        0 where that is all of them, 1 where it is none.
    """
    confidence = np.nan_to_num(fused).max(axis=1)
    right = np.nan_to_num(fused).argmax(axis=1) == truth
    share = IsotonicRegression().fit(confidence, right).predict(confidence)
    if (share >= 0.5).all():
        return 0.0
    return float(confidence[share >= 0.5].min(initial=1.0))


def table(result: Result) -> str:
    """The scores as a Markdown table."""
    lines = ["| | Val accuracy | Val UAR | Test accuracy | Test UAR | s to fit |", "|---|---|---|---|---|---|"]
    for outcome in (*result.alone, *result.fused):
        numbers = (outcome.held_out.accuracy, outcome.held_out.uar, outcome.test.accuracy, outcome.test.uar)
        name = f"**{outcome.name}** (chosen on Val)" if outcome.name == result.chosen else outcome.name
        seconds = f"{outcome.seconds:.1f}" if outcome in result.fused else ""
        lines.append(f"| {name} | {' | '.join(f'{100 * value:.1f}' for value in numbers)} | {seconds} |")
    shares = [
        f"{name}: {one.share:.0%} of Test answered, {one.right:.0%} right; {one.otherwise:.0%} of the rest would have been"
        for name, one in result.answered.items()
    ]
    return "\n".join([*lines, "", f"late fusion: {result.constants}", *shares, ""])


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m emotrace.recipes.paired_fusion", description=__doc__.split("\n")[0])
    parser.add_argument("corpus", type=Path, help="made by python -m emotrace.corpora.paired")
    parser.add_argument("folder", type=Path, help="of the run; what was measured there is not measured again")
    parser.add_argument("--by-speaker", action="store_true", help="normalise voice features by speaker")
    given = parser.parse_args()
    begun = time.perf_counter()
    result = fit(given.corpus, given.folder, Config(by_speaker=given.by_speaker))
    print(table(result) + f"{time.perf_counter() - begun:.0f} s")
