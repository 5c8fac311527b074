"""The recipe of prosody on small made-up corpora: planted pitch is read, speakers never cross, weights are fitted on others."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from emotrace.corpora.voices import table  # noqa: E402
from emotrace.errors import InputError  # noqa: E402
from emotrace.learn import arrays, facts, voice_manner  # noqa: E402
from emotrace.learn import voice_protocol as protocol  # noqa: E402
from emotrace.learn.metrics import pool_weight  # noqa: E402
from emotrace.learn.networks.prosody import ProsodyReader, described  # noqa: E402
from emotrace.learn.voice_manner import Manner, in_noise, prosody_of  # noqa: E402
from emotrace.recipes import voice_prosody as recipe  # noqa: E402
from emotrace.scheme import PROSODY  # noqa: E402

RATE = 16_000
PITCH = 110.0 * 2 ** (np.arange(8) / 4)   # Hz of each label: three semitones apart
PLAN = replace(recipe.Config().plan, epochs=30, batch=32)


def tone(label: int, seed: int, seconds: float = 0.8) -> np.ndarray:
    """A voice of twenty harmonics whose pitch is that of a label, a little off, in a little noise."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    hz = PITCH[label] * 2 ** random.uniform(-0.04, 0.04)
    voice = sum(np.sin(2 * np.pi * hz * k * time) / k for k in range(1, 21) if hz * k < RATE / 2)
    return np.asarray(0.1 * voice + 0.002 * random.standard_normal(len(time)), np.float32)


@pytest.fixture(scope="module")
def actors():
    speakers = [f"{i:02}" for i in range(1, 11) for _ in range(8)]
    gender = ["male" if int(speaker) % 2 else "female" for speaker in speakers]
    label = list(range(8)) * 10
    sounds = [tone(each, seed) for seed, each in enumerate(label)]
    return protocol.Clips.of(table("RAVDESS", sounds, label, [str(i) for i in range(80)], speaker=speakers, gender=gender,
                                   intensity=[1.0] * 80))  # fmt: skip


@pytest.fixture(scope="module")
def polish():
    label = [0, 2, 3, 4, 5, 6] * 5
    sounds = [tone(each, 100 + seed) for seed, each in enumerate(label)]
    speakers = [f"S{i}" for i in range(5) for _ in range(6)]
    return protocol.Clips.of(table("nEMO", sounds, label, [""] * 30, speaker=speakers, gender=["female"] * 30))


@pytest.fixture(scope="module")
def heard(actors, polish, tmp_path_factory):
    """What a network that is right seven times of ten said in the runs, and its folder."""
    folder, random = tmp_path_factory.mktemp("network"), np.random.default_rng(0)
    for number in protocol.runs_of(polish):
        said = {protocol.RECORDINGS: np.array(protocol.recordings_of((actors, polish)))}
        for name, part, out in zip(protocol.NAMES, (actors, polish), protocol.left_out(actors, polish, number), strict=True):
            label = part.corpus.label[out]
            named = np.where(random.random(len(label)) < 0.7, label, random.integers(0, 8, len(label)))
            outputs = np.zeros((len(label), 10), np.float32)
            outputs[np.arange(len(label)), named] = 2.0
            said |= {name: outputs, name + protocol.SHORT: outputs}
        arrays.save(folder / f"run{number}" / protocol.FILE, said)
    return folder


@pytest.fixture(scope="module")
def fitted(actors, polish, heard, tmp_path_factory):
    """A finished run: its folder and its config."""
    folder, config = tmp_path_factory.mktemp("prosody"), recipe.Config(network=str(heard), plan=PLAN)
    patch = pytest.MonkeyPatch()
    patch.setattr(recipe, "read", lambda corpus: (actors, polish))
    recipe.fit(folder, folder, config, report=lambda numbers: None)
    yield folder, config
    patch.undo()


def test_pitch_is_read_in_semitones_and_loudness_not_at_all():
    values = torch.tensor([[200.0, 1.0, 0.5, 3.0, 0.4, 0.01, 0.5, 12.0]])
    assert described(values)[0].tolist() == pytest.approx([12.0, 1.0, 0.5, 0.4, np.log(0.011), 0.5, 12.0])
    assert PROSODY.labels[3] == "loudness"
    network = ProsodyReader().eval()
    louder = values.clone()
    louder[0, 3] = 30.0
    assert torch.equal(network(values), network(louder))


def test_views_are_the_whole_clip_two_seconds_of_it_and_these_in_noise():
    sound = np.concatenate([np.zeros(2 * RATE, np.float32), tone(4, 0, 3.0)])
    ((whole, middle, noisy),) = prosody_of(protocol.Clips.of(table("x", [sound], [4], [""])))
    voiced, hnr, pitch = (PROSODY.labels.index(name) for name in ("voiced", "hnr", "pitch"))
    assert whole[voiced] == pytest.approx(0.6, abs=0.03)
    assert middle[voiced] == pytest.approx(1.0, abs=0.03)
    assert noisy[hnr] < middle[hnr]
    assert np.array([whole, middle, noisy])[:, pitch] == pytest.approx([PITCH[4]] * 3, rel=0.03)


def test_noise_is_as_far_below_the_voice_as_was_drawn(monkeypatch):
    monkeypatch.setattr(voice_manner, "NOISE", (20.0, 20.0))
    sound = tone(0, 0)
    added = in_noise(sound, np.random.default_rng(0)) - sound
    assert 10 * np.log10(np.square(sound).mean() / np.square(added).mean()) == pytest.approx(20.0, abs=0.1)


def test_what_was_measured_is_kept_for_these_recordings_alone(actors, tmp_path, monkeypatch):
    few, others = actors[np.arange(80) < 2], actors[np.arange(80) >= 78]
    first = Manner.of(few, tmp_path / "a.npz")
    with monkeypatch.context() as patch:
        patch.setattr(voice_manner, "prosody_of", lambda clips: pytest.fail("measured again"))
        np.testing.assert_array_equal(Manner.of(few, tmp_path / "a.npz").prosody, first.prosody)
    assert not np.array_equal(Manner.of(others, tmp_path / "a.npz").prosody, first.prosody)


def test_corpora_count_the_same_and_windows_without_a_voice_are_left_out(actors, polish):
    parts = [Manner(actors, np.ones((80, 3, 8), np.float32)), Manner(polish, np.ones((30, 3, 8), np.float32))]
    parts[0].prosody[0, 1] = np.nan
    lessons = recipe.examples(parts, 0.0)
    assert len(lessons.images) == 3 * 110 - 1
    weight = lessons.targets[:, :8].sum(1)
    assert weight[: 3 * 80 - 1].mean().item() * 80 == pytest.approx(weight[3 * 80 - 1 :].mean().item() * 30)


def test_a_weight_is_what_makes_the_truth_likeliest():
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 4000)
    logits, others = (np.eye(3, dtype=np.float32)[truth] + random.standard_normal((4000, 3)).astype(np.float32) for _ in "ab")
    alike = np.ones(4000)
    assert pool_weight(logits, 2 * others, truth, alike) == pytest.approx(0.5, abs=0.04)   # equally good, one is too loud
    assert pool_weight(2 * np.eye(3, dtype=np.float32)[truth], -others, truth, alike) < 1e-3
    mixed = np.where(np.arange(4000)[:, None] < 2000, others, -others)
    assert pool_weight(logits, mixed, truth, alike) < 0.1
    assert pool_weight(logits, mixed, truth, np.where(np.arange(4000) < 2000, 1.0, 0.0)) == pytest.approx(1.0, abs=0.1)


def test_prosody_that_tells_the_label_helps_a_network_that_does_not_know_it(fitted):
    scores = json.loads((fitted[0] / facts.SCORES).read_text())
    assert scores["ravdess, prosody alone"]["uar"] > 0.9
    assert scores["ravdess"]["uar"] > scores["ravdess, network alone"]["uar"] + 0.1
    assert scores["nemo"]["n"] == 30
    assert scores["weight"] > 0.3


def test_the_weight_of_a_run_is_fitted_on_what_others_left_out(actors, polish, heard, fitted):
    network, told = (protocol.gathered(actors, polish, place) for place in (heard, fitted[0]))
    runs = protocol.left_out_by(actors, polish, protocol.runs_of(polish))
    assert [len(runs[name]) for name in protocol.NAMES] == [80, 30]
    weights = recipe.crossed(network, told, runs, 1.0)
    spoilt = {name: (outputs.copy(), corpus) for name, (outputs, corpus) in told.items()}
    spoilt["ravdess"][0][runs["ravdess"] == 2] *= -1
    again = recipe.crossed(network, spoilt, runs, 1.0)
    assert (again["ravdess"][runs["ravdess"] == 2] == weights["ravdess"][runs["ravdess"] == 2]).all()
    assert (again["nemo"][runs["nemo"] == 2] == weights["nemo"][runs["nemo"] == 2]).all()
    assert (again["ravdess"][runs["ravdess"] == 1] < weights["ravdess"][runs["ravdess"] == 1]).all()


def test_together_is_the_networks_logits_over_their_temperature_and_those_of_prosody_weighted(actors, polish, heard, fitted):
    network, told = (protocol.gathered(actors, polish, place) for place in (heard, fitted[0]))
    weights = {name: np.full(len(network[name][0]), 0.5, np.float32) for name in protocol.NAMES}
    found = recipe.joined(network, told, weights, 2.0)
    assert list(found) == list(network)
    for name in found:
        np.testing.assert_allclose(found[name][0][:, :8], network[name][0][:, :8] / 2 + told[name][0][:, :8] / 2, rtol=1e-5)
        np.testing.assert_array_equal(found[name][0][:, 8:], network[name][0][:, 8:])


def test_what_is_done_is_not_done_again(fitted, monkeypatch):
    folder, config = fitted
    before = (folder / facts.SCORES).read_text()
    monkeypatch.setattr(voice_manner, "prosody_of", lambda clips: pytest.fail("measured again"))
    recipe.fit(folder, folder, config, report=lambda numbers: pytest.fail("fitted again"))
    assert (folder / facts.SCORES).read_text() == before


def test_where_there_is_no_voice_prosody_says_nothing():
    said = recipe.said_of(ProsodyReader().eval(), np.full((2, 8), np.nan, np.float32))
    assert said.tolist() == np.zeros((2, 10)).tolist()


def test_without_runs_of_the_network_the_error_says_what_to_give(fitted, tmp_path):
    folder, config = fitted
    for network, words in ((str(tmp_path), f"got 0 finished runs of voice_emotion in {tmp_path}"), ("", "in no folder")):
        words += ", expected two or more of the first 5; give its folder as --set network=FOLDER"
        with pytest.raises(InputError, match=words):
            recipe.fit(folder, tmp_path, replace(config, network=network))


def test_two_runs_of_the_network_are_enough_and_only_their_clips_are_judged(fitted, heard, tmp_path):
    folder, config = fitted
    for number in (1, 3):
        (tmp_path / "few" / f"run{number}").mkdir(parents=True)
        shutil.copy(heard / f"run{number}" / protocol.FILE, tmp_path / "few" / f"run{number}")
    recipe.fit(folder, tmp_path / "out", replace(config, network=str(tmp_path / "few")), report=lambda numbers: None)
    scores = json.loads((tmp_path / "out" / facts.SCORES).read_text())
    assert [scores[name]["n"] for name in protocol.NAMES] == [2 * 16, 2 * 6]
    assert set(scores["nemo"]["uar_of"]) == {"female", "S1", "S3"}
