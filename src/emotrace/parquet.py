"""Parquet files, whatever they are called: Arrow takes a name that is not valid UTF-8 as bytes only."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from emotrace.errors import FolderError, unknown

if TYPE_CHECKING:
    import pyarrow as pa


def opened(file: Path, mode: Literal["rb", "wb"] = "rb") -> pa.NativeFile:
    """A file as Arrow reads and writes it, without Python in between: its threads outlive Python's own.

    Raises:
        OSError: it is missing or cannot be written.
    """
    import pyarrow as pa

    return pa.OSFile(os.fsencode(file), mode)


def read(file: Path, only: Sequence[str] | None = None) -> pa.Table:
    """A whole file, or some of its columns.

    Raises:
        FolderError: it is missing or damaged.
        UnknownNameError: it has no such column.
    """
    import pyarrow.parquet as pq

    with _readable(file) as stream:
        whole = pq.ParquetFile(stream)
        need(only or (), whole.schema_arrow.names, file.name)
        return whole.read() if only is None else whole.read(list(only)).select(list(only))


def need(wanted: Iterable[str], there: list[str], file: str) -> None:
    """See that a file of this name has columns.

    Raises:
        UnknownNameError: one of them is not there.
    """
    if missing := [name for name in wanted if name not in there]:
        raise unknown(f"column in {file}", missing[0], there)


def joined(schema: pa.Schema, parts: Iterable[pa.Table]) -> pa.Table:
    """The rows of tables with the columns of a schema, one after the other; none where there is no table."""
    import pyarrow as pa

    return pa.concat_tables([schema.empty_table(), *(part.cast(schema) for part in parts)])


def names(file: Path) -> list[str]:
    """Names of its columns.

    Raises:
        FolderError: it is missing or damaged.
    """
    import pyarrow.parquet as pq

    with _readable(file) as stream:
        return list(pq.read_schema(stream).names)


@contextmanager
def _readable(file: Path) -> Iterator[pa.NativeFile]:
    try:
        with opened(file) as stream:
            yield stream
    except (OSError, ValueError) as error:   # Arrow's own errors are these
        reason = str(error).partition("\n")[0]
        raise FolderError(f"{file}: cannot be read ({reason}); measure anew with 'emotrace analyze --overwrite'") from error


def write(file: Path, table: pa.Table) -> None:
    """One table as a file."""
    import pyarrow.parquet as pq

    with opened(file, "wb") as stream:
        pq.write_table(table, stream, compression="zstd")
