"""The constants of a recipe as a user asks for them: `--config QUICK --set plan.epochs=3 --set vgg_face=vgg_face.mat`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from types import ModuleType
from typing import Any

from emotrace.errors import InputError


def chosen(recipe: ModuleType, name: str, variant: str = "", changes: Sequence[str] = ()) -> Any:
    """A recipe's `Config`, changed in what is asked for.

    Args:
        recipe: module of a recipe.
        name: of the recipe.
        variant: another set of constants that the module names; "" is its `Config()`.
        changes: as "FIELD=VALUE"; dots lead into a field that has fields of its own. Values are text, or JSON.

    Raises:
        InputError: there is no such variant or field, or the value does not suit it.
    """
    config = getattr(recipe, variant, None) if variant else recipe.Config()
    if not isinstance(config, recipe.Config):
        names = [key for key, value in vars(recipe).items() if isinstance(value, recipe.Config)]
        raise InputError(f"recipe {name} has no constants {variant!r}; there are: {', '.join(names) or 'its own alone'}")
    for change in changes:
        config = changed(config, change)
    return config


def changed(config: Any, change: str) -> Any:
    """A dataclass with one field changed.

    Args:
        config: dataclass of dataclasses, tuples and plain values.
        change: "plan.epochs=3".

    Raises:
        InputError: there is no such field, or the value does not suit it.
    """
    from pydantic import ValidationError

    from emotrace.learn import facts

    where, equals, text = change.partition("=")
    content = asdict(config)
    *path, last = where.split(".")
    inner: Any = content
    for key in path:
        inner = inner.get(key) if isinstance(inner, dict) else None
    if not equals or not isinstance(inner, dict) or last not in inner:
        there = ", ".join(inner) if isinstance(inner, dict) else ", ".join(content)
        raise InputError(f"--set {change}: expected FIELD=VALUE, with a field of: {there}")
    wrong = ""
    for value in _readings(text):
        inner[last] = value
        try:
            return facts.checked(type(config), content)
        except ValidationError as error:
            wrong = error.errors()[0]["msg"].removeprefix("Value error, ")  # of the last reading: JSON, where it is that
    raise InputError(f"--set {change}: {wrong[:1].lower()}{wrong[1:]}; it is {_at(config, [*path, last])!r} if left alone")


def _readings(text: str) -> list[Any]:
    """What a value may mean: text as it stands, then as JSON."""
    found: list[Any] = [text]
    with suppress(ValueError):
        found.append(json.loads(text))
    return found


def _at(config: Any, path: Sequence[str]) -> Any:
    for key in path:
        config = getattr(config, key)
    return config
