"""Networks in 8 bits: a third of the time and a quarter of the size where the processor multiplies bytes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from emotrace.errors import WeightsError
from emotrace.learn.export import LAYERS as WEIGHTED
from emotrace.learn.export import run

CONVOLUTIONS = ("Conv", "Relu", "Clip")  # layers; the last ones, which weigh little, keep their precision
LINEAR = ("MatMul", "Gemm")              # those with weights; products of two activations keep their precision
QUANTISED = "_quantized"                 # behind names of weights in 8 bits
GAP = 0.02   # mean absolute change of a probability that is borne
BATCH = 32


class _Shown(CalibrationDataReader):  # type: ignore[misc]
    """Examples by which the range of every activation is measured."""

    def __init__(self, name: str, shown: NDArray[np.float32]) -> None:
        self.batches: Iterator[dict[str, NDArray[np.float32]]] = iter(
            [{name: shown[i : i + BATCH]} for i in range(0, len(shown), BATCH)]
        )

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next batch, None when all have been shown."""
        return next(self.batches, None)


def quantise(
    path: Path, shown: NDArray[np.float32], layers: tuple[str, ...] = CONVOLUTIONS, precise: tuple[str, ...] = ()
) -> None:
    """Replace an ONNX file that gives probabilities by one whose heavy layers are computed in 8 bits.

    Weights get a scale for each channel, activations one for each layer, from the least to the greatest that the examples
    cause: an answer does not depend on what else is in a batch.

    Args:
        path: of the file.
        shown: (n, ...) float32 examples as the network takes them, of those that it learnt from.
        layers: kinds of operations that are computed so.
        precise: parts of names of layers that keep their precision, since one scale does not suit what they are fed.

    Raises:
        WeightsError: the probabilities change by more than 0.02 in the mean; the file stays as it was.

    Source: Jacob et al. 2018, Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference;
    here after the training.
    """
    name = onnx.load(str(path)).graph.input[0].name
    expected = run(path, shown)
    with tempfile.TemporaryDirectory() as folder:
        plain, small = Path(folder) / "plain.onnx", Path(folder) / "int8.onnx"
        quant_pre_process(str(path), str(plain), skip_symbolic_shape=True)
        quantize_static(
            str(plain), str(small), _Shown(name, shown), quant_format=QuantFormat.QDQ, op_types_to_quantize=list(layers),
            nodes_to_exclude=[*_without_weights(plain), *_named(plain, precise)], per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            extra_options={"TensorQuantOverrides": _scales(plain, layers)},
        )  # fmt: skip
        check(path, run(small, shown), expected)
        path.write_bytes(small.read_bytes())


def restored(path: Path, prefix: str) -> dict[str, NDArray[np.float32]]:
    """Weights of an ONNX file, as `quantise` writes it, by the names they had in torch: those in 8 bits brought back.

    Args:
        path: of the file.
        prefix: how names of the wanted weights begin; it is left out of those given.

    Raises:
        WeightsError: it is not an ONNX file, or has none of that name.
    """
    try:
        graph = onnx.load(str(path)).graph
        tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        for node in graph.node:
            if node.op_type == "DequantizeLinear" and tensors.keys() >= set(node.input):
                whole, *others = (tensors.pop(name) for name in node.input)
                axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)
                scale, zero = (each if each.ndim == 0 else _along(each, axis, whole.ndim) for each in others)
                tensors[node.input[0].removesuffix(QUANTISED)] = (whole.astype(np.float32) - zero) * scale
    except (OSError, DecodeError, ValueError, IndexError) as error:
        raise WeightsError(f"{path}: no ONNX file of weights in 8 bits; expected one that a recipe has shipped") from error
    found = {name.removeprefix(prefix): values for name, values in tensors.items() if name.startswith(prefix)}
    if not found:
        raise WeightsError(f"{path}: has no weights named {prefix}...; expected a network that this recipe has shipped")
    return found


def _along(values: NDArray[np.float32], axis: int, axes: int) -> NDArray[np.float32]:
    """One number a channel, (c,), so that it meets an array of so many axes along one of them."""
    shape = [1] * axes
    shape[axis] = -1
    return values.reshape(shape)


def check(path: Path, given: Sequence[NDArray[np.float32]], expected: Sequence[NDArray[np.float32]]) -> None:
    """See that 8 bits change outputs by no more than is borne.

    Raises:
        WeightsError: they change one by more than 0.02 in the mean.
    """
    gap = max(float(np.abs(ours - theirs).mean()) for ours, theirs in zip(given, expected, strict=True))
    if gap > GAP:
        raise WeightsError(f"{path}: in 8 bits probabilities change by {gap:.3f} in the mean, expected at most {GAP}")


def _scales(path: Path, layers: tuple[str, ...]) -> dict[str, list[dict[str, object]]]:
    """A scale for each channel of the weights of these layers, as `quantize_static` takes them."""
    graph, found = onnx.load(str(path)).graph, {}
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type in layers and node.op_type in WEIGHTED and node.input[1] in tensors:
            weights = numpy_helper.to_array(tensors[node.input[1]])
            given = {attribute.name: attribute.i for attribute in node.attribute}
            if given.get("group", 1) > 1:  # depthwise: multiplied one by one, in 16 bits each
                continue
            axis = 0 if node.op_type == "Conv" or given.get("transB") else weights.ndim - 1
            zero = np.zeros((), np.int8)
            found[node.input[1]] = [{"axis": axis, "scale": scale, "zero_point": zero} for scale in safe_scales(weights, axis)]
    return found


def safe_scales(weights: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Scales by which no sum of two neighbours' products leaves 16 bits, (channels,).

    Processors that multiply bytes, but cannot add up the products in 32 bits at once (AVX2 without VNNI: Intel's before Ice
    Lake, AMD's before Zen 4), add the products of neighbouring inputs in 16 bits and cut off what is more. An activation is at
    most 255, so two neighbours' weights may sum to 128 at most: the scale is such that the greatest sum, not only the greatest
    weight, is 127, and rounding adds one.

    Args:
        weights: of a convolution (out, in, h, w) or a linear layer (in, out).
        axis: of the channels that come out.
    """
    inputs = np.moveaxis(weights, axis, 0)
    order = (0, *range(2, inputs.ndim), 1)[: inputs.ndim]  # as they lie in memory: positions, then channels
    flat = inputs.transpose(order).reshape(len(inputs), -1)
    padded = np.pad(flat, ((0, 0), (0, flat.shape[1] % 2)))
    sums = np.abs(padded.reshape(len(flat), -1, 2).sum(2)).max(1)
    greatest: NDArray[np.float32] = np.maximum(np.maximum(np.abs(flat).max(1), sums), np.float32(1e-12)) / np.float32(127)
    return greatest


def _without_weights(path: Path) -> list[str]:
    """Names of the products of two activations."""
    graph = onnx.load(str(path)).graph
    weights = {tensor.name for tensor in graph.initializer}
    return [node.name for node in graph.node if node.op_type in LINEAR and weights.isdisjoint(node.input)]


def _named(path: Path, parts: tuple[str, ...]) -> list[str]:
    """Names of the layers that have one of these in theirs."""
    return [node.name for node in onnx.load(str(path)).graph.node if any(part in node.name for part in parts)]
