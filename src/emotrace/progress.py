"""How far files are: told by whoever analyses them, and shown on the terminal as a bar each, with rate and time left."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from emotrace.analysis import Analysis
from emotrace.api import analyze as analyze_file
from emotrace.batch import Job
from emotrace.engine import Device
from emotrace.errors import EmotraceError, one_line
from emotrace.interrupt import Interrupt
from emotrace.settings import Settings
from emotrace.video import Video


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the analysis of a file is.

    Args:
        seconds: s that are done.
        length: s that there are; None where the file does not say.
        said: frames a second, or what is being done.
    """

    seconds: float = 0.0
    length: float | None = None
    said: str = ""


Tell = Callable[[Reached], None]   # called at the end of each step; may end the analysis there with KeyboardInterrupt


def analyze(job: Job, settings: Settings, device: Device, overwrite: bool, tell: Tell) -> Analysis:
    """Analyse one file, telling how far it is; other arguments and errors as in `emotrace.analyze`."""
    tell(Reached())
    video = Video.open(job.file)
    start, end = max(video.start, settings.start), min(video.duration, settings.end)
    reached = Reached(length=max(end - start, 0.001) if math.isfinite(end) else None)
    began, before = time.monotonic(), -1

    def step(frames: int, until: float) -> None:
        nonlocal before, reached
        before = frames if before < 0 else before   # frames of earlier runs do not count for the rate
        rate = (frames - before) / max(time.monotonic() - began, 1e-6)
        reached = replace(reached, seconds=until - start, said=f"{rate:.0f} frames/s")
        tell(reached)

    def announce(line: str) -> None:
        nonlocal reached
        reached = replace(reached, said=line)
        tell(reached)

    try:
        return analyze_file(
            job.file, job.folder, settings=settings, device=device, overwrite=overwrite, progress=step, announce=announce
        )
    except EmotraceError:
        tell(reached)   # Ctrl-C also ends a program that we run, as pip, which then looks like a fault of the network
        raise


@dataclass(slots=True)
class Bars:
    """Draws a bar for each file under way on the error stream.

    Args:
        progress: the display; silent where the error stream is no terminal.
        interrupt: listened to whenever a file tells how far it is.
        files: how many files there are.
        begun: how many of them have begun.
        tasks: of those under way.
    """

    progress: Progress
    interrupt: Interrupt
    files: int
    begun: int = 0
    tasks: dict[Job, TaskID] = field(default_factory=dict)

    def show(self, job: Job, reached: Reached) -> None:
        """Show how far a file is.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed.
        """
        self.interrupt.check()
        self.progress.start()
        if job not in self.tasks:
            self.begun += 1
            count = f"{self.begun}/{self.files} " if self.files > 1 else ""
            self.tasks[job] = self.progress.add_task(f"{count}{one_line(job.file.name)}", total=None, rate="")
        self.progress.update(self.tasks[job], total=reached.length, completed=reached.seconds, rate=reached.said)

    def done(self, job: Job) -> None:
        """Take away the bar of a file that has ended, and leave the terminal to others until the next step."""
        if job in self.tasks:
            self.progress.remove_task(self.tasks.pop(job))
        self.progress.stop()


@contextmanager
def bars(files: int, interrupt: Interrupt) -> Iterator[Bars]:
    """Bars for so many files; nothing of them is left on the terminal afterwards."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[rate]}", markup=False))
    shown = Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal)
    try:
        yield Bars(shown, interrupt, files)
    finally:
        shown.stop()
