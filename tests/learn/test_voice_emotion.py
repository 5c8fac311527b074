"""The voice recipe on small made-up corpora: speakers never cross, runs go on, and what is shipped is what was learnt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")
onnx = pytest.importorskip("onnx", reason="needs pip install 'emotrace[train]'")

from emotrace.corpora.voices import table  # noqa: E402
from emotrace.errors import InputError, WeightsError  # noqa: E402
from emotrace.learn import arrays, export, voice_export  # noqa: E402
from emotrace.learn import voice_protocol as protocol  # noqa: E402
from emotrace.learn.export import run  # noqa: E402
from emotrace.learn.mel_augment import MelAugmentation, augment, padded, speech_of  # noqa: E402
from emotrace.learn.metrics import softmax  # noqa: E402
from emotrace.learn.networks.voice import VoiceListener  # noqa: E402
from emotrace.learn.networks.whisper import Encoder  # noqa: E402
from emotrace.learn.networks.whisper_files import SIZES  # noqa: E402
from emotrace.learn.plan import Plan  # noqa: E402
from emotrace.learn.voice_targets import loss_of, targets  # noqa: E402
from emotrace.recipes import voice_emotion as recipe  # noqa: E402
from emotrace.scheme import VOICE_EXPRESSION  # noqa: E402

STILL = MelAugmentation(
    seconds=(1.0, 1.0), speed=(1.0, 1.0), pitch=(1.0, 1.0), level=0, noisy=0, voices=0, equaliser=0, low_passed=0,
    time_mask=0, band_mask=0, mix=0,
)  # fmt: skip
PLAN = Plan(
    epochs=1, batch=16, method="adamw", rate=1e-4, watch="epoch", channels_last=False, rate_factors=(("encoder", 0.2),)
)
CONFIG = recipe.Config(
    encoder="tiny.en", blocks=1, hidden=0, head_passes=1, head_epochs=2, plan=PLAN,
    augmentation=MelAugmentation(seconds=(0.5, 1.0)),
)  # fmt: skip
CALM = VOICE_EXPRESSION.labels.index("calm")


def sounds(n, seed=0):
    random = np.random.default_rng(seed)
    return [(0.1 * random.standard_normal(random.integers(9_000, 16_000))).astype(np.float32) for _ in range(n)]


def mel(frames, level=0.0):
    """Silence with a voice from frame 20 to frame 60."""
    clip = torch.full((frames, 80), -1.0)
    clip[20:60] = level
    return clip.half()


@pytest.fixture(scope="module")
def actors():
    speakers = [f"{i:02}" for i in range(1, 11) for _ in range(8)]
    label = list(range(8)) * 10
    gender = ["male" if int(speaker) % 2 else "female" for speaker in speakers]
    intensity = [float(i % 16 > 7) for i in range(80)]
    corpus = table("RAVDESS", sounds(80), label, [str(i) for i in range(80)], speaker=speakers, gender=gender,
                   intensity=intensity)  # fmt: skip
    return protocol.Clips.of(corpus)


@pytest.fixture(scope="module")
def polish():
    label = [0, 2, 3, 4, 5, 6] * 7
    speakers = [f"S{i}" for i in range(7) for _ in range(6)]
    return protocol.Clips.of(table("nEMO", sounds(42, 1), label, [""] * 42, speaker=speakers, gender=["female"] * 42))


@pytest.fixture
def small(monkeypatch):
    """An encoder of one block with chance weights in the place of Whisper's."""
    monkeypatch.setattr(recipe, "pretrained", lambda blocks, name: Encoder(blocks, SIZES[name]))


def test_no_speaker_is_in_two_groups_and_each_group_has_as_many_women_as_men(actors):
    groups = protocol.groups_of(actors.corpus)
    assert np.stack(groups).sum(0).tolist() == [1] * 80
    for group in groups:
        inside, outside = set(actors.corpus.speaker[group]), set(actors.corpus.speaker[~group])
        assert not inside & outside
        assert (actors.corpus.gender[group] == "female").mean() == 0.5


def test_every_clip_is_left_out_once(actors, polish):
    both = [protocol.left_out(actors, polish, number) for number in protocol.runs_of(polish)]
    assert np.stack([rows for rows, _ in both]).sum(0).tolist() == [1] * 80
    assert np.stack([rows for _, rows in both]).sum(0).tolist() == [1] * 42


@pytest.mark.parametrize("speakers", [3, 7, 9])
def test_every_clip_is_left_out_once_by_however_many_speak(actors, speakers):
    who = [f"S{i % speakers}" for i in range(36)]
    polish = protocol.Clips.of(table("nEMO", sounds(36, 1), [0] * 36, [""] * 36, speaker=who, gender=["female"] * 36))
    both = [protocol.left_out(actors, polish, number) for number in protocol.runs_of(polish)]
    assert np.stack([rows for rows, _ in both]).sum(0).tolist() == [1] * 80
    assert np.stack([rows for _, rows in both]).sum(0).tolist() == [1] * 36


def test_runs_on_other_recordings_are_not_gathered(actors, polish, tmp_path):
    out, _ = protocol.left_out(actors, polish, 0)
    (tmp_path / "run0").mkdir()
    said = {name + kind: np.zeros((count, 10), np.float32) for kind in ("", protocol.SHORT)
            for name, count in zip(protocol.NAMES, (out.sum(), 6), strict=True)}  # fmt: skip
    said[protocol.RECORDINGS] = np.array(protocol.recordings_of((actors, polish)))
    arrays.save(tmp_path / "run0" / protocol.FILE, said)
    assert len(protocol.gathered(actors, polish, tmp_path)["ravdess"][0]) == out.sum()
    with pytest.raises(InputError, match="run0: run on other recordings"):
        protocol.gathered(actors[np.arange(80) > 0], polish, tmp_path)
    louder = replace(actors.corpus, recordings=[2 * sound for sound in actors.corpus.recordings])  # files of the same names
    with pytest.raises(InputError, match="run0: run on other recordings"):   # said before another run is trained
        recipe.validate_run(protocol.Clips(louder, actors.mels), polish, 0, tmp_path, CONFIG)
    arrays.save(tmp_path / "run0" / protocol.FILE, {name: said[name] for name in said if name != protocol.RECORDINGS})
    with pytest.raises(InputError, match="run0: run on other recordings"):   # a run of before may have heard anything
        protocol.gathered(actors, polish, tmp_path)


def test_affect_is_derived_from_label_and_intensity(actors):
    derived = protocol.affect(actors.corpus)
    happy = VOICE_EXPRESSION.labels.index("happiness")
    normal, strong = derived[actors.corpus.label == happy][:2]
    assert strong == pytest.approx([0.81, 0.51])
    assert normal == pytest.approx(0.7 * strong)
    assert derived[actors.corpus.label == CALM][0, 1] < 0 < derived[actors.corpus.label == CALM][0, 0]
    assert np.isfinite(protocol.affect(table("x", sounds(1), [0], [""]))).all()


def test_a_corpus_says_nothing_against_expressions_it_has_not(actors, polish):
    outputs = torch.zeros(2, 10)
    wanted = torch.from_numpy(targets(polish.corpus, CONFIG.balance)[:2])
    louder = outputs.clone()
    louder[:, CALM] = 5.0
    loss = loss_of(CONFIG.smoothing, CONFIG.affect_weight)
    assert loss(outputs, wanted).item() == pytest.approx(loss(louder, wanted).item())
    wanted = torch.from_numpy(targets(actors.corpus, CONFIG.balance)[:2])
    assert loss(louder, wanted) > loss(outputs, wanted) + 1


def test_in_an_epoch_all_of_ravdess_is_heard_and_a_third_of_nemo(actors, polish, monkeypatch):
    lessons = recipe.Lessons([actors, polish], CONFIG)
    def untouched(mels, speech, wanted, how, chance):
        return torch.tensor([id(mel) for mel in mels]), wanted

    monkeypatch.setattr(recipe, "augment", untouched)
    assert len(lessons.examples) == 80 + 42 // 3
    heard = [lessons.vary(lessons.examples.images, lessons.examples.targets, epoch, None) for epoch in range(4)]
    numbers = {id(mel): i for i, mel in enumerate(lessons.mels)}
    turns = [[numbers[i] for i in mels.tolist()] for mels, _ in heard]
    assert all(turn[:80] == list(range(80)) for turn in turns)
    assert sorted(turns[0][80:] + turns[1][80:] + turns[2][80:]) == list(range(80, 122))
    assert turns[3] == turns[0]
    assert torch.equal(heard[1][1][80], lessons.wanted[81])   # the targets go with the clip


def test_speech_is_what_is_within_30_db_of_the_loudest():
    assert speech_of(mel(100)) == (20, 60)


def test_without_variation_a_stretch_is_a_piece_of_the_clip_that_holds_the_voice():
    clips = [mel(300), mel(70)]
    speech = torch.tensor([speech_of(clip) for clip in clips])
    batch, kept = augment(clips, speech, torch.eye(2), STILL, torch.Generator().manual_seed(0))
    assert batch.shape == (2, 100, 81)
    assert (batch[0, :, 0].abs() < 1e-4).sum() == 40        # all of the voice
    assert batch[0, :, 80].all()
    assert batch[1, :, 80].sum() == 70                      # the short clip ends, and behind it is nothing
    assert torch.allclose(batch[1, :70, :80], clips[1].float(), atol=1e-5)
    assert not batch[1, 70:].any()
    assert torch.equal(kept, torch.eye(2))


def test_variation_is_repeated_by_the_same_seed_and_stays_in_whispers_range():
    clips = [mel(n) for n in (80, 120, 400)]
    speech = torch.tensor([speech_of(clip) for clip in clips])
    how = MelAugmentation(mixed=1.0, noisy=1.0, voices=1.0)
    one, other = (augment(clips, speech, torch.eye(3), how, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(one[0], other[0])
    assert one[1].sum(1).tolist() == pytest.approx([1, 1, 1])
    assert (one[1].diagonal() >= 0.5).all()                 # a clip stays more itself than another
    assert torch.isfinite(one[0]).all()
    assert one[0][..., :80].amax() - one[0][..., :80].amin() <= 3.0


def test_faster_speech_is_shorter():
    how = MelAugmentation(**{name: getattr(STILL, name) for name in STILL.__slots__} | {"speed": (1.25, 1.25)})
    batch, _ = augment([mel(300)], torch.tensor([[20, 60]]), torch.eye(1), how, torch.Generator().manual_seed(0))
    assert (batch[0, :, 0] > -0.5).sum().item() == pytest.approx(40 / 1.25, abs=1)


def test_runs_are_gathered_and_what_is_done_is_not_done_again(actors, polish, small, tmp_path, capsys):
    recipe.validate_run(actors, polish, 0, tmp_path, CONFIG)
    assert "epoch   1" in capsys.readouterr().out
    recipe.validate_run(actors, polish, 0, tmp_path, CONFIG)
    assert capsys.readouterr().out == ""
    found = protocol.gathered(actors, polish, tmp_path)
    assert list(found) == ["ravdess", "ravdess in 2 s", "nemo", "nemo in 2 s"]
    assert set(found["ravdess"][1].speaker) == {"01", "02"}
    assert set(found["nemo"][1].speaker) == {"S0"}
    scores = protocol.cross_scores(found)
    assert [scores[name]["n"] for name in scores] == [16, 16, 16, 16, 6, 6, 6, 6]
    assert list(scores)[:2] == ["ravdess", "ravdess by speaker"]
    assert set(scores["ravdess"]["uar_of"]) == {"female", "male", "01", "02"}
    assert 0.1 < protocol.warmth_of(found) < 20


def test_the_last_runs_leave_out_nobody_of_ravdess(actors, polish, small, tmp_path):
    recipe.validate_run(actors, polish, 6, tmp_path, CONFIG)
    assert list(protocol.gathered(actors, polish, tmp_path)) == ["nemo", "nemo in 2 s"]


def test_two_seconds_are_taken_from_the_middle_of_the_voice():
    long, short = protocol.windows_of([mel(600), mel(90)])
    assert (len(long), len(short)) == (200, 90)
    late = torch.full((600, 80), -1.0)
    late[500:540] = 0.0
    (window,) = protocol.windows_of([late])
    assert (window[:, 0] == 0.0).sum() == 40
    assert torch.equal(window, late[400:])


def test_a_clip_is_heard_the_same_alone_and_among_longer_ones(actors):
    torch.manual_seed(0)
    network = VoiceListener(Encoder(1), 0.0).eval()
    together = protocol.outputs_of(network, actors.mels[:5])
    alone = np.concatenate([protocol.outputs_of(network, [clip]) for clip in actors.mels[:5]])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert padded(actors.mels[:5]).shape[2] == 81


def test_what_is_shipped_says_what_was_learnt_with_its_temperature(tmp_path, actors):
    torch.manual_seed(0)
    network = VoiceListener(Encoder(1), 0.0).eval()
    said = protocol.outputs_of(network, actors.mels[:1])
    voice_export.export_voice(network, 2.0, protocol.shown_of([actors]), tmp_path / "voice.onnx")
    (shipped,) = run(tmp_path / "voice.onnx", actors.mels[0][None].float().numpy())
    powers = np.exp(said[:, :8] / 2.0)
    np.testing.assert_allclose(shipped[:, :8], powers / powers.sum(1), atol=0.02)
    np.testing.assert_allclose(shipped[:, 8:], said[:, 8:], atol=0.02)
    assert (tmp_path / "voice.onnx").stat().st_size < 1.3 * sum(p.numel() for p in network.parameters()) + 500_000


def test_linear_layers_are_computed_in_8_bits_but_for_the_last_perceptron_and_products_of_attention(tmp_path, actors):
    voice_export.export_voice(VoiceListener(Encoder(1), 0.0), 1.0, protocol.shown_of([actors]), tmp_path / "voice.onnx")
    nodes = onnx.load(tmp_path / "voice.onnx").graph.node
    maker = {output: node.op_type for node in nodes for output in node.output}
    narrow = [[maker.get(name) == "DequantizeLinear" for name in node.input[:2]] for node in nodes if node.op_type == "MatMul"]
    assert narrow.count([False, False]) == 3           # what matches, what is mixed of it, the perceptron's second layer
    assert narrow.count([True, True]) == len(narrow) - 3 == 5 + 2   # the block's other five, the pool's two


def test_units_far_greater_than_the_others_do_not_spoil_8_bits(tmp_path, actors):
    """Two units of the last block's perceptron a thousand times as great, as those of Whisper's are."""
    torch.manual_seed(0)
    network = VoiceListener(Encoder(1), 0.0).eval()
    first, _, last = network.encoder.blocks[0].mlp
    with torch.no_grad():
        first.bias[:2], last.weight[:, :2] = 2000.0, last.weight[:, :2] / 1000
    expected = softmax(protocol.outputs_of(network, actors.mels[:8])[:, :8])
    voice_export.export_voice(network, 1.0, protocol.shown_of([actors]), tmp_path / "voice.onnx")
    said = np.exp(voice_export.heard_by(tmp_path / "voice.onnx", actors.mels[:8])[:, :8])
    assert np.abs(said - expected).mean() < 2e-3


def test_more_units_than_an_encoder_has_are_refused_before_anything_is_fitted():
    with pytest.raises(InputError, match=r"hidden is 1600, but perceptrons of tiny\.en have 1536"):
        recipe.Config(encoder="tiny.en", hidden=1600)


def test_what_is_shipped_is_pruned_by_what_the_network_heard(actors, polish):
    torch.manual_seed(0)
    network = VoiceListener(Encoder(1), 0.0).eval()
    whole = protocol.outputs_of(network, actors.mels[:8])
    narrow = recipe.narrowed(network, [actors, polish], replace(CONFIG, hidden=1152))   # of 1,536
    assert [len(block.mlp[0].weight) for block in narrow.encoder.blocks] == [1152]
    np.testing.assert_allclose(protocol.outputs_of(narrow, actors.mels[:8]), whole, atol=0.1)
    assert not (protocol.outputs_of(narrow, actors.mels[:8]) == whole).all()


def test_what_an_exported_network_says_is_what_the_network_says(tmp_path, actors):
    torch.manual_seed(0)
    network = VoiceListener(Encoder(1), 0.0).eval()
    expected = protocol.outputs_of(network, actors.mels[:3])
    voice_export.export_voice(network, 1.0, protocol.shown_of([actors]), tmp_path / "voice.onnx")
    said = voice_export.heard_by(tmp_path / "voice.onnx", actors.mels[:3])
    np.testing.assert_allclose(np.exp(said[:, :8]), softmax(expected[:, :8]), atol=0.02)
    np.testing.assert_allclose(said[:, 8:], expected[:, 8:], atol=0.02)
    assert voice_export.heard_by(tmp_path / "voice.onnx", []).shape == (0, 10)


def test_ranges_are_measured_on_two_seconds_of_both_corpora():
    clips = [protocol.Clips.of(table("x", [np.full(16_000 * n, 0.1, np.float32) for n in (1, 3, 4)], [0] * 3, [""] * 3))] * 2
    assert protocol.shown_of(clips).shape == (4, 200, 80)


def test_a_file_that_says_something_else_is_not_kept(tmp_path, actors, monkeypatch):
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    with pytest.raises(WeightsError, match="from torch's, expected at most"):
        voice_export.export_voice(VoiceListener(Encoder(1), 0.0), 1.0, protocol.shown_of([actors]), tmp_path / "voice.onnx")
    assert not list(tmp_path.iterdir())


def test_weights_that_are_spoilt_when_they_are_narrowed_are_not_kept(tmp_path, actors, monkeypatch):
    def spoil(model):
        for tensor in model.graph.initializer:
            if tensor.name.endswith("conv2.weight"):
                tensor.CopyFrom(onnx.numpy_helper.from_array(-5 * onnx.numpy_helper.to_array(tensor), tensor.name))

    torch.manual_seed(0)
    monkeypatch.setattr(voice_export, "narrow", spoil)
    with pytest.raises(WeightsError, match="in 8 bits probabilities change by"):
        voice_export.export_voice(VoiceListener(Encoder(1), 0.0), 1.0, protocol.shown_of([actors]), tmp_path / "voice.onnx")
    assert not list(tmp_path.iterdir())
