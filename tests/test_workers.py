"""Files side by side: the same numbers, and what ends one worker costs one file."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

import emotrace
from emotrace import workers
from emotrace.analysis import Analysis
from emotrace.batch import Job
from emotrace.errors import WeightsError
from emotrace.interrupt import Interrupt
from emotrace.progress import Reached, Tell, analyze
from emotrace.settings import Settings
from test_pipeline import assert_same_tables

SETTINGS = Settings(components=("face.quality", "face.pose"), end=0.5)

if sys.platform != "linux":
    pytest.skip("looks at processes as Linux shows them", allow_module_level=True)


def files(folder: Path, source: Path, names: str) -> list[Job]:
    jobs = [Job(folder / f"{name}.mp4", folder / f"{name}.emotrace") for name in names]
    for job in jobs:
        shutil.copyfile(source, job.file)
    return jobs


def nothing(job: Job, reached: Reached) -> None:
    """What shows how far files are."""


def test_files_side_by_side_give_the_same_bits_as_one_after_the_other(single_face: Path, tmp_path: Path) -> None:
    measure = partial(analyze, settings=SETTINGS, device="cpu", overwrite=False)
    told, found = set[str](), dict[int, dict[str, Analysis]]()

    def show(job: Job, reached: Reached) -> None:
        told.add(job.file.name)

    for count in (1, 2):
        folder = tmp_path / str(count)
        folder.mkdir()
        (folder / "d.mp4").write_text("not a video")
        jobs = [*files(folder, single_face, "abc"), Job(folder / "d.mp4", folder / "d.emotrace")]
        outcomes = list(workers.run(jobs, measure, count, show, Interrupt()))
        failed, = (outcome for outcome in outcomes if outcome.analysis is None)
        assert failed.error.startswith(f"{folder / 'd.mp4'}: is not a video")
        found[count] = {outcome.job.file.name: outcome.analysis for outcome in outcomes if outcome.analysis is not None}
    assert told == {"a.mp4", "b.mp4", "c.mp4", "d.mp4"}
    assert found[1].keys() == found[2].keys() == {"a.mp4", "b.mp4", "c.mp4"}
    for name, analysis in found[1].items():
        assert_same_tables(analysis, found[2][name])


def dies(job: Job, *, tell: Tell) -> Analysis:
    if job.file.name == "b.mp4":
        os.kill(os.getpid(), signal.SIGSEGV)
    return analyze(job, SETTINGS, "cpu", overwrite=False, tell=tell)


def test_a_worker_that_dies_costs_its_file_alone(single_face: Path, tmp_path: Path) -> None:
    outcomes = list(workers.run(files(tmp_path, single_face, "abcd"), dies, 2, nothing, Interrupt()))
    assert sorted(outcome.job.file.stem for outcome in outcomes if outcome.analysis is not None) == ["a", "c", "d"]
    failed, = (outcome for outcome in outcomes if outcome.analysis is None)
    died = "the process that analysed it has died (SIGSEGV); what was measured before is kept"
    assert failed.error == f"{tmp_path / 'b.mp4'}: {died}"


@pytest.mark.parametrize(("cores", "files"), [(1, 1), (3, 1), (6, 3), (64, 4)])
def test_one_file_is_analysed_for_every_two_cores(cores: int, files: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(cores)))
    assert workers.how_many(None) == files
    assert workers.how_many(7) == 7


def without_weights(job: Job, *, tell: Tell) -> Analysis:
    raise WeightsError("pip could not download")


def test_weights_that_cannot_be_fetched_end_all(single_face: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="pip could not download"):
        list(workers.run(files(tmp_path, single_face, "abc"), without_weights, 2, nothing, Interrupt()))


@contextmanager
def under_way(folder: Path, source: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """`emotrace analyze` with two workers, one of which has kept something, and the numbers of their processes."""
    files(folder, source, "ab")
    command = [sys.executable, "-m", "emotrace", "analyze", str(folder), "--jobs", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        until(lambda: any(folder.glob("*.emotrace/parts/state.json")))
        yield process, [number for number in running() if parent_of(number) == process.pid]
    finally:
        process.kill()
        process.communicate()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline
        os.sched_yield()


def running() -> list[int]:
    """Numbers of the workers that run, whoever began them."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if b"spawn_main" in (place / "cmdline").read_bytes():   # empty where it has ended
                found.append(int(place.name))
    return found


def parent_of(number: int) -> int:
    return int(Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.parametrize("everybody", [False, True])   # as `kill -INT` does, and as a terminal does
def test_ctrl_c_ends_all_workers_and_keeps_what_they_have(everybody: bool, woman: Path, tmp_path: Path) -> None:
    with under_way(tmp_path, woman) as (process, numbers):
        assert len(numbers) == 2
        (os.killpg if everybody else os.kill)(process.pid, signal.SIGINT)
        said, error = process.communicate(timeout=120)
        assert (process.returncode, said) == (130, "")
        assert error == "emotrace: interrupted; what was measured is kept, the same command goes on from there\n"
        assert not set(numbers) & set(running())
    for name in "ab":
        kept = emotrace.load(tmp_path / f"{name}.emotrace")
        assert not kept.finished
        assert kept.table("frames").num_rows > 0


def test_workers_end_by_themselves_when_whoever_began_them_is_killed(woman: Path, tmp_path: Path) -> None:
    with under_way(tmp_path, woman) as (process, numbers):
        process.kill()
        until(lambda: not set(numbers) & set(running()))
    assert not any(emotrace.load(tmp_path / f"{name}.emotrace").finished for name in "ab")
