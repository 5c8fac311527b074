"""`analyze`: one video, from its file to its folder."""

from __future__ import annotations

import hashlib
import importlib.metadata
import math
import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotrace import __version__, columns, registry, weights
from emotrace.analysis import Analysis, load
from emotrace.container import OFF_SQUARE
from emotrace.engine import Device, providers
from emotrace.settings import ALWAYS, Settings
from emotrace.store import Store
from emotrace.video import Video

if TYPE_CHECKING:
    from emotrace.people import Grouping
    from emotrace.pipeline import Counts
    from emotrace.systems import System

LIBRARIES = ("av", "numpy", "opencv-python-headless", "onnxruntime", "ai-edge-litert", "pyarrow", "scipy")
TRUNCATED = 0.5   # s that may be missing at the end before it is reported
FINGERPRINT_BYTES = 1 << 20


def analyze(
    path: str | Path,
    out: str | Path | None = None,
    *,
    settings: Settings | None = None,
    device: Device = "auto",
    overwrite: bool = False,
    report: bool = True,
    progress: Callable[[int, float], None] = lambda frames, time: None,
    announce: Callable[[str], None] = lambda line: None,
) -> Analysis:
    """Analyse one video or image.

    An unfinished analysis of the same file with the same settings is continued; a finished one is only read. If it lacks some
    of the systems in the settings, only those are asked, and what the others said is kept.

    Args:
        path: video or image file.
        out: output folder; None: `<name>.emotrace` beside the file.
        settings: what to measure, and how.
        device: where networks that can choose run.
        overwrite: replace a folder that holds another analysis.
        report: write report.html.
        progress: told the frames done and the time (s) reached, chunk by chunk.
        announce: told a line before each download of weights, and how far trained systems are.

    Returns:
        The finished analysis.

    Raises:
        VideoError: the file cannot be analysed.
        FolderError: the folder cannot be written, or holds another analysis.
        WeightsError: weights cannot be fetched.
        InputError: a setting is out of range, the device does not exist or is not there, or a folder of `systems` holds no
            system of clips.
        MissingExtraError: `systems` are given, and torch is not installed.
    """
    chosen = settings or Settings()
    providers(device)   # one that is not there is refused before a folder is made
    video = Video.open(path)
    folder = Path(out) if out is not None else default_folder(video.path)
    used = weights_of(chosen)
    systems = prepared(chosen)
    with Store(folder, _provenance(video, chosen, used, systems, folder), overwrite) as store:
        if not store.finished:
            _run(video, chosen, store, device, used, systems, progress, announce)
        elif systems:
            _ask_more(video, store, systems, announce)
    analysis = load(folder)
    if report and not (folder / "report.html").is_file():
        from emotrace.report.build import write

        write(analysis)
    return analysis


def default_folder(path: Path) -> Path:
    """The output folder of a file: `clip.emotrace` beside `clip.mp4`."""
    return path.with_name(f"{path.stem}.emotrace")


def weights_of(settings: Settings) -> list[weights.WeightsEntry]:
    """The weight files that an analysis with these settings runs, each once; detection and mesh always run."""
    names = [*ALWAYS, *settings.components]
    files = [name for line in registry.with_needs(names) for name in line.weights]
    return [weights.entry(name) for name in dict.fromkeys(files)]


def prepared(settings: Settings) -> list[System]:
    """See that what an analysis with these settings needs is installed, before anything is analysed.

    Returns:
        The trained systems that it asks; without any, nothing of training is loaded.

    Raises:
        InputError: a folder holds no finished system of clips.
        MissingExtraError: a component's libraries, or torch for systems, are not installed.
    """
    for line in registry.with_needs(settings.components):
        if line.extra:
            registry.target(line.name)()
    if not settings.systems:
        return []
    from emotrace.systems import opened

    return opened(settings.systems)


def _run(
    video: Video,
    settings: Settings,
    store: Store,
    device: Device,
    used: list[weights.WeightsEntry],
    systems: list[System],
    progress: Callable[[int, float], None],
    announce: Callable[[str], None],
) -> None:
    from emotrace.finish import finish
    from emotrace.hearing import listen
    from emotrace.pipeline import run
    from emotrace.systems import ask

    weights.fetch(used, announce=announce)
    counts = run(video, settings, store, device, progress)
    began = time.perf_counter()
    listen(video, settings, store, device, lambda reached: progress(counts.frames, counts.last_time or reached))
    counts.wall_seconds += time.perf_counter() - began
    people = finish(store, settings)

    def step(line: str) -> None:
        progress(counts.frames, counts.last_time or 0.0)
        announce(line)

    unasked = ask(systems, video, store, step)
    warnings = [*_warnings(video, settings, store, counts), *unasked]
    store.finish({**store.provenance, **_outcome(counts, people), "warnings": warnings})


def _outcome(counts: Counts, people: Grouping) -> dict[str, Any]:
    """What analysis.json says of how it went."""
    wall = counts.wall_seconds
    return {
        "counts": {**asdict(counts), "tracks": len(people.facts), "people": people.people},
        "wall_seconds": round(wall, 3),
        "frames_per_second": round(counts.frames / wall, 2) if wall > 0 else None,
    }


def _ask_more(video: Video, store: Store, systems: list[System], announce: Callable[[str], None]) -> None:
    """Ask a finished analysis's file the systems that it does not hold."""
    from emotrace.systems import Held, ask

    held = Held.of(store.before)
    more = held.unasked(systems)
    if not more:
        return
    store.claim()
    warnings = ask(more, video, store, announce, held)
    (store.folder / "report.html").unlink(missing_ok=True)   # it does not show them
    told = dict.fromkeys([*store.before.get("warnings", []), *warnings])
    store.finish({**store.before, **held.provenance(more), "warnings": list(told)})


def _provenance(
    video: Video, settings: Settings, used: list[weights.WeightsEntry], systems: list[System], folder: Path
) -> dict[str, Any]:
    return {
        "schema": columns.SCHEMA_VERSION,
        "emotrace": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "video": _video_facts(video, folder),
        "settings": settings.as_json(),
        "weights": {item.name: item.sha256 for item in used},
        "systems": [system.facts() for system in systems],
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
        "python": platform.python_version(),
        "platform": platform.platform(),
    }


def _video_facts(video: Video, folder: Path) -> dict[str, Any]:
    def known(value: float) -> float | None:
        return None if math.isnan(value) else round(value, 6)

    path = video.path.resolve()
    try:
        relative = Path(os.path.relpath(path, folder.resolve())).as_posix()
    except ValueError:   # another drive on Windows
        relative = None
    return {
        "name": video.path.name, "path": str(path), "relative": relative, "width": video.width, "height": video.height,
        "rotation": video.rotation, "start": known(video.start), "duration": known(video.duration),
        "rate": known(video.rate), "codec": video.codec,
        "has_pictures": video.has_pictures, "has_sound": video.has_sound, "sound_rate": video.sound_rate,
        "is_image": video.is_image, "pixel_aspect": round(video.pixel_aspect, 4), "fingerprint": fingerprint(path),
        "hdr": None if video.hdr is None else video.hdr.name,
    }  # fmt: skip


def fingerprint(path: Path) -> str:
    """Tells one file from another: sha256 of its size and of its first and last MiB."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as stream:
        digest.update(stream.read(FINGERPRINT_BYTES))
        stream.seek(max(0, size - FINGERPRINT_BYTES))
        digest.update(stream.read(FINGERPRINT_BYTES))
    return digest.hexdigest()


def _warnings(video: Video, settings: Settings, store: Store, counts: Counts) -> list[str]:
    """What a reader of the numbers should know about the file."""
    from emotrace.heard import heard_until, warnings_of

    heard = heard_until(store)
    return [
        *(_warnings_of_pictures(video, settings, counts, heard) if video.has_pictures else ()),
        *warnings_of(video, settings, store, counts.last_time, heard),
    ]


def _warnings_of_pictures(video: Video, settings: Settings, counts: Counts, heard: float) -> list[str]:
    """The same about the pictures of a file whose sound ends at `heard` s."""
    found = []
    last, frame = counts.last_time, 1 / video.rate if video.rate > 0 else 0.0
    missing = 0.0 if last is None else video.duration - max(last + frame, heard)   # some containers say where the longest ends
    if last is None:
        where = f"; the file goes from {video.start:.2f} to {video.duration:.2f} s" if math.isfinite(video.duration) else ""
        found.append(f"no frame lies between start and end{where}")   # clocks need not begin at 0
    elif not video.is_image and settings.end >= video.duration and missing > max(TRUNCATED, 2 * frame):
        found.append(f"the file says it ends at {video.duration:.2f} s but its last frame is at {last:.2f} s: it is truncated")
    if counts.lost_packets:
        found.append(f"{counts.lost_packets} packets could not be decoded and were skipped; their frames are missing")
    if counts.damaged:
        found.append(f"{counts.damaged} frames are damaged, see the column `damaged` of frames")
    if counts.guessed_times:
        found.append(f"{counts.guessed_times} frames had no usable time stamp; they were set one frame after the one before")
    if abs(video.pixel_aspect - 1) > OFF_SQUARE:
        found.append(f"pixels are not square ({video.pixel_aspect:.3f}); shapes and angles are those of the stored picture")
    elif abs(video.stored_aspect - 1) > OFF_SQUARE:
        size = f"{video.width} x {video.height}"
        found.append(f"pixels are not square ({video.stored_aspect:.3f} as stored); pictures are measured as they are shown, "
                     f"in {size} square ones")
    return found
