"""What face and voice components say of whole clips, one row a clip.

    clip ─some frames a second─▶ Tracker ─face longest seen─▶ extractors ─mean over frames─▶ (n, k)
         └───whole sound──────────────────────────────────▶ MidTerm ─────────────────────▶ (n, 68)

The detector, mesh and networks are those of `analyze`. Rows are NaN where a clip has no face, or no sound.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.api import fingerprint
from emotrace.corpora.clips import Clips
from emotrace.errors import VideoError
from emotrace.face.action_units import Blendshapes
from emotrace.face.detect import Detections, Detector
from emotrace.face.expression import CompactExpression, Expression
from emotrace.face.landmarks import Mesh, Region
from emotrace.face.track import Tracker
from emotrace.video import Video
from emotrace.views import FaceExtractor, FaceSamples, VoiceSamples
from emotrace.voice.features import MidTerm

Measures = dict[str, NDArray[np.float32]]
SAMPLE_RATE = 16_000
VOICE = "voice"
EVERY = 50  # clips between two lines of progress


class ClipMeasurer:
    """Measures clips one by one. Not for use from two threads at once.

    Args:
        rate: frames a second that are looked at.
    """

    def __init__(self, rate: float = 5.0) -> None:
        self.rate = rate
        self.detector, self.mesh, self.voice = Detector(), Mesh(), MidTerm()
        self.extractors: dict[str, FaceExtractor] = {
            "face.expression": Expression(),
            "face.expression_compact": CompactExpression(),
            "face.blendshapes": Blendshapes(),
        }

    def measure(self, path: Path) -> Measures:
        """One clip: (1, k) for each measure; all NaN where it cannot be opened (`Clips.unreadable` says why)."""
        try:
            video = Video.open(path)
        except VideoError:
            return self._nothing()
        return self.face(video) | {VOICE: self.sound(video)}

    def face(self, video: Video) -> Measures:
        """Means over the frames of the face that is seen in most frames."""
        tracker = Tracker(self._locate, self._detect, every=1.0)
        parts: list[tuple[NDArray[np.int64], Measures]] = []
        for chunk in video.chunks(rate=self.rate):
            chosen = chunk.analysed
            shots = np.zeros(int(chosen.sum()), np.int32)
            tracks = tracker.update(chunk.images, chunk.number[chosen], chunk.time[chosen], shots)
            image = np.searchsorted(chunk.number[chosen], tracks.frame)
            samples = FaceSamples(tracks, chunk.images, image)
            parts.append((tracks.track, {name: kind.extract(samples) for name, kind in self.extractors.items()}))
        track = np.concatenate([numbers for numbers, _ in parts]) if parts else np.zeros(0, np.int64)
        if not len(track):
            return {name: rows for name, rows in self._nothing().items() if name != VOICE}
        longest = track == np.bincount(track).argmax()
        joined = {name: np.concatenate([values[name] for _, values in parts]) for name in self.extractors}
        return {name: rows[longest].mean(axis=0, keepdims=True) for name, rows in joined.items()}

    def sound(self, video: Video) -> NDArray[np.float32]:
        """Mid-term features of the whole sound, (1, 68); NaN where there is none."""
        blocks = [block.samples for block in video.sound(SAMPLE_RATE)]
        if not blocks:
            return self._nothing()[VOICE]
        return self.voice.extract(VoiceSamples.whole(np.concatenate(blocks), SAMPLE_RATE))

    def _nothing(self) -> Measures:
        schemes = {name: kind.scheme for name, kind in self.extractors.items()} | {VOICE: self.voice.scheme}
        return {name: np.full((1, len(scheme)), np.nan, np.float32) for name, scheme in schemes.items()}

    def _locate(self, image: NDArray[np.uint8], regions: list[Region]) -> list[tuple[NDArray[np.float32], float]]:
        return [self.mesh.locate(image, region) for region in regions]

    def _detect(self, image: NDArray[np.uint8]) -> Callable[[], Detections]:
        found = self.detector.detect(image)
        return lambda: found


def measure_clips(clips: Clips, folder: Path, rate: float = 5.0, report: Callable[[str], None] = print) -> Measures:
    """Measures of every clip, (n, k) each; kept in `folder` and read from there where the clips are the same.

    Args:
        clips: corpus.
        folder: where they are kept.
        rate: frames a second that are looked at.
        report: told how far it is, in a line.
    """
    words = [f"{rate}", *(fingerprint(path) if path.is_file() else str(path) for path in clips.paths)]
    file = folder / f"measures-{hashlib.sha256(' '.join(words).encode()).hexdigest()[:16]}.npz"
    if not file.is_file():
        measurer, rows = ClipMeasurer(rate), []
        for done, path in enumerate(clips.paths, start=1):
            rows.append(measurer.measure(path))
            if done % EVERY == 0:
                report(f"{done} of {len(clips)} clips measured")
        folder.mkdir(parents=True, exist_ok=True)
        draft = file.with_name("." + file.name)
        np.savez(draft, allow_pickle=False, **{name: np.concatenate([row[name] for row in rows]) for name in rows[0]})
        draft.replace(file)
    with np.load(file, allow_pickle=False) as kept:
        return {name: kept[name] for name in kept.files}
