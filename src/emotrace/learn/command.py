"""Modules that need the train extra: imported by name, so that a user is told what to install, and run as commands."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import NoReturn

from emotrace.ending import in_one_line
from emotrace.errors import MissingExtraError


def imported(name: str) -> ModuleType:
    """A module of emotrace.

    Raises:
        MissingExtraError: a library that it needs is not installed.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("emotrace"):
            raise
        raise MissingExtraError(f"training needs {error.name}: pip install 'emotrace[train]'") from error


def run(name: str) -> NoReturn:
    """Call `main` of a module, say an error made on purpose in one line with status 2, and end the process.

    For `python -m NAME`: the module calls it above its imports, which then are those of the module as it is imported here.
    """
    with in_one_line():
        imported(name).main()
    sys.exit(0)
