"""Voice activity: silence, noise and tones are no speech, voices are, and how the sound comes in does not matter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from emotrace import weights
from emotrace.corpora import ravdess
from emotrace.errors import InputError
from emotrace.video import Video
from emotrace.voice.activity import CONTEXT, FRAME, HOP_SECONDS, SAMPLE_RATE, Activity, segments


def seconds(n: float) -> np.ndarray:
    return np.arange(round(n * SAMPLE_RATE)) / SAMPLE_RATE


def sound_of(path: Path) -> np.ndarray:
    return np.concatenate([block.samples for block in Video.open(path).sound(SAMPLE_RATE)])


@pytest.fixture(scope="module")
def spoken(data: Path) -> np.ndarray:
    """'Kids are talking by the door', in surprise: 3.6 s, of which about 1.1 to 2.4 s are voice."""
    corpus = ravdess.read(data / "ravdess")
    return corpus[corpus.origin == "Actor_03/03-01-08-02-01-01-03.flac"].clips()[0]


@pytest.mark.parametrize("block", [1, 100, 511, 512, 513, 7_001])
def test_the_same_comes_out_however_the_sound_is_cut(spoken: np.ndarray, block: int) -> None:
    sound = spoken if block >= 100 else spoken[20_000:22_000]
    whole = Activity().update(sound)
    activity = Activity()
    parts = np.concatenate([activity.update(sound[i : i + block]) for i in range(0, len(sound), block)])
    assert len(whole) == len(sound) // FRAME
    np.testing.assert_allclose(parts, whole, atol=1e-5)


def test_it_gives_what_the_network_for_single_frames_gives(spoken: np.ndarray) -> None:
    """A slow reference: frame by frame with context and state carried by hand, through the h and c of one frame each."""
    session = onnxruntime.InferenceSession(weights.read("silero_vad"), providers=["CPUExecutionProvider"])
    h, c, expected = np.zeros((1, 1, 128), np.float32), np.zeros((1, 1, 128), np.float32), []
    padded = np.concatenate([np.zeros(CONTEXT, np.float32), spoken])
    for start in range(0, len(spoken) - FRAME + 1, FRAME):
        p, h, c = session.run(None, {"input": padded[None, start : start + CONTEXT + FRAME], "h": h, "c": c})
        expected.append(p[0])
    np.testing.assert_allclose(Activity().update(spoken), expected, atol=1e-5)


def test_after_a_reset_nothing_is_remembered(spoken: np.ndarray) -> None:
    activity = Activity()
    first = activity.update(spoken)
    assert not np.allclose(activity.update(spoken), first[: len(spoken) // FRAME], atol=1e-3)
    activity.reset()
    np.testing.assert_array_equal(activity.update(spoken), first)


@pytest.mark.parametrize("name", ["silence", "noise", "chord", "hum"])
def test_what_is_not_a_voice_gives_no_speech(name: str) -> None:
    t, random = seconds(6), np.random.default_rng(0)
    notes = np.array([261.6, 329.6, 392.0])[:, None] * 2 ** (np.floor(t) % 4 / 6)   # a chord that climbs every second
    sounds = {
        "silence": np.zeros_like(t),
        "noise": 0.1 * random.standard_normal(len(t)),
        "chord": 0.2 * np.sin(2 * np.pi * notes * t).sum(0) * np.exp(-2 * (t % 1)),
        "hum": 0.3 * np.sign(np.sin(2 * np.pi * 50 * t)),
    }
    probability = Activity().update(sounds[name].astype(np.float32))
    assert len(segments(probability)) == 0, probability.max()


def test_an_actor_is_heard_where_he_speaks(spoken: np.ndarray) -> None:
    found = segments(Activity().update(spoken))
    loud = np.flatnonzero(np.abs(spoken) > 0.1 * np.abs(spoken).max()) / SAMPLE_RATE
    assert len(found) == 1
    assert found[0, 0] == pytest.approx(loud[0], abs=0.1)
    assert found[0, 1] == pytest.approx(loud[-1], abs=0.2)


def test_grid_speakers_say_one_sentence_and_the_vlogger_hardly_stops(data: Path) -> None:
    for name in ("grid_s1.mpg", "grid_s2.mpg"):
        found = segments(Activity().update(sound_of(data / "clips" / name)))
        assert 1.0 <= np.diff(found).sum() <= 2.6        # "bin blue at f two now", 3 s
        assert found[0, 0] > 0.2
    vlog = sound_of(data / "clips" / "vlog_single_voice.mp4")
    found = segments(Activity().update(vlog))
    assert np.diff(found).sum() > 0.6 * len(vlog) / SAMPLE_RATE


def test_more_than_one_channel_is_refused() -> None:
    with pytest.raises(InputError, match=r"shape \(2, 100\), expected one channel"):
        Activity().update(np.zeros((2, 100), np.float32))


def frames(*spans: tuple[float, float]) -> np.ndarray:
    """Frames of 0.1 s: (probability, duration in s), one after the other."""
    return np.concatenate([np.full(round(10 * duration), p, np.float32) for p, duration in spans])


def test_speech_begins_at_on_and_lasts_until_below_off() -> None:
    said = frames((0.4, 1), (0.6, 0.5), (0.4, 0.5), (0.34, 1), (0.45, 1))
    assert segments(said, 0.1).tolist() == pytest.approx(np.array([[1.0, 2.0]]))


def test_a_short_silence_is_filled_and_a_short_sound_is_no_speech() -> None:
    said = frames((0.9, 1), (0.0, 0.2), (0.9, 1), (0.0, 1), (0.9, 0.2), (0.0, 1))
    assert segments(said, 0.1).tolist() == pytest.approx(np.array([[0.0, 1.0], [1.2, 2.2]]))
    assert segments(said, 0.1, min_silence=0.3).tolist() == pytest.approx(np.array([[0.0, 2.2]]))
    assert len(segments(said, 0.1, min_speech=0.2)) == 3


def test_speech_to_the_end_ends_there_and_nothing_heard_is_silence() -> None:
    assert segments(frames((0.0, 1), (0.9, 1)), 0.1).tolist() == pytest.approx(np.array([[1.0, 2.0]]))
    assert segments(np.zeros(0, np.float32)).shape == (0, 2)
    assert segments(np.full(50, np.nan, np.float32)).shape == (0, 2)
    assert segments(np.ones(1000, np.float32)).tolist() == [[0.0, 1000 * HOP_SECONDS]]


def test_off_above_on_is_refused() -> None:
    with pytest.raises(InputError, match="off <= on"):
        segments(np.zeros(3, np.float32), on=0.3)


def test_segments_are_those_of_a_frame_by_frame_reading() -> None:
    said = np.random.default_rng(2).random(2000).astype(np.float32)
    speaking, expected = False, np.zeros(2000, bool)
    for i, p in enumerate(said):
        speaking = p >= 0.5 or (speaking and p >= 0.35)
        expected[i] = speaking
    found = np.zeros(2000, bool)
    for start, end in segments(said, 1.0, min_speech=0, min_silence=0):
        found[round(start) : round(end)] = True
    np.testing.assert_array_equal(found, expected)
