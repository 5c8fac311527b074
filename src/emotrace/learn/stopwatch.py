"""How long each part of a run took, kept in its folder, so that a run that is gone on with, or done again, says the same."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emotrace.learn import facts
from emotrace.learn.log import Say

FILE = "seconds.json"


class Stopwatch:
    """Times the parts of a run.

    Args:
        folder: of the run; `seconds.json` there keeps what was measured.
        report: told the name and the seconds of each part when it ends.
    """

    def __init__(self, folder: Path, report: Say = lambda line: None) -> None:
        self.file, self.report = folder / FILE, report

    @contextmanager
    def time(self, part: str) -> Iterator[None]:
        """Time what is done in the block. A part that was broken off adds up; one that had ended keeps its time.

        Args:
            part: its name.

        Raises:
            FolderError: `seconds.json` is damaged.
        """
        known = self._read()
        before, ended = known.get(part, (0.0, False))
        begun, done = time.perf_counter(), False
        try:
            yield
            done = True
        finally:
            passed = time.perf_counter() - begun
            if not ended:
                facts.write(self.file, self._read() | {part: (before + passed, done)})
            if done:
                self.report(f"{part}: {passed:.0f} s" + (" (kept from before)" if ended else ""))

    def seconds(self, *parts: str) -> float:
        """Sum of the seconds of parts that ended; NaN where none of them did."""
        known = self._read()
        found = [known[part][0] for part in parts if part in known and known[part][1]]
        return sum(found) if found else float("nan")

    @property
    def total(self) -> float:
        """Seconds of all parts."""
        return sum(seconds for seconds, _ in self._read().values())

    def _read(self) -> dict[str, tuple[float, bool]]:
        return facts.read(self.file, dict[str, tuple[float, bool]]) if self.file.is_file() else {}
