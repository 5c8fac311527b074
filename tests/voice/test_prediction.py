"""Linear prediction against the normal equations, polynomial roots and planted resonances."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import solve_toeplitz
from scipy.signal import lfilter
from vowels import FORMANTS, vowel

from emotrace.voice import prediction
from emotrace.voice.framing import frames


@pytest.fixture(scope="module")
def cut() -> NDArray[np.float64]:
    return np.array(frames(vowel(0.5, 130.0, noise_db=25.0).astype(np.float64), 640, 320))


def test_the_autocorrelation_is_the_slow_sum(cut: NDArray[np.float64]) -> None:
    found = prediction.autocorrelation(cut, 49)
    for lag in (0, 1, 17, 48):
        slow = sum(cut[3, i] * cut[3, i + lag] for i in range(640 - lag)) / 640
        assert found[3, lag] == pytest.approx(slow, rel=1e-9)
    assert (prediction.autocorrelation(cut[:, :20], 49)[:, 20:] == 0).all()


def test_the_predictor_solves_the_normal_equations(cut: NDArray[np.float64]) -> None:
    r = prediction.autocorrelation(cut, 11)
    a, error = prediction.levinson(r)
    for row in range(len(cut)):
        expected = solve_toeplitz(r[row, :10], -r[row, 1:])
        np.testing.assert_allclose(a[row, 1:], expected, rtol=1e-6)
        assert error[row] == pytest.approx(r[row, 0] + expected @ r[row, 1:], rel=1e-6)


def test_a_known_filter_is_found_again() -> None:
    poles = [1.0, -1.3, 0.8, 0.1, -0.05]
    sound = lfilter([1.0], poles, np.random.default_rng(0).normal(size=200_000))
    a, _ = prediction.levinson(prediction.autocorrelation(sound[None], 5))
    np.testing.assert_allclose(a[0], poles, atol=0.01)


def test_line_spectral_frequencies_are_the_angles_of_the_roots(cut: NDArray[np.float64]) -> None:
    a, _ = prediction.levinson(prediction.autocorrelation(cut, 11))
    found = prediction.line_spectral_frequencies(a)
    for row in range(len(a)):
        longer = np.append(a[row], 0.0)
        angles = np.concatenate([np.angle(np.roots(longer + side * longer[::-1])) for side in (1, -1)])
        expected = np.sort(angles[(angles > 1e-6) & (angles < np.pi - 1e-6)])
        np.testing.assert_allclose(found[row], expected, atol=1e-6)
    assert (np.diff(found, axis=1) > 0).all()


def test_white_noise_has_evenly_spaced_line_spectral_frequencies() -> None:
    found = prediction.line_spectral_frequencies(np.eye(1, 11))
    np.testing.assert_allclose(found[0], np.pi * np.arange(1, 11) / 11, atol=1e-9)


def test_formants_are_the_planted_ones() -> None:
    sound = vowel(0.5, 100.0, sample_rate=11000).astype(np.float64)
    cut = frames(sound, 440, 110) * np.hamming(440)
    a, _ = prediction.levinson(prediction.autocorrelation(cut, 7))
    hz, wide = prediction.formants(a, 11000, 3)
    np.testing.assert_allclose(np.median(hz, axis=0), [f for f, _ in FORMANTS], rtol=0.03)
    assert (wide > 0).all()


def test_a_resonance_has_its_frequency_and_bandwidth() -> None:
    radius = np.exp(-np.pi * 90 / 10000)
    a = np.array([[1.0, -2 * radius * np.cos(2 * np.pi * 1500 / 10000), radius**2]])
    hz, wide = prediction.formants(a, 10000, 3)
    np.testing.assert_allclose([hz[0, 0], wide[0, 0]], [1500, 90], rtol=1e-9)
    assert np.isnan(hz[0, 1:]).all()
    assert np.isnan(wide[0, 1:]).all()


def test_silence_has_no_predictor() -> None:
    a, error = prediction.levinson(np.zeros((2, 11)))
    assert np.isnan(a).all()
    assert np.isnan(error).all()
    assert np.isnan(prediction.line_spectral_frequencies(a)).all()
    assert np.isnan(prediction.formants(a, 16000, 3)).all()
