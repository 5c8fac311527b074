"""The eGeMAPS-like set: its parts on sounds whose values are known, and the whole beside openSMILE's own."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter
from vowels import vowel

from emotrace.scheme import EGEMAPS_LIKE
from emotrace.video import Video
from emotrace.views import VoiceSamples
from emotrace.voice import balance, functionals
from emotrace.voice.egemaps import EgemapsLike
from emotrace.voice.harmonics import harmonic_levels
from emotrace.voice.loudness import power_spectrum

HZ = np.linspace(0.0, 8000.0, 257)
VOWELS = {   # Hz and bandwidth of the formants of an adult's vowels
    "a": ((700.0, 80.0), (1220.0, 90.0), (2600.0, 120.0), (3500.0, 150.0), (4500.0, 200.0)),
    "i": ((290.0, 60.0), (2250.0, 100.0), (2900.0, 150.0), (3500.0, 150.0), (4500.0, 200.0)),
    "u": ((310.0, 60.0), (870.0, 80.0), (2250.0, 120.0), (3400.0, 150.0), (4500.0, 200.0)),
    "e": ((480.0, 70.0), (1900.0, 90.0), (2500.0, 120.0), (3500.0, 150.0), (4500.0, 200.0)),
}


def spoken(seconds: float = 1.0, hz: float = 110.0, name: str = "a", noise_db: float | None = None) -> NDArray[np.float32]:
    """A vowel whose source falls by 6 dB an octave, as voices do."""
    flat = vowel(seconds, hz, noise_db=noise_db, formants=VOWELS[name])
    tilted = lfilter([1.0], [1.0, -0.95], flat)
    return (0.5 * tilted / np.abs(tilted).max()).astype(np.float32)


def values_of(sound: NDArray[np.float32], rate: int = 16000) -> dict[str, float]:
    values = EgemapsLike().extract(VoiceSamples.whole(np.asarray(sound, np.float32), rate))
    assert values.shape == (1, 88)
    return dict(zip(EGEMAPS_LIKE.labels, values[0].tolist(), strict=True))


def lines(levels: dict[float, float]) -> NDArray[np.float64]:
    """A power spectrum that is 0 but for lines of some power at some Hz."""
    power = np.zeros((1, 257))
    for hz, level in levels.items():
        power[0, round(hz / 31.25)] = level
    return power


def test_alpha_ratio_and_hammarberg_index_weigh_low_against_high() -> None:
    power = lines({500.0: 30.0, 750.0: 70.0, 1500.0: 4.0, 3000.0: 5.0, 4000.0: 1.0, 6000.0: 900.0})
    assert balance.alpha_ratio(power, HZ)[0] == pytest.approx(10 * np.log10(10 / 100))
    assert balance.hammarberg_index(power, HZ)[0] == pytest.approx(10 * np.log10(70 / 5))


def test_the_slope_of_a_spectrum_that_falls_by_12_db_a_khz_is_that() -> None:
    power = 10.0 ** (-1.2 * HZ / 1000)[None]
    assert balance.band_slope(power, HZ, 0.0, 500.0)[0] == pytest.approx(-0.012, rel=1e-9)
    assert balance.band_slope(power, HZ, 500.0, 1500.0)[0] == pytest.approx(-0.012, rel=1e-9)


def test_flux_is_the_root_of_the_mean_squared_change() -> None:
    power = np.random.default_rng(0).uniform(size=(4, 257))
    found = balance.flux(power, HZ)
    assert found[0] == 0.0
    members = [k for k in range(257) if HZ[k] <= 5000]
    change = [64 * (np.sqrt(power[2, k]) - np.sqrt(power[1, k])) for k in members]
    assert found[2] == pytest.approx(np.sqrt(np.mean(np.square(change))), rel=1e-9)


def test_cepstral_coefficients_are_those_of_the_htk_book() -> None:
    power = np.random.default_rng(1).uniform(0.1, 1.0, size=(1, 257))
    mel = 1127 * np.log(1 + HZ / 700)
    edges = np.linspace(1127 * np.log(1 + 20 / 700), 1127 * np.log(1 + 8000 / 700), 28)
    bands = []
    for low, middle, high in zip(edges[:-2], edges[1:-1], edges[2:], strict=True):
        weight = [max(0.0, min((m - low) / (middle - low), (high - m) / (high - middle))) for m in mel]
        bands.append(float(np.log(np.dot(weight, power[0]))))
    for i in range(1, 5):
        cosine = sum(band * np.cos(np.pi * i * (j + 0.5) / 26) for j, band in enumerate(bands))
        expected = np.sqrt(2 / 26) * cosine * (1 + 11 * np.sin(np.pi * i / 22))
        assert balance.mfcc(power, 16000)[0, i - 1] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("rate", [11025, 16000, 48000])
@pytest.mark.parametrize("name", list(VOWELS))
def test_formants_of_spoken_vowels_are_the_planted_ones(name: str, rate: int) -> None:
    flat = vowel(0.5, 110.0, sample_rate=rate, formants=VOWELS[name])
    sound = lfilter([1.0], [1.0, -np.exp(-2 * np.pi * 130 / rate)], flat).astype(np.float32)   # -6 dB an octave from 130 Hz
    power = power_spectrum(sound[None], rate)[0].astype(np.float64)
    found, _ = balance.formants(power, np.linspace(0.0, rate / 2, power.shape[1]))
    planted = [hz for hz, _ in VOWELS[name][:3]]
    np.testing.assert_allclose(np.nanmedian(found, axis=0), planted, rtol=0.06 if rate > 12000 else 0.12, atol=20)


def test_levels_of_harmonics_are_the_planted_ones() -> None:
    time = np.arange(16000) / 16000
    amplitude = {1: 1.0, 2: 0.5, 3: 0.2, 7: 0.3, 13: 0.05}
    sound = sum(0.3 * a * np.sin(2 * np.pi * 200 * k * time + k) for k, a in amplitude.items()).astype(np.float32)
    centre = np.array([4000, 8000])
    formants = np.array([[620.0, 1400.0, 2600.0]] * 2)
    difference, to_third, carried = harmonic_levels(sound, 16000, centre, np.array([200.0, 200.0]), formants)
    np.testing.assert_allclose(difference, 20 * np.log10(2), atol=0.1)
    np.testing.assert_allclose(to_third, 20 * np.log10(20), atol=0.2)
    np.testing.assert_allclose(carried, np.tile(20 * np.log10([0.2, 0.3, 0.05]), (2, 1)), atol=0.2)


def test_smoothing_stays_within_what_is_known() -> None:
    course = np.array([[1.0, np.nan, 2.0, 4.0, 9.0, np.nan]])
    np.testing.assert_allclose(functionals.smooth(course), [[1.0, np.nan, 3.0, 5.0, 6.5, np.nan]])


def test_functionals_of_a_triangle_wave_are_its_own() -> None:
    rise, fall = np.arange(0, 20), np.arange(20, 0, -2)   # 20 in 0.2 s up, 20 in 0.1 s down
    wave = np.tile(np.concatenate([rise, fall]), 10).astype(float)[None]
    np.testing.assert_allclose(functionals.slopes(wave), [[100.0, 0.0, 200.0, 0.0]], rtol=0.02)
    assert functionals.peaks_a_second(wave)[0] == pytest.approx(10 / 3.0)
    mean, variation = functionals.mean_and_variation(wave)[0]
    assert mean == pytest.approx(wave.mean())
    assert variation == pytest.approx(wave.std() / wave.mean())
    np.testing.assert_allclose(functionals.percentiles(np.arange(101.0)[None]), [[20, 50, 80, 60]])


def test_slopes_do_not_run_across_gaps() -> None:
    course = np.array([[1.0, 2.0, 3.0, np.nan, 50.0, 51.0, 52.0]])
    np.testing.assert_allclose(functionals.slopes(course), [[100.0, 0.0, 0.0, 0.0]])


def test_stretches_are_counted_and_measured() -> None:
    voiced = np.zeros((1, 100), bool)
    voiced[0, 10:30] = voiced[0, 50:60] = True
    np.testing.assert_allclose(functionals.stretches(voiced), [[2.0, 0.15, 0.05, 0.7 / 3, np.std([0.1, 0.2, 0.4])]])


def test_a_spoken_vowel_has_its_pitch_formants_and_level() -> None:
    found = values_of(spoken(1.0, 110.0))
    assert found["F0semitoneFrom27.5Hz_sma3nz_amean"] == pytest.approx(24.0, abs=0.02)   # two octaves above 27.5 Hz
    assert found["F1frequency_sma3nz_amean"] == pytest.approx(700, rel=0.05)
    assert found["F2frequency_sma3nz_amean"] == pytest.approx(1220, rel=0.05)
    assert found["jitterLocal_sma3nz_amean"] < 1e-3
    assert found["VoicedSegmentsPerSec"] == pytest.approx(1.0, abs=0.05)
    square = values_of(np.sign(np.sin(np.arange(16000) / 20)).astype(np.float32))
    assert square["equivalentSoundLevel_dBp"] == pytest.approx(0.0, abs=0.01)


def test_unvoiced_sound_has_no_voice_and_a_balance() -> None:
    found = values_of((0.1 * np.random.default_rng(0).normal(size=16000)).astype(np.float32))
    assert np.isnan(found["F0semitoneFrom27.5Hz_sma3nz_amean"])
    assert np.isnan(found["alphaRatioV_sma3nz_amean"])
    # flat noise: four times the width above 1 kHz
    assert found["alphaRatioUV_sma3nz_amean"] == pytest.approx(10 * np.log10(4000 / 950), abs=0.3)
    assert found["VoicedSegmentsPerSec"] == 0.0
    assert found["MeanUnvoicedSegmentLength"] == pytest.approx(0.99)


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("kind", ["silence", "dc", "clipped", "impulse"])
def test_bad_sound_gives_numbers_or_nan_without_warnings(kind: str, rate: int) -> None:
    sound = {
        "silence": np.zeros(rate), "dc": np.full(rate, 0.4), "impulse": np.eye(1, rate, rate // 2)[0],
        "clipped": np.clip(9 * vowel(1.0, 150.0, sample_rate=rate), -1, 1),
    }[kind]  # fmt: skip
    with np.errstate(all="raise", under="ignore"):
        found = values_of(sound.astype(np.float32), rate)
    assert not np.isinf(list(found.values())).any()
    assert np.isfinite(found["equivalentSoundLevel_dBp"])
    assert np.isfinite(found["loudness_sma3_amean"])
    assert np.isfinite(found["F0semitoneFrom27.5Hz_sma3nz_amean"]) == (kind == "clipped")


@pytest.mark.parametrize(("samples", "known"), [(0, False), (1, False), (319, False), (320, True), (900, True)])
def test_sound_shorter_than_a_frame_is_unknown(samples: int, known: bool) -> None:
    found = values_of(spoken(0.2)[:samples])
    assert np.isfinite(found["loudness_sma3_amean"]) == known
    assert not np.isinf(list(found.values())).any()


def test_a_batch_of_windows_gives_what_each_window_gives() -> None:
    sound = np.concatenate([spoken(1.5), np.zeros(8000, np.float32), spoken(1.5, 210.0, "i", 20.0)])
    samples = VoiceSamples(sound, 16000, np.arange(0, len(sound) - 16000, 4000), 16000)
    batch = EgemapsLike().extract(samples)
    assert batch.dtype == np.float32
    single = np.concatenate([EgemapsLike().extract(samples[row : row + 1]) for row in range(len(samples))])
    np.testing.assert_allclose(batch, single, rtol=1e-4, atol=1e-5)
    assert EgemapsLike().extract(samples[:0]).shape == (0, 88)


def test_on_real_speech_pitch_loudness_flux_and_cepstrum_follow_opensmile(data: Path) -> None:
    if importlib.util.find_spec("opensmile") is None:
        pytest.skip("the opensmile extra is not installed")
    from emotrace.voice.opensmile import EgemapsV02

    clips = sorted((data / "ravdess").glob("Actor_*/*.flac"))[3::120]
    sounds = [np.concatenate([block.samples for block in Video.open(clip).sound(16000)]) for clip in clips]
    samples = [VoiceSamples.whole(sound, 16000) for sound in sounds]
    ours, theirs = (np.concatenate([kind().extract(one) for one in samples]) for kind in (EgemapsLike, EgemapsV02))
    for name, least in (
        ("F0semitoneFrom27.5Hz_sma3nz_percentile50.0", 0.95), ("loudness_sma3_amean", 0.99),
        ("loudness_sma3_meanRisingSlope", 0.9),
        ("spectralFlux_sma3_amean", 0.99), ("mfcc1_sma3_amean", 0.98), ("mfcc4V_sma3nz_amean", 0.8),
        ("alphaRatioV_sma3nz_amean", 0.85), ("hammarbergIndexV_sma3nz_amean", 0.85), ("equivalentSoundLevel_dBp", 0.99),
    ):  # fmt: skip
        column = EGEMAPS_LIKE.labels.index(name)
        assert np.corrcoef(ours[:, column], theirs[:, column])[0, 1] > least, name
