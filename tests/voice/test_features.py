"""The short-term features against pyAudioAnalysis's own numbers, and on sound that is bad in one way each."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from emotrace.errors import InputError
from emotrace.scheme import SHORT_TERM, SHORT_TERM_FEATURES
from emotrace.views import VoiceSamples
from emotrace.voice import features
from emotrace.voice.features import MidTerm, chroma_weights, short_term


def load_golden() -> ModuleType:
    spec = importlib.util.spec_from_file_location("golden_features", Path(__file__).with_name("golden_features.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GOLDEN = load_golden()


@pytest.mark.parametrize("name", list(GOLDEN.CASES))
def test_all_34_features_are_those_of_pyaudioanalysis(name: str) -> None:
    rate, window, step = GOLDEN.CASES[name]
    expected = np.load(GOLDEN.FILE)[name]
    values = short_term(GOLDEN.golden_sound(rate), rate, window / rate, step / rate)
    assert values.shape == expected.shape
    for column, label in enumerate(SHORT_TERM_FEATURES):
        rounding = 1e-4 if label.startswith("mfcc") else 1e-8   # the logarithm of the noise of rounding, in the silent frames
        np.testing.assert_allclose(values[:, column], expected[:, column], rtol=1e-6, atol=rounding, err_msg=label)


def test_mid_term_is_the_mean_and_deviation_of_the_golden_features() -> None:
    rate, window, step = GOLDEN.CASES["speech_16k"]
    golden = np.load(GOLDEN.FILE)["speech_16k"]
    whole = VoiceSamples.whole(GOLDEN.golden_sound(rate).astype(np.float32), rate)
    values = MidTerm(window / rate, step / rate).extract(whole)
    np.testing.assert_allclose(values[0], np.concatenate([golden.mean(axis=0), golden.std(axis=0)]), rtol=1e-4, atol=1e-6)


def test_blocks_of_frames_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = GOLDEN.golden_sound(16000)
    whole = short_term(sound, 16000)
    monkeypatch.setattr(features, "BATCH", 5 * 800)
    np.testing.assert_allclose(short_term(sound, 16000), whole, rtol=1e-12, atol=1e-14)


def test_a_batch_of_windows_gives_what_each_window_gives() -> None:
    sound = GOLDEN.golden_sound(16000).astype(np.float32)
    samples = VoiceSamples(sound, 16000, np.array([0, 1600, 3200]), 8000)
    batch = MidTerm().extract(samples)
    assert batch.shape == (3, 68)
    assert batch.dtype == np.float32
    for row in range(3):
        np.testing.assert_array_equal(batch[row : row + 1], MidTerm().extract(samples[row : row + 1]))
    assert MidTerm().extract(samples[:0]).shape == (0, len(SHORT_TERM))


def column(values: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    return values[:, SHORT_TERM_FEATURES.index(name)]


def test_a_tone_has_its_crossings_its_centroid_and_its_pitch_class() -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000 + 0.1)
    values = short_term(tone, 16000)
    np.testing.assert_allclose(column(values, "zcr"), 2 * 440 / 16000, atol=2 / 799)
    np.testing.assert_allclose(column(values, "energy"), 0.5, atol=1e-3)
    np.testing.assert_allclose(column(values, "spectral_centroid"), 440 / 8000, atol=0.003)
    np.testing.assert_allclose(column(values, "spectral_rolloff"), 440 / 8000, atol=1 / 400)
    np.testing.assert_allclose(column(values, "energy_entropy"), np.log2(10), atol=0.01)
    chroma = values[:, SHORT_TERM_FEATURES.index("chroma_1") : SHORT_TERM_FEATURES.index("chroma_std")]
    assert (chroma.argmax(axis=1) == chroma_class_of(440, 400, 16000)).all()


def chroma_class_of(hz: float, bins: int, rate: int) -> int:
    return int(chroma_weights(bins, rate)[round(hz / (rate / 2 / bins)), :].argmax())


def test_noise_is_flat_and_an_impulse_is_one_tenth_of_the_frame() -> None:
    noise = np.random.default_rng(0).normal(size=16000)
    assert column(short_term(noise, 16000), "spectral_entropy").min() > 3.1   # of log2 10 = 3.32
    impulse = np.zeros(800)
    impulse[100] = 1.0
    assert abs(column(short_term(impulse, 16000), "energy_entropy")[0]) < 0.02


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(4000), np.full(4000, 0.3), np.sign(np.sin(np.arange(4000) / 7)), np.ones(800), np.eye(1, 4000, 2000)[0],
        np.clip(5 * np.random.default_rng(1).normal(size=4000), -1, 1), np.full(4000, 1e-30),
    ],
    ids=["silence", "dc", "clipped tone", "one frame", "impulse", "clipped noise", "next to nothing"],
)  # fmt: skip
@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_bad_sound_gives_finite_numbers(sound: NDArray[np.float64], rate: int) -> None:
    values = short_term(sound, rate, 0.01, 0.005)
    assert len(values)
    assert np.isfinite(values).all()


@pytest.mark.parametrize("samples", [0, 1, 799])
def test_sound_shorter_than_a_frame_has_no_frames_and_no_statistics(samples: int) -> None:
    assert short_term(np.ones(samples), 16000).shape == (0, 34)
    assert np.isnan(MidTerm().extract(VoiceSamples.whole(np.ones(samples, np.float32), 16000))).all()


def test_two_channels_are_refused() -> None:
    with pytest.raises(InputError, match="expected one channel"):
        short_term(np.zeros((2, 4000)), 16000)


def test_a_frame_of_one_sample_is_refused() -> None:
    with pytest.raises(InputError, match="two samples or more"):
        short_term(np.zeros(4000), 16000, 1 / 16000)
