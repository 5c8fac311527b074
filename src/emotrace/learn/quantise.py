"""Networks in 8 bits: a third of the time and a quarter of the size where the processor multiplies bytes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from emotrace.errors import WeightsError
from emotrace.learn.export import run

CONVOLUTIONS = ("Conv", "Relu", "Clip")  # layers; the last ones, which weigh little, keep their precision
LINEAR = ("MatMul", "Gemm")              # those with weights; products of two activations keep their precision
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


def quantise(path: Path, shown: NDArray[np.float32], layers: tuple[str, ...] = CONVOLUTIONS) -> None:
    """Replace an ONNX file that gives probabilities by one whose heavy layers are computed in 8 bits.

    Weights get a scale for each channel, activations one for each layer, from the least to the greatest that the examples
    cause: an answer does not depend on what else is in a batch.

    Args:
        path: of the file.
        shown: (n, ...) float32 examples as the network takes them, of those that it learnt from.
        layers: kinds of operations that are computed so.

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
            nodes_to_exclude=_without_weights(plain), per_channel=True, activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )  # fmt: skip
        check(path, run(small, shown), expected)
        path.write_bytes(small.read_bytes())


def check(path: Path, given: Sequence[NDArray[np.float32]], expected: Sequence[NDArray[np.float32]]) -> None:
    """See that 8 bits change outputs by no more than is borne.

    Raises:
        WeightsError: they change one by more than 0.02 in the mean.
    """
    gap = max(float(np.abs(ours - theirs).mean()) for ours, theirs in zip(given, expected, strict=True))
    if gap > GAP:
        raise WeightsError(f"{path}: in 8 bits probabilities change by {gap:.3f} in the mean, expected at most {GAP}")


def _without_weights(path: Path) -> list[str]:
    """Names of the products of two activations."""
    graph = onnx.load(str(path)).graph
    weights = {tensor.name for tensor in graph.initializer}
    return [node.name for node in graph.node if node.op_type in LINEAR and weights.isdisjoint(node.input)]
