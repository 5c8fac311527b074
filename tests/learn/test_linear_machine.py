"""Linear machines: scikit-learn's planes, C by cross-validation, probabilities of every label."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from emotrace.errors import InputError
from emotrace.learn.aggregation import Normalisation
from emotrace.learn.arrays import keep, loaded
from emotrace.learn.linear_machine import LinearMachine, fit_machine, splits
from emotrace.learn.support_vectors import platt

PLAIN = Normalisation(rescale=False, root=False)


def planted(n: int, seed: int, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, 6) whose first are larger for their label."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    features = rng.normal(size=(n, 6))
    features[np.arange(n), labels] += 2.5
    return features, labels


def test_the_planes_and_the_accuracy_are_those_of_scikit_learn() -> None:
    features, labels = planted(60, 0)
    machine = fit_machine(features, labels, how=PLAIN, costs=(0.01,), seed=4)
    pipeline = make_pipeline(StandardScaler(), LinearSVC(C=0.01, random_state=4, dual="auto", max_iter=5000))
    folds = StratifiedKFold(5, shuffle=True, random_state=4)
    assert float(machine.accuracy) == pytest.approx(cross_val_score(pipeline, features, labels, cv=folds).mean())
    assert machine.values(features) == pytest.approx(pipeline.fit(features, labels).decision_function(features), rel=1e-4)


def test_planted_labels_are_learnt_and_probabilities_are_calibrated() -> None:
    features, labels = planted(120, 1)
    unseen, truth = planted(300, 2)
    machine = fit_machine(features, labels)
    said = machine.probabilities(unseen, 7)
    assert said.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert (said[:, 3:] == 0).all()  # labels that were never seen
    right = said.argmax(axis=1) == truth
    assert right.mean() > 0.85
    assert said.max(axis=1).mean() == pytest.approx(right.mean(), abs=0.12)


def test_the_better_c_is_chosen() -> None:
    features, labels = planted(60, 3)
    kept = np.flatnonzero((labels == 0) | (np.arange(60) < 24))  # so small a C says "0" of everything, which most are
    features, labels = features[kept], labels[kept]
    assert float(fit_machine(features, labels, costs=(1e-9, 0.1)).cost) == pytest.approx(0.1)


def test_a_machine_of_two_classes_has_a_plane_for_each() -> None:
    features, labels = planted(40, 4, classes=2)
    machine = fit_machine(features, labels + 5)
    said = machine.probabilities(features, 7)
    assert machine.weights[0] == pytest.approx(-machine.weights[1])
    assert (said.argmax(axis=1) == labels + 5).mean() > 0.9


def test_a_machine_is_read_as_it_was_written_and_nan_stays_nan(tmp_path: Path) -> None:
    features, labels = planted(30, 5)
    machine = fit_machine(features, labels)
    keep(tmp_path / "machine.npz", machine)
    features[3, 2] = np.nan
    again = loaded(LinearMachine, tmp_path / "machine.npz")
    before, after = machine.probabilities(features, 7), again.probabilities(features, 7)
    assert before.tobytes() == after.tobytes()
    assert np.flatnonzero(np.isnan(after).any(axis=1)).tolist() == [3]
    with pytest.raises(InputError, match=r"not a whole \.npz"):
        loaded(LinearMachine, tmp_path / "other.npz")


def test_no_speaker_is_on_both_sides_and_every_clip_is_held_out_once() -> None:
    labels = np.arange(70) % 7
    speakers = np.array([f"{i // 7}" for i in range(70)])
    parts = splits(labels, speakers, 5, 0)
    assert sorted(np.concatenate([left for _, left in parts]).tolist()) == list(range(70))
    assert all(not set(speakers[kept]) & set(speakers[left]) for kept, left in parts)


def test_classes_of_one_clip_are_still_learnt() -> None:
    features, labels = planted(31, 6)
    labels[-1] = 6
    machine = fit_machine(features, labels, seed=1)
    assert machine.classes.tolist() == [0, 1, 2, 6]
    assert np.isfinite(machine.probabilities(features, 7)).all()


def test_a_class_that_only_one_speaker_has_is_named_by_sigmoids_of_training_values() -> None:
    features, labels = planted(120, 6)
    speakers = np.where(labels == 2, "a", np.array(["a", "b", "c", "d"])[np.arange(120) // 30])
    machine = fit_machine(features, labels, speakers)
    values = machine.values(features)
    for label in range(3):
        assert machine.sigmoid[label] == pytest.approx(platt(values[:, label], labels == label))
    assert (machine.probabilities(features, 7).argmax(axis=1) == labels)[labels == 2].mean() > 0.9


def test_what_cannot_be_fitted_is_refused() -> None:
    features, labels = planted(12, 7)
    with pytest.raises(InputError, match="two or more are needed"):
        fit_machine(features, np.zeros(12, np.int64))
    features[0] = np.nan
    with pytest.raises(InputError, match="1 rows have NaN features"):
        fit_machine(features, labels)
