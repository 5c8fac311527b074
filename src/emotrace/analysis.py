"""An analysis: what is known about one video, read from its output folder.

    clip.emotrace/  frames.parquet  faces.parquet  people.parquet  tracks.parquet  sound.parquet  voice.parquet
                    emotions.parquet  systems.parquet  analysis.json  report.html  thumbnails/
                    parts/          what an unfinished analysis has so far; readable all the same
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emotrace import columns, parquet, registry
from emotrace.columns import TableName
from emotrace.errors import FolderError, InputError, unknown
from emotrace.provenance import fault
from emotrace.timeline import Timeline

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Person:
    """One person of a video; see `emotrace columns people` for the fields."""

    name: str
    seconds: float
    first: float
    last: float
    frames: int
    measured: int
    tracks: tuple[int, ...]
    age: float
    age_spread: float
    female: float
    valence: float
    arousal: float
    expression: str
    thumbnail: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """The output folder of one video.

    Args:
        folder: where it lies.
        provenance: content of analysis.json: video facts, settings, versions, weight hashes, warnings, wall time.
        people: P1, P2, ...; empty while the analysis is unfinished.
        finished: False where it was interrupted; `emotrace analyze` goes on from there.
    """

    folder: Path
    provenance: dict[str, Any]
    people: tuple[Person, ...]
    finished: bool

    @property
    def video(self) -> dict[str, Any]:
        """What the file says about itself: name, path, width, height, rotation, rate, codec, has_sound, ...

        `start` and `duration` are the times (s, on the container's clock) at which it begins and ends; it is `duration` long
        only where it begins at 0.
        """
        return dict(self.provenance["video"])

    @property
    def warnings(self) -> list[str]:
        """What a reader of the numbers should know: lost packets, missing end, guessed times."""
        return list(self.provenance.get("warnings", []))

    def table(self, name: TableName, only: Sequence[str] | None = None) -> pa.Table:
        """One table of the folder.

        Args:
            name: "frames", "faces", "people", "tracks", "sound", "voice", "emotions" or "systems".
            only: columns to read; all where None.

        Raises:
            UnknownNameError: there is no such table, or no such column in it.
            InputError: `only` is one name, not several, or names a column twice.
            FolderError: the analysis is unfinished and has not got that far, or the table is gone, damaged or was changed.
        """
        import pyarrow as pa

        columns.table(name)
        if only is not None and (isinstance(only, str) or len(set(only)) < len(only)):
            raise InputError(f"`only` must be a list of columns, each once, got {only!r}")
        whole = self.folder / f"{name}.parquet"
        files = [whole] if whole.is_file() else sorted((self.folder / "parts").glob(f"{name}-*.parquet"))
        if not files:
            what = "; measure anew with 'emotrace analyze --overwrite'" if self.finished else " yet; 'emotrace analyze' goes on"
            raise FolderError(f"{self.folder}: has no table {name!r}{what}")
        rows = pa.concat_tables([parquet.read(file, only) for file in files])
        check(self.folder, name, rows)
        return rows

    def timeline(self, component: str, person: str | None = None) -> Timeline:
        """What one component measured of one person.

        Args:
            component: "face.expression", "voice.prosody", ...
            person: "P1"; may be left out where there is only one, or for a voice, whoever it is.

        Returns:
            Of a face, one row per analysed frame of the video, NaN where the person is not seen or cannot be measured. Of a
            voice, one row per window at its middle, NaN where nobody speaks or, with a person, somebody else does.

        Raises:
            UnknownNameError: no such component or person, or it was not part of this analysis.
            InputError: the component gives no timeline, or there are several people and none is named.
            FolderError: the analysis is unfinished, or a table is gone, damaged or was changed.
        """
        line = registry.spec(component)
        if line.scheme is None or line.rows != "every":
            raise InputError(f"{component} gives no timeline; see 'emotrace columns'")
        if component not in self.provenance["settings"]["components"]:
            raise unknown("component in this analysis", component, self.provenance["settings"]["components"])
        if line.view == "voice":
            return self._voice(line, None if person is None else self._person(person))
        return self._face(line, self._person(person))

    def _face(self, line: registry.Spec, person: str) -> Timeline:
        import pyarrow.compute as pc

        assert line.scheme is not None
        frames = self.table("frames", ["frame", "time", "analysed"])
        chosen = frames["analysed"].to_numpy()
        numbers, times = frames["frame"].to_numpy()[chosen], frames["time"].to_numpy()[chosen]
        values = np.full((len(times), len(line.scheme)), np.nan, np.float32)
        faces = self.table("faces", ["frame", "person", "score", *line.scheme.columns])
        faces = faces.filter(pc.equal(faces["person"], person))
        faces = faces.sort_by("score")   # two faces of one person in a frame: the surer one is written last and stays
        rows = self.frames_of(faces["frame"].to_numpy(), numbers)
        for k, name in enumerate(line.scheme.columns):
            values[rows, k] = faces[name].to_numpy()
        return Timeline(times, values, line.scheme, line.name, person)

    def frames_of(self, wanted: NDArray[Any], there: NDArray[Any]) -> NDArray[np.int64]:
        """Where the frames of faces lie among those of the table `frames`.

        Args:
            wanted: (n,) numbers or times of frames, as `faces` has them.
            there: (m,) the same of the analysed ones, as `frames` has them, in order.

        Raises:
            FolderError: there is no such frame.
        """
        rows = np.searchsorted(there, wanted)
        if len(wanted) and not (len(there) and np.array_equal(there[np.minimum(rows, len(there) - 1)], wanted)):
            raise changed(self.folder, "faces", "it has faces in frames that frames.parquet does not have")
        return rows.astype(np.int64)

    def _voice(self, line: registry.Spec, person: str | None) -> Timeline:
        assert line.scheme is not None
        table = self.table("voice", ["start", "end", "speaker", *line.scheme.columns])
        values = np.stack([table[name].to_numpy() for name in line.scheme.columns], axis=1)
        if person is not None:
            theirs = np.array([speaker == person for speaker in table["speaker"].to_pylist()], np.bool_)
            values = np.where(theirs[:, None], values, np.float32(np.nan))
        times = (table["start"].to_numpy() + table["end"].to_numpy()) / 2
        return Timeline(times, values, line.scheme, line.name, person)

    def _person(self, person: str | None) -> str:
        if not self.finished:
            raise FolderError(f"{self.folder}: is unfinished and does not say yet who is who; 'emotrace analyze' goes on")
        names = [p.name for p in self.people]
        if person is None:
            if len(names) != 1:
                raise InputError(f"{self.folder}: say which person; there are: {', '.join(names) or 'none'}")
            return names[0]
        if person not in names:
            raise unknown("person", person, names)
        return person

    def to_pandas(self, name: TableName = "faces") -> pd.DataFrame:
        """One table as a pandas DataFrame.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        try:
            import pandas  # noqa: F401
        except ModuleNotFoundError as error:
            from emotrace.errors import MissingExtraError

            raise MissingExtraError("to_pandas needs pandas: pip install 'emotrace[pandas]'") from error
        return self.table(name).to_pandas()


def changed(folder: Path, table: str, what: str) -> FolderError:
    """The error for a table that is not as emotrace has written it."""
    what_now = "measure anew with 'emotrace analyze --overwrite'"
    return FolderError(f"{folder}: {table}.parquet is damaged or was changed ({what}); {what_now}")


def check(folder: Path, table: str, rows: pa.Table | pa.RecordBatch) -> None:
    """See that rows of a table, or some columns of them, are as emotrace writes them.

    Raises:
        FolderError: they are not.
    """
    if what := columns.fault(table, rows):
        raise changed(folder, table, what)


def load(folder: str | Path) -> Analysis:
    """Read an output folder, also an unfinished one.

    Raises:
        FolderError: it is no output folder of emotrace, or one of a newer schema.
    """
    path = Path(folder)
    try:
        provenance = json.loads((path / "analysis.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FolderError(f"{path}: is no output folder of emotrace (it has no analysis.json)") from None
    except (OSError, ValueError, RecursionError) as error:   # the last of brackets in brackets, by the thousand
        raise FolderError(f"{path}: analysis.json cannot be read ({error}); run 'emotrace analyze' again") from error
    if not isinstance(provenance, dict) or not isinstance(provenance.get("schema"), int):
        raise FolderError(f"{path}: analysis.json is not one of emotrace's; is this the right folder?")
    if provenance["schema"] > columns.SCHEMA_VERSION:
        raise FolderError(f"{path}: was written by a newer emotrace (schema {provenance['schema']}); update emotrace")
    if what := fault(provenance):
        raise FolderError(f"{path}: analysis.json is damaged ({what}); measure anew with 'emotrace analyze --overwrite'")
    finished = bool(provenance.get("finished"))
    return Analysis(path, provenance, _people(path) if finished else (), finished)


def _people(folder: Path) -> tuple[Person, ...]:
    names = [column.name for column in columns.PEOPLE if column.name != "embedding"]
    rows = parquet.read(folder / "people.parquet", names)
    check(folder, "people", rows)
    return tuple(
        Person(name=row.pop("person"), tracks=tuple(row.pop("tracks")), **_measured(row)) for row in rows.to_pylist()
    )


def _measured(row: dict[str, Any]) -> dict[str, Any]:
    """A row of people.parquet with NaN for null numbers."""
    numbers = {"age", "age_spread", "female", "valence", "arousal"}
    return {key: float("nan") if value is None and key in numbers else value or ("" if value is None else value)
            for key, value in row.items()}
