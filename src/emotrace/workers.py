"""Several files side by side: workers, each a process of its own, so that all cores have work and a crash costs one file.

    run ──Job──▶ worker ──▶ the analysis in its folder
        ◀── Reached, Reached, ..., Ended ──

A worker stops at the end of a step when the other end of its pipe is closed: at Ctrl-C, and when whoever began it is gone.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Protocol

from emotrace import batch
from emotrace.analysis import Analysis, load
from emotrace.batch import Job, Outcome
from emotrace.errors import InputError, WeightsError
from emotrace.interrupt import Interrupt, listening
from emotrace.progress import Reached, Tell

CORES = 2         # that one analysis keeps busy
MOST = 4          # side by side unless more are asked for: a container may have less memory and fewer cores than it sees
PATIENCE = 0.2    # s until Ctrl-C is noticed while no worker says anything


class Analyse(Protocol):
    """Analyses one file and tells how far it is; can be pickled."""

    def __call__(self, job: Job, *, tell: Tell) -> Analysis: ...


@dataclass(frozen=True, slots=True)
class Ended:
    """A worker's last word about a file: why there is no analysis, or nothing where there is one."""

    error: str


@dataclass(slots=True)
class Worker:
    """A process that analyses one file after the other, and the file that it has now."""

    process: BaseProcess
    pipe: Connection
    job: Job

    @classmethod
    def start(cls, analyze: Analyse, job: Job) -> Worker:
        """Begin a process with its first file; spawned, which is the same on every system."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, analyze), daemon=True)
        process.start()
        theirs.close()
        worker = cls(process, ours, job)
        worker.take(job)
        return worker

    def take(self, job: Job) -> None:
        """Give it its next file; where it has died, `hear` will say so."""
        self.job = job
        with suppress(OSError):
            self.pipe.send(job)

    def hear(self) -> Reached | Ended | WeightsError | None:
        """What it says next; None where it has died."""
        try:
            said: Reached | Ended | WeightsError = self.pipe.recv()
        except (EOFError, OSError):
            return None
        return said

    def died(self) -> str:
        """How it has."""
        self.process.join()
        code = self.process.exitcode or 0
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        return f"{self.job.file}: the process that analysed it has died ({how}); what was measured before is kept"


def how_many(jobs: int | None) -> int:
    """How many files are analysed side by side: as many as said, else one for every two cores, at most four.

    Raises:
        InputError: less than one.
    """
    if jobs is not None and jobs < 1:
        raise InputError(f"--jobs must be 1 or more, got {jobs}; leave it out for what suits this machine")
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return jobs or min(max(1, cores // CORES), MOST)


def run(
    work: Sequence[Job], analyze: Analyse, count: int, show: Callable[[Job, Reached], None], interrupt: Interrupt
) -> Iterator[Outcome]:
    """Analyse files, several side by side; errors become outcomes, in the order in which files end.

    Args:
        work: the files.
        analyze: analyses one of them.
        count: how many side by side; one is analysed in this process.
        show: told how far each is.
        interrupt: listened to meanwhile.

    Raises:
        WeightsError: weights cannot be fetched; the next file would need the same.
        KeyboardInterrupt: Ctrl-C was pressed; the workers have kept what they measured.
    """
    if min(count, len(work)) < 2:
        yield from batch.run(work, lambda job: analyze(job, tell=partial(show, job)))
        return
    waiting, busy = deque(work), list[Worker]()
    try:
        while waiting or busy:
            while waiting and len(busy) < count:
                busy.append(Worker.start(analyze, waiting.popleft()))
            interrupt.check()
            ready = wait([worker.pipe for worker in busy], PATIENCE)
            for worker in [one for one in busy if one.pipe in ready]:
                said = worker.hear()
                if isinstance(said, Reached):
                    show(worker.job, said)
                else:
                    yield _ended(worker, said, busy, waiting)
    finally:
        _end(busy)


def _ended(worker: Worker, said: Ended | WeightsError | None, busy: list[Worker], waiting: deque[Job]) -> Outcome:
    """What became of a worker's file; the worker gets the next one, and goes where there is none."""
    job = worker.job
    if isinstance(said, WeightsError):
        raise said
    if said is None:
        busy.remove(worker)
        return Outcome(job, None, worker.died())
    if waiting:
        worker.take(waiting.popleft())
    else:
        busy.remove(worker)
        _end([worker])
    return Outcome(job, None, said.error) if said.error else next(batch.run([job], lambda job: load(job.folder)))


def _end(workers: list[Worker]) -> None:
    """Let workers go when their step is done; at once where Ctrl-C is pressed again."""
    for worker in workers:
        worker.pipe.close()
    try:
        for worker in workers:
            worker.process.join()
    except KeyboardInterrupt:
        for worker in workers:
            worker.process.terminate()
        raise


def _serve(pipe: Connection, analyze: Analyse) -> None:
    """A worker: analyse the files that come through a pipe, until its other end is closed or Ctrl-C is pressed."""
    with suppress(EOFError, OSError, KeyboardInterrupt), listening() as interrupt:
        while True:
            job: Job = pipe.recv()
            try:
                outcome = next(batch.run([job], partial(analyze, tell=partial(_tell, pipe, interrupt))))
            except WeightsError as error:
                pipe.send(error)
            else:
                pipe.send(Ended(outcome.error))


def _tell(pipe: Connection, interrupt: Interrupt, reached: Reached) -> None:
    interrupt.check()
    try:
        closed = pipe.poll()   # nothing else comes while a file is under way
        if not closed:
            pipe.send(reached)
    except OSError:
        closed = True
    if closed:
        raise KeyboardInterrupt
