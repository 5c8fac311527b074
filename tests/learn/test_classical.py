"""Classical classifiers: what they see, and how their parameter is chosen."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, GroupShuffleSplit, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from emotrace.errors import InputError, UnknownNameError
from emotrace.learn import classical


def blobs(n: int = 120, classes: int = 3, d: int = 4, apart: float = 4.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    centres = rng.normal(size=(classes, d)) * apart
    return (centres[labels] + rng.normal(size=(n, d))).astype(np.float32), labels


@pytest.mark.parametrize("name", list(classical.KINDS))
def test_every_kind_names_classes_that_lie_apart(name: str) -> None:
    features, labels = blobs()
    fitted = classical.build(name, classical.KINDS[name].values[2]).fit(features[::2], labels[::2])
    assert (fitted.predict(features[1::2]) == labels[1::2]).mean() > 0.9


def test_features_are_standardised_by_what_was_trained_on_alone() -> None:
    features, labels = blobs()
    fitted = classical.build("svm_linear", 1.0).fit(features[:60], labels[:60])
    assert fitted[0].mean_ == pytest.approx(features[:60].mean(axis=0), abs=1e-5)
    assert fitted[0].scale_ == pytest.approx(features[:60].std(axis=0), abs=1e-5)


def test_the_cost_with_the_best_mean_accuracy_is_chosen() -> None:
    rng = np.random.default_rng(1)
    features = rng.uniform(-1, 1, (200, 2)).astype(np.float32)
    labels = (features[:, 0] * features[:, 1] > 0).astype(np.int64)  # too bent for a cost that small
    choice = classical.choose("svm_rbf", features, labels, values=(0.001, 20.0), shuffles=20)
    assert choice.value == 20.0
    assert choice.accuracy[20.0] > 0.9 > 0.65 > choice.accuracy[0.001]
    again = classical.choose("svm_rbf", features, labels, values=(0.001, 20.0), shuffles=20)
    assert again == choice


def test_the_accuracy_is_the_mean_over_the_shuffles() -> None:
    features, labels = blobs(apart=0.7)
    choice = classical.choose("knn", features, labels, values=(3.0,), shuffles=7, seed=5)
    by_hand = []
    for kept, left in classical.shuffled(len(labels), None, 7, 0.1, 5):
        assert len(left) == 12
        fitted = classical.build("knn", 3.0).fit(features[kept], labels[kept])
        by_hand.append((fitted.predict(features[left]) == labels[left]).mean())
    assert choice.accuracy[3.0] == pytest.approx(np.mean(by_hand))
    assert choice.deviation[3.0] == pytest.approx(np.std(by_hand))


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize("by_speaker", [False, True])
def test_what_the_shuffles_say_is_what_scikit_learns_own_search_says(kernel: str, by_speaker: bool) -> None:
    features, labels = blobs(apart=0.7)
    speakers = np.array([f"s{i % 9}" for i in range(len(labels))]) if by_speaker else None
    kind, held_out = (GroupShuffleSplit, 1) if by_speaker else (ShuffleSplit, 0.1)
    splits = kind(25, test_size=held_out, random_state=0)
    searched = GridSearchCV(make_pipeline(StandardScaler(), SVC(kernel=kernel)), {"svc__C": [0.01, 0.5, 20.0]}, cv=splits)
    searched.fit(features, labels, groups=speakers)
    choice = classical.choose(f"svm_{kernel}", features, labels, speakers, values=(0.01, 0.5, 20.0), shuffles=25)
    assert choice.value == searched.best_params_["svc__C"]
    np.testing.assert_allclose(list(choice.accuracy.values()), searched.cv_results_["mean_test_score"], rtol=1e-12)
    np.testing.assert_allclose(list(choice.deviation.values()), searched.cv_results_["std_test_score"], rtol=1e-12)


def test_rows_that_nothing_can_be_learnt_from_are_refused_in_one_line() -> None:
    features, labels = blobs(20)
    endless = features.copy()
    endless[3, 1] = np.inf
    with pytest.raises(InputError, match="1 rows have NaN or infinite features; leave them out"):
        classical.choose("svm_rbf", endless, labels)
    with pytest.raises(InputError, match="a shuffle of 20 rows keeps a single class; two or more"):
        classical.choose("svm_rbf", features, np.where(np.arange(20) == 4, 1, 0), shuffles=50)


def test_of_equally_good_values_the_first_is_taken() -> None:
    features, labels = blobs(apart=50)
    assert classical.choose("knn", features, labels, values=(5.0, 1.0, 3.0), shuffles=5).value == 5.0


def test_no_speaker_is_on_both_sides_of_a_shuffle() -> None:
    speakers = np.repeat([f"{i:02d}" for i in range(12)], 5)
    sides = [(set(speakers[kept]), set(speakers[left])) for kept, left in classical.shuffled(60, speakers, 100, 0.1, 0)]
    assert len(sides) == 100
    assert all(not kept & left and len(left) == 1 and len(kept) == 11 for kept, left in sides)
    assert len(set().union(*(left for _, left in sides))) == 12


def test_what_only_tells_speakers_apart_is_worth_nothing_when_speakers_are_kept_apart() -> None:
    rng = np.random.default_rng(2)
    speakers = np.repeat([f"{i:02d}" for i in range(10)], 12)
    labels = np.repeat(rng.permutation(np.arange(10) % 2), 12)
    features = (np.repeat(rng.normal(size=(10, 6)), 12, axis=0) + 0.05 * rng.normal(size=(120, 6))).astype(np.float32)
    at_random = classical.choose("knn", features, labels, values=(1.0,), shuffles=30)
    by_speaker = classical.choose("knn", features, labels, speakers, values=(1.0,), shuffles=30)
    assert at_random.accuracy[1.0] > 0.95
    assert by_speaker.accuracy[1.0] < 0.7


def test_one_speaker_cannot_be_held_out_and_nan_is_refused() -> None:
    features, labels = blobs(30)
    with pytest.raises(InputError, match="1 speaker; to hold one out, two or more are needed"):
        classical.choose("knn", features, labels, np.array(["a"] * 30), shuffles=2)
    features[3, 1] = np.nan
    with pytest.raises(InputError, match="knn: 1 rows have NaN or infinite features; leave them out"):
        classical.choose("knn", features, labels, shuffles=2)
    with pytest.raises(UnknownNameError, match="no classifier 'bayes'; there are: svm_linear"):
        classical.build("bayes", 1.0)


def test_each_speaker_is_normalised_by_their_own_mean_and_deviation() -> None:
    rng = np.random.default_rng(3)
    speakers = np.array(["a", "b", "a", "b", "a", "b", "a", "c"])
    features = rng.normal(3, 2, (8, 3)).astype(np.float32)
    features[4] = np.nan
    found = classical.normalised_by_speaker(features, speakers)
    for who in ("a", "b"):
        own = features[(speakers == who) & ~np.isnan(features[:, 0])]
        expected = (own - own.mean(axis=0)) / own.std(axis=0)
        assert found[(speakers == who) & ~np.isnan(features[:, 0])] == pytest.approx(expected, abs=1e-5)
    assert np.isnan(found[4]).all()
    assert found[7].tolist() == [0, 0, 0]  # alone, without a deviation to divide by


def test_posteriors_stand_in_the_columns_of_their_labels_and_nan_stays_nan() -> None:
    features, labels = blobs()
    fitted = classical.build("knn", 5.0).fit(features, labels * 2)  # labels 0, 2, 4
    asked = features[:4].copy()
    asked[2] = np.nan
    found = classical.posteriors(fitted, asked, 6)
    assert found.shape == (4, 6)
    assert np.isnan(found[2]).all()
    assert found[[0, 1, 3]].sum(axis=1) == pytest.approx(1)
    assert (found[[0, 1, 3]][:, [1, 3, 5]] == 0).all()
    assert found[[0, 1, 3]].argmax(axis=1).tolist() == (labels[[0, 1, 3]] * 2).tolist()
    assert np.isnan(classical.posteriors(fitted, np.full((2, 4), np.nan, np.float32), 6)).all()
