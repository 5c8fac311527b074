"""Other tools' formats: one table of them, and one function that writes them.

Every format is a module with a function `write(analysis, folder) -> list[Path]`, imported only when asked for. Tables are read
in batches, so an hour of video needs no more memory than a minute; files appear whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from emotrace.analysis import Analysis
from emotrace.errors import FolderError, unknown


@dataclass(frozen=True, slots=True)
class Format:
    """How to find a format.

    Args:
        name: as given to `emotrace export --format`.
        suffix: end of the names of its files.
        about: one sentence.
        target: "module:function", imported only when asked for.
    """

    name: str
    suffix: str
    about: str
    target: str


FORMATS: dict[str, Format] = {
    line.name: line
    for line in (
        Format("csv", ".csv", "all tables as they are, one column a number", "emotrace.export.wide_csv:write"),
        Format("openface", ".openface.csv", "faces with OpenFace 2's column names, units and signs",
               "emotrace.export.openface:write"),
        Format("elan", ".eaf", "expressions, presence, speech, fused emotion and shots as tiers for ELAN",
               "emotrace.export.elan:write"),
        Format("emotionml", ".emotionml", "expressions, valence and arousal as W3C EmotionML 1.0",
               "emotrace.export.emotionml:write"),
        Format("webvtt", ".vtt", "expressions, who speaks and fused emotion as captions for video players",
               "emotrace.export.webvtt:write"),
    )
}  # fmt: skip


def export(analysis: Analysis, format: str, out: Path | None = None) -> list[Path]:
    """Write an analysis in another tool's format; files of that name are replaced.

    Args:
        analysis: a finished one.
        format: a name in FORMATS.
        out: folder to write into, made where it is missing; "export" in the analysis folder where None.

    Returns:
        The files written.

    Raises:
        UnknownNameError: there is no such format, or what it needs was not measured.
        FolderError: the analysis is unfinished or damaged, or `out` cannot be written.
        InputError: the format needs a video and this is a still picture.
    """
    if format not in FORMATS:
        raise unknown("export format", format, list(FORMATS))
    if not analysis.finished:
        raise FolderError(f"{analysis.folder}: is unfinished; run 'emotrace analyze' again to finish it, then export")
    module, _, name = FORMATS[format].target.partition(":")
    write: Callable[[Analysis, Path], list[Path]] = getattr(import_module(module), name)
    return write(analysis, analysis.folder / "export" if out is None else Path(out))
