"""What a step of training costs, with memory kept (`emotrace.learn.pages`) and without: python bench/training.py

Each measurement is a process of its own on one thread, the two kinds in turn; medians of seconds a step in half precision,
or in single precision where the processor is slow at half.
Recipes keep their memory; there is nothing to switch on.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

STEPS = 5


class Case(NamedTuple):
    """A network and what it is fed: pictures in a batch, their side in px."""

    network: str
    batch: int
    side: int


CASES = (Case("mixed_emotions", 128, 48), Case("convnet1", 128, 40), Case("face_mobilenet", 64, 128))


def measured(case: Case, kept: bool) -> float:
    """Median seconds of a step, in this process."""
    if kept:
        from emotrace.learn import pages

        pages.keep()
    import torch

    from emotrace.learn.networks.convnet1 import ConvNet1
    from emotrace.learn.networks.face_mobilenet import FaceMobileNet
    from emotrace.learn.networks.mixed_emotions import MixedEmotions
    from emotrace.learn.precision import computed_in

    torch.set_num_threads(1)
    torch.manual_seed(0)
    networks = {"mixed_emotions": MixedEmotions, "convnet1": ConvNet1, "face_mobilenet": FaceMobileNet}
    network = networks[case.network]().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.SGD([weight for weight in network.parameters() if weight.requires_grad], 0.01, momentum=0.9)
    images = torch.randn(case.batch, 1, case.side, case.side).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(7, (case.batch,))
    seconds = []
    for _ in range(STEPS + 1):
        began = time.perf_counter()
        optimiser.zero_grad()
        with computed_in("bf16"):
            outputs = network(images)
        torch.nn.functional.cross_entropy(outputs.float(), labels).backward()
        optimiser.step()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[1:])  # the first one prepares


def main() -> None:
    """Measure all cases, or the one that a child process is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each kind")
    parser.add_argument("--one", nargs=2, metavar=("CASE", "KEPT"), help="one measurement in this process")
    given = parser.parse_args()
    if given.one:
        print(measured(CASES[int(given.one[0])], given.one[1] == "kept"))
        return
    for index, case in enumerate(CASES):
        found: dict[str, list[float]] = {"given back": [], "kept": []}
        for _ in range(given.rounds):
            for kind, seconds in found.items():
                command = [sys.executable, __file__, "--one", str(index), kind]
                seconds.append(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
        before, after = (statistics.median(seconds) for seconds in found.values())
        print(f"{case.network:16} {case.batch} of {case.side} px: {before:.3f} s a step, kept {after:.3f} s")


if __name__ == "__main__":
    main()
