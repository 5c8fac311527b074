"""What is learnt, as plain arrays: a dataclass to arrays and back, and one .npz, written whole and read without pickle."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from threading import get_ident
from typing import Any, TypeVar, get_type_hints
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from emotrace.errors import FolderError, InputError, UnknownNameError

Arrays = dict[str, NDArray[np.generic]]
Kind = TypeVar("Kind")
DAMAGED = (OSError, EOFError, ValueError, TypeError, BadZipFile, NotImplementedError, zlib.error)  # cut, other bytes, no .npz


def as_arrays(thing: Any, prefix: str = "") -> Arrays:
    """The fields of a dataclass of arrays, numbers and other such dataclasses, as they are kept; `restored` makes it again."""
    found: Arrays = {}
    for field in fields(thing):
        value, name = getattr(thing, field.name), f"{prefix}{field.name}"
        found |= as_arrays(value, f"{name} ") if is_dataclass(value) else {name: np.asarray(value)}
    return found


def restored(kind: type[Kind], arrays: Arrays, prefix: str = "") -> Kind:
    """A dataclass from what `as_arrays` made of it.

    Raises:
        KeyError: a field is missing.
    """
    hints: dict[str, Any] = get_type_hints(kind)
    values = {}
    for field in fields(kind):  # type: ignore[arg-type]
        name, inner = f"{prefix}{field.name}", hints[field.name]
        nested = isinstance(inner, type) and is_dataclass(inner)
        values[field.name] = restored(inner, arrays, f"{name} ") if nested else arrays[name]
    return kind(**values)


def save(file: Path, arrays: Arrays) -> None:
    """Write arrays whole: a file of that name is either the one before or the new one, whoever else writes it meanwhile."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{os.getpid()}-{get_ident()}-{file.name}")
    np.savez(draft, allow_pickle=False, **arrays)
    draft.replace(file)


def load(file: Path) -> Arrays:
    """Read what `save` wrote.

    Raises:
        FolderError: it is no such file.
    """
    try:
        with np.load(file, allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except (*DAMAGED, MemoryError) as error:  # a shape that was made up asks for more memory than there is
        raise FolderError(f"{file}: not a whole .npz ({error}); delete it, and the same training makes it anew") from error


def keep(file: Path, thing: Any) -> None:
    """Write a dataclass as its arrays; `loaded` reads it."""
    save(file, as_arrays(thing))


def loaded(kind: type[Kind], file: Path) -> Kind:
    """A dataclass from the file in which its arrays were kept.

    Raises:
        InputError: it is no such file, or that of something else.
    """
    arrays = load(file)
    try:
        return restored(kind, arrays)
    except KeyError as error:
        raise InputError(f"{file}: not the .npz of {kind.__name__}, {error} is missing; train anew") from error


@contextmanager
def going_together(folder: Path) -> Iterator[None]:
    """A block in which what was fitted is asked about zeros: parts of different fits, or widths, come to light in it.

    Args:
        folder: of the run, for the message.

    Raises:
        InputError: they do not go together.
    """
    try:
        with np.errstate(all="ignore"):
            yield
    except InputError as error:
        raise error if str(folder) in str(error) else InputError(f"{folder}: {error}") from error
    except UnknownNameError:
        raise
    except (*DAMAGED, LookupError, RuntimeError, MemoryError) as error:
        why = str(error).partition("\n")[0]
        raise InputError(f"{folder}: what was fitted there does not go together ({why}); train anew") from error
