"""The bars: one begins empty and ends full, wherever the clock of the file stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.progress import Progress

from emotrace.batch import Job
from emotrace.interrupt import Interrupt
from emotrace.progress import Bars, Reached, analyze
from emotrace.settings import Settings
from odd_films import RATE, film


@pytest.mark.parametrize(("start", "seconds"), [(0.0, 4.0), (3602.0, 2.0)])
def test_a_file_whose_clock_begins_late_is_told_to_be_as_long_as_it_is(start: float, seconds: float, tmp_path: Path) -> None:
    late, told = film(tmp_path / "late.ts", 100, first=3600 * RATE), list[Reached]()
    settings = Settings(components=("face.quality",), start=start)
    analyze(Job(late, tmp_path / "out"), settings, "auto", overwrite=False, tell=told.append)
    assert told[-1].length == pytest.approx(seconds, abs=1e-3)
    assert told[-1].seconds == pytest.approx(seconds - 1 / RATE, abs=1e-3)   # the last frame has begun


def test_each_file_under_way_has_a_bar_until_it_ends() -> None:
    one, two = (Job(Path(name), Path()) for name in ("one.mp4", "two.mp4"))
    bars = Bars(Progress(disable=True), Interrupt(), 2)
    bars.show(one, Reached(1.0, 4.0, "25 frames/s"))
    bars.show(two, Reached())
    bars.show(one, Reached(2.0, 4.0, "50 frames/s"))
    shown = [(task.description, task.total, task.completed, task.fields["rate"]) for task in bars.progress.tasks]
    assert shown == [("1/2 one.mp4", 4.0, 2.0, "50 frames/s"), ("2/2 two.mp4", None, 0.0, "")]
    bars.done(one)
    assert [task.description for task in bars.progress.tasks] == ["2/2 two.mp4"]
    bars.interrupt.pressed = True
    with pytest.raises(KeyboardInterrupt):
        bars.show(two, Reached())
