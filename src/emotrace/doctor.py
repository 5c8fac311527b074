"""`emotrace doctor`: does this installation work, from decoding to a measured face?"""

from __future__ import annotations

import importlib.metadata
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from emotrace import __version__, samples, weights
from emotrace.api import LIBRARIES, analyze
from emotrace.engine import providers
from emotrace.errors import EmotraceError

Check = tuple[str, bool, str]   # what was checked, whether it is well, what was found


def check() -> Iterator[Check]:
    """Every check in order, each made when it is asked for; later ones go on after one that failed."""
    yield "emotrace", sys.version_info >= (3, 11), f"{__version__} on Python {sys.version.split()[0]}"
    for name in LIBRARIES:
        yield _library(name)
    yield "device", True, ", ".join(provider.removesuffix("ExecutionProvider") for provider in providers("auto"))
    yield _cache()
    for item in weights.entries().values():
        if item.is_run:
            yield _weights(item)
    yield _five_people()


def _library(name: str) -> Check:
    try:
        return name, True, importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return name, False, "is not installed; reinstall emotrace"


def _cache() -> Check:
    folder = weights.cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return "cache", True, str(folder)
    except OSError as error:
        return "cache", False, f"{folder} cannot be written ({error.strerror}); set EMOTRACE_CACHE"


def _weights(item: weights.WeightsEntry) -> Check:
    try:
        weights.path(item.name)
    except EmotraceError as error:
        return item.name, False, str(error)
    return item.name, True, f"{item.bytes / 1e6:.2f} MB, sha256 verified, {item.licence}"


def _five_people() -> Check:
    """A photo of five people goes through every stage."""
    with tempfile.TemporaryDirectory(prefix="emotrace-") as folder:
        try:
            found = len(analyze(samples.path("multi_face"), Path(folder) / "doctor.emotrace").people)
        except EmotraceError as error:
            return "five people in a photo", False, str(error)
    return "five people in a photo", found == 5, f"{found} found and measured"
