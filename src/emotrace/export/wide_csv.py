"""All tables as comma-separated values: frames.csv, faces.csv, people.csv, tracks.csv, sound.csv, voice.csv, emotions.csv
and, where trained systems were asked, systems.csv.

Columns, units and signs are those of the parquet tables (docs/columns.md). Lists of fixed length become one column a number
(landmarks_x_0 ... landmarks_x_67), a person's tracks become text with spaces, the identity embedding is left out. UTF-8; an
empty cell is a value that was not measured.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from emotrace.analysis import Analysis
from emotrace.columns import TableName
from emotrace.export import delimited, tables
from emotrace.export.writing import replacing
from emotrace.spoken import SINCE

if TYPE_CHECKING:
    import pyarrow as pa

TABLES: tuple[TableName, ...] = ("frames", "faces", "people", "tracks")
HEARD: tuple[TableName, ...] = ("sound", "voice", "emotions")
SYSTEMS: tuple[TableName, ...] = ("systems",)
LEFT_OUT = ("embedding",)   # identifies a person, and is of no use without the network that made it


def write(analysis: Analysis, folder: Path) -> list[Path]:
    """Write the tables; see `emotrace.export.export` for arguments and errors."""
    wanted = (*TABLES, *(HEARD if analysis.provenance["schema"] >= SINCE else ()))
    asked = SYSTEMS if analysis.provenance.get("systems") else ()
    return [_write_table(analysis, table, folder / f"{table}.csv") for table in (*wanted, *asked)]


def _write_table(analysis: Analysis, table: TableName, path: Path) -> Path:
    import pyarrow as pa

    kept = pa.schema([field for field in tables.schema(analysis, table) if field.name not in LEFT_OUT])
    with replacing(path) as stream:
        stream.write(delimited.header(_wide(pa.RecordBatch.from_pylist([], kept)).schema.names))
        for batch in tables.batches(analysis, table, kept.names):
            stream.write(delimited.rows(_wide(batch)))
    return path


def _wide(batch: pa.RecordBatch) -> pa.Table:
    """Lists taken apart, so that every column is plain."""
    import pyarrow as pa

    columns: dict[str, pa.Array] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if pa.types.is_fixed_size_list(column.type):
            parts = delimited.elements(column, column.type.list_size)
            columns.update({f"{name}_{i}": part for i, part in enumerate(parts)})
        elif pa.types.is_list(column.type):
            columns[name] = _spaced(column)
        else:
            columns[name] = column
    return pa.table(columns)


def _spaced(column: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.binary_join(column.cast(pa.list_(pa.string())), " ")
