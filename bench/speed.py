"""Frames a second and peak memory of `emotrace analyze`, whole processes, report included.

    python bench/speed.py [--rounds 5] [--hour]

Machine, clips and numbers go to the table in docs/performance.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import clips

import emotrace


def once(clip: Path) -> tuple[float, float, int]:
    """Wall seconds, peak memory in MB and frames of one whole process."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.emotrace"
        began = time.perf_counter()
        command = [sys.executable, "-m", "emotrace", "analyze", str(clip), "--out", str(out)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        if status:
            sys.exit(f"analyze failed on {clip}")
        return wall, used.ru_maxrss / 1024, emotrace.load(out).provenance["counts"]["frames"]


def main() -> None:
    """Time every clip, interleaved, and print medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--hour", action="store_true", help="also loop the first clip to an hour, for its memory")
    choice = parser.parse_args()
    folder = Path(tempfile.gettempdir()) / "emotrace-bench"
    work = {"one face, 720p": clips.one_face(folder), "three faces, 720p": clips.three_faces(folder)}
    runs: dict[str, list[tuple[float, float, int]]] = {name: [] for name in work}
    for _ in range(choice.rounds):
        for name, clip in work.items():
            runs[name].append(once(clip))
    if choice.hour:
        hour = clips.looped(work["one face, 720p"], 3600, folder / "one_face_720p_hour.mp4")
        runs["one face, 720p, an hour"] = [once(hour)]
    print("| clip | frames | wall s | frames/s | peak MB |\n|---|---|---|---|---|")
    for name, found in runs.items():
        wall = statistics.median(run[0] for run in found)
        print(f"| {name} | {found[0][2]} | {wall:.2f} | {found[0][2] / wall:.0f} | {max(run[1] for run in found):.0f} |")


if __name__ == "__main__":
    main()
