"""Rows of comma-separated values straight from Arrow, without a loop over rows.

What was not measured is an empty cell. Text is quoted, and text that a spreadsheet would run as a formula is made text again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

# Source: OWASP, CSV Injection: a leading = + - @, tab or carriage return starts a formula.
FORMULA = r"^([=+\-@\t\r])"


def header(names: Iterable[str]) -> bytes:
    """The first line; the names are ours and need no quotes."""
    return (",".join(names) + "\n").encode("utf-8")


def rows(batch: pa.RecordBatch | pa.Table) -> bytes:
    """The lines of a batch of plain columns; numbers in the shortest form that reads back the same."""
    import pyarrow as pa
    import pyarrow.csv as pc_csv

    plain = pa.table([_plain(column) for column in batch.columns], names=batch.schema.names)
    sink = pa.BufferOutputStream()
    pc_csv.write_csv(plain, sink, pc_csv.WriteOptions(include_header=False, quoting_style="needed"))
    return bytes(sink.getvalue())


def elements(column: pa.Array, count: int) -> list[pa.Array]:
    """The `count` numbers of a fixed-size list as columns of their own; a missing list gives missing numbers."""
    import pyarrow.compute as pc

    return [pc.list_element(column, i) for i in range(count)]


def _plain(column: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(column.type):
        return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return pc.replace_substring_regex(column, FORMULA, r"'\1")
    return column
