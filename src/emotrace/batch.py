"""Several files: each is analysed on its own, and one that fails stops none of the others."""

from __future__ import annotations

import os
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from emotrace.analysis import Analysis, load
from emotrace.errors import EmotraceError, InputError, VideoError, WeightsError
from emotrace.export import media

VIDEO_SUFFIXES = (
    ".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".ts",
    ".vob", ".webm", ".wmv",
)  # fmt: skip
SOUND_SUFFIXES = (".aac", ".aif", ".aiff", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".wma")
NOTHING = "holds no video, image or recording; give a file, or a folder with files in it (--recursive: or in folders inside it)"
IMAGE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
NOT_FILES = "._"   # so begin the names of what macOS keeps beside a file on other file systems; no file of its own
NUMBERED = 3   # which of a file's names for its folder has a number in it


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


def jobs(paths: Iterable[Path], out: Path | None, recursive: bool = False) -> list[Job]:
    """The files to analyse, folders opened (videos, images and recordings inside them, by name), each once.

    Args:
        paths: files and folders.
        out: with one file, its output folder; with several, the folder in which each gets its own; None: beside each file.
        recursive: open the folders inside folders, too.

    Raises:
        VideoError: the one folder given holds no video, image or recording, or cannot be read; of several it is a job that says
            so.
        InputError: a path is relative, and the working directory has been removed.
    """
    given = list(paths)
    _check_working_directory([*given, *([] if out is None else [out])])
    if out is not None and len(given) == 1 and not is_folder(given[0]):
        return [Job(given[0], out)]
    found: dict[Path, list[Path]] = {}
    empty: dict[Path, str] = {}
    for path in given:
        try:
            found[path] = _files(path, recursive)
        except VideoError as error:
            found[path], empty[path] = [], str(error)
    if empty and len(given) == 1:
        raise VideoError(empty[given[0]])
    once: dict[Path, Path] = {}
    for file in (file for path in given for file in found[path] or [path]):
        once.setdefault(Path(os.path.realpath(file.parent), file.name), file)   # however it is spelled
    files = list(once.values())
    return [Job(file, folder, empty.get(file, "")) for file, folder in zip(files, _folders(files, out), strict=True)]


def _check_working_directory(paths: list[Path]) -> None:
    try:
        if not all(path.is_absolute() for path in paths):
            Path.cwd()
    except FileNotFoundError:
        raise InputError("the working directory has been removed; change to one that is there") from None


def is_folder(path: Path) -> bool:
    """Whether it is one; a name that is too long is none, and opening it says so."""
    try:
        return path.is_dir()
    except OSError:
        return False


def unopened(paths: Iterable[Path]) -> Iterator[Path]:
    """The folders inside those given that hold something to analyse, as `jobs` leaves them out unless it is recursive."""
    for path in filter(is_folder, paths):
        with suppress(OSError):   # one that cannot be read
            yield from (inside for inside in _inside(path) if any(map(_known, _tree(inside))))


def _files(path: Path, recursive: bool) -> list[Path]:
    """What there is to analyse in a folder; of a file, itself.

    Raises:
        VideoError: nothing is, or a folder cannot be read.
    """
    if not is_folder(path):
        return [path]
    try:
        files = [file for folder in (_tree(path) if recursive else (path,)) for file in _known(folder)]
    except OSError as error:
        raise VideoError(f"{error.filename or path}: cannot be read ({error.strerror}); check its permissions") from error
    if not files:
        raise VideoError(f"{path}: {NOTHING}")
    return files


def _tree(path: Path) -> Iterator[Path]:
    """A folder and all those below it, in order."""
    yield path
    for inside in _inside(path):
        yield from _tree(inside)


def _inside(path: Path) -> list[Path]:
    """The folders directly in a folder; without links, hidden ones and analyses, which hold pictures of faces."""
    named = [folder for folder in path.iterdir() if not folder.name.startswith(".") and folder.suffix != ".emotrace"]
    return sorted(folder for folder in named if folder.is_dir() and not folder.is_symlink())


def _known(folder: Path) -> list[Path]:
    """The files directly in a folder that can be analysed, in order."""
    known = VIDEO_SUFFIXES + IMAGE_SUFFIXES + SOUND_SUFFIXES
    named = [file for file in folder.iterdir() if file.suffix.lower() in known and not file.name.startswith(NOT_FILES)]
    return sorted(file for file in named if file.is_file())


def _folders(files: list[Path], out: Path | None) -> list[Path]:
    """A folder for each file: the one that holds its analysis already, else the plainest name that no other file has."""
    places = [file.parent if out is None else out for file in files]
    own = [Path(os.path.realpath(file)) for file in files]

    def folder(i: int, k: int) -> Path:
        return places[i] / f"{_name(files[i], k, i + 1 + max(0, k - NUMBERED) * len(files))}.emotrace"

    def free(i: int, least: int) -> int:
        """The first name from this one on that is not of another file's analysis; a file that is gone may have been renamed."""
        holders = ((k, _held(folder(i, k))) for k in count(least))
        return next(k for k, held in holders if held in (None, own[i]) or not held.is_file())

    holders: dict[str, tuple[int, Path]] = {}
    for i in range(len(files)):
        there = [one for one in (folder(i, k) for k in range(NUMBERED + 1)) if _held(one) == own[i]]
        for one in there[:1]:
            holders.setdefault(os.path.realpath(one), (i, one))
    kept = dict(holders.values())
    plain = [0 if i in kept else free(i, 0) for i in range(len(files))]
    while True:
        folders = [kept.get(i) or folder(i, k) for i, k in enumerate(plain)]
        real = [os.path.realpath(one).casefold() for one in folders]   # as file systems do for which A.mp4 is a.mp4
        often = Counter(real)
        if max(often.values(), default=1) == 1:
            return folders
        plain = [free(i, k + 1) if often[one] > 1 else k for i, (k, one) in enumerate(zip(plain, real, strict=True))]


def _name(file: Path, k: int, number: int) -> str:
    """`clip`; where two files would share it `clip.mp4`; then `monday-clip.mp4` of monday/clip.mp4; at last with a number."""
    parent = file.absolute().parent.name
    return (file.stem, file.name, f"{parent}-{file.name}", f"{number}-{parent}-{file.name}")[min(k, NUMBERED)]


def _held(folder: Path) -> Path | None:
    """The file whose analysis, whole or not, lies in a folder; None where none does."""
    try:
        return media.file(load(folder))
    except EmotraceError:
        return None


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
