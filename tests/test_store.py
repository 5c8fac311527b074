"""The folder of an analysis: nothing of somebody else's is touched, and only one writes."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from filelock import FileLock

from emotrace import parquet
from emotrace.errors import FolderError, UnknownNameError
from emotrace.store import Store

FACTS = {
    "schema": 2, "emotrace": "1", "created": "2026-01-01T00:00:00+00:00", "weights": {},
    "video": {"fingerprint": "f", "name": "clip.mp4"}, "settings": {"components": [], "rate": None},
}  # fmt: skip


def test_a_folder_with_somebody_elses_analysis_json_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "analysis.json").write_text('{"tool": "SPSS"}')
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FolderError, match="no output folder of emotrace"):
        Store(tmp_path, FACTS, overwrite=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_damaged_analysis_is_replaced_on_request_only(tmp_path: Path) -> None:
    Store(tmp_path / "out", FACTS).__exit__()
    (tmp_path / "out" / "analysis.json").write_text(json.dumps({**FACTS, "video": None}))
    with pytest.raises(FolderError, match=r"damaged.*--overwrite"):
        Store(tmp_path / "out", FACTS)
    with Store(tmp_path / "out", FACTS, overwrite=True) as store:
        assert store.state() is None


def test_a_folder_that_holds_the_video_itself_is_not_replaced(tmp_path: Path) -> None:
    Store(tmp_path / "out", FACTS).__exit__()
    video = tmp_path / "out" / "clips" / "clip.mp4"
    video.parent.mkdir()
    video.write_bytes(b"x")
    with pytest.raises(FolderError, match="holds the video itself"):
        Store(tmp_path / "out", {**FACTS, "video": {**FACTS["video"], "path": str(video)}}, overwrite=True)
    assert video.is_file()


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    def full(file: Path) -> None:
        raise OSError(28, "No space left on device")

    with Store(tmp_path / "out", FACTS) as store:
        with pytest.raises(FolderError, match="is the disk full"):
            store._write(tmp_path / "out" / "faces.parquet", full)
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["analysis.json", "parts"]


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "disk full"), (errno.EACCES, "open in another program"), (errno.EROFS, "read-only")]
)
def test_what_cannot_be_written_is_said_with_what_may_be_the_matter(number: int, words: str, tmp_path: Path) -> None:
    def refused(file: Path) -> None:
        raise OSError(number, os.strerror(number))

    with Store(tmp_path / "out", FACTS) as store, pytest.raises(FolderError, match=words):
        store._write(tmp_path / "out" / "table", refused)


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_who_may_read_what_is_written_is_what_the_umask_says(mask: int, mode: int, tmp_path: Path) -> None:
    table = pa.table({"time": [0.0]})
    before = os.umask(mask)
    try:
        with Store(tmp_path / "out", FACTS) as store:
            store.add(0, {"frames": table}, {})
            store.write_table("frames", table.schema, store.read("frames"))
            store.write_bytes("thumbnails/P1.jpg", b"x")
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert set(modes) > {"analysis.json", "frames.parquet", "frames-000000.parquet", "P1.jpg"}
    assert {modes[name] for name in modes if name != "lock"} == {mode}


def test_a_first_write_that_fails_does_not_block_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Store, name: str, content: object) -> None:
        raise FolderError("full")

    with monkeypatch.context() as broken:
        broken.setattr(Store, "write_json", full)
        with pytest.raises(FolderError, match="full"):
            Store(tmp_path / "out", FACTS)
    with Store(tmp_path / "out", FACTS) as store:
        assert not store.finished


def test_two_processes_do_not_write_into_one_folder(tmp_path: Path) -> None:
    code = f"from emotrace.store import Store; from pathlib import Path; Store(Path({str(tmp_path / 'out')!r}), {FACTS!r})"
    with Store(tmp_path / "out", FACTS) as store:
        for overwrite in ("", ", overwrite=True"):
            other = subprocess.run(
                [sys.executable, "-c", code[:-1] + overwrite + ")"], capture_output=True, text=True, check=False
            )
            assert "another emotrace is writing there" in other.stderr
        store.finish(FACTS)
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_somebody_elses_folder_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "screw.stl").touch()
    with pytest.raises(FolderError, match="no output folder"):
        Store(tmp_path, FACTS)
    assert [path.name for path in (tmp_path / "parts").iterdir()] == ["screw.stl"]


def test_a_file_system_without_locks_is_written_to_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(FileLock, "acquire", none)
    with Store(tmp_path / "out", FACTS) as store:
        store.finish(FACTS)
    assert Store(tmp_path / "out", FACTS).finished


def test_a_killed_process_keeps_nobody_out(tmp_path: Path) -> None:
    code = f"from emotrace.store import Store; from pathlib import Path; s = Store(Path({str(tmp_path / 'out')!r}), {FACTS!r})"
    subprocess.run([sys.executable, "-c", f"{code}; import os; os.kill(os.getpid(), 9)"], check=False)
    with Store(tmp_path / "out", FACTS) as store:
        assert not store.finished


def test_a_damaged_part_is_said_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "faces.parquet"
    parquet.write(file, pa.table({"frame": [1, 2]}))
    assert parquet.names(file) == ["frame"]
    with pytest.raises(UnknownNameError, match=r"no column in faces\.parquet 'tiem'; there are: frame"):
        parquet.read(file, ["tiem"])
    file.write_bytes(file.read_bytes()[:20])
    for read in (parquet.read, parquet.names):
        with pytest.raises(FolderError, match=r"faces\.parquet: cannot be read .*--overwrite"):
            read(file)
    with pytest.raises(FolderError, match="cannot be read"):
        parquet.read(tmp_path / "none.parquet")
