"""Several files: each is analysed on its own, and one that fails stops none of the others."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from emotrace.analysis import Analysis
from emotrace.errors import EmotraceError, VideoError, WeightsError

VIDEO_SUFFIXES = (
    ".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".ts",
    ".vob", ".webm", ".wmv",
)  # fmt: skip
SOUND_SUFFIXES = (".aac", ".aif", ".aiff", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".wma")
NOTHING = "holds no video, image or recording; give a file, or a folder with files in it"
IMAGE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


@dataclass(frozen=True, slots=True)
class Job:
    """One file and the folder its analysis goes to; `error` says why there is nothing to analyse."""

    file: Path
    folder: Path
    error: str = ""


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
        VideoError: the one folder given holds no video, image or recording; of several it is a job that says so.
    """
    given = list(paths)
    if out is not None and len(given) == 1 and not is_folder(given[0]):
        return [Job(given[0], out)]
    found = {path: _files(path) for path in given}
    empty = {path: f"{path}: {NOTHING}" for path, files in found.items() if not files}
    if empty and len(given) == 1:
        raise VideoError(empty[given[0]])
    files = list(dict.fromkeys(file for path in given for file in found[path] or [path]))
    return [Job(file, folder, empty.get(file, "")) for file, folder in zip(files, _folders(files, out), strict=True)]


def is_folder(path: Path) -> bool:
    """Whether it is one; a name that is too long is none, and opening it says so."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _files(path: Path) -> list[Path]:
    if not is_folder(path):
        return [path]
    known = VIDEO_SUFFIXES + IMAGE_SUFFIXES + SOUND_SUFFIXES
    return sorted(file for file in path.iterdir() if file.suffix.lower() in known and file.is_file())


def _folders(files: list[Path], out: Path | None) -> list[Path]:
    """A folder for each file: the plainest name that no other one has."""
    names = [_names(file, i) for i, file in enumerate(files, 1)]
    places = [file.parent if out is None else out for file in files]
    plain = [0] * len(files)
    while True:
        folders = [place / f"{name[k]}.emotrace" for place, name, k in zip(places, names, plain, strict=True)]
        count = Counter(folders)
        if max(count.values(), default=1) == 1:
            return folders
        plain = [min(k + (count[folder] > 1), len(names[0]) - 1) for k, folder in zip(plain, folders, strict=True)]


def _names(file: Path, number: int) -> tuple[str, ...]:
    """`clip`; where two files would share it `clip.mp4`; then `monday-clip.mp4` of monday/clip.mp4; at last with a number."""
    parent = file.absolute().parent.name
    return file.stem, file.name, f"{parent}-{file.name}", f"{number}-{parent}-{file.name}"


def run(work: Iterable[Job], analyze: Callable[[Job], Analysis]) -> Iterator[Outcome]:
    """Analyse one file after the other; errors become outcomes.

    Raises:
        WeightsError: weights cannot be fetched; the next file would need the same.
    """
    for job in work:
        if job.error:
            yield Outcome(job, None, job.error)
            continue
        try:
            yield Outcome(job, analyze(job))
        except WeightsError:
            raise
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
