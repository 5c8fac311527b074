"""Random search for weights: counted as argmax counts, drawn uniformly, and finding what was planted."""

from __future__ import annotations

import numpy as np
import pytest

from emotrace.errors import InputError
from emotrace.fuse import mean_pool
from emotrace.learn.weight_search import Judge, Search, around, bagged_search, search_weights, uniform


def slow_accuracy(posteriors: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> float:
    """One weighting (m, k), clip by clip, as the words say."""
    right = 0
    for clip, label in enumerate(truth):
        here = [i for i in range(len(posteriors)) if not np.isnan(posteriors[i, clip]).any()]
        if not here:
            continue
        scores = []
        for c in range(posteriors.shape[2]):
            total = sum(weights[i, c] for i in here)
            own = [weights[i, c] / total if total > 0 else 1 / len(here) for i in here] if len(here) < len(posteriors) else [
                weights[i, c] for i in here
            ]
            scores.append(sum(w * posteriors[i, clip, c] for w, i in zip(own, here, strict=True)))
        right += int(np.argmax(scores)) == label
    return right / len(truth)


def clips(m: int, n: int, k: int, missing: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    logits = rng.normal(size=(m, n, k)) + np.eye(k)[truth]
    posteriors = (np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)).astype(np.float32)
    posteriors[rng.random((m, n)) < missing] = np.nan
    return posteriors, truth


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_many_weightings_at_once_are_counted_as_one_by_one(missing: float) -> None:
    posteriors, truth = clips(3, 60, 4, missing)
    weights = uniform(3, 4, 50, np.random.default_rng(1))
    found = Judge(posteriors, truth).accuracy(weights)
    assert found == pytest.approx([slow_accuracy(posteriors, truth, weights[:, :, b].T) for b in range(50)])


def test_of_level_scores_the_first_label_is_taken_as_argmax_does() -> None:
    posteriors = np.array([[[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]], [[0.25, 0.5, 0.25], [0.25, 0.25, 0.5]]], np.float32)
    half = np.full((3, 2, 1), 0.5, np.float32)  # clip 0: labels 0 and 1 level; clip 1: labels 1 and 2 level
    for truth, right in (([0, 1], 1.0), ([1, 2], 0.0), ([0, 2], 0.5)):
        assert Judge(posteriors, np.array(truth)).accuracy(half).tolist() == [right]


def test_clips_without_any_model_count_as_wrong() -> None:
    posteriors = np.full((2, 4, 3), np.nan, np.float32)
    posteriors[0, 0] = [1, 0, 0]
    weights = uniform(2, 3, 2, np.random.default_rng(0))
    assert Judge(posteriors, np.zeros(4, np.int64)).accuracy(weights).tolist() == [0.25, 0.25]


def test_more_than_255_clips_of_a_class_are_counted() -> None:
    posteriors = np.tile(np.array([0.9, 0.1], np.float32), (1, 700, 1))
    assert Judge(posteriors, np.zeros(700, np.int64)).accuracy(np.ones((2, 1, 3), np.float32)).tolist() == [1, 1, 1]


def test_weightings_are_uniform_on_each_class_s_simplex() -> None:
    weights = uniform(5, 7, 20_000, np.random.default_rng(0)).astype(np.float64)
    assert weights.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert weights.mean(axis=2) == pytest.approx(0.2, abs=0.005)
    assert weights.var(axis=2) == pytest.approx(4 / 150, rel=0.05)  # Dirichlet(1): (m - 1) / (m^2 (m + 1))
    assert (weights < 0.1).mean() == pytest.approx(1 - 0.9**4, abs=0.005)  # each is Beta(1, m - 1)


def two_decimals(weights: np.ndarray) -> np.ndarray:
    """Which weights (k, m, ...) are, class by class, weights of two decimals over their sum, which rounding leaves near 1."""
    hundredths = weights.astype(np.float64)[..., None] * np.arange(95, 106)
    return (np.abs(hundredths - np.round(hundredths)) < 1e-3).all(axis=1).any(axis=-1)


def test_steps_around_the_best_stay_near_are_of_two_decimals_and_not_negative() -> None:
    best = np.tile(np.array([0.7, 0.3, 0.0], np.float32), (4, 1))
    drawn = around(best, 5000, Search(spread=0.05), np.random.default_rng(0))
    assert drawn.shape == (4, 3, 5000)
    assert drawn.min() == 0
    assert two_decimals(drawn).all()
    assert drawn.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert drawn.mean(axis=2)[0] == pytest.approx([0.69, 0.29, 0.02], abs=0.02)
    assert 0.03 < drawn[:, 0].std() < 0.06


def planted() -> tuple[np.ndarray, np.ndarray]:
    """Model 0 knows classes 0 and 1, model 1 knows 2 and 3; each is sure, and wrong, of the others."""
    truth = np.arange(200) % 4
    right, wrong = 0.2 / 3 + 0.55 * np.eye(4)[truth], 0.1 / 3 + 0.9 * np.eye(4)[truth ^ 1]
    posteriors = np.where((truth < 2)[:, None], np.stack([right, wrong]), np.stack([wrong, right]))
    return posteriors.astype(np.float32), truth


def test_a_search_gives_each_class_the_model_that_knows_it() -> None:
    posteriors, truth = planted()
    equal = (mean_pool(posteriors, np.ones(2)).argmax(axis=1) == truth).mean()
    found = search_weights(posteriors, truth, np.random.default_rng(0), Search(draws=5000, rounds=3, local=2000))
    assert equal == 0
    assert found.accuracy == 1
    assert (found.weights[0, :2] > found.weights[1, :2]).all()
    assert (found.weights[1, 2:] > found.weights[0, 2:]).all()
    assert (np.einsum("mk,mnk->nk", found.weights, posteriors).argmax(axis=1) == truth).all()


def test_the_local_search_betters_the_uniform_one_and_is_rounded() -> None:
    posteriors, truth = clips(5, 150, 7, seed=4)
    first = search_weights(posteriors, truth, np.random.default_rng(0), Search(draws=300, rounds=0))
    then = search_weights(posteriors, truth, np.random.default_rng(0), Search(draws=300, rounds=10, local=2000))
    assert then.accuracy > first.accuracy
    assert two_decimals(then.weights.T).all()


@pytest.mark.parametrize("seed", range(4))
def test_the_accuracy_found_is_that_of_the_mean_which_the_weights_give(seed: int) -> None:
    posteriors, truth = clips(5, 150, 7, seed=seed)
    found = search_weights(posteriors, truth, np.random.default_rng(0), Search(draws=300, rounds=5, local=1000))
    assert found.weights.sum(axis=0) == pytest.approx(1, abs=1e-6)
    assert found.accuracy == (mean_pool(posteriors, found.weights).argmax(axis=1) == truth).mean()


def test_weights_that_are_all_rounded_to_nothing_stay_as_they_were() -> None:
    best = np.full((2, 300), 1 / 300, np.float32)
    drawn = around(best, 3, Search(spread=0.0), np.random.default_rng(0))
    assert (drawn == best[:, :, None]).all()


def test_the_same_seed_finds_the_same_and_equal_weights_are_the_least_it_finds() -> None:
    posteriors, truth = clips(3, 80, 4, missing=0.1)
    search = Search(draws=2000, rounds=1, local=500)
    one, two = (search_weights(posteriors, truth, np.random.default_rng(7), search) for _ in range(2))
    assert (one.weights == two.weights).all()
    assert one.accuracy >= slow_accuracy(posteriors, truth, np.full((3, 4), 1 / 3))


def test_bagging_averages_weightings_of_samples_and_keeps_what_was_planted() -> None:
    posteriors, truth = planted()
    weights = bagged_search(posteriors, truth, np.random.default_rng(0), searches=20, search=Search(500, 1, 200))
    assert weights.shape == (2, 4)
    assert weights.sum(axis=0) == pytest.approx(1, abs=1e-6)
    assert (weights[0] > weights[1]).tolist() == [True, True, False, False]


def test_no_clips_or_other_shapes_are_refused() -> None:
    with pytest.raises(InputError, match=r"posteriors are \(2, 0, 3\), truth \(0,\)"):
        search_weights(np.zeros((2, 0, 3), np.float32), np.zeros(0, np.int64), np.random.default_rng(0))
    with pytest.raises(InputError, match=r"posteriors are \(2, 5, 3\), truth \(4,\)"):
        Judge(np.zeros((2, 5, 3), np.float32), np.zeros(4, np.int64))
