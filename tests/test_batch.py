"""Several files: every one has a folder of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from emotrace.batch import Job, jobs, run, unopened
from emotrace.errors import InputError, VideoError


def made(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return [folder / name for name in names]


def folders(work: list[Job], root: Path) -> list[str]:
    return [job.folder.relative_to(root).as_posix() for job in work]


def test_folders_are_named_by_files_and_lie_beside_them(tmp_path: Path) -> None:
    work = jobs(made(tmp_path, "a/clip.mp4", "b/clip.mp4"), None)
    assert folders(work, tmp_path) == ["a/clip.emotrace", "b/clip.emotrace"]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["clip.mp4", "clip.mov"], ["clip.mp4", "clip.mov"]),
        (["a/clip.mp4", "b/clip.mp4"], ["a-clip.mp4", "b-clip.mp4"]),
        (["x/a/clip.mp4", "y/a/clip.mp4"], ["1-a-clip.mp4", "2-a-clip.mp4"]),
        (["clip.mp4", "clip.mov", "clip.mp4.avi", "talk.mp4"], None),
        (["Clip.mp4", "clip.mov"], ["Clip.mp4", "clip.mov"]),   # one folder for the file systems of Windows and macOS
    ],
)
def test_no_two_files_share_a_folder(names: list[str], found: list[str] | None, tmp_path: Path) -> None:
    work = jobs(made(tmp_path, *names), tmp_path / "out")
    assert len(set(folders(work, tmp_path))) == len(names)
    if found is not None:
        assert folders(work, tmp_path) == [f"out/{name}.emotrace" for name in found]


def analysed(folder: Path, file: Path) -> None:
    """An analysis of a file that was begun."""
    folder.mkdir(parents=True)
    video = {"name": file.name, "path": str(file.resolve()), "relative": os.path.relpath(file, folder)}
    facts = {"schema": 1, "emotrace": "1", "created": "2026-01-01T00:00:00+00:00", "settings": {"components": []}}
    (folder / "analysis.json").write_text(json.dumps({**facts, "video": video}))


def test_a_file_keeps_the_folder_of_its_analysis_when_others_of_its_name_come(tmp_path: Path) -> None:
    first, *_ = made(tmp_path, "z.mpg", "z.wav")
    analysed(tmp_path / "z.emotrace", first)
    assert folders(jobs([tmp_path], None), tmp_path) == ["z.emotrace", "z.wav.emotrace"]
    assert folders(jobs([first], None), tmp_path) == ["z.emotrace"]


def test_a_file_keeps_its_folder_when_the_others_are_not_given(tmp_path: Path) -> None:
    first, second = made(tmp_path, "x.mkv", "x.mp4")
    analysed(tmp_path / "x.mkv.emotrace", first)
    assert folders(jobs([first], None), tmp_path) == ["x.mkv.emotrace"]
    assert folders(jobs([first, second], None), tmp_path) == ["x.mkv.emotrace", "x.emotrace"]


def test_a_file_given_alone_does_not_ask_for_the_folder_of_another_one(tmp_path: Path) -> None:
    first, second = made(tmp_path, "z.mpg", "z.wav")
    analysed(tmp_path / "z.emotrace", first)
    assert folders(jobs([second], None), tmp_path) == ["z.wav.emotrace"]
    first.rename(tmp_path / "renamed.mpg")
    assert folders(jobs([second], None), tmp_path) == ["z.emotrace"]   # the store says whether it is the same file


def test_what_macos_keeps_beside_files_is_no_file(tmp_path: Path) -> None:
    made(tmp_path, "clip.mp4", "._clip.mp4")
    assert [job.file.name for job in jobs([tmp_path], None)] == ["clip.mp4"]


def test_a_folder_that_cannot_be_read_is_one_line_and_stops_none_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0)
    if os.access(tmp_path / "locked", os.R_OK):
        pytest.skip("the user of this process may read everything")
    with pytest.raises(VideoError, match="cannot be read"):
        jobs([tmp_path / "locked"], None)
    work = jobs([*made(tmp_path, "a.mp4"), tmp_path / "locked"], None)
    assert [bool(job.error) for job in work] == [False, True]


def test_a_kept_folder_that_is_called_like_a_numbered_one_is_given_to_nobody_else(tmp_path: Path) -> None:
    files = made(tmp_path, "x/a/clip.mp4", "y/a/clip.mp4", "2-a-clip.mp4.mkv")
    analysed(tmp_path / "out" / "2-a-clip.mp4.emotrace", files[2])
    found = folders(jobs(files, tmp_path / "out"), tmp_path)
    assert found == [f"out/{number}-a-clip.mp4.emotrace" for number in (1, 5, 2)]


def test_a_file_is_analysed_once_however_it_is_spelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path, "in/g.mpg", "in/g.wav")
    monkeypatch.chdir(tmp_path / "in")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    spelled = [Path("g.mpg"), Path("../in/g.mpg"), tmp_path / "link" / "g.mpg"]
    assert [job.file for job in jobs(spelled, None)] == [Path("g.mpg")]
    assert [job.folder for job in jobs([Path("g.mpg"), Path("../in/g.wav")], None)] == [
        Path("g.mpg.emotrace"), Path("../in/g.wav.emotrace")
    ]  # fmt: skip


def test_a_working_directory_that_is_gone_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(InputError, match="working directory has been removed"):
        jobs([Path("g.mpg")], None)


def test_a_folder_without_videos_stops_none_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    work = jobs([*made(tmp_path, "a.mp4"), tmp_path / "empty"], None)
    outcomes = list(run(work, lambda job: job))  # type: ignore[arg-type, return-value]
    assert [outcome.analysis is not None for outcome in outcomes] == [True, False]
    assert "holds no video" in outcomes[1].error
    with pytest.raises(VideoError, match="holds no video"):
        jobs([tmp_path / "empty"], None)


def test_a_name_that_is_too_long_is_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    assert [job.file.name for job in jobs([tmp_path / ("x" * 300)], None)] == ["x" * 300]


def test_folders_inside_folders_are_opened_where_that_is_asked_for_and_else_told(tmp_path: Path) -> None:
    made(
        tmp_path, "all/a.mp4", "all/P02/day 1/b.mp4", "all/P01/b.mp4", "all/a.emotrace/thumbnails/P1.jpg", "all/.trash/c.mp4",
        "all/notes/d.txt",
    )  # fmt: skip
    (tmp_path / "all" / "P01" / "again").symlink_to(tmp_path / "all")
    assert [job.file.name for job in jobs([tmp_path / "all"], None)] == ["a.mp4"]
    assert [folder.name for folder in unopened([tmp_path / "all"])] == ["P01", "P02"]
    work = jobs([tmp_path / "all"], tmp_path / "out", recursive=True)
    assert [job.file.relative_to(tmp_path / "all").as_posix() for job in work] == ["a.mp4", "P01/b.mp4", "P02/day 1/b.mp4"]
    assert [job.folder.name for job in work] == ["a.emotrace", "P01-b.mp4.emotrace", "day 1-b.mp4.emotrace"]
    with pytest.raises(VideoError, match=r"--recursive: or in folders inside it"):
        jobs([tmp_path / "all" / "P02"], None)
