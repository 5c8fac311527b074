"""An LSTM learns what lies in the order of frames, and only where it sees them in order."""

from dataclasses import replace

import numpy as np
import pytest

from emotrace.errors import InputError
from emotrace.learn.sequence import LstmPlan, fit, posteriors

PLAN = LstmPlan(hidden=16, dropout=0.0, epochs=40, patience=40, rate=0.02, seed=1)


def rising_or_falling(n: int, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Clips of 5 to 12 frames of one number that rises (label 1) or falls (0), with noise; frames alone say nothing."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    clips = []
    for label in labels:
        frames = np.sort(rng.normal(size=(rng.integers(5, 13), 1)), axis=0) * 3
        clips.append((frames if label else frames[::-1]).astype(np.float32))
    return clips, labels


def accuracy(shuffle: bool) -> float:
    clips, labels = rising_or_falling(160, 0)
    rows = np.arange(160)
    network = fit(clips, labels, rows[:60], rows[60:80], 2, replace(PLAN, shuffle=shuffle))
    return float((posteriors(network, clips, 2)[80:].argmax(axis=1) == labels[80:]).mean())


def test_the_order_is_learnt_from_frames_in_order() -> None:
    assert accuracy(shuffle=False) > 0.95


def test_the_order_is_not_learnt_from_frames_that_are_shuffled() -> None:
    assert accuracy(shuffle=True) < 0.7


def test_what_the_frames_are_is_learnt_from_shuffled_frames() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    clips = [(rng.normal(size=(int(rng.integers(1, 9)), 3)) + 3 * np.eye(3)[label]).astype(np.float32) for label in labels]
    rows = np.arange(90)
    network = fit(clips, labels, rows[:45], rows[45:60], 3, replace(PLAN, shuffle=True))
    assert (posteriors(network, clips, 3)[60:].argmax(axis=1) == labels[60:]).mean() > 0.9


def test_clips_do_not_change_each_others_answers() -> None:
    clips, labels = rising_or_falling(20, 2)
    network = fit(clips, labels, np.arange(10), np.arange(10, 15), 2, replace(PLAN, epochs=2))
    together = posteriors(network, clips, 2)
    alone = np.concatenate([posteriors(network, [clip], 2) for clip in clips])
    assert together == pytest.approx(alone, abs=1e-5)


def test_clips_without_frames_have_no_answer_and_teach_nothing() -> None:
    clips, labels = rising_or_falling(12, 3)
    clips[0] = clips[7] = clips[11] = np.zeros((0, 1), np.float32)
    network = fit(clips, labels, np.arange(7), np.arange(7, 11), 2, replace(PLAN, epochs=1))
    assert np.flatnonzero(np.isnan(posteriors(network, clips, 2)).any(axis=1)).tolist() == [0, 7, 11]


def test_the_same_seed_gives_the_same_numbers() -> None:
    clips, labels = rising_or_falling(20, 4)
    plan = replace(PLAN, epochs=3, dropout=0.5, shuffle=True)
    first, again = (posteriors(fit(clips, labels, np.arange(12), np.arange(12, 16), 2, plan), clips, 2) for _ in range(2))
    assert first.tobytes() == again.tobytes()


def test_learning_from_nothing_is_refused() -> None:
    clips, labels = rising_or_falling(4, 5)
    with pytest.raises(InputError, match="2 training and 0 validation clips"):
        fit(clips, labels, np.array([0, 1]), np.array([], np.int64), 2)
