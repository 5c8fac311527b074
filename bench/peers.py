"""The same clip through emotrace and through other tools, interleaved, whole processes.

    python -m venv /tmp/mediapipe && /tmp/mediapipe/bin/pip install mediapipe==1.2.2 av
    python bench/peers.py --mediapipe /tmp/mediapipe/bin/python [--pyfeat PYTHON] [--deepface PYTHON] [--rounds 3]

Each tool runs in an environment of its own, given as its Python; one that is not given, or cannot run there (py-feat and
DeepFace fetch their weights from hosts of their own), is named with the reason.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import clips

from emotrace import weights

HEAD = """
import sys, av
def frames(path):
    with av.open(path) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24"), int(frame.time * 1000)
"""
MEDIAPIPE = HEAD + """
import mediapipe
from mediapipe.tasks.python import BaseOptions, vision
options = vision.FaceLandmarkerOptions(
    base_options=BaseOptions(model_asset_path=sys.argv[2]), running_mode=vision.RunningMode.VIDEO, num_faces=int(sys.argv[3]),
    output_face_blendshapes=True, output_facial_transformation_matrixes=True)
found = 0
with vision.FaceLandmarker.create_from_options(options) as landmarker:
    for image, time in frames(sys.argv[1]):
        picture = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=image)
        found += len(landmarker.detect_for_video(picture, time).face_landmarks)
print(found)
"""
PYFEAT = """
import sys
from feat import Detector
print(len(Detector().detect(sys.argv[1], data_type="video", batch_size=8)))
"""
DEEPFACE = HEAD + """
from deepface import DeepFace
print(sum(len(DeepFace.analyze(image[..., ::-1], actions=["emotion", "age", "gender"], enforce_detection=False, silent=True))
          for image, _ in frames(sys.argv[1])))
"""


def seconds(command: list[str]) -> float | None:
    """Wall seconds of a process; None where it fails."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=False)
    return None if done.returncode else time.perf_counter() - began


def main() -> None:
    """Run every tool on both clips and print a table."""
    parser = argparse.ArgumentParser()
    for name in ("mediapipe", "pyfeat", "deepface"):
        parser.add_argument(f"--{name}", help="Python of an environment that has it")
    parser.add_argument("--rounds", type=int, default=3)
    choice = parser.parse_args()
    folder = Path(tempfile.gettempdir()) / "emotrace-bench"
    print("| clip | tool | what it gives | wall s | frames/s | time over emotrace's |\n|---|---|---|---|---|---|")
    for title, clip, faces in (("one face", clips.one_face(folder), 1), ("three faces", clips.three_faces(folder), 3)):
        compare(title, clip, faces, choice)


def compare(title: str, clip: Path, faces: int, choice: argparse.Namespace) -> None:
    """Time all tools on one clip in turns."""
    task = str(weights.path("face_landmarker"))
    tools: dict[str, tuple[str, str | None, list[str]]] = {
        "MediaPipe FaceLandmarker": (
            "mesh, blendshapes, pose", choice.mediapipe, ["-c", MEDIAPIPE, str(clip), task, str(faces)],
        ),
        "py-feat": ("its default detector", choice.pyfeat, ["-c", PYFEAT, str(clip)]),
        "DeepFace": ("emotion, age, gender", choice.deepface, ["-c", DEEPFACE, str(clip)]),
    }
    frames = len(clips.times(clip))
    ours: list[float] = []
    theirs: dict[str, list[float | None]] = {name: [] for name in tools}
    for _ in range(choice.rounds):
        with tempfile.TemporaryDirectory() as out:
            wall = seconds([sys.executable, "-m", "emotrace", "analyze", str(clip), "--out", f"{out}/out.emotrace"])
        if wall is None:
            sys.exit("emotrace failed")
        ours.append(wall)
        for name, (_, python, arguments) in tools.items():
            if python is not None and None not in theirs[name]:
                theirs[name].append(seconds([python, *arguments]))
    own = statistics.median(ours)
    print(f"| {title} | emotrace | everything, report included | {own:.1f} | {frames / own:.0f} | 1 |")
    for name, (gives, python, _) in tools.items():
        walls = [wall for wall in theirs[name] if wall is not None]
        if not walls or None in theirs[name]:
            why = "no environment given" if python is None else "it did not run there"
            print(f"| {title} | {name} | {gives} | not measured: {why} | | |")
            continue
        wall = statistics.median(walls)
        print(f"| {title} | {name} | {gives} | {wall:.1f} | {frames / wall:.0f} | {wall / own:.2f} |")


if __name__ == "__main__":
    main()
