"""The audio network of EmoNets: what it is made of, and that it tells voices apart, whatever clips are like."""

from pathlib import Path

import made_clips
import numpy as np
import pytest
import torch

from emotrace.corpora.clips import Clips
from emotrace.errors import InputError
from emotrace.learn.audio_dbn import Config
from emotrace.learn.clip_store import ClipStore
from emotrace.learn.emonets_parts import AudioPart
from emotrace.learn.networks.dbn_mlp import AudioNetwork
from emotrace.learn.networks.rbm import Kind, Rbm
from emotrace.learn.sound_frames import FRAMES, NAME, STEP, WIDTHS, sound_frames
from emotrace.video import Video
from emotrace.voice.yaafe import NAMES, SCALES, frame_features

SMALL = Config(   # two layers, and steps larger than the paper's: there are few
    components=20, units=(32, 16), kinds=("noisy_relu", "bernoulli"), rates=(5e-3, 5e-3), decays=(2e-3, 2e-4),
    pretraining_epochs=5, pretraining_batch=20, rate=5e-3, drop_hidden=0.2, batch=4, epochs=60, patience=60,
)  # fmt: skip
LOW, HIGH = 0, 3   # labels


def stack(generator: torch.Generator) -> list[Rbm]:
    sizes: list[tuple[int, int, Kind]] = [(10, 6, "noisy_relu"), (6, 5, "bernoulli"), (5, 4, "bernoulli")]
    machines = [Rbm.start(visible, hidden, kind, generator) for visible, hidden, kind in sizes]
    for machine in machines:
        machine.weights *= 50
    return machines


def test_published_constants() -> None:
    config = Config()
    assert (config.components, config.units, config.rates) == (909, (350, 350, 350), (6e-4, 5e-4, 1e-3))
    assert (config.decays, config.pretraining_epochs) == ((2e-3, 2e-4, 2e-4), 15)
    assert (config.rate, config.momentum, config.mean_square) == (5e-4, 0.46, 0.92)
    assert (config.batch, config.drop_features, config.largest_norm, config.decay) == (98, 0.4, 1.2875, 1e-5)
    assert (config.train_weights, config.test_weights) == ((1.4, 0.6), (1.3, 0.7))


def test_the_network_begins_as_the_stack_of_machines() -> None:
    generator = torch.Generator().manual_seed(0)
    machines = stack(generator)
    network = AudioNetwork(machines, 7, test_weights=(1.0,), generator=generator).eval()
    clip = torch.randn(1, 10, generator=generator)
    above = machines[2].activity(machines[1].activity(machines[0].activity(clip)))
    assert torch.allclose(network([clip]), network.answer(above))
    with torch.no_grad():
        network.hidden[0].get_parameter("weight").zero_()
    assert machines[0].weights.abs().sum() > 0   # the network's weights are its own


def test_a_clip_has_the_same_answer_alone_and_beside_longer_ones_and_training_pools_with_other_weights() -> None:
    generator = torch.Generator().manual_seed(0)
    network = AudioNetwork(stack(generator), 7, drop_features=0.0, drop_hidden=0.0, generator=generator)
    clips = [torch.randn(t, 10, generator=generator) for t in (1, 4, 9)]
    together = network.eval()(clips)
    for clip, answer in zip(clips, together, strict=True):
        assert torch.allclose(network([clip])[0], answer, atol=1e-6)
    assert not torch.allclose(network.train()(clips)[2], together[2], atol=1e-7)


def test_rows_hold_the_frames_of_every_scale_that_begin_in_their_step(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, int(0.5 * made_clips.SAMPLE_RATE))
    path = made_clips.sound(tmp_path / "a.wav", samples)
    tables = sound_frames(path, ClipStore(tmp_path / "run"))
    assert [table.shape[1] for table in tables] == list(WIDTHS) == [988, 494, 247]
    assert len({len(table) for table in tables}) == 1
    assert len(tables[0]) == pytest.approx((0.5 - SCALES[-1]) / STEP, abs=1.1)
    heard = np.concatenate([block.samples for block in Video.open(path).sound(48_000)])
    for table, scale, frames in zip(tables, SCALES, FRAMES, strict=True):
        alone = frame_features(heard, 48_000, scale, scale / 2)
        row, part = 3, frames - 1
        np.testing.assert_array_equal(table[row, part * len(NAMES) :], alone[row * frames + part].astype(np.float32))
    assert list((tmp_path / "run" / NAME).iterdir())


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> tuple[Clips, ClipStore]:
    """28 low and high voices; then a folder of pictures, a broken file, a sound of 20 ms and one of 3 frames' 120 ms."""
    place, rng = tmp_path_factory.mktemp("voices"), np.random.default_rng(0)
    paths = [made_clips.voice(place / f"{i}.wav", 120 if i % 2 else 320, rng.uniform(0.3, 0.6), rng) for i in range(28)]
    labels = [LOW if i % 2 else HIGH for i in range(28)]
    splits = ["Train"] * 12 + ["Val"] * 8 + ["Test"] * 8
    pictures = made_clips.folder(place / "faces", np.zeros((3, 48, 48), np.uint8))
    broken = place / "broken.mp4"
    broken.write_bytes(b"no video")
    short = [made_clips.voice(place / f"{seconds}.wav", 120, seconds, rng) for seconds in (0.02, 0.12)]
    every = [*paths, pictures, broken, *short]
    return made_clips.corpus(every, [*labels, 0, 1, 2, 0], [*splits, *["Train"] * 4]), ClipStore(place / "run")


def test_voices_of_two_pitches_are_told_apart_and_clips_without_sound_are_nan(voices: tuple[Clips, ClipStore]) -> None:
    clips, store = voices
    found = made_clips.said_by(AudioPart(SMALL, 0, store), clips)
    assert found.shape == (32, 7)
    assert found.dtype == np.float32
    assert np.isnan(found).all(axis=1).tolist() == [False] * 28 + [True, True, True, False]
    np.testing.assert_allclose(found[:28].sum(axis=1), 1, atol=1e-5)
    test = clips.split == "Test"
    assert (found[test].argmax(axis=1) == clips.label[test]).all()
    assert found[:28, [1, 2, 4, 5, 6]].max() < 0.2   # classes that no training clip has


def test_the_same_seed_gives_the_same_posteriors_and_touches_no_global_chance(voices: tuple[Clips, ClipStore]) -> None:
    clips, store = voices
    config = Config(components=8, units=(8, 8, 8), pretraining_epochs=1, epochs=3, batch=8)
    before = torch.get_rng_state()
    first, again, other = (made_clips.said_by(AudioPart(config, seed, store), clips) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[:28], other[:28])
    assert torch.equal(before, torch.get_rng_state())


def test_the_sound_of_test_clips_changes_nothing_of_what_is_said_of_others(voices: tuple[Clips, ClipStore]) -> None:
    clips, store = voices
    config = Config(components=8, units=(8, 8, 8), pretraining_epochs=1, epochs=2, batch=8)
    whole = made_clips.said_by(AudioPart(config, 0, store), clips)
    without = clips[clips.split != "Test"]
    part = made_clips.said_by(AudioPart(config, 0, store), without)
    np.testing.assert_allclose(whole[clips.split != "Test"], part, atol=1e-5)


def test_no_validation_clips_are_no_error_and_no_training_sound_is_one(voices: tuple[Clips, ClipStore]) -> None:
    clips, store = voices
    config = Config(components=8, units=(8, 8, 8), pretraining_epochs=1, epochs=2, batch=8)
    part, train, nobody = AudioPart(config, 0, store), np.flatnonzero(clips.split == "Train"), np.zeros(0, np.int64)
    learnt = part.learn(clips, train, nobody)
    features = part.features(learnt, clips)
    found = part.answer(learnt, part.fit(learnt, features, clips.label, train, nobody), features)
    assert np.isfinite(found[:28]).all()
    with pytest.raises(InputError, match="sound"):
        part.learn(clips, np.array([28, 29]), nobody)


def test_a_network_for_sound_that_diverges_is_said(voices: tuple[Clips, ClipStore]) -> None:
    clips, store = voices
    config = Config(components=8, units=(8, 8, 8), pretraining_epochs=1, epochs=2, batch=8, rate=1e38)
    with pytest.raises(InputError, match="audio network's loss was never finite; take a lower rate than 1e"):
        made_clips.said_by(AudioPart(config, 0, store), clips)
