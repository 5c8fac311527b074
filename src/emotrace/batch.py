"""Several files: each is analysed on its own, and one that fails stops none of the others."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from emotrace.analysis import Analysis
from emotrace.api import default_folder
from emotrace.errors import EmotraceError, VideoError

VIDEO_SUFFIXES = (
    ".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".ts",
    ".vob", ".webm", ".wmv",
)  # fmt: skip
SOUND_SUFFIXES = (".aac", ".aif", ".aiff", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".wma")
IMAGE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


@dataclass(frozen=True, slots=True)
class Job:
    """One file and the folder its analysis goes to."""

    file: Path
    folder: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: an analysis, or the reason why there is none."""

    job: Job
    analysis: Analysis | None
    error: str = ""


def jobs(paths: Iterable[Path], out: Path | None) -> list[Job]:
    """The files to analyse, folders opened (videos, images and recordings directly inside them, by name), each once.

    Args:
        paths: files and folders.
        out: with one file, its output folder; with several, the folder in which each gets its own; None: beside each file.

    Raises:
        VideoError: a folder holds no video, image or recording.
    """
    given = list(paths)
    files = list(dict.fromkeys(file for path in given for file in _files(path)))
    if out is not None and len(given) == 1 and not given[0].is_dir():
        return [Job(files[0], out)]
    names = Counter(default_folder(file) if out is None else default_folder(Path(file.name)) for file in files)
    return [Job(file, _folder(file, out, names)) for file in files]


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    known = VIDEO_SUFFIXES + IMAGE_SUFFIXES + SOUND_SUFFIXES
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in known and file.is_file())
    if not found:
        raise VideoError(f"{path}: holds no video, image or recording; give a file, or a folder with files in it")
    return found


def _folder(file: Path, out: Path | None, names: Counter[Path]) -> Path:
    """`clip.emotrace`; where two files would share it, `clip.mp4.emotrace`."""
    plain = default_folder(file) if out is None else default_folder(Path(file.name))
    own = plain if names[plain] == 1 else plain.with_name(f"{file.name}.emotrace")
    return own if out is None else out / own.name


def run(work: Iterable[Job], analyze: Callable[[Job], Analysis]) -> Iterator[Outcome]:
    """Analyse one file after the other; errors become outcomes."""
    for job in work:
        try:
            yield Outcome(job, analyze(job))
        except EmotraceError as error:
            yield Outcome(job, None, str(error))
        except Exception as error:  # noqa: BLE001  # a fault of ours with one file must not cost the night's other files
            yield Outcome(job, None, f"{job.file}: {_recorded(job, error)}")


def _recorded(job: Job, error: Exception) -> str:
    """Where the traceback of an unforeseen error was written."""
    note = job.folder / "error.txt"
    try:
        note.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    except OSError:
        return f"unforeseen {type(error).__name__}: {error}"
    return f"unforeseen {type(error).__name__} (see {note}); what was measured before it is kept"
