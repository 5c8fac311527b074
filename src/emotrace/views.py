"""Views: what extractors get to see of a video.

A view cuts a stretch of video into samples. The face: a sample is one tracked face in one frame, with its mesh and the
picture it lies in; each extractor cuts the crop that its own network was trained on. The voice: a sample is a window of sound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from emotrace.scheme import Scheme
from emotrace.tracks import Tracks


@dataclass(frozen=True, slots=True)
class FaceSamples:
    """n faces and the pictures they lie in.

    Args:
        tracks: n rows.
        images: (m, H, W, 3) uint8 RGB pictures of the stretch.
        image: (n,) which of the pictures a face lies in.
        measured: (n, k) values of the components that the extractor needs, by component name.
    """

    tracks: Tracks
    images: NDArray[np.uint8]
    image: NDArray[np.int64]
    measured: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.tracks)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.int64] | slice) -> FaceSamples:
        """The samples of a mask, of positions or of a slice; the pictures are shared."""
        measured = {name: values[rows] for name, values in self.measured.items()}
        return FaceSamples(self.tracks[rows], self.images, self.image[rows], measured)

    def having(self, measured: Mapping[str, NDArray[np.float32]]) -> FaceSamples:
        """The same faces with other measured values beside them."""
        return FaceSamples(self.tracks, self.images, self.image, measured)

    def pictures(self) -> Iterator[NDArray[np.uint8]]:
        """The picture each face lies in, without copying any."""
        return (self.images[i] for i in self.image)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures in px."""
        return self.images.shape[2], self.images.shape[1]


@dataclass(frozen=True, slots=True)
class VoiceSamples:
    """n windows of equal length in one stretch of sound; the pipeline passes only those in which somebody speaks.

    Args:
        sound: (s,) float32 mono, -1..1.
        sample_rate: Hz; 16,000 in `analyze`.
        start: (n,) int64 position in `sound` of each window's first sample.
        length: samples of a window.
        measured: (n, k) values of the components that the extractor needs, by component name.
    """

    sound: NDArray[np.float32]
    sample_rate: int
    start: NDArray[np.int64]
    length: int
    measured: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.int64] | slice) -> VoiceSamples:
        """The windows of a mask, of positions or of a slice; the sound is shared."""
        measured = {name: values[rows] for name, values in self.measured.items()}
        return VoiceSamples(self.sound, self.sample_rate, self.start[rows], self.length, measured)

    def having(self, measured: Mapping[str, NDArray[np.float32]]) -> VoiceSamples:
        """The same windows with other measured values beside them."""
        return VoiceSamples(self.sound, self.sample_rate, self.start, self.length, measured)

    def windows(self) -> NDArray[np.float32]:
        """The windows themselves, (n, length), copied out of the sound."""
        if len(self) == 0:
            return np.zeros((0, self.length), np.float32)
        return np.lib.stride_tricks.sliding_window_view(self.sound, self.length)[self.start]

    @classmethod
    def whole(cls, sound: NDArray[np.float32], sample_rate: int) -> VoiceSamples:
        """A clip as one window."""
        return cls(sound, sample_rate, np.zeros(1, np.int64), len(sound))


S = TypeVar("S", FaceSamples, VoiceSamples)
Seen = TypeVar("Seen", FaceSamples, VoiceSamples, contravariant=True)


class Extractor(Protocol[Seen]):
    """What turns the samples of a view into numbers; checked by `emotrace.testing`, not inherited.

    `extract(samples) -> (n, k) float32` where k is the length of `scheme`, n may be 0, NaN means not measured, and a batch
    of n gives row by row what n batches of one give.
    """

    @property
    def scheme(self) -> Scheme:
        """Meaning of the k columns."""
        ...

    def extract(self, samples: Seen) -> NDArray[np.float32]:
        """Values, (n, k)."""
        ...


FaceExtractor = Extractor[FaceSamples]
VoiceExtractor = Extractor[VoiceSamples]
