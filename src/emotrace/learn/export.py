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
SMALLEST = 1024        # numbers in a tensor that is worth halving


def export(network: nn.Module, example: Tensor, path: Path, inputs: str, outputs: tuple[str, ...]) -> None:
    """Write a network as ONNX with a free batch size, and check that ONNX Runtime gives what torch gives.

    Args:
        network: in eval mode afterwards; gives one tensor per name of `outputs`.
        example: input batch, on which both are compared.
        path: file to write; appears only when the check has passed.
        inputs: name of the input.
        outputs: names of the outputs.

    Raises:
        WeightsError: ONNX Runtime's output is further than 1e-4 from torch's.
    """
    network = network.eval().cpu()
    free = {name: {0: "faces"} for name in (inputs, *outputs)}
    new = path.with_name(path.name + ".new")
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch announces the end of this exporter; the other needs onnxscript
        torch.onnx.export(
            network, (example,), str(new), input_names=[inputs], output_names=list(outputs), dynamic_axes=free,
            opset_version=OPSET, dynamo=False,
        )  # fmt: skip
    with torch.no_grad():
        expected = network(example)
    expected = (expected,) if isinstance(expected, Tensor) else expected
    for name, ours, theirs in zip(outputs, expected, run(new, example.numpy()), strict=True):
        if (gap := float(np.abs(ours.numpy() - theirs).max())) > TOLERANCE:
            new.unlink()
            raise WeightsError(f"{path}: output {name} of ONNX Runtime is {gap:.2g} from torch's, expected at most {TOLERANCE}")
    new.rename(path)


def run(path: Path, batch: NDArray[np.float32], threads: int = 1) -> list[NDArray[np.float32]]:
    """All outputs of an ONNX file for one prepared batch, in ONNX Runtime on the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return [np.asarray(output) for output in session.run(None, {session.get_inputs()[0].name: batch})]


def halve(model: onnx.ModelProto) -> None:
    """Keep large float32 tensors in half precision and cast them back when the model is loaded, in place."""
    kept, casts = [], []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < SMALLEST:
            kept.append(tensor)
            continue
        kept.append(numpy_helper.from_array(values.astype(np.float16), f"{tensor.name}.half"))
        casts.append(helper.make_node("Cast", [f"{tensor.name}.half"], [tensor.name], to=TensorProto.FLOAT))
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
