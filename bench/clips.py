"""The recordings that benchmarks run on, made from the sample clips so that anybody can make the same."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from emotrace import samples

SIZE = (1280, 720)


def pictures(name: str) -> list[np.ndarray]:
    """All frames of a sample clip, RGB."""
    with av.open(str(samples.path(name))) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def one_face(folder: Path) -> Path:
    """The woman's clip in 720p, three times over: 1,416 frames, one face 400 px wide."""
    images = (cv2.resize(image, SIZE, interpolation=cv2.INTER_CUBIC) for image in 3 * pictures("woman"))
    return write(folder / "one_face_720p.mp4", images)


def three_faces(folder: Path) -> Path:
    """Three crops side by side in 720p: the woman, and the two men of the speech; 720 frames, three faces."""
    woman, men = pictures("woman"), pictures("obama")

    def frame(number: int) -> np.ndarray:
        man = men[number % len(men)]
        parts = [woman[number % len(woman)][:, 260:600], man[10:130, 40:150], man[10:130, 150:260]]
        return np.concatenate([cv2.resize(part, (w, 720)) for part, w in zip(parts, (428, 426, 426), strict=True)], axis=1)

    return write(folder / "three_faces_720p.mp4", (frame(number) for number in range(720)))


def write(path: Path, images: object) -> Path:
    """Encode pictures as H.264 at 24 frames a second, once."""
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft.mp4")
    with av.open(str(draft), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"crf": "20"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for image in images:  # type: ignore[attr-defined]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")))
        container.mux(stream.encode(None))
    draft.replace(path)
    return path


def looped(source: Path, seconds: float, path: Path) -> Path:
    """A clip repeated to a length by copying its packets, nothing encoded anew."""
    if path.is_file():
        return path
    with av.open(str(source)) as first:
        stream = first.streams.video[0]
        length = stream.duration
        rounds = int(np.ceil(seconds / float(length * stream.time_base)))
    draft = path.with_suffix(".draft.mp4")
    with av.open(str(draft), "w") as container:
        out = None
        for k in range(rounds):
            with av.open(str(source)) as reader:
                stream = reader.streams.video[0]
                out = out or container.add_stream_from_template(stream)
                for packet in reader.demux(stream):
                    if packet.dts is None:
                        continue
                    packet.pts, packet.dts, packet.stream = packet.pts + k * length, packet.dts + k * length, out
                    packet.time_base = Fraction(stream.time_base)
                    container.mux(packet)
    draft.replace(path)
    return path


def times(path: Path) -> list[float]:
    """Time stamps of the packets of a clip, one a frame."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [float(packet.pts * packet.time_base) for packet in container.demux(stream) if packet.pts is not None]
