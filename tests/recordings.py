"""How the recordings of the tests are made, and faces are cut from them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from emotrace.face.detect import Detector
from emotrace.face.landmarks import Mesh, box_of_mesh, region_of_detection, region_of_mesh
from emotrace.tracks import Tracks
from emotrace.views import FaceSamples

# Times (s) of 60 frames that nothing but the time stamps tells.
VARIABLE = [Fraction(i, 30) + (Fraction(1, 2) if i >= 20 else 0) + Fraction(i * i, 9000) for i in range(60)]


def samples_of(image: np.ndarray) -> FaceSamples:
    """The faces of one picture as samples."""
    mesh = Mesh()
    found = Detector().detect(image)
    regions = [region_of_detection(box, points) for box, points in zip(found.box, found.points, strict=True)]
    rough = [mesh.locate(image, region)[0] for region in regions]
    located = [mesh.locate(image, region_of_mesh(points)) for points in rough]
    n = len(located)
    tracks = Tracks(
        np.zeros(n, np.int64), np.zeros(n), np.arange(n), np.stack([box_of_mesh(points) for points, _ in located]),
        np.array([presence for _, presence in located], np.float32), np.stack([points for points, _ in located]),
    )  # fmt: skip
    return FaceSamples(tracks, image[None], np.zeros(n, np.int64))


def encode(
    target: Path,
    source: Path,
    times: Sequence[Fraction | None],
    sound_from: Fraction | None = None,
    options: dict[str, str] | None = None,
    gop: int = 12,
) -> Path:
    """Encode the first frames of a clip anew with the given time stamps (s), None: left out; a tone from `sound_from` on."""
    base = Fraction(1, 90000)
    with av.open(str(source)) as reader, av.open(str(target), "w", options=options or {}) as writer:
        first = reader.streams.video[0]
        stream = writer.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = first.width, first.height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = base
        stream.codec_context.gop_size = gop
        sound = writer.add_stream("aac", rate=48000, layout="mono") if sound_from is not None else None
        for frame, time in zip(reader.decode(first), times, strict=False):
            if time is None:
                continue
            out = av.VideoFrame.from_ndarray(frame.to_ndarray(format="yuv420p"), "yuv420p")
            out.pts, out.time_base = int(time / base), base
            writer.mux(stream.encode(out))
        writer.mux(stream.encode(None))
        if sound is not None and sound_from is not None:
            wave = (0.5 * np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)).astype(np.float32)
            block = av.AudioFrame.from_ndarray(wave[None], "fltp", "mono")
            block.sample_rate, block.time_base = 48000, Fraction(1, 48000)
            block.pts = int(sound_from * 48000)
            writer.mux(sound.encode(block))
            writer.mux(sound.encode(None))
    return target
