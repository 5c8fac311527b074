"""Seconds for a folder of recordings, one after the other and several side by side.

    python bench/folder.py [--rounds 3] [--copies 2] [--jobs 1 2]

The folder holds copies of the clips of `bench/clips.py`. Machine and numbers go to docs/performance.md.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import clips


def once(folder: Path, jobs: int) -> float:
    """Wall seconds of one whole command."""
    with tempfile.TemporaryDirectory() as out:
        began = time.perf_counter()
        command = [sys.executable, "-m", "emotrace", "analyze", str(folder), "--out", out, "--jobs", str(jobs)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began


def main() -> None:
    """Time every number of jobs, interleaved, and print medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--copies", type=int, default=2)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    choice = parser.parse_args()
    made = Path(tempfile.gettempdir()) / "emotrace-bench"
    found: dict[int, list[float]] = {jobs: [] for jobs in choice.jobs}
    with tempfile.TemporaryDirectory() as name:
        for i in range(choice.copies):
            for clip in (clips.one_face(made), clips.three_faces(made)):
                shutil.copyfile(clip, Path(name) / f"{i}-{clip.name}")
        for _ in range(choice.rounds):
            for jobs, seconds in found.items():
                seconds.append(once(Path(name), jobs))
    print("| side by side | wall s |\n|---|---|")
    for jobs, seconds in found.items():
        print(f"| {jobs} | {statistics.median(seconds):.1f} |")


if __name__ == "__main__":
    main()
