"""Whisper's encoders with the published weights: tiny.en as OpenAI wrote it, base as others converted it for CTranslate2.

    tiny.en.pt ────────────────────▶ names of the checkpoint ─▶ Encoder
    model.bin, in two halves ─renamed─▶ ┘
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from emotrace import weights
from emotrace.errors import InputError
from emotrace.learn import ctranslate2
from emotrace.learn.networks.whisper import BASE, TINY, Encoder, Size

Name = Literal["tiny.en", "base"]
SIZES: dict[Name, Size] = {"tiny.en": TINY, "base": BASE}
TINY_FILE = "whisper_tiny_en"
BASE_HALVES = ("whisper_base_1", "whisper_base_2")
PREFIX, BASE_PREFIX = "encoder.", "encoder/"   # of names in either file
JOINED = ("query", "key", "value")   # one layer in a file of CTranslate2
RENAMED = {
    "attn.out": "self_attention/linear_1", "attn_ln": "self_attention/layer_norm",
    "mlp.0": "ffn/linear_0", "mlp.2": "ffn/linear_1", "mlp_ln": "ffn/layer_norm",
}  # fmt: skip
NORMS = {"weight": "gamma", "bias": "beta"}


def pretrained(blocks: int, name: Name = "tiny.en") -> Encoder:
    """The first blocks of an encoder with the published weights, fetched and verified.

    Raises:
        InputError: there are not so many blocks.
        WeightsError: the weights cannot be fetched.
    """
    size = SIZES[name]
    if not 1 <= blocks <= size.blocks:
        raise InputError(f"Whisper {name}'s encoder has {size.blocks} blocks, got {blocks}; ask for 1 to {size.blocks}")
    encoder = Encoder(blocks, size)
    published = _tiny() if name == "tiny.en" else _base(blocks)
    encoder.load_state_dict({name: published[name].float() for name in encoder.state_dict()})
    return encoder


def _tiny() -> Mapping[str, Tensor]:
    """Tensors of the whole encoder of tiny.en, half precision."""
    found = torch.load(weights.path(TINY_FILE), map_location="cpu", weights_only=True)["model_state_dict"]
    return {name.removeprefix(PREFIX): tensor for name, tensor in found.items()}


def _base(blocks: int) -> Mapping[str, Tensor]:
    """Tensors of the first blocks of the encoder of base, half precision, by the names of OpenAI's checkpoint."""
    content = b"".join(weights.read(half) for half in BASE_HALVES)
    tensors = ctranslate2.tensors(content).items()   # three quarters of which are the decoder's
    kept = {name.removeprefix(BASE_PREFIX): torch.tensor(values) for name, values in tensors if name.startswith(BASE_PREFIX)}
    found = {f"{layer}.{kind}": kept[f"{layer}/{kind}"] for layer in ("conv1", "conv2") for kind in NORMS}
    for i in range(blocks):
        ours, theirs = f"blocks.{i}.", f"layer_{i}/"
        for layer, other in RENAMED.items():
            for kind, norm in NORMS.items():
                found[f"{ours}{layer}.{kind}"] = kept[f"{theirs}{other}/{norm if layer.endswith('_ln') else kind}"]
        for kind in NORMS:
            parts = kept[f"{theirs}self_attention/linear_0/{kind}"].chunk(len(JOINED))
            found |= {f"{ours}attn.{layer}.{kind}": part for layer, part in zip(JOINED, parts, strict=True)}
    return found
