"""What a step of training costs in single and in half precision, whether quick or not: python bench/precision.py

One thread, a few pictures a step, so that it ends soon where half precision is slow; kinds in turn, medians. The last column
says whether recipes that ask for it get it (`emotrace.learn.precision`).
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

from emotrace.learn.networks.face_mobilenet import FaceMobileNet
from emotrace.learn.precision import DTYPES, Precision, is_taken

PICTURES, SIDE = 8, 128


def step(network: FaceMobileNet, images: torch.Tensor, precision: Precision) -> float:
    """Seconds of a forward and a backward pass."""
    began = time.perf_counter()
    with torch.autocast("cpu", DTYPES[precision], enabled=precision != "fp32"):
        outputs = network(images)
    torch.autograd.backward(outputs.float().square().mean())
    return time.perf_counter() - began


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(1)
    network = FaceMobileNet().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = (torch.rand(PICTURES, 1, SIDE, SIDE) * 255).contiguous(memory_format=torch.channels_last)
    kinds: tuple[Precision, ...] = ("fp32", "bf16", "fp16")
    found: dict[Precision, list[float]] = {kind: [] for kind in kinds}
    for _ in range(given.rounds + 1):
        for kind, seconds in found.items():
            seconds.append(step(network, images, kind))
    for kind, seconds in found.items():
        taken = statistics.median(seconds[1:]) * 1000 / PICTURES  # the first one prepares
        print(f"{kind}: {taken:7.1f} ms a picture, {'taken' if is_taken(kind) else 'not taken'}")


if __name__ == "__main__":
    main()
