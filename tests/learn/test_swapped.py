"""Swapped predictions, and the machine on scores with factors: planted models whose worth is known."""

from __future__ import annotations

import numpy as np
import pytest

from emotrace.errors import InputError
from emotrace.fuse import mean_pool
from emotrace.learn.answers import Answers
from emotrace.learn.scaled_svm import ScaledSearch, scaled, scaled_svm, search
from emotrace.learn.swapped import ThreeFits, three_fits
from emotrace.learn.weight_search import Search, search_weights

CLASSES, CLIPS = 7, 210
TRUTH = np.arange(CLIPS) % CLASSES
SPLIT = np.repeat(np.array(["Train", "Val", "Test"]), CLIPS // 3)
TRAIN, VAL, TEST = (np.flatnonzero(split == SPLIT) for split in ("Train", "Val", "Test"))
QUICK = Search(draws=4000, rounds=2, local=500)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (powers / powers.sum(axis=-1, keepdims=True)).astype(np.float32)


def honest(rows: np.ndarray) -> np.ndarray:
    """A model that is as often right about strangers as about its training clips, whatever it was fitted on."""
    return softmax(np.random.default_rng(1).normal(size=(CLIPS, CLASSES)) + 2.2 * np.eye(CLASSES)[TRUTH])


def by_heart(rows: np.ndarray) -> np.ndarray:
    """A model that has learnt its training clips by heart and guesses about others."""
    guess = softmax(3 * np.random.default_rng(len(rows)).normal(size=(CLIPS, CLASSES)))
    guess[rows] = np.eye(CLASSES, dtype=np.float32)[TRUTH[rows]]
    return guess


def fits_of(model: object) -> ThreeFits:
    return three_fits(TRAIN, VAL, lambda fitted, chosen: model(fitted), lambda rows: model(rows))  # type: ignore[operator]


def test_no_swapped_prediction_is_of_a_clip_that_the_model_was_fitted_on() -> None:
    fitted: list[tuple[int, ...]] = []

    def fit(rows: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        fitted.append((len(rows), len(chosen)))
        said = np.zeros((CLIPS, CLASSES), np.float32)
        said[rows] = 1  # marks what it has seen
        return said

    both = three_fits(TRAIN, VAL, fit, lambda rows: fit(rows, rows[:0]))
    assert fitted == [(70, 70), (70, 70), (140, 0)]
    assert not both.swapped(SPLIT).any()
    assert both.train[TRAIN].all()
    assert both.both[VAL].all()


def test_a_combination_of_swapped_predictions_trusts_the_model_that_knows_strangers() -> None:
    models = [fits_of(by_heart), fits_of(honest)]
    naive = np.stack([fits.train for fits in models])
    swapped = np.stack([fits.swapped(SPLIT) for fits in models])
    both = np.concatenate([TRAIN, VAL])
    test = np.stack([fits.both for fits in models])[:, TEST]

    def right(said: np.ndarray, rows: np.ndarray) -> float:
        weights = search_weights(said[:, rows], TRUTH[rows], np.random.default_rng(0), QUICK).weights
        return float((mean_pool(test, weights).argmax(axis=1) == TRUTH[TEST]).mean())

    alone = float((test[1].argmax(axis=1) == TRUTH[TEST]).mean())
    assert right(naive, TRAIN) < alone - 0.1  # on Train the one that learnt by heart is always right
    assert right(swapped, both) > alone - 0.05


def test_fits_of_other_shapes_and_clips_in_both_parts_are_refused() -> None:
    with pytest.raises(InputError, match="expected the same three times"):
        ThreeFits(np.zeros((2, 7), np.float32), np.zeros((2, 7), np.float32), np.zeros((3, 7), np.float32))
    with pytest.raises(InputError, match="1 clips are in Train and in Val, row 5 is the first"):
        three_fits(np.array([1, 5]), np.array([5, 6]), lambda rows, chosen: honest(rows), honest)


def test_factors_multiply_centred_scores_and_a_missing_model_says_nothing() -> None:
    said = np.full((2, 1, 4), 0.25, np.float32)
    said[0, 0] = (1, 0, 0, 0)
    said[1, 0] = np.nan
    assert scaled(said, np.array([2, 3], np.float32)).tolist() == [[1.5, -0.5, -0.5, -0.5, 0, 0, 0, 0]]


def planted() -> np.ndarray:
    """A model that knows but whispers, its scores near chance, between two that shout and know nothing."""
    rng = np.random.default_rng(3)
    knows = softmax(0.25 * (rng.normal(size=(CLIPS, CLASSES)) * 0.7 + 3 * np.eye(CLASSES)[TRUTH]))
    noise = [softmax(4 * rng.normal(size=(CLIPS, CLASSES))) for _ in range(2)]
    return np.stack([noise[0], knows, noise[1]])


def test_the_search_finds_the_factor_of_a_model_that_whispers() -> None:
    said = planted()
    folds = [(TRAIN, VAL)]
    plain = search(said, TRUTH, folds, np.random.default_rng(0), ScaledSearch(draws=1))
    found = search(said, TRUTH, folds, np.random.default_rng(0), ScaledSearch(draws=100, factor=20))
    assert plain.factors.tolist() == [1, 1, 1]
    assert plain.accuracy < 0.6
    assert found.accuracy > 0.9
    assert found.factors[1] > 4 * max(found.factors[0], found.factors[2])


def test_as_a_rule_it_is_found_on_folds_and_answers_strangers() -> None:
    said, learnt = planted(), np.concatenate([TRAIN, VAL])
    group = np.array([f"speaker {i % 6}" for i in range(len(learnt))])
    answers = Answers(("a", "b", "c"), ("face", "face", "voice"), said[:, learnt], TRUTH[learnt], group)
    combine = scaled_svm(ScaledSearch(draws=60, factor=20))(answers, np.random.default_rng(0))
    asked = said[:, TEST].copy()
    asked[:, 0] = np.nan
    fused = combine(asked)
    assert np.isnan(fused[0]).all()
    assert (fused[1:].argmax(axis=1) == TRUTH[TEST][1:]).mean() > 0.85
    again = scaled_svm(ScaledSearch(draws=60, factor=20))(answers, np.random.default_rng(0))(asked)
    assert np.array_equal(fused, again, equal_nan=True)


def test_an_empty_class_gets_nothing_and_a_single_clip_of_a_class_is_enough() -> None:
    said = planted()
    few = np.concatenate([TRAIN[TRUTH[TRAIN] < 3], TRAIN[TRUTH[TRAIN] == 4][:1]])
    answers = Answers(("a", "b", "c"), ("face", "face", "voice"), said[:, few], TRUTH[few], np.array([""] * len(few)))
    fused = scaled_svm(ScaledSearch(draws=5))(answers, np.random.default_rng(0))(said[:, TEST])
    assert fused[:, [3, 5, 6]].max() == 0
    assert fused.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_without_a_usable_fold_there_is_no_search() -> None:
    with pytest.raises(InputError, match="210 clips, 1 folds; expected one with two classes"):
        search(planted(), TRUTH, [(TRAIN[:1], VAL)], np.random.default_rng(0))
