"""The fusion recipe: on a few real clips from end to end, and how its constants are chosen."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from emotrace.corpora import afew, fer2013, paired, ravdess
from emotrace.corpora.clips import Clips
from emotrace.errors import InputError
from emotrace.fuse import LateFusion
from emotrace.learn.answers import Answers
from emotrace.learn.clip_measures import ClipMeasurer, measure_clips
from emotrace.recipes import paired_fusion
from emotrace.scheme import EXPRESSION_7
from recordings import encode


def clips_of(*paths: Path) -> Clips:
    n = len(paths)
    words = np.array([""] * n)
    return Clips("any", list(paths), np.zeros(n, np.int64), words, words, words, [None] * n)


def test_a_clip_is_measured_as_its_face_looks_and_its_sound_is(woman: Path, late_sound: Path, made: Path) -> None:
    laughing = ClipMeasurer(rate=2).measure(woman)
    assert {name: rows.shape for name, rows in laughing.items()} == {
        "face.expression": (1, 7), "face.expression_mini_xception": (1, 7), "face.blendshapes": (1, 52), "voice": (1, 68),
    }  # fmt: skip
    assert laughing["face.expression"].sum() == pytest.approx(1, abs=1e-4)
    assert EXPRESSION_7.labels[laughing["face.expression"].argmax()] == "happiness"  # she laughs most of the time
    tone = ClipMeasurer().measure(late_sound)["voice"]
    assert not np.isnan(tone).any()
    mute = encode(made / "mute.mp4", woman, [Fraction(i, 25) for i in range(3)])
    three_frames = ClipMeasurer().measure(mute)
    assert np.isnan(three_frames["voice"]).all()
    assert not np.isnan(three_frames["face.expression"]).any()


def test_clips_that_cannot_be_opened_are_nan_and_measuring_is_kept(steady: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no film")
    clips, said = clips_of(tmp_path / "bad.mp4", steady), []
    first = measure_clips(clips, tmp_path / "run", rate=2, report=said.append)
    assert np.isnan(first["face.expression"][0]).all()
    assert np.isnan(first["voice"]).all()
    assert not np.isnan(first["face.expression"][1]).any()
    (kept,) = (tmp_path / "run").iterdir()
    written = kept.stat().st_mtime_ns
    again = measure_clips(clips, tmp_path / "run", rate=2, report=said.append)
    assert kept.stat().st_mtime_ns == written
    assert all(np.array_equal(again[name], first[name], equal_nan=True) for name in first)


def test_the_floor_is_where_answers_begin_to_be_right_more_often_than_wrong() -> None:
    confidence = np.repeat(np.arange(0.22, 1, 0.01), 20)
    fused = np.stack([confidence, *[(1 - confidence) / 6] * 6], axis=1).astype(np.float32)
    order = np.tile(np.arange(20) / 20, 78)
    truth = np.where(order < np.where(confidence < 0.45, 0.2, 0.9), 0, 1)
    assert paired_fusion.floor(fused, truth) == pytest.approx(0.45, abs=0.011)
    odd = truth.copy()
    odd[np.flatnonzero(confidence > 0.8)[:5]] = 1  # a few sure ones that are wrong do not move it
    assert paired_fusion.floor(fused, odd) == paired_fusion.floor(fused, truth)
    assert paired_fusion.floor(fused, np.zeros_like(truth)) == 0
    assert paired_fusion.floor(fused, np.ones_like(truth)) == 1


def test_constants_come_from_the_first_face_and_the_first_voice_model() -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(280) % 7
    logits = rng.normal(size=(3, 280, 7)) + 2 * np.eye(7)[truth]
    logits[0] *= 2  # the face is too sure
    posteriors = (np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)).astype(np.float32)
    answers = Answers(("a", "b", "c"), ("voice", "face", "face"), posteriors[[1, 0, 2]], truth, np.array([""] * 280))
    found = paired_fusion.constants(answers)
    assert found.temperatures[0] / found.temperatures[1] == pytest.approx(2, rel=0.3)
    assert found.evidence >= 0.75
    assert found.floor == pytest.approx(0.5, abs=0.11)  # of what is calibrated, half of the answers are right at one half


def test_shares_count_who_is_answered_and_who_is_right() -> None:
    sure, torn = np.eye(7)[2] * 0.93 + 0.01, np.full(7, 1 / 7) + 0.02 * np.eye(7)[5] - 0.02 / 7
    face = np.stack([sure, sure, torn, torn]).astype(np.float32)
    voice = np.stack([sure, np.full(7, np.nan), torn, torn]).astype(np.float32)
    truth = np.array([2, 3, 5, 1])
    test = Answers(("face", "voice"), ("face", "voice"), np.stack([face, voice]), truth, np.array([""] * 4))
    found = paired_fusion.answered(test, LateFusion((1.0, 1.0), 0.75, 0.45))
    assert found["both"] == paired_fusion.Answered(0.5, 0.5, 0.5)
    assert found["face alone"] == paired_fusion.Answered(0.5, 0.5, 0.5)


@pytest.mark.slow
def test_the_recipe_runs_from_end_to_end_on_real_faces_and_voices(data: Path, tmp_path: Path) -> None:
    faces = fer2013.read(data / "fer2013" / "fer2013.parquet")
    some = np.concatenate([np.flatnonzero(faces.split == split)[:1000] for split in ("Training", "PublicTest")])
    small = paired.Config(train=2, val=1, test=1)
    paired.make(faces[some], ravdess.read(data / "ravdess"), tmp_path / "corpus", small)
    config = paired_fusion.Config(rate=1.0, shuffles=2, trees=10, components=5)
    result = paired_fusion.fit(tmp_path / "corpus", tmp_path / "run", config)
    assert len(result.alone) == 8
    assert {outcome.test.answered for outcome in result.fused} <= {1.0}  # where no face is found there is a voice
    assert result.chosen in (tmp_path / "run" / "scores.md").read_text()
    assert json.loads((tmp_path / "run" / "scores.json").read_text())["chosen"] == result.chosen
    again = paired_fusion.fit(tmp_path / "corpus", tmp_path / "run", config)
    assert [(o.name, o.held_out, o.test) for o in again.fused] == [(o.name, o.held_out, o.test) for o in result.fused]


def test_a_corpus_that_is_not_the_constructed_one_is_refused(tmp_path: Path) -> None:
    for split in afew.SPLITS:
        (tmp_path / split).mkdir()
    with pytest.raises(InputError, match=r"no clips\.csv; make the corpus with"):
        paired_fusion.fit(tmp_path, tmp_path / "run")
