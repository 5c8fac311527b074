"""What is made of a clip's frames, against slow references written out."""

import cmath
import math
from typing import get_args

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from emotrace.errors import InputError, UnknownNameError
from emotrace.learn.aggregation import (
    AGGREGATIONS,
    Aggregation,
    Array,
    Normalisation,
    aggregate,
    fit_normaliser,
    root_sift,
    spectrum,
    width,
)

FRAMES = np.array([[1.0, -2.0], [3.0, 0.0], [8.0, 5.0]], np.float32)


def slow_spectrum(frames: Array, bands: int) -> Array:
    """The same, frequency by frequency and frame by frame."""
    n, d = frames.shape
    size = max(n, 2 * bands)
    found = np.zeros((bands, d))
    for feature in range(d):
        centred = [float(value) - float(frames[:, feature].mean()) for value in frames[:, feature]]
        gathered: list[list[float]] = [[] for _ in range(bands)]
        for k in range(1, size // 2 + 1):
            total = sum(value * cmath.exp(-2j * math.pi * k * t / size) for t, value in enumerate(centred))
            band = next(b for b in range(bands) if k * bands * 2 <= (b + 1) * size)
            gathered[band].append(abs(total) / n)
        found[:, feature] = [np.mean(values) for values in gathered]
    return found


def test_statistics_stand_side_by_side() -> None:
    deviation = np.sqrt(np.array([(9 + 1 + 16) / 3, (9 + 1 + 16) / 3]))
    assert aggregate(FRAMES, "mean") == pytest.approx([4, 1])
    assert aggregate(FRAMES, "STAT") == pytest.approx([4, 1, *deviation, 1, -2, 8, 5])
    assert aggregate(FRAMES, "STAT*") == pytest.approx([4, 1, *deviation, 1, -2])
    with_fft = aggregate(FRAMES, "STAT* + FFT", bands=2)
    assert with_fft[:6] == pytest.approx([4, 1, *deviation, 1, -2])
    assert with_fft[6:] == pytest.approx(slow_spectrum(FRAMES, 2).ravel(), rel=1e-6)


@pytest.mark.parametrize(("n", "bands"), [(1, 4), (2, 1), (3, 4), (7, 3), (16, 4), (25, 5), (30, 1)])
def test_the_spectrum_is_what_the_definition_says(n: int, bands: int) -> None:
    frames = np.random.default_rng(n).normal(size=(n, 3))
    assert spectrum(frames, bands) == pytest.approx(slow_spectrum(frames, bands), abs=1e-12)


def test_a_wave_is_in_the_band_of_its_frequency() -> None:
    t = np.arange(40)
    slow, fast = np.sin(2 * np.pi * t * 2 / 40), np.sin(2 * np.pi * t * 19 / 40)
    found = spectrum(np.stack([slow, fast], axis=1) + 5, bands=4)
    assert found.argmax(axis=0).tolist() == [0, 3]
    assert found[1:, 0] == pytest.approx(0, abs=1e-12)  # the mean of 5 is in no band
    assert found[0, 0] == pytest.approx(0.5 / 5)        # one of the five frequencies of the band has magnitude n / 2


def test_what_can_be_asked_for_is_what_there_is() -> None:
    assert get_args(Aggregation) == tuple(AGGREGATIONS)


@pytest.mark.parametrize("kind", AGGREGATIONS)
def test_any_number_of_frames_gives_the_same_width(kind: str) -> None:
    for n in (1, 3, 50):
        found = aggregate(np.ones((n, 5), np.float32), kind, 4)
        assert found.shape == (width(kind, 4) * 5,)
        assert np.isfinite(found).all()
    assert np.isnan(aggregate(np.zeros((0, 5), np.float32), kind, 4)).all()


def test_a_wrong_name_and_a_wrong_shape_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="there is no aggregation 'median'"):
        aggregate(FRAMES, "median")
    with pytest.raises(InputError, match="expected \\(frames, features\\)"):
        aggregate(FRAMES[0], "mean")


def test_root_sift_keeps_signs_and_has_unit_length() -> None:
    rows = root_sift(np.array([[4.0, -12.0, 0.0], [0.0, 0.0, 0.0]]))
    assert rows[0] == pytest.approx([0.5, -math.sqrt(0.75), 0])
    assert rows[1].tolist() == [0, 0, 0]
    many = root_sift(np.random.default_rng(0).normal(size=(20, 7)))
    assert np.linalg.norm(many, axis=1) == pytest.approx(1)


def test_the_steps_are_those_of_scikit_learn_with_root_sift_between() -> None:
    rng = np.random.default_rng(1)
    train, other = rng.normal(size=(30, 6)) * 10, rng.normal(size=(5, 6)) * 10
    rescale, standardise = MinMaxScaler((-1, 1)).fit(train), StandardScaler()
    standardise.fit(root_sift(rescale.transform(train)))
    steps = fit_normaliser(train, Normalisation())
    assert steps(other) == pytest.approx(standardise.transform(root_sift(rescale.transform(other))))


def test_each_step_can_be_left_out() -> None:
    train = np.random.default_rng(2).normal(size=(30, 4)) + 3
    assert fit_normaliser(train, Normalisation(False, False, False))(train) == pytest.approx(train)
    rescaled = fit_normaliser(train, Normalisation(True, False, False))(train)
    assert rescaled.min(axis=0) == pytest.approx(-1)
    assert rescaled.max(axis=0) == pytest.approx(1)
    assert fit_normaliser(train, Normalisation(False, True, False))(train) == pytest.approx(root_sift(train))
    assert fit_normaliser(train, Normalisation(False, False, True))(train).std(axis=0) == pytest.approx(1)


def test_a_feature_that_never_varies_and_rows_of_nan_do_no_harm() -> None:
    train = np.random.default_rng(3).normal(size=(10, 3))
    train[:, 1] = 7
    steps = fit_normaliser(train, Normalisation())
    assert np.isfinite(steps(train)).all()
    rows = steps(np.array([[np.nan, 7, 0], [1, 7, 1]]))
    assert np.isnan(rows[0]).any()
    assert np.isfinite(rows[1]).all()
    with pytest.raises(InputError, match="fitted on \\(n, 3\\)"):
        steps(np.zeros((2, 4)))
