"""Scores against values worked out by hand and against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest

from emotrace.learn.metrics import calibration_error, concordance, score, softmax, temperature

LABELS = ("a", "b", "c")


def sure_of(predicted: list[int]) -> np.ndarray:
    return np.eye(3, dtype=np.float32)[predicted]


def test_scores_of_six_rows_worked_out_by_hand():
    scores = score(sure_of([0, 0, 1, 1, 1, 2]), np.array([0, 0, 0, 1, 1, -1]), LABELS)
    assert scores.n == 5
    assert scores.accuracy == pytest.approx(4 / 5)
    assert scores.uar == pytest.approx((2 / 3 + 1) / 2)  # c never occurs and does not count
    assert scores.confusion.tolist() == [[2, 1, 0], [0, 2, 0], [0, 0, 0]]
    assert scores.per_class["b"] == {"precision": pytest.approx(2 / 3), "recall": 1.0, "support": 2}
    assert np.isnan(scores.per_class["c"]["recall"])


def test_accuracy_uar_and_confusion_are_scikit_learns():
    reference = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(3)
    truth, logits = random.integers(0, 3, 500), random.normal(size=(500, 3)).astype(np.float32)
    scores = score(softmax(logits), truth, LABELS)
    predicted = logits.argmax(1)
    assert scores.accuracy == pytest.approx(reference.accuracy_score(truth, predicted))
    assert scores.uar == pytest.approx(reference.balanced_accuracy_score(truth, predicted))
    assert (scores.confusion == reference.confusion_matrix(truth, predicted)).all()
    precision = reference.precision_score(truth, predicted, average=None)
    assert [scores.per_class[label]["precision"] for label in LABELS] == pytest.approx(list(precision))


def test_calibration_error_is_the_gap_between_confidence_and_accuracy():
    probabilities = np.array([[0.9, 0.1, 0.0]] * 10, np.float32)
    assert calibration_error(probabilities, np.array([0] * 9 + [1])) == pytest.approx(0, abs=1e-6)
    assert calibration_error(probabilities, np.array([0] * 6 + [1] * 4)) == pytest.approx(0.3, abs=1e-6)
    both = np.concatenate([probabilities, np.array([[0.5, 0.3, 0.2]] * 10, np.float32)])
    truth = np.array([0] * 6 + [1] * 4 + [0] * 7 + [2] * 3)  # 0.3 too sure, and 0.2 not sure enough
    assert calibration_error(both, truth) == pytest.approx(0.25, abs=1e-6)


def test_temperature_finds_the_factor_that_logits_were_sharpened_by():
    random = np.random.default_rng(0)
    logits = random.normal(size=(20000, 3)).astype(np.float32) * 1.5
    truth = (softmax(logits).cumsum(1) > random.random((20000, 1))).argmax(1)
    assert temperature(logits * 2.5, truth) == pytest.approx(2.5, rel=0.05)
    assert calibration_error(softmax(logits * 2.5), truth) > 0.1
    assert calibration_error(softmax(logits * 2.5 / np.float32(temperature(logits * 2.5, truth))), truth) < 0.02


def test_softmax_of_huge_logits_is_finite():
    assert softmax(np.array([[1e4, 0, -1e4]], np.float32)).tolist() == [[1, 0, 0]]


def test_concordance_is_one_for_the_same_and_falls_for_a_shift_and_a_scale():
    random = np.random.default_rng(0)
    truth = random.standard_normal(500).astype(np.float32)
    assert concordance(truth, truth) == pytest.approx(1.0)
    shift, scale = 0.5, 2.0
    expected = 2 * scale * truth.var() / (truth.var() + scale**2 * truth.var() + (shift + (scale - 1) * truth.mean()) ** 2)
    assert concordance(scale * truth + shift, truth) == pytest.approx(expected, abs=1e-5)
    assert abs(concordance(random.permutation(truth), truth)) < 0.1


@pytest.mark.filterwarnings("error")
def test_concordance_of_one_constant_with_itself_is_nothing():
    constant = np.full(7, 0.1, np.float32)
    assert np.isnan(concordance(constant, constant))
    assert np.isnan(concordance(constant[:0], constant[:0]))
    assert concordance(constant, constant + 1) == 0
