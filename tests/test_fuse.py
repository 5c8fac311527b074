"""Late fusion: pools against their formulas, sources that are missing, and when there is no answer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from emotrace import fuse
from emotrace.errors import InputError
from emotrace.fuse import FACE, FACE_AND_VOICE, VOICE, LateFusion, late_fusion, log_pool, mean_pool, shares, temper, there

NAN = float("nan")
PLAIN = LateFusion(temperatures=(1.0, 1.0), evidence=1.0, floor=0.0)


def rows(*values: list[float]) -> np.ndarray:
    return np.array(values, np.float32)


def two(face: list[float], voice: list[float]) -> np.ndarray:
    return np.stack([rows(face), rows(voice)])


def drawn(m: int, n: int, k: int, missing: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(4)
    posteriors = rng.dirichlet(np.ones(k), (m, n)).astype(np.float32)
    posteriors[rng.random((m, n)) < missing] = np.nan
    return posteriors


def test_the_mean_pool_is_the_weighted_mean() -> None:
    assert mean_pool(two([0.8, 0.2], [0.4, 0.6]), np.array([3, 1])) == pytest.approx(rows([0.7, 0.3]))


def test_weights_for_each_label_are_made_to_sum_to_one_over_the_sources_and_the_row_to_one_again() -> None:
    pooled = mean_pool(two([0.8, 0.2], [0.4, 0.6]), np.array([[1, 0], [0, 4]]))
    assert pooled == pytest.approx(rows([0.8 / 1.4, 0.6 / 1.4]))


def test_where_no_believed_label_has_a_weight_all_labels_are_alike() -> None:
    pooled = mean_pool(two([1, 0, 0], [0, 1, 0]), np.array([[0, 1, 1], [1, 0, 1]]))
    assert pooled == pytest.approx(rows([1 / 3, 1 / 3, 1 / 3]))
    barely = mean_pool(two([1, 0, 0], [3e-8, 1, 0]), np.array([[0, 1, 1], [1, 0, 1]]))
    assert barely == pytest.approx(rows([1, 0, 0]))


def test_evidence_goes_from_the_geometric_mean_to_the_product() -> None:
    both = two([0.8, 0.2], [0.6, 0.4])
    product = rows([0.48 / 0.56, 0.08 / 0.56])
    root = np.sqrt(rows([0.48, 0.08]))
    assert log_pool(both, np.ones(2), 1.0) == pytest.approx(product, abs=1e-5)
    assert log_pool(both, np.ones(2), 0.0) == pytest.approx(root / root.sum(), abs=1e-5)


@pytest.mark.parametrize("evidence", [0.0, 0.5, 1.0])
def test_a_source_that_is_alone_says_what_it_says(evidence: float) -> None:
    posteriors = drawn(1, 20, 7)
    absent = np.full_like(posteriors, NAN)
    alone = np.concatenate([absent, posteriors, absent])
    for weights in (np.ones(3), np.array([5, 0, 1]), np.ones((3, 7))):
        assert log_pool(alone, weights, evidence) == pytest.approx(posteriors[0], abs=1e-5)
        assert mean_pool(alone, weights) == pytest.approx(posteriors[0], abs=1e-5)


def test_weights_are_shared_anew_among_the_sources_that_are_there() -> None:
    present = np.array([[True, True, False], [True, False, False], [True, True, False]])
    own = shares(np.array([0.5, 0.3, 0.2]), present)[:, :, 0]
    assert own[:, 0] == pytest.approx([0.5, 0.3, 0.2])
    assert own[:, 1] == pytest.approx([0.5 / 0.7, 0, 0.2 / 0.7])
    assert np.isnan(own[:, 2]).all()


@pytest.mark.parametrize("pool", [mean_pool, partial(log_pool, evidence=0.7)])
def test_nothing_is_put_in_the_place_of_a_missing_source(pool: Callable[..., np.ndarray]) -> None:
    posteriors, weights = drawn(3, 50, 7, missing=0.4), np.array([1, 2, 3])
    together = pool(posteriors, weights)
    for i, here in enumerate(there(posteriors).T):
        alone = pool(posteriors[here, i : i + 1], weights[here])[0] if here.any() else np.full(7, NAN)
        assert together[i] == pytest.approx(alone, abs=1e-5, nan_ok=True)


def test_a_row_with_one_nan_is_missing() -> None:
    assert there(two([0.5, 0.5], [NAN, 1.0])).tolist() == [[True], [False]]


def test_temperature_one_changes_nothing_and_a_high_one_makes_unsure() -> None:
    posteriors = drawn(2, 30, 5, missing=0.2)
    same = temper(posteriors, np.array([1.0, 1.0]))
    assert same == pytest.approx(posteriors, abs=1e-5, nan_ok=True)
    unsure = temper(posteriors, np.array([100.0, 1.0]))[0]
    assert np.nanmax(np.abs(unsure - 0.2)) < 0.05
    expected = np.sqrt(posteriors[0]) / np.sqrt(posteriors[0]).sum(axis=1, keepdims=True)
    assert temper(posteriors, np.array([2.0, 1.0]))[0] == pytest.approx(expected, abs=1e-5, nan_ok=True)


def test_agreement_makes_surer_and_disagreement_less_sure() -> None:
    _, agreed = late_fusion(two([0.6, 0.4], [0.6, 0.4]), np.ones(2), PLAIN)
    _, opposed = late_fusion(two([0.6, 0.4], [0.4, 0.6]), np.ones(2), PLAIN)
    assert agreed[0] == pytest.approx(0.36 / 0.52, abs=1e-5)
    assert opposed[0] == pytest.approx(0.5, abs=1e-5)


def test_where_no_source_is_there_or_sure_enough_there_is_no_answer() -> None:
    face = rows([0.7, 0.2, 0.1], [0.4, 0.3, 0.3], [NAN, NAN, NAN])
    voice = rows([NAN, NAN, NAN], [0.3, 0.4, 0.3], [NAN, NAN, NAN])
    fused, confidence = late_fusion(np.stack([face, voice]), np.ones(2), LateFusion((1.0, 1.0), 1.0, floor=0.5))
    assert fused[0] == pytest.approx(face[0], abs=1e-5)
    assert confidence[0] == pytest.approx(0.7, abs=1e-5)
    assert np.isnan(fused[1:]).all()
    assert np.isnan(confidence[1:]).all()


@pytest.mark.parametrize(("sure", "answered"), [(0.8, False), (0.86, False), (0.88, True), (0.9999, True)])
def test_two_that_are_equally_sure_of_different_labels_come_to_no_more_than_a_half(sure: float, answered: bool) -> None:
    rest = [(1 - sure) / 6] * 6
    _, confidence = late_fusion(two([sure, *rest], [rest[0], sure, *rest[1:]]), np.stack([FACE, VOICE]))
    assert np.isfinite(confidence).tolist() == [answered]
    assert not answered or confidence == pytest.approx(0.475, abs=0.025)


def test_reliability_can_differ_from_row_to_row() -> None:
    face, voice = rows([0.9, 0.1], [0.9, 0.1]), rows([0.2, 0.8], [0.2, 0.8])
    reliability = np.array([[[1.0], [0.0]], [[0.0], [1.0]]])
    fused, _ = late_fusion(np.stack([face, voice]), reliability, LateFusion((1.0, 1.0), 0.0, 0.0))
    assert fused == pytest.approx(np.stack([face[0], voice[1]]), abs=1e-5)


def test_of_no_rows_nothing_is_said() -> None:
    fused, confidence = late_fusion(np.zeros((2, 0, 7), np.float32), np.stack([FACE, VOICE]))
    assert fused.shape == (0, 7)
    assert confidence.shape == (0,)


def test_a_certain_source_does_not_break_the_logarithm() -> None:
    fused, confidence = late_fusion(two([1.0, 0.0], [0.0, 1.0]), np.ones(2), PLAIN)
    assert fused == pytest.approx(rows([0.5, 0.5]))
    assert confidence == pytest.approx([0.5])


@pytest.mark.parametrize(
    ("reliability", "words"),
    [
        (np.ones(3), r"weights \(3,\) for \(2, 1\) sources, rows; expected \(m,\), \(m, k\) or \(m, n, 1\)"),
        (np.ones((2, 4, 1)), r"weights \(2, 4, 1\) for \(2, 1\)"),
        (np.array([1.0, -0.1]), "a weight is negative or NaN"),
        (np.array([1.0, NAN]), "a weight is negative or NaN"),
    ],
)
def test_weights_that_make_no_sense_are_refused(reliability: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        late_fusion(two([0.5, 0.5], [0.5, 0.5]), reliability, PLAIN)


def test_a_row_is_named_after_its_most_probable_label_and_not_at_all_without_an_answer() -> None:
    assert fuse.named(rows([0.2, 0.8], [NAN, NAN], [0.6, 0.4]), ("calm", "anger")) == ["anger", None, "calm"]
    assert fuse.named(np.zeros((0, 2), np.float32), ("calm", "anger")) == []


def test_as_many_temperatures_as_sources_are_needed() -> None:
    with pytest.raises(InputError, match="3 sources, but 2 temperatures"):
        late_fusion(drawn(3, 1, 7), np.ones(3), FACE_AND_VOICE)


def test_fusing_loads_neither_torch_nor_scikit_learn() -> None:
    code = "import sys, emotrace.fuse; print({'torch', 'sklearn', 'scipy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "set()"
