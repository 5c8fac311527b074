"""emotrace: emotion in video, per person, over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emotrace.analysis import Analysis, load
    from emotrace.api import analyze
    from emotrace.settings import Settings
    from emotrace.timeline import Timeline

__version__ = "0.5.0"
__all__ = ["Analysis", "Settings", "Timeline", "__version__", "analyze", "load"]

_HOMES = {
    "Analysis": "emotrace.analysis",
    "load": "emotrace.analysis",
    "analyze": "emotrace.api",
    "Settings": "emotrace.settings",
    "Timeline": "emotrace.timeline",
}


def __getattr__(name: str) -> object:
    """Import on first use, so that `import emotrace` and `emotrace --help` cost nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'emotrace' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Every name there is, also those that were not used yet."""
    return sorted({*globals(), *__all__})
