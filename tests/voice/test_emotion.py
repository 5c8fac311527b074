"""Emotion of the voice as it is shipped: what it says of windows and clips, and that it is measured from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
import wave
from pathlib import Path

import numpy as np
import pytest

from emotrace.corpora import ravdess
from emotrace.corpora.voices import table
from emotrace.errors import InputError
from emotrace.learn import heard
from emotrace.learn.metrics import score
from emotrace.scheme import VOICE_EXPRESSION, VOICE_NETWORK
from emotrace.testing import check_extractor
from emotrace.views import VoiceSamples
from emotrace.voice.emotion import LONGEST, VoiceEmotion, VoiceNetwork, VoiceValenceArousal

SECOND = 16_000
CALM = VOICE_EXPRESSION.labels.index("calm")


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(round(seconds * SECOND))).astype(np.float32)


@pytest.fixture(scope="module")
def network() -> VoiceNetwork:
    return VoiceNetwork("cpu")


@pytest.mark.parametrize("name", ["voice.network", "voice.emotion", "voice.valence_arousal"])
def test_it_keeps_to_the_contract_of_extractors(name: str) -> None:
    check_extractor(name, VoiceSamples(noise(5), SECOND, np.array([0, 8_000, 40_000]), 2 * SECOND))


def test_the_three_components_say_the_same_of_a_window(network: VoiceNetwork) -> None:
    samples = VoiceSamples(noise(4), SECOND, np.array([0, 20_000]), 2 * SECOND)
    values = network.extract(samples)
    assert values.shape == (2, len(VOICE_NETWORK))
    having = samples.having({"voice.network": values})
    both = np.concatenate([VoiceEmotion().extract(having), VoiceValenceArousal().extract(having)], axis=1)
    np.testing.assert_array_equal(both, values)
    clip = samples.windows()[0]
    np.testing.assert_allclose(VoiceEmotion().of_clips([clip]), values[:1, :8], atol=1e-5)
    np.testing.assert_allclose(VoiceValenceArousal().of_clips([clip]), values[:1, 8:], atol=1e-5)


def test_more_windows_than_a_batch_are_heard_in_order(network: VoiceNetwork) -> None:
    samples = VoiceSamples(noise(8), SECOND, np.arange(35) * 3_000, SECOND // 2)
    many = network.extract(samples)
    np.testing.assert_allclose(many[[0, 16, 34]], network.extract(samples[np.array([0, 16, 34])]), atol=1e-5)


def test_silence_and_what_is_too_short_are_not_measured(network: VoiceNetwork) -> None:
    sound = np.concatenate([np.zeros(2 * SECOND, np.float32), noise(2)])
    values = network.extract(VoiceSamples(sound, SECOND, np.array([0, 2 * SECOND]), 2 * SECOND))
    assert np.isnan(values[0]).all()
    assert np.isfinite(values[1]).all()
    assert np.isnan(network.of_clips([noise(0.05)])).all()
    assert np.isnan(network.of_clips([np.zeros(2 * SECOND, np.float32)])).all()
    assert network.of_clips([]).shape == (0, len(VOICE_NETWORK))


def test_what_is_longer_than_ten_seconds_is_heard_in_equal_parts(network: VoiceNetwork) -> None:
    long = noise(15)
    half = len(long) // 2
    assert len(long) > LONGEST > half
    parts = network.of_clips([long[:half], long[half:]])
    np.testing.assert_allclose(network.of_clips([long])[0], parts.mean(axis=0), atol=1e-5)


def test_another_sample_rate_is_refused_in_one_line(network: VoiceNetwork) -> None:
    with pytest.raises(InputError, match="got sound at 8000 Hz, expected 16000"):
        network.extract(VoiceSamples.whole(noise(1), 8_000))


def test_actors_it_learnt_from_are_named_right_and_strong_anger_is_more_aroused_than_calm(
    network: VoiceNetwork, data: Path
) -> None:
    """Not a measure of how good it is, which is taken on speakers left out, but that file, mel and order of labels agree."""
    corpus = ravdess.read(data / "ravdess")
    corpus = corpus[np.arange(len(corpus)) % 17 == 0]
    said = network.of_clips(corpus.clips())
    assert score(said[:, :8], corpus.label, VOICE_EXPRESSION.labels).uar > 0.6
    anger = said[(corpus.label == 0) & (corpus.intensity == 1), 9]
    assert anger.mean() > said[corpus.label == CALM, 9].mean() + 0.4


def test_a_component_of_the_voice_is_evaluated_on_a_folder_a_class(data: Path, tmp_path: Path) -> None:
    for place, origin in (("angry", "Actor_01/03-01-05-02-01-01-01"), ("calm", "Actor_02/03-01-02-01-01-01-02")):
        (tmp_path / "corpus" / place).mkdir(parents=True)
        (tmp_path / "corpus" / place / "1.flac").symlink_to(data / "ravdess" / f"{origin}.flac")
    command = [sys.executable, "-m", "emotrace", "evaluate", "voice.emotion", "--corpus", f"folder={tmp_path / 'corpus'}",
               "--json", str(tmp_path / "scores.json")]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["n"] == 2
    assert scores["labels"] == list(VOICE_EXPRESSION.labels)
    assert np.array(scores["confusion"]).sum(axis=1).tolist() == [1, 0, 0, 0, 0, 0, 0, 1]
    refused = subprocess.run([*command, "--by-speaker"], capture_output=True, text=True, check=False, timeout=120)
    assert refused.returncode == 2
    assert "2 of 2 recordings have no speaker; leave out --by-speaker" in refused.stderr


@pytest.mark.parametrize("by_speaker", [False, True])
def test_recordings_in_which_nothing_can_be_heard_count_as_wrong(by_speaker: bool) -> None:
    clips = [np.zeros(2 * SECOND, np.float32), noise(0.05), noise(1), noise(1, seed=1)]
    scores = heard.measure("voice.emotion", table("made", clips, [0] * 4, [""] * 4, speaker=["a"] * 4), by_speaker)
    assert scores.n == 4
    assert scores.right[:2].tolist() == [False, False]
    assert scores.confusion.sum() == 2
    assert scores.confidence[:2].tolist() == [0, 0]


@pytest.mark.parametrize("by_speaker", [False, True])
def test_damaged_recordings_count_as_wrong_and_are_named(tmp_path: Path, by_speaker: bool) -> None:
    (tmp_path / "lost.wav").write_bytes(b"cut off")
    clips = [noise(1), tmp_path / "lost.wav", noise(1, seed=1)]
    scores = heard.measure("voice.emotion", table("made", clips, [0] * 3, [""] * 3, speaker=["a"] * 3), by_speaker)
    whole = heard.measure("voice.emotion", table("made", clips[::2], [0] * 2, [""] * 2, speaker=["a"] * 2), by_speaker)
    assert (scores.n, scores.confusion.tolist()) == (3, whole.confusion.tolist())
    assert (scores.confidence[[0, 2]] == whole.confidence).all()
    assert (scores.right[1], scores.confidence[1]) == (False, 0)
    assert [line.split(": is no sound")[0] for line in scores.unreadable] == [str(tmp_path / "lost.wav")]
    with pytest.raises(InputError, match=r"made: none of 1 recordings can be decoded; the first: .*lost\.wav: is no sound"):
        heard.measure("voice.emotion", table("made", clips[1:2], [0], [""]))


def test_without_speakers_nothing_is_heard_before_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1 of 1 recordings have no speaker; leave out --by-speaker"):
        heard.measure("voice.emotion", table("made", [tmp_path / "gone.wav"], [0], [""]), by_speaker=True)


def test_recordings_are_not_held_all_at_once(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, SECOND, 0, "NONE", ""))
        out.writeframes((noise(10) * 32767).astype("<i2").tobytes())
    corpus = table("made", [file] * 16, [0] * 16, [""] * 16)

    def most(rows: int) -> int:
        tracemalloc.start()
        heard.measure("voice.emotion", corpus[np.arange(rows)])
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    heard.measure("voice.emotion", corpus[np.arange(1)])   # what is loaded once
    assert most(16) < most(2) + 4 * 10 * SECOND * 4   # four more of them


def test_only_what_names_expressions_of_clips_hears() -> None:
    assert heard.hears("voice.emotion")
    assert not heard.hears("voice.valence_arousal")
    assert not heard.hears("face.expression")
    assert not heard.hears("runs/compact")
    with pytest.raises(InputError, match="must be NAME=PATH, as in ravdess=FOLDER; got 'ravdess'"):
        heard.corpus("ravdess", None)
