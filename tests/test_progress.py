"""The bar: it begins empty and ends full, wherever the clock of the file stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.progress import Progress

from emotrace.batch import Job
from emotrace.interrupt import Interrupt
from emotrace.progress import Bar
from emotrace.settings import Settings
from odd_films import RATE, film


@pytest.mark.parametrize(("start", "seconds"), [(0.0, 4.0), (3602.0, 2.0)])
def test_the_bar_of_a_file_whose_clock_begins_late_is_as_long_as_the_file(start: float, seconds: float, tmp_path: Path) -> None:
    late = film(tmp_path / "late.ts", 100, first=3600 * RATE)
    bar = Bar(Progress(disable=True), Interrupt(), 1)
    settings = Settings(components=("face.quality",), start=start)
    bar.analyze(Job(late, tmp_path / "out"), settings, "auto", overwrite=False)
    task, = bar.progress.tasks
    assert task.total == pytest.approx(seconds, abs=1e-3)
    assert task.completed == pytest.approx(seconds - 1 / RATE, abs=1e-3)   # the last frame has begun
