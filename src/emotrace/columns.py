"""Every column of every table: name, type, unit, range, meaning, and which component measures it.

One list feeds the parquet schemas (also their metadata), `emotrace columns` and docs/columns.md. Columns are never renamed
or re-scaled silently: a change raises SCHEMA_VERSION.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, get_args

from emotrace import registry
from emotrace.errors import unknown
from emotrace.scheme import FUSED, SYSTEM, Scheme

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = 2
TableName = Literal["frames", "faces", "people", "tracks", "sound", "voice", "emotions", "systems"]
TABLES = get_args(TableName)

CLOCK = ("time", "start", "end")   # of rows; these and what follows have a value in every row
NEVER_EMPTY = (*CLOCK, "frame", "track", "shot", "analysed", "damaged", "cut", "speaking")
NEVER_EMPTY_OF = {"people": ("person", "seconds", "first", "last", "frames", "measured", "tracks")}


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Args:
        name: as in the table.
        dtype: Arrow type; "float32[68]" is a fixed-size list, "int64[]" a list of any length.
        about: one sentence: meaning, sign, frame of reference.
        unit: "s", "px", "deg", ...
        range: "0..1", empty where open.
        source: component that measures it, "" where the decoder or the tracker does.
    """

    name: str
    dtype: str
    about: str
    unit: str = ""
    range: str = ""
    source: str = ""


def _column(scheme: Scheme, label: str, source: str) -> Column:
    made_of = scheme.made_of[scheme.labels.index(label)] if scheme.made_of else ""
    meaning = "; ".join(part for part in (scheme.describe(label), made_of) if part)
    about = ". ".join(part for part in (meaning, scheme.frame) if part)
    bounds = "" if "not bounded" in about else f"{scheme.low:g}..{scheme.high:g}"
    return Column(scheme.prefix + label, "float32", about, scheme.unit, bounds, source)


FRAMES = (
    Column("frame", "int64", "number of the frame in the file, from 0; one row per decoded frame, always. Behind --start, "
           "damaged packets before it count as frames"),
    Column("time", "float64", "the container's time stamp of the frame", "s"),
    Column("analysed", "bool", "false where --rate left the frame out"),
    Column("damaged", "bool", "true where the decoder reports a damaged picture"),
    Column("cut", "bool", "true for the first frame of a new shot"),
    Column("shot", "int32", "number of the shot, from 0"),
    Column("faces", "int32", "faces tracked in the frame"),
)
FACES = (
    Column("frame", "int64", "number of the frame, as in frames.parquet"),
    Column("time", "float64", "the container's time stamp of the frame", "s"),
    Column("track", "int64", "one face followed through consecutive frames of one shot; it ends where the face is lost or "
           "looks another"),
    Column("person", "string", "P1 is who is seen longest; empty where the track could not be assigned (see tracks)"),
    Column("x1", "float32", "left edge of the box around the face's mesh", "px"),
    Column("y1", "float32", "top edge of the box", "px"),
    Column("x2", "float32", "right edge of the box", "px"),
    Column("y2", "float32", "bottom edge of the box", "px"),
    Column("score", "float32", "presence: the mesh network's belief that it looks at a face", "", "0..1", "face.mesh"),
)
LANDMARKS = (
    Column("landmarks_x", "float32[68]", "x of the 68 landmarks in iBUG order", "px", "", "face.mesh"),
    Column("landmarks_y", "float32[68]", "y of the 68 landmarks in iBUG order", "px", "", "face.mesh"),
)
MESH = (
    Column("mesh_x", "float32[478]", "x of the 478 mesh points (--mesh)", "px", "", "face.mesh"),
    Column("mesh_y", "float32[478]", "y of the 478 mesh points (--mesh)", "px", "", "face.mesh"),
    Column("mesh_z", "float32[478]", "depth of the mesh points on the scale of x, smaller is nearer (--mesh)", "px", "",
           "face.mesh"),
)
PEOPLE = (
    Column("person", "string", "P1 is who is seen longest"),
    Column("seconds", "float64", "how long the person's face is seen", "s"),
    Column("first", "float64", "first time seen", "s"),
    Column("last", "float64", "last time seen", "s"),
    Column("frames", "int64", "frames in which the person's face is tracked"),
    Column("measured", "int64", "frames in which the face was good enough to be measured"),
    Column("tracks", "int64[]", "the person's tracks"),
    Column("age", "float32", "apparent age, mean of the distributions' expectations over good frames", "years", "0..80",
           "face.age_gender"),
    Column("age_spread", "float32", "standard deviation of these expectations between frames, missing where there is only one",
           "years", "", "face.age_gender"),
    Column("female", "float32", "probability to be labelled female, mean over good frames", "probability", "0..1",
           "face.age_gender"),
    Column("valence", "float32", "mean valence over the time in which it was measured", "", "-1..1", "face.valence_arousal"),
    Column("arousal", "float32", "mean arousal over the time in which it was measured", "", "-1..1", "face.valence_arousal"),
    Column("expression", "string", "expression with the highest mean probability over the time in which it was measured", "",
           "", "face.expression"),
    Column("thumbnail", "string", "picture of the person's best face, relative to the folder"),
    Column("embedding", "float32[128]", "mean identity embedding, unit length", "", "-1..1", "face.identity"),
)
TRACKS = (
    Column("track", "int64", "as in faces.parquet"),
    Column("person", "string", "who it is; empty where unassigned"),
    Column("why", "string", "why the track is unassigned; empty where it is assigned"),
    Column("shot", "int32", "the shot it lies in"),
    Column("first", "float64", "first time", "s"),
    Column("last", "float64", "last time", "s"),
    Column("frames", "int64", "rows in faces.parquet"),
    Column("portraits", "int32", "good near-frontal faces used for identity, age and gender"),
)


SOUND = (
    Column("time", "float64", "first moment of a stretch of 32 ms, on the container's clock", "s"),
    Column("level", "float32", "root mean square against full scale; empty where the file has no sound", "dB", "-120..0"),
    Column("peak", "float32", "largest sample; 1 is full scale", "", "0..1"),
    Column("speech", "float32", "probability that somebody speaks", "probability", "0..1", "voice.activity"),
)
VOICE = (
    Column("start", "float64", "first moment of the window, a whole second of the container's clock", "s"),
    Column("end", "float64", "last moment of the window; windows of 2 s follow each other by 1 s and overlap", "s"),
    Column("speech", "float32", "share of the window in which somebody speaks; below 0.25 nothing else is measured; empty "
           "where the file has no sound all through the window", "", "0..1", "voice.activity"),
    Column("speaker", "string", "the visible person whose mouth moves with the sound; empty where it is nobody visible"),
    Column("speaker_score", "float32", "share of the evidence for the speaker against all others and nobody", "", "0..1"),
)
EMOTIONS = (
    Column("start", "float64", "first moment of the window, as in voice.parquet", "s"),
    Column("end", "float64", "last moment of the window", "s"),
    Column("person", "string", "as in people.parquet; empty where a voice belongs to nobody visible"),
    Column("speaking", "bool", "true where the person is the speaker of the window"),
    Column("face", "float32", "share of the window in which the person's face could be measured, below 1 where the window "
           "reaches beyond the pictures. What the face shows is its mean over that time; it counts where that is at least 0.1 "
           "of the part of the window that has pictures", "", "0..1"),
    *(_column(FUSED, label, "fusion") for label in FUSED.labels),
    Column("expression", "string", "the most probable expression; empty where fusion abstains", "", "", "fusion"),
    Column("confidence", "float32", "probability that the named expression is the one a viewer and listener would name",
           "probability", "0..1", "fusion"),
    Column("valence", "float32", "fused valence, unpleasant to pleasant", "", "-1..1", "fusion"),
    Column("arousal", "float32", "fused arousal, calm to excited", "", "-1..1", "fusion"),
    Column("rests_on", "string", 'what the row rests on: "face", "voice" or "face+voice"; empty where fusion abstains'),
)
SYSTEMS = (
    Column("system", "string", "folder of the trained system that was given by --with: its name, the path where two share one"),
    Column("recipe", "string", "the recipe that trained it"),
    Column("start", "float64", "time of the piece's first frame; pieces are shots, those longer than 4 s divided evenly", "s"),
    Column("end", "float64", "when the piece's last frame ends; what is shorter than 0.5 s is no piece", "s"),
    *(_column(SYSTEM, label, "") for label in SYSTEM.labels),
    Column("expression", "string", "the most probable expression; empty where the system says nothing"),
)


def faces(names: Iterable[str], mesh: bool = False) -> tuple[Column, ...]:
    """Columns of faces.parquet when the named components are measured."""
    return FACES + tuple(_of_view("face", names)) + LANDMARKS + (MESH if mesh else ())


def voice(names: Iterable[str]) -> tuple[Column, ...]:
    """Columns of voice.parquet when the named components are measured."""
    return VOICE + tuple(_of_view("voice", names))


def fault(name: str, rows: pa.Table | pa.RecordBatch) -> str | None:
    """What of a table's rows is not as emotrace writes it, in words; None where nothing is.

    Other programs may have written the file anew. Columns that are not emotrace's are left alone.

    Args:
        name: of the table.
        rows: all of it, or some rows and columns.
    """
    import pyarrow.compute as pc

    known = _types(name)
    for field in rows.schema:
        if field.name in known and not field.type.equals(known[field.name]):
            return f"its column {field.name} holds {field.type}, expected {known[field.name]}"
        if field.name in (*NEVER_EMPTY, *NEVER_EMPTY_OF.get(name, ())) and rows[field.name].null_count:
            return f"its column {field.name} has empty rows"
        if field.name in CLOCK and not pc.all(pc.is_finite(rows[field.name]), min_count=0).as_py():
            return f"its column {field.name} has rows that are no time"
    return None


@cache
def _types(name: str) -> dict[str, pa.DataType]:
    """Type of each column that a table can have."""
    return {field.name: field.type for field in schema(table(name))}


def _of_view(view: registry.View, names: Iterable[str]) -> list[Column]:
    return [column for line in registry.with_needs(names) if line.view == view for column in _measured(line)]


def table(name: str) -> tuple[Column, ...]:
    """All columns a table can have.

    Raises:
        UnknownNameError: there is no such table.
    """
    tables = {
        "frames": FRAMES,
        "faces": faces(registry.COMPONENTS, mesh=True),
        "people": PEOPLE,
        "tracks": TRACKS,
        "sound": SOUND,
        "voice": voice(registry.COMPONENTS),
        "emotions": EMOTIONS,
        "systems": SYSTEMS,
    }
    if name not in tables:
        raise unknown("table", name, list(tables))
    return tables[name]


def _measured(line: registry.Spec) -> list[Column]:
    if line.scheme is None or line.rows != "every":
        return []
    return [_column(line.scheme, label, line.name) for label in line.scheme.labels]


def schema(columns: Iterable[Column]) -> pa.Schema:
    """Arrow schema of columns; each field carries unit, range, meaning and source as metadata."""
    return _schema(tuple(columns))


@cache
def _schema(columns: tuple[Column, ...]) -> pa.Schema:
    import pyarrow as pa

    def typed(dtype: str) -> pa.DataType:
        base, _, count = dtype.rstrip("]").partition("[")
        item = getattr(pa, {"bool": "bool_"}.get(base, base))()
        return item if "[" not in dtype else pa.list_(item, int(count)) if count else pa.list_(item)

    def about(column: Column) -> dict[str, str]:
        return {"about": column.about, "unit": column.unit, "range": column.range, "source": column.source}

    fields = [pa.field(column.name, typed(column.dtype), metadata=about(column)) for column in columns]
    return pa.schema(fields, metadata={"emotrace.schema": str(SCHEMA_VERSION)})
