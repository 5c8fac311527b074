"""`emotrace doctor`: does this installation work, from decoding to a measured face?"""

from __future__ import annotations

import importlib.metadata
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from emotrace import __version__, registry, samples, weights
from emotrace.errors import EmotraceError

Check = tuple[str, bool, str]   # what was checked, whether it is well, what was found
PHOTO = "five people in a photo"


def check() -> Iterator[Check]:
    """Every check in order, each made when it is asked for; later ones go on after one that failed."""
    yield "emotrace", sys.version_info >= (3, 11), f"{__version__} on Python {sys.version.split()[0]}"
    yield from _tried("libraries", _libraries)
    yield from _tried("device", _device)
    yield _cache()
    for item in weights.entries().values():
        if item.is_run:
            yield _weights(item)
    yield from _tried(PHOTO, _five_people)


def _tried(name: str, checks: Callable[[], list[Check]]) -> list[Check]:
    """Checks that load libraries and run them: what goes wrong there is what was found."""
    try:
        return checks()
    except EmotraceError as error:
        return [(name, False, str(error))]
    except Exception as error:  # noqa: BLE001  # an installation can be broken in any way, and the doctor is to say in which
        said = str(error).splitlines() or [""]
        return [(name, False, f"unforeseen {type(error).__name__}: {said[0]}")]


def _libraries() -> list[Check]:
    from emotrace.api import LIBRARIES

    return [_library(name) for name in LIBRARIES]


def _library(name: str) -> Check:
    try:
        return name, True, importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return name, False, "is not installed; reinstall emotrace"


def _device() -> list[Check]:
    from emotrace.engine import providers

    return [("device", True, ", ".join(provider.removesuffix("ExecutionProvider") for provider in providers("auto")))]


def _cache() -> Check:
    folder = weights.cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return "cache", True, str(folder)
    except OSError as error:
        return "cache", False, f"{folder} cannot be written ({error.strerror}); set EMOTRACE_CACHE"


def _weights(item: weights.WeightsEntry) -> Check:
    """A weight file that `emotrace analyze` does not run unasked may be out of reach."""
    try:
        weights.path(item.name)
    except EmotraceError as error:
        component = registry.only_for(item.name)
        said = f"not here, and only for --also {component} ({error})" if component else str(error)
        return item.name, bool(component), said
    return item.name, True, f"{item.bytes / 1e6:.2f} MB, sha256 verified, {item.licence}"


def _five_people() -> list[Check]:
    """A photo of five people goes through every stage."""
    from emotrace.api import analyze

    with tempfile.TemporaryDirectory(prefix="emotrace-") as folder:
        found = len(analyze(samples.path("multi_face"), Path(folder) / "doctor.emotrace").people)
    return [(PHOTO, found == 5, f"{found} found and measured")]
