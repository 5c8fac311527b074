"""The frame features together: on sounds whose values are known, at several rates, and on sound that is bad."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from vowels import vowel

from emotrace.errors import InputError
from emotrace.views import VoiceSamples
from emotrace.voice import yaafe
from emotrace.voice.envelope import amplitude_modulation, envelope
from emotrace.voice.yaafe import NAMES, SLOW_NAMES, YaafeLike, frame_features, slow_features

WINDOW = 2048 / 48000


def features(sound: NDArray[np.float64], rate: int = 48000) -> dict[str, NDArray[np.float64]]:
    values = frame_features(sound, rate, WINDOW, WINDOW / 2)
    assert values.shape[1] == len(NAMES) == 247
    return dict(zip(NAMES, values.T, strict=True))


def tone(hz: float, rate: int = 48000, seconds: float = 1.0) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate + 0.3)


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_a_tone_is_what_it_is_at_any_sample_rate(rate: int) -> None:
    found = features(tone(1500.0, rate), rate)
    np.testing.assert_allclose(found["energy"], np.sqrt(0.5), rtol=1e-2)
    np.testing.assert_allclose(found["zcr"], 2 * 1500 / rate, rtol=0.02)
    np.testing.assert_allclose(found["spectral_rolloff"], 1500, atol=1.1 * rate / (rate * WINDOW))
    np.testing.assert_allclose(found["spectral_centroid"], 1500, rtol=0.02)
    np.testing.assert_allclose(found["temporal_centroid"], WINDOW / 2, rtol=0.02)
    np.testing.assert_allclose(found["temporal_spread"], WINDOW / np.sqrt(12), rtol=0.02)
    np.testing.assert_allclose(found["autocorrelation_0"], 0.5, rtol=0.02)
    assert np.nanmax(found["spectral_flux"]) < 0.01
    assert found["obsi_7"].min() > max(found[f"obsi_{i}"].max() for i in (1, 2, 3, 4, 5))   # 27.5 x 2^6 = 1,760 Hz


def test_levels_and_bands_do_not_depend_on_the_sample_rate() -> None:
    at = [features(tone(500.0, rate) + 0.5 * tone(2000.0, rate), rate) for rate in (16000, 48000)]
    for name in ("loudness", "perceptual_sharpness", "obsi_5", "obsi_7", "spectral_centroid"):
        assert at[0][name].mean() == pytest.approx(at[1][name].mean(), rel=0.1), name   # windows leak above 8 kHz a little


def test_noise_is_flatter_than_a_tone() -> None:
    noise = features(0.3 * np.random.default_rng(0).normal(size=48000))
    assert noise["spectral_flatness"].min() > 0.7
    assert features(tone(1500.0))["spectral_flatness"].max() < 0.1
    assert np.abs(noise["spectral_centroid"] / 12000 - 1).max() < 0.1
    assert np.abs(noise["lpc_1"]).max() < 0.2


def test_an_onset_is_where_the_sound_begins() -> None:
    sound = 1e-4 * np.random.default_rng(0).normal(size=48000)
    sound[24000:] += tone(700.0)[24000:]
    frame = int(np.nanargmax(features(sound)["complex_onset"]))
    assert abs(frame * WINDOW / 2 + WINDOW / 2 - 0.5) < WINDOW


def test_blocks_of_frames_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = vowel(1.0, 150.0, noise_db=15.0)
    whole = frame_features(sound, 16000, WINDOW, WINDOW / 2)
    monkeypatch.setattr(yaafe, "BLOCK", 683 * 5)
    np.testing.assert_allclose(frame_features(sound, 16000, WINDOW, WINDOW / 2), whole, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("hz", [5.0, 6.5, 14.0, 30.0])
def test_the_tremor_of_a_tone_is_found_in_its_range(hz: float) -> None:
    sound = 0.5 * (1 + 0.6 * np.sin(2 * np.pi * hz * np.arange(96000) / 48000)) * tone(800.0, seconds=2.0)
    found = dict(zip(SLOW_NAMES, slow_features(sound, 48000).T, strict=True))
    inside, other = ("tremolo", "grain") if hz <= 8 else ("grain", "tremolo")
    # 0.68 s of sound: neighbours of 4 Hz leak in from the level itself
    np.testing.assert_allclose(found[f"{inside}_hz"], hz, atol=0.6)
    assert (found[f"{inside}_above_range"] > 2 * found[f"{other}_above_range"]).all()
    np.testing.assert_allclose(found[f"{inside}_product"], found[f"{inside}_hz"] * found[f"{inside}_above_all"])


def test_the_envelope_of_a_trembling_tone_is_its_modulation() -> None:
    time = np.arange(48000) / 48000
    course, rate = envelope((tone(900.0) * (1 + 0.5 * np.sin(2 * np.pi * 6 * time)))[None], 48000)
    assert rate == 240.0
    at = np.arange(course.shape[1]) / rate
    np.testing.assert_allclose(course[0, 8:-8], 1 + 0.5 * np.sin(2 * np.pi * 6 * at[8:-8]), atol=0.02)
    assert amplitude_modulation(course, rate)[0, 1] > 0.1   # the line is half of 0.5, less the mean


def test_the_envelope_of_a_steady_tone_lies_evenly_over_time() -> None:
    shape = slow_features(tone(440.0, seconds=1.5), 48000)[:, :4]
    long = 32768 / 48000
    np.testing.assert_allclose(shape, np.tile([long / 2, long / np.sqrt(12), 0, -1.2], (len(shape), 1)), atol=0.02)


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("kind", ["silence", "dc", "clipped", "impulse"])
def test_bad_sound_gives_numbers_or_nan_without_warnings(kind: str, rate: int) -> None:
    sound = {
        "silence": np.zeros(rate), "dc": np.full(rate, 0.4), "clipped": np.sign(tone(200.0, rate)),
        "impulse": np.eye(1, rate, rate // 2)[0],
    }[kind]  # fmt: skip
    with np.errstate(all="raise", under="ignore"):
        found = features(sound, rate)
        slow = slow_features(sound, rate)
    assert not np.isinf(np.array(list(found.values()))).any()
    assert not np.isinf(slow).any()
    assert np.isfinite(found["energy"]).all()
    assert np.isfinite(found["mfcc_1"]).all()
    assert np.isnan(found["spectral_centroid"]).all() == (kind == "silence")


@pytest.mark.parametrize("samples", [0, 1, 340])
def test_sound_shorter_than_a_frame_is_unknown(samples: int) -> None:
    sound = np.ones(samples, np.float32)
    assert frame_features(sound, 16000, yaafe.SCALES[0], 0.01).shape == (0, 247)
    assert np.isnan(YaafeLike().extract(VoiceSamples.whole(sound, 16000))).all()


def test_a_batch_of_windows_gives_what_each_window_gives() -> None:
    extractor = YaafeLike()
    samples = VoiceSamples(vowel(2.0, 170.0, noise_db=20.0), 16000, np.array([0, 4000, 12000]), 16000)
    batch = extractor.extract(samples)
    assert batch.shape == (3, len(extractor.scheme)) == (3, 2 * (3 * 247 + 12))
    assert batch.dtype == np.float32
    np.testing.assert_array_equal(batch[1:2], extractor.extract(samples[1:2]))
    assert extractor.extract(samples[:0]).shape == (0, len(extractor.scheme))


def test_columns_are_named_by_scale_feature_and_statistic() -> None:
    extractor = YaafeLike()
    sound = vowel(1.0, 170.0)
    values = dict(zip(extractor.scheme.labels, extractor.extract(VoiceSamples.whole(sound, 16000))[0], strict=True))
    fine = frame_features(sound, 16000, yaafe.SCALES[2], yaafe.SCALES[2] / 2)
    assert values["85ms_energy_mean"] == pytest.approx(fine[:, 0].mean(), rel=1e-5)
    assert values["85ms_mfcc_d2_22_std"] == pytest.approx(fine[:, -1].std(), rel=1e-5)
    assert len(set(extractor.scheme.labels)) == len(extractor.scheme)


def test_frames_too_short_for_prediction_are_refused() -> None:
    with pytest.raises(InputError, match="expected 20 samples or more"):
        frame_features(np.zeros(4000), 16000, 0.001, 0.001)
