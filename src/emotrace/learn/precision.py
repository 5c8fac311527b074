"""Half precision where it is quick.

A processor without arithmetic for bf16 or fp16 is made to do it number by number, and a training step of the face network
takes twenty times as long as in single precision (bench/training.py). There single precision is taken instead.
"""

from __future__ import annotations

from typing import Literal

import torch

Precision = Literal["fp32", "bf16", "fp16"]
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def is_taken(precision: Precision, device: torch.device | str = "cpu") -> bool:
    """Whether it is computed in where it is asked for: always on a GPU, on a processor if oneDNN knows it there."""
    if precision == "fp32" or torch.device(device).type != "cpu":
        return True
    known = torch.ops.mkldnn
    return bool(known._is_mkldnn_bf16_supported() if precision == "bf16" else known._is_mkldnn_fp16_supported())


def dtype_of(precision: Precision, device: torch.device | str = "cpu") -> torch.dtype:
    """What is computed in where so much is asked for: as asked if it is taken, else float32."""
    return DTYPES[precision] if is_taken(precision, device) else torch.float32


def computed_in(precision: Precision, device: torch.device | str = "cpu") -> torch.autocast:
    """A context in which networks compute in it; without effect in float32."""
    dtype = dtype_of(precision, device)
    return torch.autocast(torch.device(device).type, dtype, enabled=dtype != torch.float32)
