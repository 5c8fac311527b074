"""The tables of text, csv and tsv, that corpora come with."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from emotrace.errors import InputError


def rows(
    path: Path, columns: Sequence[str], delimiter: str = ",", published: Sequence[str] = ()
) -> list[tuple[str, dict[str, str]]]:
    """The rows of a table, each with where it lies, "fer2013.csv:17".

    Args:
        path: text in UTF-8, with or without the byte order mark that spreadsheets write.
        columns: those wanted, by name in any case and order; cells come without blanks around them (nEMO pads its speakers).
        delimiter: between cells.
        published: names of all columns, where the first row may be none of names (AffectNet's validation.csv).

    Raises:
        InputError: it cannot be read, is no such text, lacks a column, or a row has not as many cells as the head.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            lines = list(csv.reader(stream, delimiter=delimiter))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); expected the columns {', '.join(columns)}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        expected = f"expected the columns {', '.join(columns)}; save it as text in UTF-8"
        raise InputError(f"{path}: is no table of text in UTF-8 ({error}); {expected}") from error
    headless = bool(lines) and len(lines[0]) == len(published) and columns[0] not in lines[0]
    head = list(published) if headless else lines.pop(0) if lines else []
    place = {name.strip().lower(): column for column, name in enumerate(head)}
    if missing := [name for name in columns if name.lower() not in place]:
        found = " ".join(", ".join(head).split())[:200] or "an empty file"   # in one line, whatever the file is
        raise InputError(f"{path}: no column {missing[0]!r}; expected {', '.join(columns)}; found {found}")
    content = [(f"{path.name}:{number}", cells) for number, cells in enumerate(lines, 1 if headless else 2) if cells]
    k = len(head)
    if uneven := [(where, len(cells)) for where, cells in content if len(cells) < k or any(cells[k:])]:
        where, n = uneven[0]
        raise InputError(f"{where}: expected {k} cells as in the head, found {n}; complete the row or take it out")
    return [(where, {name: cells[place[name.lower()]].strip() for name in columns}) for where, cells in content]


def number(text: str, where: str, what: str) -> float:
    """A cell that holds a number.

    Args:
        text: the cell.
        where: of its row, as `rows` gives it.
        what: the column, for the message.

    Raises:
        InputError: it holds something else.
    """
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"{where}: {what} is {text[:40]!r}; expected a number") from error
