"""Interruption: nothing that was computed is lost, and going on gives the numbers of one go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import emotrace
from emotrace.analysis import Analysis
from emotrace.errors import FolderError
from emotrace.pipeline import prefetch
from emotrace.settings import Settings


def assert_same_tables(mine: Analysis, theirs: Analysis) -> None:
    """Every value of every table is the same, to the last bit."""
    for name in ("frames", "faces", "tracks", "people"):
        one, other = mine.table(name).combine_chunks(), theirs.table(name).combine_chunks()
        assert one.schema.equals(other.schema)
        for column in one.column_names:
            text = [repr(table[column].to_pylist()) for table in (one, other)]   # NaN is like NaN here
            assert text[0] == text[1], f"{name}.{column} differs"


class Stop:
    """Presses Ctrl-C when so many frames are done."""

    def __init__(self, frames: int) -> None:
        self.frames = frames

    def __call__(self, frames: int, time: float) -> None:
        if frames >= self.frames:
            raise KeyboardInterrupt


def test_ctrl_c_leaves_what_is_done_readable_and_going_on_gives_the_same_numbers(
    obama: Path, obama_analysis: Analysis, tmp_path: Path
) -> None:
    out = tmp_path / "out.emotrace"
    with pytest.raises(KeyboardInterrupt):
        emotrace.analyze(obama, out, progress=Stop(10), report=False)
    unfinished = emotrace.load(out)
    assert not unfinished.finished
    assert unfinished.people == ()
    with pytest.raises(FolderError, match="unfinished and does not say yet who is who; 'emotrace analyze' goes on"):
        unfinished.timeline("face.pose", "P1")
    assert 10 <= unfinished.table("frames").num_rows < 105
    whole = emotrace.analyze(obama, out, report=False)
    assert whole.finished
    assert not (out / "parts").exists()
    assert_same_tables(whole, obama_analysis)
    assert whole.provenance["counts"]["frames"] == 105


def test_going_on_is_the_same_with_cuts_a_variable_rate_and_fewer_frames(variable: Path, tmp_path: Path) -> None:
    settings = Settings(rate=12, start=0.3, end=2.9)
    whole = emotrace.analyze(variable, tmp_path / "whole.emotrace", settings=settings, report=False)
    with pytest.raises(KeyboardInterrupt):
        emotrace.analyze(variable, tmp_path / "parts.emotrace", settings=settings, progress=Stop(1), report=False)
    parts = emotrace.analyze(variable, tmp_path / "parts.emotrace", settings=settings, report=False)
    assert_same_tables(parts, whole)


def test_a_process_killed_at_once_is_gone_on_from(woman: Path, woman_analysis: Analysis, tmp_path: Path) -> None:
    out = tmp_path / "out.emotrace"
    command = [sys.executable, "-m", "emotrace", "analyze", str(woman), "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (out / "parts" / "state.json").exists() and time.monotonic() < deadline:
        assert process.poll() is None, "ended before it could be killed"
        os.sched_yield()
    process.kill()
    process.wait()
    assert emotrace.load(out).table("frames").num_rows >= 256
    whole = emotrace.analyze(woman, out)
    assert_same_tables(whole, woman_analysis)


@pytest.mark.parametrize("moment", ["analysis.json", "parts/state.json"])   # while libraries load, and amid the frames
def test_ctrl_c_on_the_command_line_says_that_it_goes_on(moment: str, woman: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.emotrace"
    command = [sys.executable, "-m", "emotrace", "analyze", str(woman), "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (out / moment).exists() and time.monotonic() < deadline:
        os.sched_yield()
    process.send_signal(signal.SIGINT)
    said, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error.count("\n") == 1
    assert "goes on from there" in error
    assert said == ""


def test_an_error_in_one_stage_reaches_the_caller_and_keeps_what_was_done(
    woman: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from emotrace import pipeline

    calls = []
    real = pipeline.measure

    def failing(*parts: object) -> object:
        calls.append(1)
        if len(calls) > 4:
            raise MemoryError("planted")
        return real(*parts)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "measure", failing)
    out = tmp_path / "out.emotrace"
    with pytest.raises(MemoryError, match="planted"):
        emotrace.analyze(woman, out, report=False)
    assert emotrace.load(out).table("frames").num_rows == 4 * 32


def test_items_drawn_ahead_come_in_order_and_errors_come_through() -> None:
    def items() -> object:
        yield from range(5)
        raise ValueError("planted")

    ready = prefetch(items())  # type: ignore[arg-type,var-annotated]
    assert [next(ready) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="planted"):
        next(ready)


def test_a_reader_that_stops_ends_the_thread() -> None:
    before = threading.active_count()
    ready = prefetch(iter(range(1000)))
    assert next(ready) == 0
    ready.close()
    assert threading.active_count() == before
