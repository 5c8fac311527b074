"""Pitch, loudness, jitter, shimmer and harmonicity of vowels in which they are planted, and of sound that is no voice."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from vowels import vowel

from emotrace.scheme import PROSODY
from emotrace.views import VoiceSamples
from emotrace.voice.loudness import loudness
from emotrace.voice.pitch import pitch
from emotrace.voice.prosody import Prosody


def prosody(sound: NDArray[np.float32], rate: int = 16000) -> dict[str, float]:
    values = Prosody().extract(VoiceSamples.whole(np.asarray(sound, np.float32), rate))
    assert values.shape == (1, len(PROSODY))
    return dict(zip(PROSODY.labels, values[0].tolist(), strict=True))


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("hz", [80.0, 120.0, 210.0, 330.0, 500.0, 600.0])
def test_the_pitch_of_a_steady_vowel_is_the_planted_one(hz: float, rate: int) -> None:
    found = prosody(vowel(1.0, hz, sample_rate=rate), rate)
    assert found["pitch"] == pytest.approx(hz, rel=2e-3)
    assert found["pitch_spread"] < 0.02
    assert found["voiced"] == 1.0
    assert found["jitter"] < 1e-3
    assert found["shimmer"] < (0.05 if rate > 8000 else 0.2)   # peaks lie between samples


def test_a_glide_of_an_octave_is_followed_and_its_spread_is_that_of_a_uniform_distribution() -> None:
    time = np.arange(2 * 16000) / 16000
    phase = 2 * np.pi * 150 * (2 ** (time / 2) - 1) * 2 / np.log(2)   # 150 to 300 Hz, even in semitones
    glide = (np.sin(phase) + 0.5 * np.sin(2 * phase) + 0.25 * np.sin(3 * phase)).astype(np.float32) / 3
    track = pitch(glide[None], 16000)
    np.testing.assert_allclose(track.hz[0], 150 * 2 ** (track.centre / 16000 / 2), rtol=0.01)
    assert prosody(glide)["pitch_spread"] == pytest.approx(12 / np.sqrt(12), rel=0.05)


@pytest.mark.parametrize("span", [5.0, 20.0])
def test_pitch_is_looked_for_in_a_narrow_range(span: float) -> None:
    track = pitch(vowel(1.0, 220.0)[None], 16000, 220.0 - span, 220.0 + span)   # few lags lie in it, or hardly any
    np.testing.assert_allclose(track.hz[0, 2:-2], 220.0, rtol=5e-3)


@pytest.mark.parametrize("hz", [100.0, 200.0])
@pytest.mark.parametrize("planted", [0.005, 0.01, 0.02])
def test_jitter_is_the_planted_one(hz: float, planted: float) -> None:
    # the tails of earlier periods pull neighbours together: up to a quarter is missed
    assert 0.72 * planted < prosody(vowel(4.0, hz, jitter=planted))["jitter"] < 1.1 * planted


@pytest.mark.parametrize("hz", [100.0, 200.0])
@pytest.mark.parametrize("planted", [0.2, 0.5, 1.0, 2.0])
def test_shimmer_is_the_planted_one(hz: float, planted: float) -> None:
    assert prosody(vowel(4.0, hz, shimmer_db=planted))["shimmer"] == pytest.approx(planted, rel=0.12)


@pytest.mark.parametrize("hz", [150.0, 220.0, 400.0])
@pytest.mark.parametrize("planted", [5.0, 10.0, 15.0, 20.0, 30.0])
def test_the_harmonics_to_noise_ratio_is_the_planted_one(hz: float, planted: float) -> None:
    assert prosody(vowel(2.0, hz, noise_db=planted))["hnr"] == pytest.approx(planted, abs=0.9)


@pytest.mark.parametrize("hz", [200.0, 400.0, 600.0])
def test_a_vowel_softer_than_its_noise_is_not_voiced_and_one_louder_is(hz: float) -> None:
    softer, louder = (prosody(vowel(4.0, hz, noise_db=noise))["voiced"] for noise in (-1.0, 2.0))
    assert softer == 0.0
    assert louder > 0.9


def test_the_periods_of_a_high_hoarse_voice_are_not_taken_two_at_a_time() -> None:
    hz = pitch(vowel(2.0, 400.0, noise_db=5.0)[None], 16000).hz
    assert (hz[np.isfinite(hz)] > 350.0).all()   # 200 Hz matches as well


def test_a_vowel_between_silences_is_voiced_for_its_share() -> None:
    sound = np.concatenate([np.zeros(16000), vowel(1.0, 140.0), np.zeros(16000)])
    found = prosody(sound + 1e-4 * np.random.default_rng(0).normal(size=len(sound)))
    assert found["voiced"] == pytest.approx(1 / 3, abs=0.03)
    assert found["pitch"] == pytest.approx(140.0, rel=0.01)


@pytest.mark.parametrize("hz", [2.0, 6.0, 15.0])
def test_rumble_between_words_is_not_voiced(hz: float) -> None:
    words = np.concatenate([np.zeros(8000, np.float32), vowel(0.5, 120.0)] * 4)
    rumble = 0.02 * np.sin(2 * np.pi * hz * np.arange(len(words)) / 16000)   # 28 dB below the words' peaks
    sound = words + rumble + 3e-4 * np.random.default_rng(0).normal(size=len(words))
    track = pitch(np.asarray(sound[None], np.float32), 16000)
    np.testing.assert_allclose(track.hz[track.voiced], 120.0, rtol=0.02)
    assert track.voiced.mean() == pytest.approx(0.5, abs=0.02)


def test_loudness_grows_with_the_power_066_of_the_amplitude_and_not_with_the_sample_rate() -> None:
    sound = vowel(1.0, 150.0)
    soft, loud = loudness(np.stack([0.1 * sound, sound]), 16000).mean(axis=1)
    assert loud / soft == pytest.approx(10 ** (2 * 0.33), rel=1e-3)
    tones = [np.sin(2 * np.pi * 1000 * np.arange(rate) / rate)[None].astype(np.float32) for rate in (8000, 16000, 48000)]
    levels = [loudness(tone, rate).mean() for tone, rate in zip(tones, (8000, 16000, 48000), strict=True)]
    np.testing.assert_allclose(levels, levels[1], rtol=0.05)


def test_the_ear_hears_3_khz_better_than_100_hz() -> None:
    low, high = (np.sin(2 * np.pi * hz * np.arange(16000) / 16000)[None].astype(np.float32) for hz in (100, 3000))
    assert loudness(high, 16000).mean() > 1.5 * loudness(low, 16000).mean()


def test_noise_is_not_voiced_and_has_a_loudness() -> None:
    found = prosody(0.1 * np.random.default_rng(0).normal(size=32000))
    assert found["voiced"] == 0.0
    assert found["loudness"] > 0.1
    assert all(np.isnan(found[name]) for name in ("pitch", "pitch_spread", "jitter", "shimmer", "hnr"))


@pytest.mark.parametrize("level", [0.0, 0.5], ids=["silence", "dc"])
def test_silence_has_no_pitch(level: float) -> None:
    found = prosody(np.full(16000, level))
    assert found["voiced"] == 0.0
    assert np.isnan(found["pitch"])
    assert found["loudness"] == 0.0 if level == 0 else np.isfinite(found["loudness"])
    assert np.isnan(found["loudness_spread"]) == (level == 0)


def test_a_clipped_vowel_keeps_its_pitch() -> None:
    found = prosody(np.clip(8 * vowel(1.0, 180.0), -0.9, 0.9))
    assert found["pitch"] == pytest.approx(180.0, rel=0.01)
    assert all(np.isfinite(value) for value in found.values())


@pytest.mark.parametrize(("samples", "known"), [(0, 0), (1, 0), (319, 0), (320, 2), (799, 2), (800, 3)])
def test_sound_shorter_than_a_frame_leaves_unknown_what_needs_one(samples: int, known: int) -> None:
    noise = 0.1 * np.random.default_rng(0).normal(size=800)
    found = prosody(noise[:samples])
    names = {name for name, value in found.items() if np.isfinite(value)}
    assert names == set(("loudness", "loudness_spread", "voiced")[:known])


def test_a_batch_of_windows_gives_what_each_window_gives() -> None:
    sound = np.concatenate([vowel(1.5, 130.0, jitter=0.01), np.zeros(8000, np.float32), vowel(1.5, 260.0, noise_db=15.0)])
    samples = VoiceSamples(sound, 16000, np.arange(0, len(sound) - 16000, 2000), 16000)
    batch = Prosody().extract(samples)
    assert batch.dtype == np.float32
    single = np.concatenate([Prosody().extract(samples[row : row + 1]) for row in range(len(samples))])
    np.testing.assert_allclose(batch, single, rtol=1e-4, atol=1e-5)
    assert Prosody().extract(samples[:0]).shape == (0, len(PROSODY))
