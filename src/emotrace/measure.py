"""Measuring: every chosen component on the faces of a stretch of video, and the tables that come of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emotrace import columns, registry
from emotrace.decode import Chunk
from emotrace.engine import Device
from emotrace.face.landmarks import ibug_68
from emotrace.face.portraits import PortraitChooser, thumbnails
from emotrace.registry import Spec
from emotrace.settings import Settings
from emotrace.tracks import Tracks
from emotrace.views import Extractor, FaceSamples, S

if TYPE_CHECKING:
    import pyarrow as pa

Values = dict[str, NDArray[np.float32]]


class Measurer:
    """Runs the chosen components, each after what it needs. For use from one thread at a time.

    Args:
        settings: what to measure.
        device: where networks that can choose run.
    """

    def __init__(self, settings: Settings, device: Device) -> None:
        self.settings = settings
        lines = registry.with_needs(settings.components)
        self.specs = [line for line in lines if line.view == "face" and line.scheme is not None]
        self.extractors = {line.name: build(line.name, device) for line in self.specs}
        self.chooser = PortraitChooser()

    def every(self, samples: FaceSamples) -> Values:
        """Values of the components that measure every face, by name; nothing is gated yet."""
        return run_in_order([line for line in self.specs if line.rows == "every"], self.extractors, samples, {})

    def portraits(self, samples: FaceSamples, values: Values) -> tuple[NDArray[np.int64], Values]:
        """Rows chosen as portraits, and the values of the components that measure only those."""
        lines = [line for line in self.specs if line.rows == "portrait"]
        if not lines or len(samples) == 0:
            return np.zeros(0, np.int64), {line.name: np.zeros((0, _width(line)), np.float32) for line in lines}
        rows = self.chooser.choose(samples.having(values))
        own = {name: column[rows] for name, column in values.items()}
        measured = run_in_order(lines, self.extractors, samples[rows], own)
        return rows, {line.name: measured[line.name] for line in lines}

    def gated(self, values: Values) -> Values:
        """The same values, NaN where a face's quality is below the threshold."""
        if registry.GATE not in values:
            return values   # nothing that was measured is gated
        bad = ~(values[registry.GATE][:, 0] >= self.settings.min_quality)
        gates = {line.name for line in self.specs if line.gated}
        return {
            name: np.where(bad[:, None], np.float32(np.nan), column) if name in gates else column
            for name, column in values.items()
        }


def build(name: str, device: Device = "auto") -> Any:
    """An extractor of the registry for samples of its view, on a device where it can choose."""
    kind = registry.target(name)
    return kind(device) if registry.spec(name).on_device else kind()


def run_in_order(lines: Iterable[Spec], extractors: Mapping[str, Extractor[S]], samples: S, known: Values) -> Values:
    """What components measure of samples, beside what is known of them; each is given what it needs.

    Args:
        lines: components, each after what it needs.
        extractors: by component name.
        samples: n of them.
        known: (n, k) values of components that are measured already.
    """
    values = dict(known)
    for line in lines:
        needed = {name: values[name] for name in line.needs if name in values}
        values[line.name] = extractors[line.name].extract(samples.having(needed))
    return values


def _width(line: Spec) -> int:
    return 0 if line.scheme is None else len(line.scheme)


@dataclass(frozen=True, slots=True)
class Measured:
    """The tables of one chunk."""

    frames: pa.Table
    faces: pa.Table
    portraits: pa.Table


def measure(measurer: Measurer, chunk: Chunk, cuts: NDArray[np.bool_], shots: NDArray[np.int32], tracks: Tracks) -> Measured:
    """Measure the faces of one chunk.

    Args:
        measurer: the components.
        chunk: pictures.
        cuts: (t,) True at the first frame of a shot.
        shots: (t,) number of the shot.
        tracks: faces followed in the chunk's analysed pictures.
    """
    analysed = chunk.number[chunk.analysed]
    samples = FaceSamples(tracks, chunk.images, np.searchsorted(analysed, tracks.frame))
    values = measurer.every(samples)
    rows, chosen = measurer.portraits(samples, values)
    return Measured(
        frames=_frames(chunk, cuts, shots, tracks),
        faces=_faces(tracks, measurer.gated(values), measurer.settings),
        portraits=_portraits(samples[rows], values, rows, chosen),
    )


def _frames(chunk: Chunk, cuts: NDArray[np.bool_], shots: NDArray[np.int32], tracks: Tracks) -> pa.Table:
    import pyarrow as pa

    faces = np.searchsorted(tracks.frame, chunk.number, "right") - np.searchsorted(tracks.frame, chunk.number, "left")
    arrays = [chunk.number, chunk.time, chunk.analysed, chunk.damaged, cuts, shots, faces.astype(np.int32)]
    return pa.table(arrays, schema=columns.schema(columns.FRAMES))


def _faces(tracks: Tracks, values: Values, settings: Settings) -> pa.Table:
    import pyarrow as pa

    found: dict[str, object] = {
        "frame": tracks.frame, "time": tracks.time, "track": tracks.track, "score": tracks.score,
        "person": pa.nulls(len(tracks), pa.string()),
        **dict(zip(("x1", "y1", "x2", "y2"), tracks.box.T, strict=True)),
    }  # fmt: skip
    for name, column in values.items():
        scheme = registry.spec(name).scheme
        assert scheme is not None
        found.update(zip(scheme.columns, column.T, strict=True))
    landmarks = ibug_68(tracks.mesh)
    for axis, letter in enumerate("xy"):
        found[f"landmarks_{letter}"] = _lists(landmarks[:, :, axis])
    if settings.mesh:
        for axis, letter in enumerate("xyz"):
            found[f"mesh_{letter}"] = _lists(tracks.mesh[:, :, axis])
    schema = columns.schema(columns.faces(settings.components, settings.mesh))
    return pa.table([pa.array(found[field.name], field.type) for field in schema], schema=schema)


def _lists(values: NDArray[np.float32]) -> pa.Array:
    """(n, k) as a fixed-size list column."""
    import pyarrow as pa

    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).reshape(-1)), values.shape[1])


def _portraits(samples: FaceSamples, values: Values, rows: NDArray[np.int64], chosen: Values) -> pa.Table:
    import pyarrow as pa

    nan = np.full((len(samples), 1), np.nan, np.float32)
    age_gender = chosen.get("face.age_gender", np.repeat(nan, 2, axis=1))
    quality = values["face.quality"][rows, 0] if "face.quality" in values else nan[:, 0]
    return pa.table(
        {
            "track": samples.tracks.track,
            "quality": quality,
            "age": age_gender[:, 0],
            "female": age_gender[:, 1],
            "embedding": _lists(chosen.get("face.identity", np.repeat(nan, 128, axis=1))),
            "picture": pa.array(thumbnails(samples), pa.binary()),
        }
    )
