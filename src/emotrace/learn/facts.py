"""Facts beside what was fitted, in small JSON files: read back into the dataclass whose fields they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from emotrace.errors import InputError

Kind = TypeVar("Kind")
SCORES = "scores.json"  # the last that the run of a system writes, and the first that goes where it is fitted anew


def read(file: Path, kind: type[Kind]) -> Kind:
    """A dataclass of plain values from a file of JSON; keys beyond its fields are not looked at.

    Raises:
        InputError: it is no such file, or a field is missing or of another kind.
    """
    try:
        return TypeAdapter(kind).validate_json(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        raise InputError(f"{file}: not a {file.name} of emotrace ({reason(error)}); train anew into another folder") from error


def checked(kind: type[Kind], content: Any) -> Kind:
    """A dataclass of dataclasses, tuples and plain values from what `asdict` made of it.

    Raises:
        ValidationError: a value is of another kind, or out of range.
    """
    return TypeAdapter(kind).validate_python(content)


def reason(error: ValidationError) -> str:
    """What is wrong first, in a few words: "plan.epochs: input should be a valid integer"."""
    first = error.errors()[0]
    where, what = ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
    return f"{where}: {what[:1].lower()}{what[1:]}" if where else f"{what[:1].lower()}{what[1:]}"
