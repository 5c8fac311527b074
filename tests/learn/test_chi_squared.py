"""The machine under the chi-squared kernel."""

import numpy as np
import pytest

from emotrace.errors import InputError
from emotrace.learn import chi_squared


def histograms(labels: np.ndarray, seed: int) -> np.ndarray:
    """Counts of 30 words, of which each class likes ten."""
    rng = np.random.default_rng(seed)
    liking = np.ones((4, 30))
    for label in range(4):
        liking[label, 7 * label : 7 * label + 9] = 4
    counts = np.stack([rng.multinomial(60, liking[label] / liking[label].sum()) for label in labels])
    return counts / 60


def test_distances_are_those_of_the_formula_and_empty_words_add_nothing() -> None:
    x, y = np.array([[0.5, 0.5, 0.0], [0.2, 0.0, 0.8]]), np.array([[0.25, 0.75, 0.0]])
    found = chi_squared.distances(x, y)
    assert found.shape == (2, 1)
    assert found[0, 0] == pytest.approx(0.25**2 / 0.75 + 0.25**2 / 1.25)
    assert found[1, 0] == pytest.approx(0.05**2 / 0.45 + 0.75 + 0.8)


@pytest.mark.parametrize("there", [(0, 1, 2, 3), (1, 3)])
def test_classes_are_told_apart_with_posteriors_and_absent_ones_get_0(there: tuple[int, ...]) -> None:
    labels, answer = np.repeat(there, 15), np.repeat(there, 10)
    found = chi_squared.posteriors(histograms(answer, 1), histograms(labels, 0), labels, 7, (1.0, 10.0))
    assert found.shape == (2, len(answer), 7)
    np.testing.assert_allclose(found.sum(axis=2), 1, atol=1e-5)
    assert ((found.argmax(axis=2) == answer).mean(axis=1) > 0.9).all()
    assert not np.delete(found, there, axis=2).any()
    likely = np.take_along_axis(found[1], answer[:, None], axis=1)
    assert 0.5 < likely.mean() < 1


def test_a_class_of_one_clip_is_no_error() -> None:
    labels = np.array([0] * 10 + [1] * 10 + [2])
    found = chi_squared.posteriors(histograms(labels, 1), histograms(labels, 0), labels, 7, (10.0,))
    assert np.isfinite(found).all()
    assert (found[0, :20].argmax(axis=1) == labels[:20]).mean() > 0.8


def test_of_no_clips_nothing_is_said() -> None:
    labels = np.repeat([0, 1], 5)
    assert chi_squared.posteriors(np.zeros((0, 30)), histograms(labels, 0), labels, 7, (1.0, 10.0)).shape == (2, 0, 7)


def test_clips_that_are_all_alike_are_no_error() -> None:
    labels = np.array([0, 0, 1, 1])
    same = np.full((4, 3), 1 / 3)
    np.testing.assert_allclose(chi_squared.posteriors(same, same, labels, 7, (1.0,))[0, :, :2].sum(axis=1), 1, atol=1e-5)


def test_one_class_is_an_error_of_one_line() -> None:
    with pytest.raises(InputError, match="two or more"):
        chi_squared.posteriors(np.ones((1, 3)), np.ones((4, 3)), np.zeros(4, np.int64), 7, (1.0,))
