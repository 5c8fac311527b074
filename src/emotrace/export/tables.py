"""Tables of an analysis, a batch of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from emotrace.analysis import Analysis
from emotrace.columns import TableName
from emotrace.errors import FolderError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ROWS = 4096   # of a batch; with the whole mesh a row has 6 kB, so a batch stays below 25 MB


def schema(analysis: Analysis, table: TableName) -> pa.Schema:
    """Columns that a table of this analysis has.

    Raises:
        FolderError: the table is missing or damaged.
    """
    return _open(analysis, table).schema_arrow


def batches(analysis: Analysis, table: TableName, only: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Rows of a table in order, at most ROWS at a time.

    Args:
        analysis: a finished one.
        table: "faces", "frames", ...
        only: columns, in the order wanted.

    Raises:
        FolderError: the table is missing or damaged.
    """
    try:
        for batch in _open(analysis, table).iter_batches(batch_size=ROWS, columns=list(only)):
            yield batch.select(list(only))
    except (OSError, ValueError) as error:   # Arrow's own errors are these
        raise _damaged(analysis, table, error) from error


def _open(analysis: Analysis, table: TableName) -> pq.ParquetFile:
    import pyarrow.parquet as pq

    try:
        # Reading ahead would hold every page read so far until the end: the whole file.
        return pq.ParquetFile(analysis.folder / f"{table}.parquet", pre_buffer=False)
    except (OSError, ValueError) as error:
        raise _damaged(analysis, table, error) from error


def _damaged(analysis: Analysis, table: TableName, error: Exception) -> FolderError:
    reason = str(error).partition("\n")[0]
    return FolderError(f"{analysis.folder}: {table}.parquet cannot be read ({reason}); run 'emotrace analyze' again")
