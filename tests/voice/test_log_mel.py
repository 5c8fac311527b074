"""The log-mel spectrogram against a slow reference written down from the paper and Slaney's report."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from emotrace.errors import InputError
from emotrace.voice.log_mel import log_mel
from emotrace.voice.mel import hz_to_mel, mel_to_hz, slaney_filters


def sound_of(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    """A tone that rises through noise, quieter at the end."""
    time = np.arange(int(seconds * 16000)) / 16000
    noise = np.random.default_rng(seed).normal(size=len(time))
    return ((0.3 * np.sin(2 * np.pi * (300 + 900 * time) * time) + 0.02 * noise) * np.exp(-2 * time)).astype(np.float32)


def slow_filters() -> NDArray[np.float64]:
    def mel(hz: float) -> float:
        return 3 * hz / 200 if hz < 1000 else 15 + 27 * math.log(hz / 1000) / math.log(6.4)

    def hz(m: float) -> float:
        return 200 * m / 3 if m < 15 else 1000 * 6.4 ** ((m - 15) / 27)

    points = [hz(mel(8000) * i / 81) for i in range(82)]
    filters = np.zeros((80, 201))
    for band in range(80):
        a, b, c = points[band : band + 3]
        for k in range(201):
            f = 40.0 * k
            if a < f < c:
                filters[band, k] = ((f - a) / (b - a) if f <= b else (c - f) / (c - b)) * 2 / (c - a)
    return filters


def slow_log_mel(sound: NDArray[np.float32]) -> NDArray[np.float64]:
    """One frame and one bin at a time, in double precision, the discrete Fourier transform written out."""
    s = len(sound)
    mirrored = [float(sound[abs(i) if i < s else 2 * (s - 1) - i]) for i in range(-200, s + 200)]
    window = [0.5 - 0.5 * math.cos(2 * math.pi * j / 400) for j in range(400)]
    turn = np.exp(-2j * np.pi * np.outer(np.arange(201), np.arange(400)) / 400)
    rows = []
    for i in range(s // 160):
        piece = np.array([mirrored[160 * i + j] * window[j] for j in range(400)])
        rows.append(np.log10(np.maximum(slow_filters() @ np.abs(turn @ piece) ** 2, 1e-10)))
    mel = np.array(rows)
    return (np.maximum(mel, mel.max() - 8) + 4) / 4


def test_the_spectrogram_is_the_slow_reference() -> None:
    sound = sound_of(0.4)
    np.testing.assert_allclose(log_mel(sound), slow_log_mel(sound), atol=2e-5)


def test_a_length_that_is_no_multiple_of_the_hop_is_the_slow_reference_too() -> None:
    sound = sound_of(0.2)[:1703]
    np.testing.assert_allclose(log_mel(sound), slow_log_mel(sound), atol=2e-5)


def test_filters_are_slaneys() -> None:
    np.testing.assert_allclose(slaney_filters(80, 400, 16000.0, 0.0, 8000.0), slow_filters(), atol=1e-12)


def test_mel_is_linear_to_1_khz_and_27_steps_take_it_to_6400_hz() -> None:
    np.testing.assert_allclose(hz_to_mel(np.array([0.0, 500.0, 1000.0, 6400.0])), [0.0, 7.5, 15.0, 42.0])
    hz = np.linspace(0, 12000, 400)
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(hz)), hz, atol=1e-8)


def test_a_tone_is_loudest_in_the_band_whose_filter_peaks_there() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000).astype(np.float32)
    band = int(np.argmax(log_mel(tone)[50]))
    assert band == int(np.argmax(slow_filters()[:, 25]))


def test_several_sounds_give_what_each_gives_alone() -> None:
    sounds = np.stack([sound_of(0.5, seed) * gain for seed, gain in enumerate((1.0, 0.01, 0.0))])
    together = log_mel(sounds)
    assert together.shape == (3, 50, 80)
    for row, sound in zip(together, sounds, strict=True):
        np.testing.assert_allclose(row, log_mel(sound), atol=1e-5)


def test_blocks_do_not_show() -> None:
    sound = np.tile(sound_of(1.0), 90)   # more than two blocks of frames
    mel = log_mel(sound)
    assert mel.shape == (9000, 80)
    np.testing.assert_allclose(mel[4090:4105], mel[4190:4205], atol=1e-5)   # the same second of sound, across a block's edge


@pytest.mark.parametrize("samples", [0, 1, 159, 160, 250, 400])
def test_short_sound_gives_a_frame_for_each_whole_hop(samples: int) -> None:
    mel = log_mel(sound_of(0.1)[:samples])
    assert mel.shape == (samples // 160, 80)
    assert mel.dtype == np.float32
    assert np.isfinite(mel).all()


def test_silence_is_one_number() -> None:
    np.testing.assert_allclose(log_mel(np.zeros(1600, np.float32)), np.full((10, 80), -1.5), atol=1e-6)


def test_another_sample_rate_is_refused() -> None:
    with pytest.raises(InputError, match="got sound at 8000 Hz, expected 16000"):
        log_mel(np.zeros(800, np.float32), 8000)
