"""What the terminal shows while files are analysed: one bar a file with rate and time left, and nothing else."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from emotrace.analysis import Analysis
from emotrace.api import analyze
from emotrace.batch import Job
from emotrace.engine import Device
from emotrace.errors import EmotraceError
from emotrace.interrupt import Interrupt
from emotrace.settings import Settings
from emotrace.video import Video


@dataclass(slots=True)
class Bar:
    """Draws the progress of one file after the other on the error stream.

    Args:
        progress: the display; silent where the error stream is no terminal.
        interrupt: listened to before each file and at each step.
        files: how many files there are.
        task: of the file under way.
        number: of that file, from 1.
    """

    progress: Progress
    interrupt: Interrupt
    files: int
    task: TaskID | None = None
    number: int = 0

    def analyze(self, job: Job, settings: Settings, device: Device, overwrite: bool) -> Analysis:
        """Analyse one file, showing how far it is; arguments and errors as in `emotrace.analyze`."""
        self.interrupt.check()
        self.progress.start()
        self.number += 1
        count = f"{self.number}/{self.files} " if self.files > 1 else ""
        self.task = self.progress.add_task(f"{count}{job.file.name}", total=None, rate="")
        video = Video.open(job.file)
        start, end = max(video.start, settings.start), min(video.duration, settings.end)
        if math.isfinite(end):
            self.progress.update(self.task, total=max(end - start, 0.001))
        began, before = time.monotonic(), -1

        def step(frames: int, reached: float) -> None:
            nonlocal before
            self.interrupt.check()
            before = frames if before < 0 else before   # frames of earlier runs do not count for the rate
            rate = (frames - before) / max(time.monotonic() - began, 1e-6)
            self._update(completed=reached - start, rate=f"{rate:.0f} frames/s")

        def announce(line: str) -> None:
            self.interrupt.check()
            self._update(rate=line)

        try:
            return analyze(
                job.file, job.folder, settings=settings, device=device, overwrite=overwrite, progress=step, announce=announce
            )
        except EmotraceError:
            self.interrupt.check()   # it also ends a program that we run, as pip, which then looks like a fault of the network
            raise

    def done(self) -> None:
        """Take away the bar of the file that is done, and leave the terminal to others until the next one."""
        if self.task is not None:
            self.progress.remove_task(self.task)
            self.task = None
        self.progress.stop()

    def _update(self, completed: float | None = None, rate: str = "") -> None:
        assert self.task is not None
        self.progress.update(self.task, completed=completed, rate=rate)



@contextmanager
def bar(files: int, interrupt: Interrupt) -> Iterator[Bar]:
    """A bar for so many files; nothing of it is left on the terminal afterwards."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[rate]}", markup=False))
    shown = Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal)
    try:
        yield Bar(shown, interrupt, files)
    finally:
        shown.stop()
