"""Tables of an analysis, a batch of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from emotrace import parquet
from emotrace.analysis import Analysis, check
from emotrace.columns import TableName
from emotrace.errors import FolderError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ROWS = 4096   # of a batch; with the whole mesh a row has 6 kB, so a batch stays below 25 MB


def schema(analysis: Analysis, table: TableName, needed: Sequence[str] = ()) -> pa.Schema:
    """Columns that a table of this analysis has.

    Args:
        analysis: a finished one.
        table: "faces", "frames", ...
        needed: columns that it must have.

    Raises:
        FolderError: the table is missing, damaged or was changed.
        UnknownNameError: it has no such column.
    """
    with _opened(analysis, table) as file:
        parquet.need(needed, file.schema_arrow.names, f"{table}.parquet")
        check(analysis.folder, table, file.schema_arrow.empty_table())
        return file.schema_arrow


def batches(analysis: Analysis, table: TableName, only: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Rows of a table in order, at most ROWS at a time.

    Args:
        analysis: a finished one.
        table: "faces", "frames", ...
        only: columns, in the order wanted.

    Raises:
        FolderError: the table is missing, damaged or was changed.
        UnknownNameError: it has no such column.
    """
    with _opened(analysis, table) as file:
        parquet.need(only, file.schema_arrow.names, f"{table}.parquet")
        for batch in file.iter_batches(batch_size=ROWS, columns=list(only)):
            check(analysis.folder, table, batch)
            yield batch.select(list(only))


@contextmanager
def _opened(analysis: Analysis, table: TableName) -> Iterator[pq.ParquetFile]:
    import pyarrow.parquet as pq

    try:
        with parquet.opened(analysis.folder / f"{table}.parquet") as stream:
            # Reading ahead would hold every page read so far until the end: the whole file.
            yield pq.ParquetFile(stream, pre_buffer=False)
    except (OSError, ValueError) as error:   # Arrow's own errors are these
        reason = str(error).partition("\n")[0]
        text = f"{analysis.folder}: {table}.parquet cannot be read ({reason}); measure anew with 'emotrace analyze --overwrite'"
        raise FolderError(text) from error
