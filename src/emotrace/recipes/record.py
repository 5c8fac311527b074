"""recipe.json: which recipe made a folder, with which constants; what `evaluate` reads to use it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from types import ModuleType, NoneType, UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from pydantic import ValidationError

from emotrace import __version__
from emotrace.errors import InputError
from emotrace.learn import facts
from emotrace.learn.log import say
from emotrace.recipes import catalogue

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FILE = "recipe.json"
LOCK = ".lock"   # held by whoever trains into the folder


@dataclass(frozen=True, slots=True)
class Record:
    """What the file says.

    Args:
        recipe: name of the recipe.
        config: its constants, as `asdict` gives them.
        version: of emotrace that fitted there last.
    """

    recipe: str
    config: dict[str, Any]
    version: str = __version__


def write(folder: Path, name: str, config: DataclassInstance) -> None:
    """Say in a folder which recipe fits there, with which constants; a run of another version is gone on with, which is said.

    Raises:
        InputError: the folder holds the run of another recipe or one with other constants, or cannot be written.
    """
    file = folder / FILE
    if file.is_file():
        _check(folder, name, config)
    try:
        facts.write(file, {"recipe": name, "version": __version__, "config": asdict(config)})
    except OSError as error:
        raise InputError(f"{file}: cannot be written ({error.strerror}); use another folder") from error


def _check(folder: Path, name: str, config: DataclassInstance) -> None:
    before = facts.read(folder / FILE, Record)
    if before.recipe != name:
        raise InputError(f"{folder}: holds a run of {before.recipe}, not of {name}; use another folder")
    if all(file.name in (FILE, LOCK) for file in folder.iterdir()):  # a fit that failed before it kept anything
        return
    was = read(folder)[1]
    if was != config:
        constant, old, new = _difference(asdict(was), asdict(config))
        raise InputError(f"{folder}: holds a run with {constant} = {old!r}, not {new!r}; use another folder")
    if before.version != __version__:
        say(f"{folder}: holds a run of emotrace {before.version}, this is {__version__}; what it kept is used as it is. Where "
            "the versions measure otherwise, use another folder")


def _difference(before: dict[str, Any], now: dict[str, Any]) -> tuple[str, Any, Any]:
    """The first constant that differs, "plan.rate", and its two values."""
    name = next(name for name in now if before[name] != now[name])
    old, new = before[name], now[name]
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return name, old, new
    inner, *values = _difference(old, new)
    return f"{name}.{inner}", *values


def read(folder: Path) -> tuple[ModuleType, Any]:
    """The recipe that made a folder, and its constants as they were.

    Returns:
        The recipe's module, and its `Config`.

    Raises:
        InputError: no recipe made the folder, or one whose constants are others now.
        MissingExtraError: torch is not installed.
    """
    file = folder / FILE
    if not file.is_file():
        raise InputError(f"{folder}: no {FILE}; expected the folder of a run of 'emotrace train'")
    made = facts.read(file, Record)
    module = catalogue.module(made.recipe)
    try:
        return module, facts.checked(module.Config, asdict(restored(module.Config, made.config)))
    except (TypeError, ValueError) as error:
        why = facts.reason(error) if isinstance(error, ValidationError) else error
        raise InputError(f"{file}: not the constants of {made.recipe} of emotrace {__version__} ({why})") from error


def finished(folder: Path) -> None:
    """See that the run of a system of clips is whole.

    Raises:
        InputError: it has no scores yet.
    """
    last = folder / facts.SCORES
    if not last.is_file():
        raise InputError(f"{folder}: the run is not finished (it has no {last.name}); go on with it by 'emotrace train' first")


def restored(kind: type, content: dict[str, Any]) -> Any:
    """A dataclass of dataclasses, tuples and plain values from what `asdict` and JSON made of it.

    A field that is missing, since it came later, has its default: new constants begin with the value that changes nothing.

    Raises:
        TypeError: there is a field too many, one without a default is missing, or one with fields of its own has none.
        ValueError: a tuple is of another length, or a value is out of range.
    """
    if not isinstance(content, dict):
        raise TypeError(f"{content!r} in place of the fields of {kind.__name__}")
    if extra := set(content) - {field.name for field in fields(kind)}:
        raise TypeError(f"unknown {sorted(extra)[0]!r}")
    hints = get_type_hints(kind)
    return kind(**{name: _value(hints[name], value) for name, value in content.items()})


def _value(kind: Any, value: Any) -> Any:
    if isinstance(kind, UnionType):  # of a dataclass and None
        return None if value is None else _value(next(one for one in get_args(kind) if one is not NoneType), value)
    if is_dataclass(kind):
        return restored(kind, value)  # type: ignore[arg-type]
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        each = (inner[0],) * len(value) if inner[-1] is Ellipsis else inner
        return tuple(_value(one, item) for one, item in zip(each, value, strict=True))
    return value
