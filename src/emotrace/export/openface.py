"""Faces as OpenFace 2's FeatureExtraction and FaceLandmarkVidMulti write them, for the tools that read such files.

Only columns that emotrace measures are there: pose_T*, the eye landmarks, the 3D landmarks, the shape parameters, AU06,
AU09 and AU23 are absent, not zero. A cell that could not be measured is empty, where OpenFace writes a 0.

    frame        from 1 (ours from 0)
    face_id      0 for P1, 1 for P2, ...; tracks without a person have the numbers behind these
    timestamp    s
    confidence   the mesh network's presence score, 0..1
    success      1 where a face is tracked
    gaze_0_*     unit vector, x right in the picture, y down, z away from the camera. gaze_0 is the eye on the left of the
    gaze_1_*     picture; emotrace measures both eyes together, so gaze_0 and gaze_1 are the same
    gaze_angle_x atan2(x, -z) in rad, + towards the right edge of the picture: our gaze_yaw
    gaze_angle_y atan2(y, -z) in rad, + down; our gaze_pitch is + up
    pose_Rx      rad, + looking down; our pose_pitch is + up
    pose_Ry      rad, + turned towards the left edge of the picture; our pose_yaw is + right
    pose_Rz      rad, + clockwise in the picture, as our pose_roll
    x_*, y_*     68 landmarks in px
    AU.._r       our intensity (0..1) times 5. Means of blendshapes, not the output of OpenFace's regressors, which were
                 trained on FACS codes: compare them within one person, not with numbers of OpenFace
    AU.._c       1 where AU.._r is at least 2, FACS intensity B (slight), as occurrence is counted on DISFA; OpenFace has
                 classifiers of its own for it

Head and gaze have opposite signs from side to side, and that is OpenFace's own doing. Its rotation is R = Rx Ry Rz, ours
Ry Rx Rz, so the angles are not only negated but taken apart anew; the two differ where a head is both turned and raised.
What 0 means is ours: turned towards the camera, wherever in the picture the face is. OpenFace's 0 is parallel to the camera's
axis; going from one to the other takes the focal length, which is not known.

With one person or none there is a row for every analysed frame, with success 0 where the face is not seen, as
FeatureExtraction does; with more, only for the faces there are, as FaceLandmarkVidMulti does. Numbers are rounded as OpenFace
rounds.

Source: Baltrusaitis et al. 2018, OpenFace 2.0, and its wiki page "Output format"; signs from its RotationHelpers.h (rotation
matrix) and GazeEstimation.cpp (gaze angles).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emotrace.analysis import Analysis
from emotrace.export import delimited, media, tables
from emotrace.export.writing import replacing
from emotrace.face.pose import from_angles
from emotrace.scheme import GAZE, HEAD_POSE

if TYPE_CHECKING:
    import pyarrow as pa

LANDMARKS = 68
INTENSITIES = ("AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU12", "AU14", "AU15", "AU17", "AU20",
               "AU23", "AU25", "AU26", "AU45")   # that OpenFace has as _r; as _c it has AU28 besides
OCCURRENCES = tuple(sorted((*INTENSITIES, "AU28")))
LEVELS = 5.0     # FACS intensities A to E
PRESENT = 2.0    # on that scale; blendshapes of a face at rest reach 1
FLIP = np.diag([1.0, -1.0, -1.0])   # from y up, z towards the camera, to y down, z away
NEEDED = ("frame", "time", "track", "person", "score", "landmarks_x", "landmarks_y")
OPTIONAL = (*GAZE.columns, *HEAD_POSE.columns, *OCCURRENCES)


@dataclass(frozen=True, slots=True)
class _Ids:
    """The numbers that OpenFace gives to faces: (p,) names of people first, then (s,) tracks without a person."""

    people: pa.Array
    strangers: pa.Array

    @classmethod
    def of(cls, analysis: Analysis) -> _Ids:
        import pyarrow as pa
        import pyarrow.compute as pc

        tracks = analysis.table("tracks", ["track", "person"])
        strangers = tracks["track"].filter(pc.equal(pc.fill_null(tracks["person"], ""), ""))
        return cls(pa.array([person.name for person in analysis.people], pa.string()), strangers.combine_chunks())

    def added(self, faces: pa.Table) -> pa.Table:
        """The same faces with a column `face_id`."""
        import pyarrow as pa
        import pyarrow.compute as pc

        person = pc.index_in(faces["person"], value_set=self.people)
        stranger = pc.add(pc.index_in(faces["track"], value_set=self.strangers), len(self.people))
        return faces.append_column("face_id", pc.cast(pc.coalesce(person, stranger), pa.int64()))


def write(analysis: Analysis, folder: Path) -> list[Path]:
    """Write the faces; see `emotrace.export.export` for arguments and errors."""
    schema = tables.schema(analysis, "faces", NEEDED)
    only = [*NEEDED, *(name for name in OPTIONAL if name in schema.names)]
    nothing = _Ids.of(analysis).added(schema.empty_table().select(only))
    path = media.named(analysis, folder, ".openface.csv")
    with replacing(path) as stream:
        stream.write(delimited.header(_renamed(nothing).schema.names))
        for faces in _rows(analysis, nothing):
            for start in range(0, len(faces), tables.ROWS):
                stream.write(delimited.rows(_renamed(faces.slice(start, tables.ROWS))))
    return [path]


def _rows(analysis: Analysis, nothing: pa.Table) -> Iterator[pa.Table]:
    """Faces with their `face_id`, in order of frame and face; without a face, only frame, time and face_id are there.

    Args:
        analysis: a finished one.
        nothing: the columns wanted, without rows.
    """
    import pyarrow as pa

    ids = _Ids.of(analysis)
    frames = analysis.table("frames", ["frame", "time", "analysed"])
    expected = frames.filter(frames["analysed"]).select(["frame", "time"])
    if len(analysis.people) > 1:
        expected = expected.slice(0, 0)
    only = [name for name in nothing.column_names if name != "face_id"]
    done = 0
    for faces in _whole_frames(tables.batches(analysis, "faces", only)):
        found = _surest(ids.added(faces))
        upto = int(np.searchsorted(expected["frame"].to_numpy(), found["frame"][-1].as_py(), side="right"))
        alone = _without(expected.slice(done, upto - done), found)
        yield pa.concat_tables([found, alone], promote_options="default").sort_by(
            [("frame", "ascending"), ("face_id", "ascending")]
        )
        done = upto
    yield pa.concat_tables([nothing, _without(expected.slice(done), nothing)], promote_options="default")


def _whole_frames(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The same rows, cut between frames."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    for batch in batches:
        table = pa.Table.from_batches([*held, batch])
        frame = table["frame"].to_numpy()
        cut = int(np.searchsorted(frame, frame[-1]))
        held = table.slice(cut).to_batches()
        if cut:
            yield table.slice(0, cut)
    if held:
        yield pa.Table.from_batches(held)


def _surest(faces: pa.Table) -> pa.Table:
    """One row a frame and face, the one with the highest presence score."""
    frame, face, score = (faces[name].to_numpy() for name in ("frame", "face_id", "score"))
    order = np.lexsort((np.nan_to_num(score, nan=-1.0), face, frame))
    frame, face = frame[order], face[order]
    last = np.append((frame[1:] != frame[:-1]) | (face[1:] != face[:-1]), True)
    return faces.take(order[last])


def _without(expected: pa.Table, found: pa.Table) -> pa.Table:
    """Frames in which face 0 is not found."""
    import pyarrow as pa

    face = found["face_id"].to_numpy()
    there = np.isin(expected["frame"].to_numpy(), found["frame"].to_numpy()[face == 0])
    alone = expected.filter(pa.array(~there))
    return alone.append_column("face_id", pa.array(np.zeros(len(alone), np.int64)))


def _renamed(faces: pa.Table) -> pa.Table:
    """The same rows in OpenFace's columns and units."""
    import pyarrow as pa
    import pyarrow.compute as pc

    score = _numbers(faces, "score")
    columns: dict[str, object] = {
        "frame": pc.add(faces["frame"], 1),
        "face_id": faces["face_id"],
        "timestamp": _rounded(_numbers(faces, "time"), 3),
        "confidence": _rounded(np.nan_to_num(score), 2),
        "success": np.isfinite(score).astype(np.int64),
    }
    if set(GAZE.columns) <= set(faces.column_names):
        columns |= gaze(*(_numbers(faces, name) for name in GAZE.columns))
    if set(HEAD_POSE.columns) <= set(faces.column_names):
        columns |= pose(np.stack([_numbers(faces, name) for name in HEAD_POSE.columns], axis=1))
    for axis in ("x", "y"):
        points = delimited.elements(faces[f"landmarks_{axis}"].combine_chunks(), LANDMARKS)
        columns |= {f"{axis}_{i}": pc.round(point, 1) for i, point in enumerate(points)}
    units = {name: _rounded(_numbers(faces, name) * LEVELS, 2) for name in OCCURRENCES if name in faces.column_names}
    columns |= {f"{name}_r": units[name] for name in INTENSITIES if name in units}
    columns |= {f"{name}_c": np.where(np.isnan(level), np.nan, level >= PRESENT) for name, level in units.items()}
    return pa.table(columns)


def gaze(pitch: NDArray[np.float64], yaw: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """OpenFace's gaze columns of our gaze in degrees, each (n,)."""
    up, side = np.deg2rad(pitch), np.deg2rad(yaw)
    x, y, z = np.cos(up) * np.sin(side), -np.sin(up), -np.cos(up) * np.cos(side)
    axes = {"x": x, "y": y, "z": z}
    vector = {f"gaze_{eye}_{axis}": _rounded(value, 6) for eye in (0, 1) for axis, value in axes.items()}
    return {**vector, "gaze_angle_x": _rounded(np.arctan2(x, -z), 3), "gaze_angle_y": _rounded(np.arctan2(y, -z), 3)}


def pose(degrees: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """OpenFace's rotation columns, each (n,), of our pitch, yaw and roll in degrees (n, 3)."""
    rotation = FLIP @ from_angles(degrees) @ FLIP
    about_x = np.arctan2(-rotation[:, 1, 2], rotation[:, 2, 2])
    about_y = np.arcsin(np.clip(rotation[:, 0, 2], -1, 1))
    about_z = np.arctan2(-rotation[:, 0, 1], rotation[:, 0, 0])
    return {"pose_Rx": _rounded(about_x, 3), "pose_Ry": _rounded(about_y, 3), "pose_Rz": _rounded(about_z, 3)}


def _numbers(faces: pa.Table, name: str) -> NDArray[np.float64]:
    return np.asarray(faces[name].to_numpy(), np.float64)


def _rounded(values: NDArray[np.float64], digits: int) -> NDArray[np.float64]:
    return np.asarray(np.round(values, digits) + 0.0, np.float64)   # + 0.0: no "-0"
