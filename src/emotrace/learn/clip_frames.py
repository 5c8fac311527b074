"""Frames of many clips as a frozen trunk sees them, each computed once and kept by the clip's content.

    clips ─FaceFinder─▶ faces found ─trunk─▶ as seen and augmented (f, 1 + v, d) ─┐
                             └──────SFace──▶ embeddings (f, 128), boxes (f, 4) ───┴▶ Looked ─belonging─▶ outliers left out

Frames without a face are no frames here; so a clip without any, or one that cannot be read, has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Generator

from emotrace.corpora.clips import Clips
from emotrace.learn.arrays import Arrays
from emotrace.learn.augment import Augmentation
from emotrace.learn.clip_store import ClipStore, digest
from emotrace.learn.face_source import face_source
from emotrace.learn.frame_faces import FaceFinder, faces_of_clip
from emotrace.learn.frame_head import Frames, varied
from emotrace.learn.mark import mark
from emotrace.learn.outlier_frames import Outliers, belonging, planted
from emotrace.learn.trunks import Trunk
from emotrace.learn.views import seen

FEATURES = "features"


@dataclass(frozen=True, slots=True)
class Looked:
    """Frames of some clips, one row each.

    Args:
        frames: features and clips.
        embedding: (f, 128) float32 of SFace, not of unit length.
        box: (f, 4) float32 x1 y1 x2 y2 px; NaN where faces came cropped.
    """

    frames: Frames
    embedding: NDArray[np.float32]
    box: NDArray[np.float32]

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Looked:
        """The frames of a mask or of positions."""
        kept = Frames(self.frames.features[rows], self.frames.clip[rows])
        return Looked(kept, self.embedding[rows], self.box[rows])

    def belonging(self, how: Outliers) -> NDArray[np.bool_]:
        """Which frames show the face that most of their clip's frames show, (f,)."""
        found = np.zeros(len(self.frames), np.bool_)
        for clip in np.unique(self.frames.clip):
            own = self.frames.clip == clip
            found[own] = belonging(self.embedding[own], self.box[own], how)
        return found

    def without_outliers(self, how: Outliers) -> Frames:
        """The frames that do."""
        return self[self.belonging(how)].frames

    def with_false_faces(self, clips: Clips, share: float, seed: int = 0) -> tuple[Looked, NDArray[np.bool_]]:
        """The same with some frames exchanged for those of clips of the same part and another label, and which these are.

        Args:
            clips: corpus.
            share: of each clip's frames, up to a half.
            seed: chooses them.
        """
        clip = self.frames.clip
        stands = np.arange(len(clip))
        for split in np.unique(clips.split[clip]):
            own, chance = np.flatnonzero(clips.split[clip] == split), np.random.default_rng(seed)
            stands[own] = own[planted(clip[own], clips.label[clip[own]], share, chance)]
        shown = self[stands]
        spoilt = Looked(Frames(shown.frames.features, clip), shown.embedding, shown.box)
        return spoilt, np.asarray(stands != np.arange(len(clip)), np.bool_)


@dataclass(frozen=True, slots=True)
class Looking:
    """How frames are augmented.

    Args:
        how: strengths.
        versions: augmented ones of each frame of training clips.
        seed: with the clip's content it decides every augmentation.
    """

    how: Augmentation
    versions: int
    seed: int = 0


class ClipFrames:
    """Looks at clips. Not for use from two threads at once.

    Args:
        store: where faces and features are kept.
        finder: of faces.
        identity: SFace, for the embeddings.
        looking: how frames are augmented.
    """

    def __init__(self, store: ClipStore, finder: FaceFinder, identity: Trunk, looking: Looking) -> None:
        self.store, self.finder, self.identity, self.looking = store, finder, identity, looking

    def look(self, clips: Clips, rows: NDArray[np.int64], trunk: Trunk, augmented: bool) -> Looked:
        """Frames of some clips.

        Args:
            clips: corpus.
            rows: (r,) positions of the clips to look at, rising.
            trunk: gives the features.
            augmented: also augmented versions of each frame.
        """
        sources = [face_source(clips, row) for row in rows.tolist()]
        features = [self.features(source, trunk, augmented) for source in sources]
        known = [self.features(source, self.identity, False)[:, 0] for source in sources]
        boxes = [self._box(source) for source in sources]
        nothing = np.zeros((0, 1, trunk.width), np.float32)
        return Looked(
            Frames.joined(features or [nothing], rows if len(rows) else np.zeros(1, np.int64)),
            np.concatenate([np.zeros((0, self.identity.width), np.float32), *known]),
            np.concatenate([np.zeros((0, 4), np.float32), *boxes]),
        )

    def features(self, source: Path, trunk: Trunk, augmented: bool) -> NDArray[np.float32]:
        """Of the faces found in one clip, (f, 1 or 1 + versions, d); kept with half precision."""
        looking, finding = self.looking, self.finder.how.name

        def plain() -> Arrays:
            return {FEATURES: trunk.run(self._pictures(source, trunk))[:, None].astype(np.float16)}

        def changed() -> Arrays:
            chance = Generator().manual_seed(looking.seed * 1_000_003 + int(digest(source)[:8], 16))
            found = varied(self._pictures(source, trunk), trunk.run, looking.how, looking.versions, chance)
            return {FEATURES: found.astype(np.float16)}

        parts = [self.store.of(source, f"{trunk.name}-{finding}", plain)]
        if augmented and looking.versions:
            parts.append(self.store.of(source, f"{trunk.name}-{finding}-varied-{mark(looking)}", changed))
        return np.concatenate([part[FEATURES] for part in parts], axis=1, dtype=np.float32)

    def _pictures(self, source: Path, trunk: Trunk) -> NDArray[np.uint8]:
        faces = faces_of_clip(source, self.store, self.finder)
        return seen(faces[faces.found], trunk)

    def _box(self, source: Path) -> NDArray[np.float32]:
        faces = faces_of_clip(source, self.store, self.finder)
        return faces.box[faces.found]
