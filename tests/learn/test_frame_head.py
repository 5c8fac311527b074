"""A head learns from frames and answers for clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from emotrace.errors import InputError  # noqa: E402
from emotrace.learn.augment import Augmentation  # noqa: E402
from emotrace.learn.frame_head import (  # noqa: E402
    Frames,
    HeadPlan,
    clip_means,
    clips_of,
    fit_head,
    load_head,
    new_head,
    varied,
)

QUICK = HeadPlan(widths=(32,), rate=0.01, epochs=6, batch=16)


def made(clips: int = 42, versions: int = 3, d: int = 12, seed: int = 0) -> tuple[Frames, np.ndarray]:
    """Clips of 1 to 5 frames whose label can be told from any version of any frame."""
    rng = np.random.default_rng(seed)
    labels = np.arange(clips) % 7
    centres = 3 * np.random.default_rng(99).normal(size=(7, d))
    count = rng.integers(1, 6, clips)
    parts = [
        (centres[label] + rng.normal(size=(n, versions, d))).astype(np.float32) for label, n in zip(labels, count, strict=True)
    ]
    return Frames.joined(parts, np.arange(clips)), labels


def part(frames: Frames, rows: np.ndarray) -> Frames:
    own = np.isin(frames.clip, rows)
    return Frames(frames.features[own], frames.clip[own])


def test_a_head_learns_from_frames_and_answers_for_clips(tmp_path: Path) -> None:
    frames, labels = made()
    learnt, held_out = part(frames, np.arange(28)), part(frames, np.arange(28, 42))
    head = fit_head(learnt, labels, held_out, tmp_path / "head", QUICK)
    said, hidden = clips_of(head, frames, 42)
    assert (said.shape, hidden.shape) == ((42, 7), (42, 32))
    assert said.sum(axis=1) == pytest.approx(np.ones(42), abs=1e-5)
    assert (said[28:].argmax(axis=1) == labels[28:]).mean() > 0.9
    kept = load_head(tmp_path / "head", 12, QUICK)
    assert np.array_equal(clips_of(kept, frames, 42)[0], said)


def test_the_same_plan_gives_the_same_head_and_another_seed_another(tmp_path: Path) -> None:
    frames, labels = made()
    heads = [
        fit_head(frames, labels, frames, tmp_path / name, HeadPlan(widths=(8,), epochs=2, batch=16, seed=seed))
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    ]
    a, b, c = (clips_of(head, frames, 42)[0] for head in heads)
    assert np.array_equal(a, b)
    assert not np.allclose(a, c)


def test_the_answer_for_a_clip_is_the_mean_of_its_frames_softmax(tmp_path: Path) -> None:
    frames, labels = made(7)
    head = fit_head(frames, labels, frames, tmp_path / "head", QUICK)
    said, hidden = clips_of(head, frames, 9)
    with torch.no_grad():
        by_frame = head(torch.from_numpy(frames.features[:, 0])).softmax(1).numpy()
        before = head.before_last(torch.from_numpy(frames.features[:, 0])).numpy()
    for clip in range(7):
        assert said[clip] == pytest.approx(by_frame[frames.clip == clip].mean(axis=0), abs=1e-6)
        assert hidden[clip] == pytest.approx(before[frames.clip == clip].mean(axis=0), abs=1e-5)
    assert np.isnan(said[7:]).all()  # no face, no answer
    assert np.isnan(hidden[7:]).all()


def test_means_are_over_a_clip_s_own_rows() -> None:
    values = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
    found = clip_means(values, np.array([0, 2, 2]), 4)
    assert found[[0, 2]].tolist() == [[1, 2], [4, 5]]
    assert np.isnan(found[[1, 3]]).all()
    assert np.isnan(clip_means(values[:0], np.zeros(0, np.int64), 2)).all()


def test_only_the_named_layers_learn_and_the_first_may_begin_with_a_trunk_s_own(tmp_path: Path) -> None:
    frames, labels = made()
    rng = np.random.default_rng(5)
    first = rng.normal(size=(16, 12)).astype(np.float32), rng.normal(size=16).astype(np.float32)
    plan = HeadPlan(widths=(16, 8), learning=("fc2", "fc3"), epochs=1, batch=16)
    head = fit_head(frames, labels, frames, tmp_path / "head", plan, first)
    assert plan.parameters == [name for name, _ in head.head.named_parameters()]
    assert np.array_equal(head.head["fc1"].weight.detach().numpy(), first[0])
    assert not torch.equal(head.head["fc2"].weight, new_head(12, plan).head["fc2"].weight)
    with pytest.raises(InputError, match="no parameter has 'conv5' in its name"):
        new_head(12, HeadPlan(learning=("conv5",)))


def test_clips_without_frames_and_an_empty_class_are_no_obstacle(tmp_path: Path) -> None:
    frames, labels = made(14)
    empty = np.zeros((0, 3, 12), np.float32)
    parts = [frames.features[frames.clip == clip] if labels[clip] != 1 else empty for clip in range(14)]
    some = Frames.joined(parts, np.arange(14))
    assert not np.isin(some.clip, np.flatnonzero(labels == 1)).any()
    said, _ = clips_of(fit_head(some, labels, part(some, np.zeros(0)), tmp_path / "head", QUICK), some, 14)
    assert np.isnan(said[labels == 1]).all()
    assert not np.isnan(said[labels != 1]).any()
    assert Frames.joined([empty, empty], np.arange(2)).features.shape == (0, 1, 12)


def test_of_clips_with_fewer_versions_as_many_are_kept_as_all_have() -> None:
    parts = [np.ones((2, 4, 5), np.float32), np.ones((3, 1, 5), np.float32)]
    joined = Frames.joined(parts, np.array([3, 8]))
    assert joined.features.shape == (5, 1, 5)
    assert joined.clip.tolist() == [3, 3, 8, 8, 8]


def test_every_version_of_a_picture_is_varied_in_its_own_way_and_the_same_seed_gives_the_same() -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (3, 16, 16, 3)).astype(np.uint8)
    how = Augmentation(rotation=30, contrast=(1, 1), brightness=0, noise=0)

    def run(given: np.ndarray) -> np.ndarray:
        assert given.dtype == np.uint8
        return given.reshape(len(given), 768).astype(np.float32)

    seen, again = (varied(pictures, run, how, 2, torch.Generator().manual_seed(4)) for _ in range(2))
    assert seen.shape == (3, 2, 768)
    assert not np.array_equal(seen[:, 0], seen[:, 1])
    assert np.array_equal(seen, again)
    plain = Augmentation(rotation=0, scale=(1, 1), stretch=0, shift=0, flip=1, contrast=(1, 1), brightness=0, noise=0)
    (mirrored,) = varied(pictures[:1], run, plain, 1, torch.Generator()).reshape(1, 16, 16, 3)
    assert np.array_equal(mirrored, pictures[0, :, ::-1])
    assert varied(pictures[:0], run, how, 2, torch.Generator()).shape == (0, 2, 768)
