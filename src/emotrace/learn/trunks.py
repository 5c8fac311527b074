"""Frozen networks that turn a cropped face into numbers, for heads that are trained on them.

    FrameFaces ─views.seen─▶ (n, size, size, 3) RGB uint8 ─run─▶ (n, width) float32

    vgg_face  25,088   conv blocks of VGG-Face, from weights that a user has; the whole crop, as it was trained
    sface        128   SFace's embedding before it is brought to unit length, aligned by five points as it was trained
    expression 1,024   what emotrace's own expression network pools before its last layer, aligned as FER2013 frames faces
    compact      192   the same of its first, smaller one

Only `vgg_face` needs torch. `expression` and `compact` were trained for expressions, on FER2013's Training part; of the others
none was. Where faces come without points (folders of faces already cropped) the crop is taken as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.api import fingerprint
from emotrace.engine import OnnxNetwork, prepare, quiet
from emotrace.errors import InputError
from emotrace.face.align import SFACE_112, Template
from emotrace.face.expression import FER2013_TEMPLATE
from emotrace.weights import NetworkInput, entry, read

Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
BATCH = 64
# Mean of VGG-Face's training pictures, red, green, blue, as its published file has it (meta.normalization.averageImage).
VGG_FACE_INPUT = NetworkInput(size=224, mean=(129.1863, 104.7624, 93.5940))


@dataclass(frozen=True, slots=True)
class Trunk:
    """A frozen network.

    Args:
        name: tells it, and its weights, from others; a valid file name.
        size: side of its input, px.
        width: numbers it gives of a face.
        template: where the five points of a face are to lie; None: the whole crop is taken.
        run: (n, size, size, 3) RGB uint8 -> (n, width) float32; n may be 0.
    """

    name: str
    size: int
    width: int
    template: Template | None
    run: Run


def sface() -> Trunk:
    """SFace's embedding, as `face.identity` has it but for the unit length."""
    network = OnnxNetwork("sface")
    return Trunk("sface", SFACE_112.size, 128, SFACE_112, _in_batches(network.run, 128))


def expression() -> Trunk:
    """What the network of `face.expression` pools before its last layer."""
    return _before_the_last_layer("expression", 1024)


def compact() -> Trunk:
    """What our first network for expressions pools before its last layer."""
    return _before_the_last_layer("expression_compact", 192, "compact")


def _before_the_last_layer(weights: str, width: int, name: str = "") -> Trunk:
    """The input of the last fully connected layer of one of our own networks. Needs the `onnx` package to take it out."""
    import onnx
    import onnxruntime

    item = entry(weights)
    model = onnx.load_from_string(read(item.name))
    last = [node for node in model.graph.node if node.op_type == "Gemm"][-1]
    model.graph.output.append(onnx.helper.make_tensor_value_info(last.input[0], onnx.TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    with quiet():
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    source = session.get_inputs()[0].name

    def run(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = session.run([last.input[0]], {source: prepare(pictures, item.input)})[0]
        return found.reshape(len(pictures), width)

    key = f"{name or weights}-{item.sha256[:12]}"
    return Trunk(key, FER2013_TEMPLATE.size, width, FER2013_TEMPLATE, _in_batches(run, width))


def vgg_face(path: Path) -> Trunk:
    """The thirteen convolutions of VGG-Face. Needs torch.

    Args:
        path: weights, see `networks.published.load`.

    Raises:
        InputError: the file is missing, or lacks one of the convolutions.

    Source: Parkhi, Vedaldi & Zisserman 2015, Deep Face Recognition.
    """
    import torch

    from emotrace.learn.networks.published import load
    from emotrace.learn.networks.vgg16 import Vgg16

    network = Vgg16().eval()
    if missing := load(network, path):
        raise InputError(f"{path}: lacks {missing[0]}; expected all thirteen convolutions of VGG-Face")

    @torch.no_grad()
    def run(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = network(torch.from_numpy(prepare(pictures, VGG_FACE_INPUT))).numpy()
        return found

    name = f"vgg_face-{fingerprint(path)[:16]}"
    return Trunk(name, VGG_FACE_INPUT.size, network.width, None, _in_batches(run, network.width))


def vgg_face_first_layer(
    path: Path, channels: int = 512, side: int = 7, units: int = 4096
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """VGG-Face's first fully connected layer, for a head that begins with it: weight (4096, 25088) and bias (4096,).

    Args:
        path: weights, see `networks.published.load`.
        channels: of the last map.
        side: of the last map, px.
        units: of the layer.

    Raises:
        InputError: the file is missing, or has no such layer.
    """
    from torch import nn

    from emotrace.learn.networks.published import load

    layer = nn.Sequential()
    layer.add_module("fc6", nn.Conv2d(channels, units, side) if path.suffix == ".mat" else nn.Linear(channels * side**2, units))
    load(layer, path)
    weight, bias = (value.numpy() for value in layer.state_dict().values())
    return weight.reshape(units, -1), bias


def _in_batches(run: Run, width: int) -> Run:
    """The same a few pictures at a time; no rows for none."""

    def in_batches(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        parts = [run(pictures[i : i + BATCH]) for i in range(0, len(pictures), BATCH)]
        return np.concatenate(parts).astype(np.float32, copy=False) if parts else np.zeros((0, width), np.float32)

    return in_batches
