"""What was computed of a clip is computed once, and anew when the clip is another."""

from pathlib import Path

import numpy as np
import pytest

from emotrace.errors import InputError
from emotrace.learn.arrays import Arrays
from emotrace.learn.clip_store import ClipStore


def counted(calls: list[int]) -> Arrays:
    calls.append(1)
    return {"frames": np.arange(6, dtype=np.float32).reshape(3, 2), "none": np.zeros((0, 7), np.float32)}


def test_the_same_content_is_computed_once_also_under_another_name(tmp_path: Path) -> None:
    store, calls = ClipStore(tmp_path / "run"), list[int]()
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(b"content")
        kept = store.of(tmp_path / name, "faces", lambda: counted(calls))
        assert kept["frames"].tolist() == [[0, 1], [2, 3], [4, 5]]
        assert kept["none"].shape == (0, 7)
    assert len(calls) == 1


def test_other_content_and_other_settings_are_computed_anew(tmp_path: Path) -> None:
    store, calls = ClipStore(tmp_path / "run"), list[int]()
    clip = tmp_path / "a.mp4"
    for content, what in ((b"one", "faces"), (b"two", "faces"), (b"two", "faces-96")):
        clip.write_bytes(content)
        store.of(clip, what, lambda: counted(calls))
    assert len(calls) == 3


def test_a_folder_of_pictures_is_told_by_what_lies_in_it(tmp_path: Path) -> None:
    store, calls = ClipStore(tmp_path / "run"), list[int]()
    folder = tmp_path / "000046280"
    folder.mkdir()
    for name in ("1.png", "2.png"):
        (folder / name).write_bytes(name.encode())
        store.of(folder, "faces", lambda: counted(calls))
    assert len(calls) == 2


def test_nothing_is_kept_of_what_fails(tmp_path: Path) -> None:
    store, clip = ClipStore(tmp_path / "run"), tmp_path / "a.mp4"
    clip.write_bytes(b"content")

    def fails() -> Arrays:
        raise ValueError("no face")

    with pytest.raises(ValueError, match="no face"):
        store.of(clip, "faces", fails)
    assert not list((tmp_path / "run").rglob("*"))


def test_what_is_damaged_is_said_by_name_and_computed_anew_once_it_is_deleted(tmp_path: Path) -> None:
    store, calls, clip = ClipStore(tmp_path / "run"), list[int](), tmp_path / "a.mp4"
    clip.write_bytes(b"content")
    store.of(clip, "faces", lambda: counted(calls))
    (file,) = (tmp_path / "run" / "faces").iterdir()
    for content in (b"", file.read_bytes()[:-40]):
        file.write_bytes(content)
        with pytest.raises(InputError, match=rf"{file.name}: not a whole \.npz .*; delete it, and the same training makes it"):
            store.of(clip, "faces", lambda: counted(calls))
    file.unlink()
    assert store.of(clip, "faces", lambda: counted(calls))["none"].shape == (0, 7)
    assert len(calls) == 2
