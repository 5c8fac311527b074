"""Measures of spectra, against slow references written from their formulas, and on spectra whose values are known."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from emotrace.voice import bark, cepstral, spectral

HZ = np.linspace(0.0, 24000.0, 513)
MAGNITUDE = np.random.default_rng(0).gamma(1.5, size=(6, 513)) * np.exp(-np.arange(513) / 120)


def slow_shape(weight: NDArray[np.float64], at: NDArray[np.float64]) -> list[float]:
    """Raw moments, as Yaafe's documentation gives them, its kurtosis corrected."""
    one, two, three, four = (sum(w * f**i for w, f in zip(weight, at, strict=True)) / sum(weight) for i in (1, 2, 3, 4))
    spread = math.sqrt(two - one**2)
    skewness = (2 * one**3 - 3 * one * two + three) / spread**3
    return [one, spread, skewness, (-3 * one**4 + 6 * one**2 * two - 4 * one * three + four) / spread**4 - 3]


def test_shape_statistics_are_the_raw_moments() -> None:
    expected = [slow_shape(row, HZ) for row in MAGNITUDE]
    np.testing.assert_allclose(spectral.shape_statistics(MAGNITUDE, HZ), expected, rtol=1e-7)


def test_a_normal_distribution_has_no_skewness_and_no_excess() -> None:
    bell = np.exp(-0.5 * ((HZ - 9000) / 1500) ** 2)[None]
    np.testing.assert_allclose(spectral.shape_statistics(bell, HZ)[0], [9000, 1500, 0, 0], atol=1e-3)


def test_slope_decrease_variation_flux_and_rolloff_are_the_slow_references() -> None:
    count = len(HZ)
    for t, a in enumerate(MAGNITUDE):
        rise = (count * sum(HZ * a) - sum(HZ) * sum(a)) / (count * sum(HZ**2) - sum(HZ) ** 2)
        assert spectral.slope(MAGNITUDE, HZ)[t] == pytest.approx(rise, rel=1e-9)
        fall = sum((a[k] - a[0]) / k for k in range(1, count)) / sum(a[1:])
        assert spectral.decrease(MAGNITUDE)[t] == pytest.approx(fall, rel=1e-9)
        k, energy = 0, a[0] ** 2
        while energy < 0.99 * sum(a**2):
            k += 1
            energy += a[k] ** 2
        assert spectral.rolloff(MAGNITUDE, HZ)[t] == HZ[k]
        if t == 0:
            assert np.isnan([spectral.variation(MAGNITUDE)[0], spectral.flux(MAGNITUDE)[0]]).all()
            continue
        b = MAGNITUDE[t - 1]
        norms = math.sqrt(sum(a**2)) * math.sqrt(sum(b**2))
        assert spectral.variation(MAGNITUDE)[t] == pytest.approx(1 - sum(a * b) / norms, rel=1e-9)
        assert spectral.flux(MAGNITUDE)[t] == pytest.approx(sum((a - b) ** 2) / norms, rel=1e-9)


def test_flatness_and_crest_are_ratios_of_means() -> None:
    for t, a in enumerate(MAGNITUDE):
        geometric = math.exp(sum(math.log(v) for v in a) / len(a))
        assert spectral.flatness(MAGNITUDE)[t] == pytest.approx(geometric * len(a) / sum(a), rel=1e-9)
        assert spectral.crest(MAGNITUDE)[t] == pytest.approx(max(a) * len(a) / sum(a), rel=1e-9)
    assert spectral.flatness(np.full((1, 9), 3.0))[0] == pytest.approx(1.0)
    assert spectral.crest(np.eye(1, 9))[0] == 9.0
    assert spectral.flatness(np.eye(1, 513))[0] < 1e-10


def test_bands_are_quarter_octaves_from_250_hz() -> None:
    flatness, crest = spectral.band_flatness(MAGNITUDE, HZ), spectral.band_crest(MAGNITUDE, HZ)
    for band in range(24):
        low, high = 250 * 2 ** (band / 4), 250 * 2 ** ((band + 1) / 4)
        members = [k for k in range(513) if low <= HZ[k] < high] or [int(np.abs(HZ - math.sqrt(low * high)).argmin())]
        power = MAGNITUDE[2, members] ** 2
        assert flatness[2, band] == pytest.approx(math.exp(np.log(power).mean()) / power.mean(), rel=1e-9)
        assert crest[2, band] == pytest.approx(power.max() / power.mean(), rel=1e-9)


def test_what_the_sample_rate_does_not_reach_is_nan() -> None:
    hz = np.linspace(0.0, 8000.0, 257)
    magnitude = np.ones((1, 257))
    assert np.isfinite(spectral.band_flatness(magnitude, hz)[0]).sum() == 20   # 250 Hz to 8 kHz is five octaves
    assert np.isfinite(spectral.octave_intensities(magnitude, hz)[0]).sum() == 9   # 27.5 Hz to 7,040 Hz


def test_octave_intensities_are_the_slow_reference_and_ratios_their_differences() -> None:
    found = spectral.octave_intensities(MAGNITUDE, HZ)
    for t, a in enumerate(MAGNITUDE):
        middles = [0.0, *(27.5 * 2**i for i in range(10)), 24000.0]
        for i in range(1, 11):
            total = 0.0
            for f, v in zip(HZ, a, strict=True):
                if middles[i - 1] < f <= middles[i]:
                    total += 2 * v * v * (f - middles[i - 1]) / (middles[i] - middles[i - 1])
                elif middles[i] < f < middles[i + 1]:
                    total += 2 * v * v * (middles[i + 1] - f) / (middles[i + 1] - middles[i])
            assert found[t, i - 1] == pytest.approx(math.log(max(total, 1e-3 * max(a))), rel=1e-9)
    np.testing.assert_allclose(spectral.octave_ratios(found)[:, 3], found[:, 4] - found[:, 3])


def test_a_steady_tone_has_no_onset_and_a_click_has() -> None:
    time = np.arange(4800)
    tone = np.sin(2 * np.pi * 0.0617 * time)
    tone[3000:] += np.random.default_rng(1).normal(size=1800)
    cut = np.lib.stride_tricks.sliding_window_view(tone, 512)[::256] * np.hanning(512)
    found = spectral.complex_onset(np.fft.rfft(cut))
    start = 3000 // 256
    assert np.isnan(found[:2]).all()
    assert np.nanmax(found[: start - 1]) < 0.01 * found[start:].max()


def test_complex_onset_is_the_slow_reference() -> None:
    random = np.random.default_rng(2)
    spectra = random.normal(size=(5, 9)) + 1j * random.normal(size=(5, 9))
    for t in range(2, 5):
        total = 0.0
        for k in range(9):
            phase = 2 * cmath.phase(spectra[t - 1, k]) - cmath.phase(spectra[t - 2, k])
            total += abs(spectra[t, k] - abs(spectra[t - 1, k]) * cmath.exp(1j * phase))
        assert spectral.complex_onset(spectra)[t] == pytest.approx(total, rel=1e-9)


def test_silence_has_no_ratios_and_raises_no_warning() -> None:
    silent = np.zeros((3, 513))
    with np.errstate(all="raise"):
        for values in (
            spectral.shape_statistics(silent, HZ), spectral.decrease(silent), spectral.variation(silent),
            spectral.flux(silent), spectral.rolloff(silent, HZ), spectral.flatness(silent), spectral.crest(silent),
            spectral.band_flatness(silent, HZ), bark.relative_loudness(silent[:, :24]), bark.sharpness(silent[:, :24]),
        ):  # fmt: skip
            assert np.isnan(values).all()
        assert np.isfinite(spectral.octave_intensities(silent, HZ)).all()
        assert np.isfinite(cepstral.mfcc(silent, 24000.0)).all()


def test_1_khz_is_8_and_a_half_bark_and_4_khz_17() -> None:
    np.testing.assert_allclose(bark.hz_to_bark(np.array([0.0, 1000.0, 4000.0, 15500.0])), [0, 8.51, 17.25, 23.9], atol=0.15)


def test_loudness_spread_and_sharpness_are_the_slow_references() -> None:
    specific = bark.specific_loudness(MAGNITUDE, HZ)
    for t, a in enumerate(MAGNITUDE):
        bands = [0.0] * 24
        for f, v in zip(HZ, a, strict=True):
            z = 13 * math.atan(f / 1315.8) + 3.5 * math.atan((f / 7518) ** 2)
            bands[min(int(z), 23)] += v * v
        loud = [band**0.23 for band in bands]
        np.testing.assert_allclose(specific[t], loud, rtol=1e-9)
        total = sum(loud)
        weighted = sum(z * (1 if z < 15 else 0.066 * math.exp(0.171 * z)) * n for z, n in enumerate(loud, 1))
        assert bark.sharpness(specific)[t] == pytest.approx(0.11 * weighted / total, rel=1e-9)
        assert bark.spread(specific)[t] == pytest.approx(((total - max(loud)) / total) ** 2, rel=1e-9)
    np.testing.assert_allclose(bark.relative_loudness(specific).sum(axis=1), 1.0)


def test_a_high_tone_is_sharper_than_a_low_one() -> None:
    low, high = (bark.sharpness(bark.specific_loudness(np.eye(1, 513, k), HZ))[0] for k in (5, 200))
    assert low == pytest.approx(0.11 * 3)   # 234 Hz lies in the third Bark
    assert high > 10 * low


def test_cepstral_coefficients_are_the_slow_reference() -> None:
    def mel(f: float) -> float:
        return 1127 * math.log(1 + f / 700)

    edges = [700 * (math.exp((mel(130) + i * (mel(6854) - mel(130)) / 41) / 1127) - 1) for i in range(42)]
    logs = []
    for low, middle, high in zip(edges[:-2], edges[1:-1], edges[2:], strict=True):
        total = 0.0
        for f, a in zip(HZ, MAGNITUDE[1], strict=True):
            side = (f - low) / (middle - low) if f <= middle else (high - f) / (high - middle)
            total += max(side, 0.0) * 2 / (high - low) * a
        logs.append(math.log(max(total, 1e-10)))
    for i in range(1, 23):
        cosine = sum(v * math.cos(math.pi * i * (j + 0.5) / 40) for j, v in enumerate(logs))
        assert cepstral.mfcc(MAGNITUDE, 24000.0)[1, i - 1] == pytest.approx(math.sqrt(2 / 40) * cosine, abs=1e-9)


def test_the_derivative_of_a_line_is_its_slope_and_ends_repeat() -> None:
    line = np.column_stack([3.0 * np.arange(20), np.ones(20)])
    np.testing.assert_allclose(cepstral.derivative(line)[4:-4], np.tile([3.0, 0.0], (12, 1)))
    bent = np.random.default_rng(3).normal(size=(12, 1))
    for t in range(12):
        slow = sum(d * bent[min(max(t + d, 0), 11), 0] for d in range(-4, 5)) / sum(d * d for d in range(-4, 5))
        assert cepstral.derivative(bent)[t, 0] == pytest.approx(slow)
    assert cepstral.derivative(bent[:0]).shape == (0, 1)
