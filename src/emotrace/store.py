"""The output folder while it is being written.

Everything is written a part at a time, to a temporary name first; `parts/state.json` is replaced last and says how many parts
count. So whatever is interrupted, what lies in the folder is whole, readable, and can be gone on from.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from emotrace import parquet
from emotrace.errors import FolderError
from emotrace.provenance import fault

if TYPE_CHECKING:
    import pyarrow as pa

PARTS = "parts"
SOUND_TABLES = ("sound", "voice")   # their parts are counted on their own, since sound is heard after the pictures are seen
SYSTEM_TABLES = ("systems",)        # and those of what trained systems say, since they are asked last
NOT_OURS = "exists and is no output folder of emotrace, or a damaged one; give another --out, or remove it"
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)   # of file systems that have none, as some of networks
SAME_ANALYSIS = ("schema", "emotrace", "weights")   # and the video's fingerprint and the settings but for `systems`


class Store:
    """The folder of one analysis.

    Args:
        folder: where; made if it is not there.
        provenance: what goes into analysis.json from the beginning.
        overwrite: replace a folder that holds something else instead of refusing.

    Raises:
        FolderError: the folder cannot be written, or holds the analysis of another file or of other settings.
    """

    def __init__(self, folder: Path, provenance: dict[str, Any], overwrite: bool = False) -> None:
        self.folder = folder
        self.provenance = provenance
        self.parts = folder / PARTS
        self.lock: FileLock | None = None
        before = _read_json(folder / "analysis.json")
        if before is not None and not _is_ours(before):
            raise FolderError(f"{folder}: {NOT_OURS}")
        difference = _difference(before, provenance) if before is not None else None
        if difference is not None and not overwrite:
            raise FolderError(f"{folder}: {difference}; give another --out, or --overwrite to replace it")
        self.finished = before is not None and difference is None and bool(before.get("finished")) and not overwrite
        self.before = before or {}
        if before is not None and self.parts.is_dir():
            self.claim()   # also before it is replaced
        if before is None or difference is not None or overwrite:
            self._start_anew(before)
        if not self.finished:
            self.claim()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *error: object) -> None:
        self._release()

    def claim(self) -> None:
        """Keep other processes from writing into the folder until the store is left; where the file system can.

        Raises:
            FolderError: another one writes there, or the folder cannot be written.
        """
        if self.lock is not None:
            return
        lock = FileLock(self.parts / "lock", timeout=0)
        try:
            self.parts.mkdir(exist_ok=True)
            lock.acquire()
        except Timeout:
            raise FolderError(f"{self.folder}: another emotrace is writing there; wait for it, or give another --out") from None
        except OSError as error:
            if error.errno in NO_LOCKS:
                return
            raise FolderError(f"{self.folder}: cannot be written ({error.strerror or error}); give another --out") from error
        self.lock = lock

    def _release(self) -> None:
        if self.lock is not None:
            self.lock.release()
            self.lock = None

    def _start_anew(self, before: dict[str, Any] | None) -> None:
        if before is None and self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise FolderError(f"{self.folder}: {NOT_OURS}")
        if before is not None and self.folder.resolve() in Path(self.provenance["video"].get("path", "")).parents:
            raise FolderError(f"{self.folder}: holds the video itself, which would be removed with it; move it out of there")
        try:
            if before is not None:
                self._release()
                shutil.rmtree(self.folder)
            self.parts.mkdir(parents=True)
        except OSError as error:
            raise FolderError(f"{self.folder}: cannot be written ({error.strerror or error}); give another --out") from error
        try:
            self.write_json("analysis.json", {**self.provenance, "finished": False})
        except FolderError:
            self.parts.rmdir()   # or the folder would be nobody's, and refused the next time
            raise

    def state(self) -> dict[str, Any] | None:
        """The state saved with the last whole part of the pictures; None where there is none."""
        return _read_json(self.parts / "state.json")

    def heard(self) -> dict[str, Any]:
        """The same of the sound; `parts` is 0 where there is none."""
        return _read_json(self.parts / "heard.json") or {"parts": 0}

    def asked(self) -> dict[str, Any]:
        """The same of what trained systems say."""
        return _read_json(self.parts / "asked.json") or {"parts": 0}

    def add(self, part: int, tables: Mapping[str, pa.Table], state: dict[str, Any]) -> None:
        """Write one part of each table of the pictures, then the state that says so.

        Raises:
            FolderError: the disk is full or the folder cannot be written.
        """
        self._add(part, tables, state, "state.json")

    def add_heard(self, part: int, tables: Mapping[str, pa.Table], state: dict[str, Any]) -> None:
        """The same of the sound.

        Raises:
            FolderError: the disk is full or the folder cannot be written.
        """
        self._add(part, tables, state, "heard.json")

    def add_asked(self, part: int, tables: Mapping[str, pa.Table], state: dict[str, Any]) -> None:
        """The same of what trained systems say.

        Raises:
            FolderError: the disk is full or the folder cannot be written.
        """
        self._add(part, tables, state, "asked.json")

    def _add(self, part: int, tables: Mapping[str, pa.Table], state: dict[str, Any], file: str) -> None:
        for name, table in tables.items():
            self._write(self.parts / f"{name}-{part:06d}.parquet", partial(parquet.write, table=table))
        self.write_json(f"{PARTS}/{file}", {**state, "parts": part + 1})

    def read(self, name: str, only: list[str] | None = None) -> Iterator[pa.Table]:
        """The parts of a table in order."""
        state = self.asked() if name in SYSTEM_TABLES else self.heard() if name in SOUND_TABLES else self.state() or {}
        for part in range(state.get("parts", 0)):
            yield parquet.read(self.parts / f"{name}-{part:06d}.parquet", only)

    def write_table(self, name: str, schema: pa.Schema, parts: Iterator[pa.Table]) -> None:
        """Write a whole table from its parts, one row group a part, with bounded memory."""
        import pyarrow.parquet as pq

        def write(file: Path) -> None:
            with parquet.opened(file, "wb") as stream, pq.ParquetWriter(stream, schema, compression="zstd") as writer:
                for part in parts:
                    writer.write_table(part.select(schema.names).cast(schema))

        self._write(self.folder / f"{name}.parquet", write)

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Write a JSON file of the folder."""
        text = json.dumps(content, indent=1, allow_nan=False)
        self._write(self.folder / name, lambda file: file.write_text(text, encoding="utf-8"))

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write any other file of the folder."""
        (self.folder / name).parent.mkdir(exist_ok=True)
        self._write(self.folder / name, lambda file: file.write_bytes(content))

    def finish(self, provenance: dict[str, Any]) -> None:
        """Mark the analysis as whole and remove its parts."""
        self.write_json("analysis.json", {**provenance, "finished": True})
        self._release()
        shutil.rmtree(self.parts, ignore_errors=True)
        self.finished = True

    def _write(self, target: Path, write: Callable[[Path], object]) -> None:
        try:
            draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")   # made by `write`, as the umask says
            try:
                write(draft)
                with draft.open("rb+") as stream:
                    os.fsync(stream.fileno())   # or its name could outlive its content when the power fails
                draft.replace(target)
            finally:
                draft.unlink(missing_ok=True)
        except OSError as error:
            raise FolderError(f"{target}: cannot be written ({error.strerror or error}); {_hint(error)}") from error


def _hint(error: OSError) -> str:
    """What may be the matter."""
    if error.errno == errno.ENOENT:
        return "has somebody removed the folder, or does another emotrace write there?"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):   # Windows replaces no file that is open
        return "is it read-only, or open in another program?"
    return "is the disk full?"


def _is_ours(provenance: dict[str, Any]) -> bool:
    """True for what emotrace has written into analysis.json."""
    return isinstance(provenance.get("emotrace"), str) and isinstance(provenance.get("schema"), int)


def _read_json(file: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise FolderError(f"{file}: cannot be read ({error}); give another --out, or remove the folder") from error
    if not isinstance(content, dict):
        raise FolderError(f"{file}: is not one of emotrace's; give another --out")
    return content


def _difference(before: dict[str, Any], now: dict[str, Any]) -> str | None:
    """In words, what makes two analyses different; None where one may go on from the other, or be asked more systems."""
    if what := fault(before):
        return f"holds an analysis that is damaged ({what})"
    if before["video"].get("fingerprint") != now["video"]["fingerprint"]:
        return f"holds the analysis of another file ({before['video'].get('name')})"
    old, new = before["settings"], now["settings"]
    for key, value in new.items():
        if key != "systems" and old.get(key) != value:
            return f"holds an analysis with other settings ({key} {old.get(key)}, now {value})"
    for key in SAME_ANALYSIS:
        if before.get(key) != now[key]:
            return f"holds an analysis of another version ({key} differ{'' if key.endswith('s') else 's'})"
    return None

