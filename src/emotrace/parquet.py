"""Parquet files through streams, since Arrow opens no file whose name is not valid UTF-8."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from emotrace.errors import FolderError

if TYPE_CHECKING:
    import pyarrow as pa


def read(file: Path, only: Sequence[str] | None = None) -> pa.Table:
    """A whole file, or some of its columns.

    Raises:
        FolderError: it is missing or damaged.
    """
    import pyarrow.parquet as pq

    with _opened(file) as stream:
        return pq.read_table(stream, columns=None if only is None else list(only))


def names(file: Path) -> list[str]:
    """Names of its columns.

    Raises:
        FolderError: it is missing or damaged.
    """
    import pyarrow.parquet as pq

    with _opened(file) as stream:
        return list(pq.read_schema(stream).names)


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    try:
        with file.open("rb") as stream:
            yield stream
    except (OSError, ValueError) as error:   # Arrow's own errors are these
        reason = str(error).partition("\n")[0]
        raise FolderError(f"{file}: cannot be read ({reason}); measure anew with 'emotrace analyze --overwrite'") from error


def write(file: Path, table: pa.Table) -> None:
    """One table as a file."""
    import pyarrow.parquet as pq

    with file.open("wb") as stream:
        pq.write_table(table, stream, compression="zstd")
