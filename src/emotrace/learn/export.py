"""Networks as ONNX files, checked against torch before they are kept."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from emotrace.errors import WeightsError

OPSET = 17
TOLERANCE = 1e-4
SMALLEST = 1024        # numbers in a tensor that is worth narrowing
LAYERS = ("MatMul", "Gemm", "Conv")


def export(
    network: nn.Module, example: Tensor, path: Path, inputs: str, outputs: tuple[str, ...],
    free: dict[int, str] | None = None,
) -> None:
    """Write a network as ONNX with a free batch size, and check that ONNX Runtime gives what torch gives.

    Args:
        network: in eval mode afterwards; gives one tensor per name of `outputs`.
        example: input batch, on which both are compared.
        path: file to write; appears only when the check has passed.
        inputs: name of the input.
        outputs: names of the outputs.
        free: names of the input's free axes; the first, by default "faces", is also that of the outputs.

    Raises:
        WeightsError: ONNX Runtime's output is further than 1e-4 from torch's.
    """
    network = network.eval().cpu()
    free = free or {0: "faces"}
    new = path.with_name(path.name + ".new")
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch announces the end of this exporter; the other needs onnxscript
        torch.onnx.export(
            network, (example,), str(new), input_names=[inputs], output_names=list(outputs),
            dynamic_axes={inputs: free, **{name: {0: free[0]} for name in outputs}}, opset_version=OPSET, dynamo=False,
        )  # fmt: skip
    try:
        check(network, example, new, outputs)
        new.rename(path)
    finally:
        new.unlink(missing_ok=True)


def check(network: nn.Module, example: Tensor, path: Path, outputs: tuple[str, ...]) -> None:
    """See that ONNX Runtime gives what torch gives.

    Raises:
        WeightsError: an output is further than 1e-4 from torch's.
    """
    with torch.no_grad():
        expected = network(example)
    expected = (expected,) if isinstance(expected, Tensor) else expected
    for name, ours, theirs in zip(outputs, expected, run(path, example.numpy()), strict=True):
        if (gap := float(np.abs(ours.numpy() - theirs).max())) > TOLERANCE:
            raise WeightsError(f"{path}: output {name} of ONNX Runtime is {gap:.2g} from torch's, expected at most {TOLERANCE}")


def session(path: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """An ONNX file in ONNX Runtime on the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run(path: Path, batch: NDArray[np.float32], threads: int = 1) -> list[NDArray[np.float32]]:
    """All outputs of an ONNX file for one prepared batch."""
    opened = session(path, threads)
    return [np.asarray(output) for output in opened.run(None, {opened.get_inputs()[0].name: batch})]


def narrow(model: onnx.ModelProto) -> None:
    """Keep weights of layers in 8 bits with a scale for each channel, and other large tensors in half precision, in place.

    They are brought back to float32 when the model is loaded, so the arithmetic stays that of float32.
    """
    weights = {name for node in model.graph.node if node.op_type in LAYERS for name in node.input[1:2]}
    kept, restoring = [], []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < SMALLEST:
            kept.append(tensor)
        elif tensor.name in weights:
            whole, scale = in_bytes(values)
            kept.append(numpy_helper.from_array(whole, f"{tensor.name}.int8"))
            kept.append(numpy_helper.from_array(scale, f"{tensor.name}.scale"))
            restoring.append(helper.make_node("Cast", [f"{tensor.name}.int8"], [f"{tensor.name}.whole"], to=TensorProto.FLOAT))
            restoring.append(helper.make_node("Mul", [f"{tensor.name}.whole", f"{tensor.name}.scale"], [tensor.name]))
        else:
            kept.append(numpy_helper.from_array(values.astype(np.float16), f"{tensor.name}.half"))
            restoring.append(helper.make_node("Cast", [f"{tensor.name}.half"], [tensor.name], to=TensorProto.FLOAT))
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    nodes = [*restoring, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def in_bytes(values: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Weights as whole numbers -127..127 and their scale, one for each channel along the first or the last axis.

    Which of the two is the output's differs from layer to layer; the one that rounds less is taken.
    """
    found: list[tuple[float, NDArray[np.int8], NDArray[np.float32]]] = []
    for axis in (0, values.ndim - 1):
        others = tuple(i for i in range(values.ndim) if i != axis)
        scale = np.maximum(np.abs(values).max(axis=others, keepdims=True), 1e-12) / 127
        whole = np.round(values / scale)
        found.append((float(np.square(whole * scale - values).sum()), whole.astype(np.int8), scale.astype(np.float32)))
    _, whole_numbers, scales = min(found, key=lambda each: each[0])
    return whole_numbers, scales
