"""Frozen Whisper: statistics of what its encoder says, on the sound's own length."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from emotrace.learn.frozen_whisper import FEATURES, FrozenWhisper
from emotrace.learn.networks.whisper_files import pretrained
from emotrace.voice.log_mel import log_mel


@pytest.fixture(scope="module")
def frozen() -> FrozenWhisper:
    return FrozenWhisper()


def tone(seconds: float) -> np.ndarray:
    time = np.arange(int(seconds * 16000)) / 16000
    return (0.3 * np.sin(2 * np.pi * (200 + 80 * np.sin(5 * time)) * time)).astype(np.float32)


def test_features_are_mean_and_deviation_of_the_second_block(frozen: FrozenWhisper) -> None:
    with torch.no_grad():
        heard = pretrained(2).eval()(torch.from_numpy(log_mel(tone(1.5)))[None])[0].numpy()
    found = frozen.features(tone(1.5))
    assert found.shape == (FEATURES,)
    assert found == pytest.approx(np.concatenate([heard.mean(axis=0), heard.std(axis=0)]), abs=1e-4)


def test_sound_longer_than_whisper_hears_is_cut_and_shorter_than_a_position_is_nan(frozen: FrozenWhisper) -> None:
    assert not np.isnan(frozen.features(tone(31))).any()
    assert np.isnan(frozen.features(np.zeros(200, np.float32))).all()
    assert np.isnan(frozen.features(np.zeros(0, np.float32))).all()
