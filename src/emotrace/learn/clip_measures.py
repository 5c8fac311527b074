"""What face and voice components say of whole clips, one row a clip.

    clip ─some frames a second─▶ Tracker ─face longest seen─▶ extractors ─mean over frames─▶ (n, k)
         └───whole sound─────────────────────────▶ MidTerm, frozen Whisper ──────────────▶ (n, 68), (n, 768)

The detector, mesh and networks are those of `analyze`. Rows are NaN where a clip has no face, or no sound.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.api import fingerprint
from emotrace.corpora.clips import Clips
from emotrace.errors import VideoError
from emotrace.face.action_units import Blendshapes
from emotrace.face.detect import Detections, Detector
from emotrace.face.expression import Expression, MiniXception
from emotrace.face.landmarks import Mesh, Region
from emotrace.face.track import Tracker
from emotrace.learn.arrays import load, save
from emotrace.learn.clip_sound import sound_of, vector_of
from emotrace.learn.log import Say, say
from emotrace.learn.mark import mark
from emotrace.video import Video
from emotrace.views import FaceExtractor, FaceSamples
from emotrace.voice.features import MidTerm

Measures = dict[str, NDArray[np.float32]]
VOICE, WHISPER = "voice", "voice.whisper"
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
            "face.expression_mini_xception": MiniXception(),
            "face.blendshapes": Blendshapes(),
        }

    def measure(self, path: Path) -> Measures:
        """One clip: (1, k) for each measure; all NaN where it cannot be opened (`Clips.unreadable` says why)."""
        try:
            video = Video.open(path)
        except VideoError:
            return self._nothing()
        return self.face(video) | {VOICE: vector_of(path, self.voice)[None]}

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

    def _nothing(self) -> Measures:
        schemes = {name: kind.scheme for name, kind in self.extractors.items()} | {VOICE: self.voice.scheme}
        return {name: np.full((1, len(scheme)), np.nan, np.float32) for name, scheme in schemes.items()}

    def _locate(self, image: NDArray[np.uint8], regions: list[Region]) -> list[tuple[NDArray[np.float32], float]]:
        return [self.mesh.locate(image, region) for region in regions]

    def _detect(self, image: NDArray[np.uint8]) -> Callable[[], Detections]:
        found = self.detector.detect(image)
        return lambda: found


def measure_clips(clips: Clips, folder: Path, rate: float = 5.0, report: Say = say) -> Measures:
    """Face and voice of every clip, (n, k) for each measure; kept in `folder`, see `kept`.

    Args:
        clips: corpus.
        folder: where they are kept.
        rate: frames a second that are looked at.
        report: told how far it is, in a line.
    """
    return kept(clips, folder, f"{rate}", lambda: ClipMeasurer(rate).measure, report)


def measure_whisper(clips: Clips, folder: Path, report: Say = say) -> Measures:
    """Every voice as frozen Whisper hears it, (n, 768); kept in `folder`, see `kept`. Needs torch."""
    from emotrace.learn.frozen_whisper import FrozenWhisper

    def start() -> Callable[[Path], Measures]:
        network = FrozenWhisper()
        return lambda path: {WHISPER: network.features(sound_of(path))[None]}

    return kept(clips, folder, WHISPER, start, report)


def kept(
    clips: Clips,
    folder: Path,
    what: str,
    start: Callable[[], Callable[[Path], Measures]],
    report: Say = say,
) -> Measures:
    """Measures of every clip, (n, k) each, read from `folder` where the same was measured of the same clips before.

    Args:
        clips: corpus.
        folder: where they are kept, under a name made of `what` and of the clips' content.
        what: tells this measurement from others.
        start: gives what measures a clip; called only where something has to be measured.
        report: told how far it is, in a line.

    Raises:
        FolderError: what was kept is damaged.
    """
    words = [what, *(fingerprint(path) if path.is_file() else str(path) for path in clips.paths)]
    file = folder / f"measures-{mark(' '.join(words))}.npz"
    if not file.is_file():
        measure, rows = start(), []
        for done, path in enumerate(clips.paths, start=1):
            rows.append(measure(path))
            if done % EVERY == 0:
                report(f"{done} of {len(clips)} clips measured")
        save(file, {name: np.concatenate([row[name] for row in rows]) for name in rows[0]})
    return {name: np.asarray(values, np.float32) for name, values in load(file).items()}
