"""Facts beside what was fitted, in small JSON files: written whole, and read back into the dataclass whose fields they are."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from emotrace.errors import FolderError

Kind = TypeVar("Kind")
SCORES = "scores.json"  # the last that the run of a system writes, and the first that goes where it is fitted anew


def write(file: Path, content: Any) -> None:
    """Write a dataclass or plain values as JSON: a file of that name is either the one before or the new one."""
    plain = asdict(content) if is_dataclass(content) and not isinstance(content, type) else content
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name("." + file.name)
    draft.write_text(json.dumps(plain, indent=1), encoding="utf-8")
    draft.replace(file)


def read(file: Path, kind: type[Kind]) -> Kind:
    """A dataclass or plain values from a file of JSON; keys beyond a dataclass's fields are not looked at.

    Raises:
        FolderError: there is no such file, or a field is missing or of another kind.
    """
    try:
        return TypeAdapter(kind).validate_json(file.read_bytes())
    except FileNotFoundError as error:
        raise FolderError(f"{file}: no such file; the run is not finished, go on with it by 'emotrace train'") from error
    except OSError as error:
        raise FolderError(f"{file}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        again = "delete it, and the same training makes it anew"
        raise FolderError(f"{file}: not a {file.name} of emotrace ({reason(error)}); {again}") from error


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
