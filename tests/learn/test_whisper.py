"""Whisper's encoder: the published sizes, the published numbers, and the same answer for a clip alone or in a batch."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from emotrace.errors import InputError  # noqa: E402
from emotrace.learn.networks import whisper  # noqa: E402
from emotrace.learn.networks.voice import VoiceListener  # noqa: E402

PUBLISHED_PARAMETERS = 7_632_384   # of tiny's encoder, positions not counted
LAST_NORM = 768                    # ln_post, which is not part of ours


def noise(n, t, seed=0):
    return torch.randn(n, t, whisper.BANDS, generator=torch.Generator().manual_seed(seed)) * 0.3


def test_the_whole_encoder_has_as_many_parameters_as_published():
    assert sum(p.numel() for p in whisper.Encoder().parameters()) == PUBLISHED_PARAMETERS - LAST_NORM


def test_the_positions_are_those_of_the_checkpoint():
    weights = torch.load(whisper.weights.path(whisper.WEIGHTS), weights_only=True)["model_state_dict"]
    published = weights["encoder.positional_embedding"].float()
    assert torch.allclose(whisper.sinusoids(), published, atol=5e-4)   # they are kept in half precision


def test_a_block_is_what_its_formulas_say():
    block = whisper.Block().eval().double()
    x = torch.randn(1, 5, whisper.WIDTH, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
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


def test_the_pretrained_encoder_tells_fear_from_neutral_better_than_a_random_one(data):
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

    assert right(whisper.pretrained(2)) >= 0.9


def test_there_are_four_blocks_and_no_more():
    with pytest.raises(InputError, match="has 4 blocks, got 5"):
        whisper.pretrained(5)
