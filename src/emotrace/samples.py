"""Sample recordings, fetched and verified as weights are, under their own file names."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from emotrace import weights
from emotrace.errors import WeightsError, unknown

PREFIX = "sample_"


def names() -> list[str]:
    """Every sample there is."""
    return [name.removeprefix(PREFIX) for name in weights.entries() if name.startswith(PREFIX)]


def path(name: str) -> Path:
    """A sample under its own file name, in `samples/` of the cache.

    Raises:
        UnknownNameError: there is no such sample.
        WeightsError: it cannot be fetched.
    """
    if name not in names():
        raise unknown("sample", name, names())
    verified = weights.path(PREFIX + name)
    own = weights.cache_folder() / "samples" / weights.entry(PREFIX + name).file
    try:
        own.parent.mkdir(parents=True, exist_ok=True)
        if not own.is_file() or own.stat().st_size != verified.stat().st_size:
            draft = own.with_name(f".{own.name}.{os.getpid()}")
            shutil.copyfile(verified, draft)
            draft.replace(own)
    except OSError as error:
        raise WeightsError(f"cannot write to the cache {own.parent} ({error}); set EMOTRACE_CACHE") from error
    return own
