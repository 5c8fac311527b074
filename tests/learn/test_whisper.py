"""Whisper's encoder: the published sizes, the published numbers, and the same answer for a clip alone or in a batch."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from emotrace import weights  # noqa: E402
from emotrace.errors import InputError  # noqa: E402
from emotrace.learn import ctranslate2  # noqa: E402
from emotrace.learn.networks import whisper, whisper_files  # noqa: E402
from emotrace.learn.networks.voice import VoiceListener  # noqa: E402

PUBLISHED_PARAMETERS = {"tiny.en": 7_632_384, "base": 19_822_592}   # of the encoders, positions not counted


def noise(n, t, seed=0):
    return torch.randn(n, t, whisper.BANDS, generator=torch.Generator().manual_seed(seed)) * 0.3


@pytest.mark.parametrize("name", whisper_files.SIZES)
def test_the_whole_encoder_has_as_many_parameters_as_published(name):
    size = whisper_files.SIZES[name]
    last_norm = 2 * size.width   # which is not part of ours
    ours = sum(p.numel() for p in whisper.Encoder(size.blocks, size).parameters())
    assert ours == PUBLISHED_PARAMETERS[name] - last_norm


def test_the_positions_are_those_of_the_checkpoint():
    kept = torch.load(weights.path(whisper_files.TINY_FILE), weights_only=True)["model_state_dict"]
    published = kept["encoder.positional_embedding"].float()
    assert torch.allclose(whisper.sinusoids(384), published, atol=5e-4)   # they are kept in half precision


def test_the_positions_of_base_are_those_of_its_file():
    content = b"".join(weights.read(half) for half in whisper_files.BASE_HALVES)
    published = ctranslate2.tensors(content)["encoder/position_encodings/encodings"]
    np.testing.assert_allclose(whisper.sinusoids(512), published, atol=5e-4)


def test_keys_are_the_second_of_three_layers_that_are_kept_as_one():
    """They alone have no bias, so that part of the file is of zeros; the layers beside have one."""
    content = ctranslate2.tensors(b"".join(weights.read(half) for half in whisper_files.BASE_HALVES))
    for i in range(whisper.BASE.blocks):
        parts = content[f"encoder/layer_{i}/self_attention/linear_0/bias"].reshape(3, 512)
        assert parts.any(1).tolist() == [True, False, True]
    encoder = whisper_files.pretrained(6, "base")
    joined = content["encoder/layer_5/self_attention/linear_0/weight"]
    gamma = content["encoder/layer_5/ffn/layer_norm/gamma"]
    last = encoder.blocks[5]
    assert np.array_equal(last.attn.key.weight.detach().numpy(), joined[512:1024].astype(np.float32))
    assert np.array_equal(last.mlp_ln.weight.detach().numpy(), gamma.astype(np.float32))


def test_a_block_is_what_its_formulas_say():
    block = whisper.Block(whisper.TINY).eval().double()
    x = torch.randn(1, 5, whisper.TINY.width, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    seen = block.attn_ln(x)[0].detach().numpy()
    parts = {name: (getattr(block.attn, name).weight.detach().numpy(), getattr(block.attn, name).bias)
             for name in ("query", "key", "value")}  # fmt: skip
    q, k, v = (seen @ w.T + (0 if b is None else b.detach().numpy()) for w, b in parts.values())
    heads = []
    for head in range(6):
        columns = slice(64 * head, 64 * head + 64)
        match = np.exp(q[:, columns] @ k[:, columns].T / 8)
        heads.append(match / match.sum(1, keepdims=True) @ v[:, columns])
    out = block.attn.out
    mixed = x[0].detach().numpy() + np.concatenate(heads, 1) @ out.weight.detach().numpy().T + out.bias.detach().numpy()
    expected = torch.from_numpy(mixed) + block.mlp(block.mlp_ln(torch.from_numpy(mixed)))
    assert torch.allclose(block(x, None)[0], expected, atol=1e-10)
    assert block.attn.key.bias is None


def test_a_clip_gives_the_same_alone_and_before_silence_in_a_batch():
    torch.manual_seed(0)
    network = VoiceListener(whisper.Encoder(2), 0.3).eval()
    clips = noise(3, 151)
    heard = torch.ones(3, 151, 1)
    heard[1, 101:] = 0
    together = network(torch.cat([clips, heard], 2))
    for row, end in ((0, 151), (1, 101), (2, 151)):
        assert torch.allclose(network(clips[row : row + 1, :end])[0], together[row], atol=1e-5)


@pytest.mark.parametrize(("frames", "positions"), [(1, 1), (2, 1), (3, 2), (200, 100)])
def test_a_position_is_two_frames(frames, positions):
    assert whisper.Encoder(1)(noise(1, frames)).shape == (1, positions, 384)


@pytest.mark.parametrize("name", whisper_files.SIZES)
def test_the_pretrained_encoder_tells_fear_from_neutral_better_than_a_random_one(data, name):
    """Means over clips of four actors, nearest class mean of sixteen others: the frozen features hold emotion."""
    from emotrace.corpora import ravdess
    from emotrace.voice.log_mel import log_mel

    corpus = ravdess.read(data / "ravdess")
    corpus = corpus[np.isin(corpus.label, [0, 7]) & np.isin(corpus.statement, ["01"]) & (np.arange(len(corpus)) % 2 == 0)]
    test = np.isin(corpus.speaker, ["01", "02", "03", "04"])

    def right(encoder):
        with torch.no_grad():
            pooled = np.stack([encoder(torch.from_numpy(log_mel(clip))[None])[0].mean(0).numpy() for clip in corpus.clips()])
        pooled /= pooled[~test].std(0)
        means = np.stack([pooled[~test & (corpus.label == label)].mean(0) for label in (0, 7)])
        near = np.linalg.norm(pooled[test][:, None] - means, axis=2).argmin(1) * 7
        return float((near == corpus.label[test]).mean())

    assert right(whisper_files.pretrained(2, name)) >= 0.9


@pytest.mark.parametrize(("name", "blocks"), [("tiny.en", 4), ("base", 6)])
def test_there_are_so_many_blocks_and_no_more(name, blocks):
    with pytest.raises(InputError, match=f"Whisper {name}'s encoder has {blocks} blocks, got {blocks + 1}"):
        whisper_files.pretrained(blocks + 1, name)
