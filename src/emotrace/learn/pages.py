"""Memory that a training keeps from step to step.

A step frees what it computed, hundreds of MB, and the next one asks for as much. Given back and asked for anew, each page is
cleared by the kernel again; on two cores that takes up to half of a training's time. Here the process keeps its pages, and
large blocks lie in huge pages. Numbers do not change.

Source: mallopt(3) of the GNU C library; PyTorch's CPU allocator (THP_MEM_ALLOC_ENABLE); bench/training.py for what it saves.
"""

from __future__ import annotations

import ctypes
import os

# Parameters of mallopt, from malloc.h.
TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4
KEPT = ((TRIM_THRESHOLD, -1), (TOP_PAD, 2**29), (MMAP_MAX, 0))  # -1: never


def keep() -> None:
    """Let this process keep the memory it frees; before its first tensor, for huge pages, and once is enough.

    Elsewhere than on Linux with the GNU C library nothing happens. A value of THP_MEM_ALLOC_ENABLE that is set stays.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        for parameter, value in KEPT:
            mallopt(parameter, value)
