"""Weights in 8 bits as a processor without VNNI multiplies them: two neighbours' products added in 16 bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper


def multiplied(path: Path) -> list[np.ndarray]:
    """Weights in 8 bits of a file's linear layers (in, out) and convolutions (out, in, h, w), but for depthwise ones."""
    graph = onnx.load(str(path)).graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    whole = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "DequantizeLinear"}
    found = []
    for node in graph.node:
        given = {attribute.name: attribute.i for attribute in node.attribute}
        multiplies = node.op_type in ("Conv", "MatMul", "Gemm") and given.get("group", 1) == 1
        if multiplies and whole.get(node.input[1]) in tensors:
            weights = numpy_helper.to_array(tensors[whole[node.input[1]]])
            found.append(weights.T if given.get("transB") else weights)
    return found


def neighbours(whole: np.ndarray) -> np.ndarray:
    """Sums of two weights whose products are added in 16 bits without VNNI; of weights (out, in, h, w) or (in, out)."""
    flat = whole.T if whole.ndim == 2 else whole.transpose(0, 2, 3, 1).reshape(len(whole), -1)
    flat = np.pad(flat.astype(int), ((0, 0), (0, flat.shape[1] % 2)))
    return flat[:, ::2] + flat[:, 1::2]
