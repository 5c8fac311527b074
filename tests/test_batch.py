"""Several files: every one has a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from emotrace.batch import Job, jobs, run
from emotrace.errors import VideoError


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
    ],
)
def test_no_two_files_share_a_folder(names: list[str], found: list[str] | None, tmp_path: Path) -> None:
    work = jobs(made(tmp_path, *names), tmp_path / "out")
    assert len(set(folders(work, tmp_path))) == len(names)
    if found is not None:
        assert folders(work, tmp_path) == [f"out/{name}.emotrace" for name in found]


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
