"""Answers relative to those about the same speaker."""

import numpy as np
import pytest

from emotrace.errors import InputError
from emotrace.learn.by_speaker import centred


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits)
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def test_what_is_a_speaker_s_own_is_taken_away_and_what_changes_stays() -> None:
    rng = np.random.default_rng(0)
    label, speaker = np.tile(np.arange(4), 30), np.repeat(np.array(["a", "b", "c"]), 40)
    shown = 2.0 * np.eye(4)[label] + 0.3 * rng.normal(size=(120, 4))
    voice = {"a": [5, 0, 0, 0], "b": [0, 0, 6, 0], "c": [0, 0, 0, 0]}
    heard = softmax(shown + np.array([voice[who] for who in speaker]))
    assert (heard.argmax(axis=1) == label).mean() < 0.65
    found = centred(heard, speaker)
    assert (found.argmax(axis=1) == label).mean() > 0.97
    assert found.dtype == np.float32
    assert found.sum(axis=1) == pytest.approx(np.ones(120), abs=1e-5)
    logs = np.log(found)
    assert np.allclose((logs - logs.mean(axis=1, keepdims=True))[speaker == "b"].mean(axis=0), 0, atol=1e-4)


def test_what_could_not_be_heard_does_not_count_and_nothing_is_infinite() -> None:
    heard = softmax(np.random.default_rng(1).normal(size=(6, 3)))
    heard[2] = np.nan
    heard[4] = [1, 0, 0]
    speaker = np.array(["a", "a", "a", "b", "b", "b"])
    found = centred(heard, speaker)
    assert np.isnan(found[2]).all()
    assert np.isfinite(np.delete(found, 2, axis=0)).all()
    assert found[:2] == pytest.approx(centred(heard[:2], speaker[:2]))
    assert np.isnan(centred(heard[2:3], speaker[:1])).all()


def test_unknown_speakers_are_said() -> None:
    with pytest.raises(InputError, match="1 of 2 recordings have no speaker; leave out --by-speaker"):
        centred(np.full((2, 4), 0.25, np.float32), np.array(["", "a"]))
