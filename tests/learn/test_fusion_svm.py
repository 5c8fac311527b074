"""Support vector machines as arrays, against scikit-learn's."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.svm import SVC

from emotrace.errors import InputError
from emotrace.learn.arrays import keep, loaded
from emotrace.learn.support_vectors import SupportVectors, couple, platt
from emotrace.learn.svm import arrays, fit_svm


def overlapping(n: int, classes: int, d: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    return rng.normal(size=(classes, d))[labels] + rng.normal(size=(n, d)), labels


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize("classes", [2, 3, 7])
def test_pair_values_and_labels_are_those_of_scikit_learn(kernel: str, classes: int) -> None:
    features, labels = overlapping(140, classes)
    asked = overlapping(60, classes, seed=9)[0]
    machine = SVC(kernel=kernel, C=3.0, decision_function_shape="ovo", break_ties=False).fit(features, labels)
    own = arrays(machine)
    expected = machine.decision_function(asked).reshape(60, -1)
    assert own.pair_values(asked) == pytest.approx(-expected if classes == 2 else expected, abs=1e-9)
    assert (own.predict(asked) == machine.predict(asked)).all()


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_probabilities_are_those_of_scikit_learn_with_the_same_sigmoids(kernel: str) -> None:
    if "probability" not in SVC().get_params():
        pytest.skip("this scikit-learn has no probabilities of LIBSVM any more")
    features, labels = overlapping(210, 7)
    asked = overlapping(80, 7, seed=9)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        machine = SVC(kernel=kernel, C=3.0, probability=True, random_state=0).fit(features, labels)
        own = arrays(machine)
        own.sigmoid[:] = np.stack([machine.probA_, machine.probB_], axis=1)
    expected = machine.predict_proba(asked)
    assert own.probabilities(asked) == pytest.approx(expected, abs=5e-3)  # LIBSVM stops at 0.005 / k


def test_coupling_finds_the_probabilities_that_pairs_were_made_from() -> None:
    truth = np.random.default_rng(0).dirichlet(np.ones(7), 50)
    first, second = np.triu_indices(7, 1)
    pairwise = truth[:, first] / (truth[:, first] + truth[:, second])
    assert couple(pairwise, 7) == pytest.approx(truth, abs=1e-5)


def test_coupling_minimises_what_it_says() -> None:
    rng = np.random.default_rng(1)
    pairwise = rng.uniform(0.1, 0.9, (1, 6))
    first, second = np.triu_indices(4, 1)

    def loss(p: np.ndarray) -> float:
        return float((((1 - pairwise[0]) * p[first] - pairwise[0] * p[second]) ** 2).sum())

    found = couple(pairwise, 4)[0].astype(np.float64)
    others = rng.dirichlet(np.ones(4), 20_000)
    assert loss(found) <= min(map(loss, others)) + 1e-9


def test_a_sigmoid_is_recovered_from_labels_drawn_from_it() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=40_000)
    positive = rng.random(40_000) < 1 / (1 + np.exp(-1.7 * values + 0.4))
    assert platt(values, positive) == pytest.approx([-1.7, 0.4], abs=0.05)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_what_is_saved_says_the_same_when_loaded(kernel: str, tmp_path: Path) -> None:
    features, labels = overlapping(100, 4)
    machine = fit_svm(features, labels, kernel=kernel, cost=2.0)  # type: ignore[arg-type]
    keep(tmp_path / "svm.npz", machine)
    again = loaded(SupportVectors, tmp_path / "svm.npz")
    asked = overlapping(30, 4, seed=5)[0]
    assert (again.probabilities(asked) == machine.probabilities(asked)).all()
    assert (again.predict(asked) == machine.predict(asked)).all()


def test_a_fitted_machine_standardises_and_is_as_right_as_scikit_learn() -> None:
    features, labels = overlapping(200, 3)
    stretched = features * np.array([1, 100, 0.01, 1, 1, 1]) + np.array([0, 0, 0, 50, 0, 0])
    machine = fit_svm(stretched, labels, cost=1.0)
    plain = (features - features.mean(axis=0)) / features.std(axis=0)
    expected = SVC(C=1.0, gamma=1 / 6, class_weight="balanced").fit(plain, labels).predict(plain)
    assert (machine.predict(stretched) == expected).mean() > 0.995
    assert machine.probabilities(stretched).sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_probabilities_are_those_of_the_distributions_the_rows_were_drawn_from() -> None:
    rng = np.random.default_rng(4)
    labels = np.arange(800) % 2
    features = rng.normal(np.where(labels, 0.7, -0.7), 1)[:, None]
    asked = np.linspace(-2, 2, 50)[:, None]
    found = fit_svm(features, labels, kernel="linear").probabilities(asked)[:, 1]
    assert found == pytest.approx(1 / (1 + np.exp(-1.4 * asked[:, 0])), abs=0.08)  # of two normal distributions


def test_labels_that_were_not_seen_get_nothing_and_rows_with_nan_no_answer() -> None:
    features, labels = overlapping(60, 3)
    machine = fit_svm(features, np.array([1, 4, 5])[labels])
    features[4, 2] = np.nan
    found = machine.posteriors(features, 7)
    assert np.isnan(found[4]).all()
    assert (np.delete(found, 4, axis=0)[:, [0, 2, 3, 6]] == 0).all()
    assert np.array_equal(found[:, [1, 4, 5]], machine.probabilities(features), equal_nan=True)


def test_rows_with_nan_have_no_probabilities() -> None:
    features, labels = overlapping(60, 3)
    machine = fit_svm(features, labels)
    features[4, 2] = np.nan
    found = machine.probabilities(features)
    assert np.isnan(found[4]).all()
    assert not np.isnan(np.delete(found, 4, axis=0)).any()


def test_a_class_in_one_group_only_still_gets_a_machine() -> None:
    features, labels = overlapping(60, 2)
    groups = np.where(labels == 0, "a", "b")
    found = fit_svm(features, labels, groups=groups).probabilities(features)
    assert (found.argmax(axis=1) == labels).mean() > 0.8


def test_a_class_that_only_one_speaker_has_is_named_by_sigmoids_of_training_values() -> None:
    features, labels = overlapping(160, 2)
    alone, groups = np.full(20, 2), np.repeat(["a", "b", "c", "d", "a"], [40, 40, 40, 40, 20])
    features, labels = np.concatenate([features, overlapping(20, 1, seed=3)[0] + 4]), np.concatenate([labels, alone])
    machine = fit_svm(features, labels, groups=groups)
    values = machine.pair_values(features)
    for pair, (first, second) in enumerate(((0, 1), (0, 2), (1, 2))):
        own = (labels == first) | (labels == second)
        assert machine.sigmoid[pair] == pytest.approx(platt(values[own, pair], labels[own] == first))
    assert (machine.probabilities(features).argmax(axis=1) == labels)[labels == 2].all()


def test_a_class_with_a_single_clip_is_fitted_too() -> None:
    features, labels = overlapping(61, 2)
    labels[60] = 2
    machine = fit_svm(np.concatenate([features[:60], features[60:] + 20]), labels)
    assert machine.predict(features[60:] + 20).tolist() == [2]
    assert machine.probabilities(features).shape == (61, 3)


def test_what_cannot_be_fitted_loaded_or_asked_is_one_line(tmp_path: Path) -> None:
    features, labels = overlapping(20, 2)
    with pytest.raises(InputError, match="20 clips of 1 class; to tell classes apart"):
        fit_svm(features, np.zeros(20, np.int64))
    with pytest.raises(InputError, match=r"features are \(20, 3\), this machine was fitted on \(n, 6\)"):
        fit_svm(features, labels).predict(features[:, :3])
    (tmp_path / "x.npz").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"x\.npz: not a whole \.npz"):
        loaded(SupportVectors, tmp_path / "x.npz")
