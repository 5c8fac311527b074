"""The machine that shuffles choose, kept in a file and asked again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emotrace.learn.arrays import keep
from emotrace.learn.chosen_svm import fit_chosen, said_by


def bent(n: int = 160, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two classes that no plane parts."""
    features = np.random.default_rng(seed).uniform(-1, 1, (n, 2)).astype(np.float32)
    return features, np.where(features[:, 0] * features[:, 1] > 0, 2, 5)


def test_the_kernel_that_is_right_more_often_over_the_shuffles_is_taken() -> None:
    features, labels = bent()
    machine = fit_chosen(features, labels, np.array([""] * 160), shuffles=8)
    assert str(machine.kernel) == "rbf"
    plane = np.where(features[:, 0] > features[:, 1], 1, 0)
    assert str(fit_chosen(features, plane, np.array([""] * 160), ("linear",), shuffles=4).kernel) == "linear"
    speakers = np.array([f"{i % 4}" for i in range(160)])
    assert (fit_chosen(features, labels, speakers, shuffles=8).predict(features) == labels).mean() > 0.9


def test_a_kept_machine_says_nothing_of_what_is_missing_and_0_of_classes_it_has_not_seen(tmp_path: Path) -> None:
    features, labels = bent()
    keep(tmp_path / "machine.npz", fit_chosen(features, labels, np.array([""] * 160), shuffles=4))
    asked = features[:6].copy()
    asked[2, 1] = np.nan
    said = said_by(tmp_path / "machine.npz", asked, 7)
    assert np.isnan(said[2]).all()
    kept = np.delete(said, 2, axis=0)
    assert np.allclose(kept.sum(axis=1), 1, atol=1e-4)
    assert not kept[:, [0, 1, 3, 4, 6]].any()
    assert np.isnan(said_by(tmp_path / "none.npz", asked, 7)).all()


def test_features_whose_scales_mean_something_are_taken_as_they_are() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 2
    features = 0.01 * rng.normal(size=(120, 61)).astype(np.float32)
    features[:, 0] = 2 * labels - 1 + 0.4 * rng.normal(size=120)
    kept, asked, nobody = features[:40], features[40:], np.array([""] * 40)
    plain, scaled = (
        fit_chosen(kept, labels[:40], nobody, ("rbf",), shuffles=5, standardised=given) for given in (False, True)
    )
    assert (plain.predict(asked) == labels[40:]).mean() > 0.9
    assert (scaled.predict(asked) == labels[40:]).mean() < 0.85  # sixty directions of noise count as much as the one that tells
    assert plain.scale.tolist() == [1] * 61
