"""Make tests/face/mediapipe_reference.json: what MediaPipe itself says of frames of the sample clip.

    python -m venv /tmp/mediapipe && /tmp/mediapipe/bin/pip install mediapipe==1.2.2 av
    /tmp/mediapipe/bin/python bench/mediapipe_reference.py CLIP face_landmarker.task
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import av
import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

FRAMES = (200, 430)   # hand at the mouth, head turned; laughing, head tilted


def main(clip: str, task: str) -> None:
    """Run the face landmarker on single frames and write points, transform and blendshapes."""
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=task),
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    found = []
    with av.open(clip) as container, vision.FaceLandmarker.create_from_options(options) as landmarker:
        for number, frame in enumerate(container.decode(video=0)):
            if number not in FRAMES:
                continue
            image = frame.to_ndarray(format="rgb24")
            result = landmarker.detect(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=image))
            height, width = image.shape[:2]
            points = [[p.x * width, p.y * height, p.z * width] for p in result.face_landmarks[0]]
            found.append(
                {
                    "frame": number,
                    "size": [width, height],
                    "points": np.round(points, 4).tolist(),
                    "matrix": np.round(result.facial_transformation_matrixes[0], 6).tolist(),
                    "blendshapes": {c.category_name: round(c.score, 6) for c in result.face_blendshapes[0]},
                }
            )
    target = Path(__file__).parents[1] / "tests" / "face" / "mediapipe_reference.json"
    target.write_text(json.dumps({"mediapipe": mediapipe.__version__, "frames": found}, separators=(",", ":")))


if __name__ == "__main__":
    main(*sys.argv[1:])
