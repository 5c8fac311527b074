"""Models fitted three times, and their combinations: planted models, so that what is learnt where can be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from emotrace.corpora.clips import Clips
from emotrace.errors import FolderError, InputError
from emotrace.fuse import mean_pool
from emotrace.learn import fusion
from emotrace.learn.arrays import Arrays
from emotrace.learn.clip_parts import Features, FittedPart, fit_part, fit_parts
from emotrace.learn.combinations import averages, combined, folds, lessons, singles
from emotrace.learn.fusion import Rule
from emotrace.learn.kept import Kept
from emotrace.learn.labelled import Rows
from emotrace.learn.stopwatch import Stopwatch

LABEL = np.tile(np.arange(7), 30)
SPLIT = np.repeat(np.array(["Train", "Val", "Test"]), 70)
TRAIN, VALID = np.arange(70), np.arange(70, 140)


def clips_in(folder: Path, speakers: int = 10) -> Clips:
    words = np.array([""] * 210)
    who = np.array([f"{split} {i % speakers}" for i, split in enumerate(SPLIT)])
    return Clips("any", [folder / f"{i}.mp4" for i in range(210)], LABEL, who, SPLIT, words, [None] * 210)


@dataclass
class Memory:
    """Knows the clips that it was fitted on by heart, and others with some skill; says nothing of every twentieth clip."""

    name: str
    skill: float
    seed: int
    modality: str = "face"
    settings: object = ()
    calls: list[str] = field(default_factory=list)

    def learn(self, clips: Clips, train: Rows, valid: Rows) -> Arrays:
        self.calls.append("learn")
        return {"noise": np.random.default_rng(self.seed).normal(size=(len(clips), 7))}

    def features(self, learnt: Arrays, clips: Clips) -> Features:
        return list(np.asarray(self.skill * np.eye(7)[clips.label] + learnt["noise"], np.float32))

    def fit(self, learnt: Arrays, features: Features, labels: np.ndarray, rows: Rows, valid: Rows) -> Arrays:
        self.calls.append("fit")
        return {"rows": rows, "labels": labels[rows]}

    def refit(self, learnt: Arrays, features: Features, labels: np.ndarray, rows: Rows, fitted: Arrays) -> Arrays:
        self.calls.append("refit")
        return {"rows": rows, "labels": labels[rows]}

    def answer(self, learnt: Arrays, fitted: Arrays, features: Features) -> np.ndarray:
        powers = np.exp(np.stack(features))
        said = powers / powers.sum(axis=1, keepdims=True)
        said[fitted["rows"]] = np.eye(7)[fitted["labels"]]
        said[::20] = np.nan
        return said.astype(np.float32)


def parts_of(folder: Path) -> tuple[list[FittedPart], Clips]:
    clips, watch = clips_in(folder), Stopwatch(folder)
    models = [Memory("good", 2.0, 1), Memory("fair", 1.2, 2, "voice"), Memory("poor", 0.0, 3, "scene")]
    return [fit_part(one, clips, TRAIN, VALID, Kept(folder, clips), watch) for one in models], clips


def test_a_model_is_learnt_once_and_fitted_three_times_and_then_kept(tmp_path: Path) -> None:
    model, clips = Memory("good", 2.0, 1), clips_in(tmp_path)
    first = fit_part(model, clips, TRAIN, VALID, Kept(tmp_path, clips), Stopwatch(tmp_path))
    assert model.calls == ["learn", "fit", "fit", "refit"]
    assert {where: len(kept["rows"]) for where, kept in first.fitted.items()} == {"train": 70, "val": 70, "both": 140}
    again = fit_part(model, clips, TRAIN, VALID, Kept(tmp_path, clips), Stopwatch(tmp_path))
    assert len(model.calls) == 4
    assert np.array_equal(first.said.both, again.said.both, equal_nan=True)


class Deaf(Memory):
    """A model that has nothing to learn from."""

    def learn(self, clips: Clips, train: Rows, valid: Rows) -> Arrays:
        raise InputError("no sound")


def test_a_model_with_nothing_to_learn_from_is_left_out_but_not_one_whose_file_is_damaged(tmp_path: Path) -> None:
    models, clips = [Memory("good", 2.0, 1), Deaf("deaf", 2.0, 1)], clips_in(tmp_path)
    kept, watch = Kept(tmp_path, clips), Stopwatch(tmp_path)
    fitted, notes = fit_parts(models, clips, TRAIN, VALID, kept, watch)
    assert ([one.part.name for one in fitted], notes) == (["good"], ["Left out: deaf (no sound)."])
    with pytest.raises(InputError, match=r"^Left out: deaf \(no sound\)\.$"):
        fit_parts(models[1:], clips, TRAIN, VALID, kept, watch)
    (file,) = (tmp_path / "fitted").glob("good-learnt-*.npz")
    file.write_bytes(b"PK")
    with pytest.raises(FolderError, match=rf"{file.name}: not a whole \.npz"):
        fit_parts(models, clips, TRAIN, VALID, kept, watch)


def test_combinations_are_judged_on_clips_that_they_were_not_fitted_on(tmp_path: Path) -> None:
    fitted, clips = parts_of(tmp_path)
    seen: list[int] = []

    def memory(answers: fusion.Answers, rng: np.random.Generator) -> fusion.Combine:
        """Answers rightly where it has seen the very clip, and anger otherwise."""
        seen.append(len(answers))
        known = {row.tobytes(): label for row, label in zip(answers.posteriors.transpose(1, 0, 2), answers.truth, strict=True)}
        return lambda said: np.eye(7, dtype=np.float32)[[known.get(row.tobytes(), 0) for row in said.transpose(1, 0, 2)]]

    from_val, from_swapped = lessons(fitted, clips, TRAIN, VALID)
    (line,) = combined(from_val, [Rule("memory", memory)], clips, 0, Stopwatch(tmp_path))
    assert seen == [70, 56, 56, 56, 56, 56]
    assert line.scores["Val"].accuracy == pytest.approx(1 / 7, abs=0.03)
    (line,) = combined(from_swapped, [Rule("memory", memory)], clips, 0, Stopwatch(tmp_path))
    assert seen[6:] == [140, 112, 112, 112, 112, 112]
    assert line.scores["Train"].accuracy == pytest.approx(1 / 7, abs=0.03)   # clips that nothing is said of look all alike
    assert line.scores["Val"].accuracy == pytest.approx(1 / 7, abs=0.03)
    assert (line.name, line.table) == ("memory (swapped predictions)", "Combinations fitted on swapped predictions")


def test_swapped_lessons_hold_nothing_learnt_by_heart_and_test_is_answered_by_the_fit_on_both(tmp_path: Path) -> None:
    fitted, clips = parts_of(tmp_path)
    from_val, from_swapped = lessons(fitted, clips, TRAIN, VALID)
    assert len(from_swapped.answers) == 140
    assert np.nanmax(from_swapped.answers.posteriors) < 1
    assert (np.nan_to_num(from_swapped.every[:, :140], nan=1).max(axis=2) == 1).all()
    assert np.array_equal(from_val.every[0], fitted[0].said.train, equal_nan=True)


def test_a_combination_beats_its_models_and_averages_are_of_every_subset(tmp_path: Path) -> None:
    fitted, clips = parts_of(tmp_path)
    from_val, _ = lessons(fitted, clips, TRAIN, VALID)
    alone = singles(fitted, clips, Stopwatch(tmp_path))
    assert [line.name for line in alone[:3]] == ["good", "fair", "poor"]
    assert alone[0].scores["Train"].accuracy == pytest.approx(1 - 4 / 70)  # by heart, but for those it says nothing of
    assert set(alone[3].scores) == {"Test"}
    lines = averages(from_val, clips)
    assert [line.name for line in lines] == [
        "average of good, fair", "average of good, poor", "average of fair, poor", "average of good, fair, poor",
    ]  # fmt: skip
    assert lines[0].scores["Test"].accuracy > alone[0].scores["Test"].accuracy
    expected = mean_pool(from_val.every[[0, 1]], np.ones(2)).argmax(axis=1)
    right = (expected[140:] == LABEL[140:]) & (np.arange(140, 210) % 20 > 0)
    assert lines[0].scores["Test"].accuracy == pytest.approx(right.mean())
    assert lines[0].confusion["Test"].sum() == 70 - 4


def test_folds_keep_speakers_together_where_they_are_known() -> None:
    who = np.array([f"{i % 6}" for i in range(84)])
    labels = np.arange(84) // 6 % 7
    kept = folds(labels, who)
    assert all(len(set(kept[who == one])) == 1 for one in set(who))
    assert len(set(kept)) == 5
    unknown = folds(labels, np.array([""] * 84))
    assert sorted(np.unique(unknown, return_counts=True)[1].tolist()) == pytest.approx([17, 17, 17, 17, 16], abs=2)
    assert set(folds(np.array([0, 0, 0, 1]), np.array([""] * 4))) == {"0", "1"}  # a class of one clip
    who = np.array(list("aabbaabbc"))
    single = folds(np.array([0] * 4 + [1] * 4 + [2]), who)
    assert all(len(set(single[who == name])) == 1 for name in "abc")
    assert len(set(single)) == 2
