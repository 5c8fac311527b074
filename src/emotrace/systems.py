"""Systems: trained systems of clips, asked about the pieces of a video when the rest of its analysis is done.

    FOLDER of 'emotrace train' ─opened()─▶ System ─────────────────────────────┐
    frames.parquet ─pieces─▶ a few small files at a time ─cut─▶ Clips ─predict─┴▶ parts ─▶ systems.parquet

Only this module loads recipes in an analysis, and with them torch, and only where a folder is given. Pieces are done a batch
at a time, so an hour needs no more room than a minute, and an interrupted analysis goes on at a batch.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from emotrace import columns, parquet
from emotrace.errors import InputError
from emotrace.fuse import named
from emotrace.pieces import Piece, cut, pieces
from emotrace.scheme import EXPRESSION_7, SYSTEM
from emotrace.store import Store
from emotrace.video import Video

if TYPE_CHECKING:
    import pyarrow as pa

TABLE: columns.TableName = "systems"
CACHE = "clips"                        # what a run keeps of the clips it learnt from; not needed to predict
FITTED = (".npz", ".safetensors", ".onnx", ".json")
RECORDS = ("scores.json", "seconds.json")   # say how it went, not what was fitted
UNDER_WAY = "last"                     # folder from which training goes on; what it led to lies beside it
BATCH_PIECES, BATCH_BYTES = 16, 2e9    # of a batch: pieces, and bytes of its pictures, which take a third of that on disk
NOTHING_TO_ASK = "the systems of --with say nothing: there is no stretch of half a second of pictures to show them"


@dataclass(frozen=True, slots=True)
class System:
    """A trained system of clips.

    Args:
        name: of its folder; the whole path where two folders share a name.
        folder: of the run.
        recipe: that trained it.
        version: of emotrace that trained it.
        module: of the recipe, with `predict`.
        config: the recipe's constants as they were.
        files: path in the folder -> sha256 of everything that was fitted, and of recipe.json.
    """

    name: str
    folder: Path
    recipe: str
    version: str
    module: ModuleType
    config: Any
    files: dict[str, str]

    def facts(self) -> dict[str, Any]:
        """What analysis.json says of it; two systems of which the same is said are the same."""
        return {"system": self.name, "recipe": self.recipe, "version": self.version, "files": self.files}


def opened(folders: Iterable[str | Path]) -> list[System]:
    """The systems in folders, each once.

    Raises:
        InputError: a folder holds no run, an unfinished or damaged one, or one of a recipe that names no expressions in clips.
        UnknownNameError: it holds a run of a recipe that does not exist.
        MissingExtraError: torch is not installed.
    """
    found = list(dict.fromkeys(Path(folder).resolve() for folder in folders))
    names = [folder.name for folder in found]
    return [_opened(folder, name if names.count(name) == 1 else str(folder)) for folder, name in zip(found, names, strict=True)]


@dataclass(frozen=True, slots=True)
class Held:
    """The systems that a finished analysis was asked.

    Args:
        facts: folder of a run -> what analysis.json says of the system, in the order of the table.
        settings: of the analysis.
    """

    facts: dict[str, dict[str, Any]]
    settings: dict[str, Any]

    @classmethod
    def of(cls, provenance: dict[str, Any]) -> Held:
        """From analysis.json."""
        settings = provenance["settings"]
        return cls(dict(zip(dict.fromkeys(settings["systems"]), provenance["systems"], strict=True)), settings)

    def unasked(self, systems: Iterable[System]) -> list[System]:
        """Those that are not held, or were trained anew since, as they are named in the table."""
        named = [replace(system, name=self._name(system)) for system in systems]
        return [system for system in named if self.facts.get(str(system.folder)) != system.facts()]

    def _name(self, system: System) -> str:
        """The name it had; a new one's own, or its whole path where another folder's system has that name."""
        folder = str(system.folder)
        if folder in self.facts:
            return str(self.facts[folder]["system"])
        return folder if system.name in self.names([]) else system.name

    def provenance(self, more: Iterable[System]) -> dict[str, Any]:
        """What analysis.json says when more have been asked."""
        facts = self.facts | {str(system.folder): system.facts() for system in more}
        return {"systems": list(facts.values()), "settings": {**self.settings, "systems": list(facts)}}

    def names(self, more: Iterable[System]) -> list[str]:
        """The systems in the order of the table."""
        return [facts["system"] for facts in self.provenance(more)["systems"]]


NONE_HELD = Held({}, {})


def _opened(folder: Path, name: str) -> System:
    from emotrace.recipes import record

    module, config = record.read(folder)
    said = json.loads((folder / record.FILE).read_text(encoding="utf-8"))
    if not hasattr(module, "predict"):
        raise InputError(f"{folder}: {said['recipe']} names no expressions in clips; --with takes a run of a recipe that does")
    record.finished(folder)
    module.check(folder, config)
    files = {file.relative_to(folder).as_posix(): _sha256(file) for file in _kept(folder) if _fitted(file)}
    return System(name, folder, said["recipe"], str(said.get("version", "")), module, config, files)


def _kept(folder: Path) -> list[Path]:
    """All files of a run but what it keeps of the clips it learnt from."""
    entries = (entry for entry in folder.iterdir() if entry.name != CACHE)
    return sorted(file for entry in entries for file in (entry, *entry.rglob("*")) if file.is_file())


def _fitted(file: Path) -> bool:
    return file.suffix in FITTED and file.name not in RECORDS and file.parent.name != UNDER_WAY


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def ask(
    systems: Sequence[System], video: Video, store: Store, step: Callable[[str], None], held: Held = NONE_HELD
) -> list[str]:
    """Write the table `systems`: what each system says of each piece of a video whose other tables are there.

    Args:
        systems: none gives a table without rows.
        video: the file.
        store: with frames.parquet; batches that it holds from before are not done again.
        step: told in a line how far it is, before each system is asked and after each batch.
        held: systems whose rows in the table are kept, if they are not among those to be asked.

    Returns:
        Warnings.

    Raises:
        InputError: what lies in a system's folder is not whole.
        FolderError: the disk is full.
    """
    found = _pieces(store) if systems and not video.is_image else []
    batches = list(_batches(found, video))
    asked = {"systems": [system.facts() for system in systems]}
    before = store.asked()
    done = before["parts"] if before.get("systems") == asked["systems"] else 0
    left = [piece for batch in batches[done:] for piece in batch]
    store.parts.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=store.parts) as room:
        films = cut(video, left, Path(room), store.provenance["settings"]["start"])
        for number, batch in enumerate(batches[done:], done):
            step(f"pieces of batch {number + 1}/{len(batches)}")
            files = list(islice(films, len(batch)))
            parts = [_answers(system, batch, files, video, step) for system in systems]
            store.add_asked(number, {TABLE: parquet.joined(_schema(), parts)}, asked)
            step(f"batch {number + 1}/{len(batches)} done")
            for file in files:
                file.unlink()
    kept = _kept_rows(store, set(held.names([])) - {system.name for system in systems})
    rows = [*kept, *(store.read(TABLE) if batches else [])]
    store.write_table(TABLE, _schema(), iter([_in_order(held.names(systems), rows)]))
    return [NOTHING_TO_ASK] if systems and not found else []


def _schema() -> pa.Schema:
    return columns.schema(columns.SYSTEMS)


def _pieces(store: Store) -> list[Piece]:
    frames = parquet.read(store.folder / "frames.parquet", ["frame", "time", "shot"])
    return pieces(*(frames[name].to_numpy() for name in ("frame", "time", "shot")))


def _batches(found: Iterable[Piece], video: Video) -> Iterator[list[Piece]]:
    batch: list[Piece] = []
    for piece in found:
        frames = sum(item.frames for item in batch) + piece.frames
        if batch and (len(batch) == BATCH_PIECES or frames * video.width * video.height * 3 > BATCH_BYTES):
            yield batch
            batch = []
        batch.append(piece)
    if batch:
        yield batch


def _answers(
    system: System, batch: list[Piece], files: list[Path], video: Video, step: Callable[[str], None]
) -> pa.Table:
    """Rows of the table: what one system says of a batch of pieces."""
    import pyarrow as pa

    from emotrace.corpora.clips import Clips

    step(f"{system.name}: {batch[0].start:.0f} to {batch[-1].end:.0f} s")
    n, unknown = len(batch), np.full(len(batch), "")
    origin = np.array([f"{video.path.name} {piece.start:.3f}" for piece in batch])
    clips = Clips("analyze", files, np.full(n, -1, np.int64), unknown, unknown, origin, [None] * n)
    with tempfile.TemporaryDirectory(dir=files[0].parent) as room:
        said = system.module.predict(clips, _mirrored(system.folder, Path(room)), system.config, lambda line: None)
    values = np.asarray(said, np.float32)
    if values.shape != (n, len(EXPRESSION_7)):
        raise InputError(f"{system.folder}: gave {values.shape}, expected {(n, len(EXPRESSION_7))}; train it anew")
    found: dict[str, object] = {
        "system": [system.name] * n, "recipe": [system.recipe] * n,
        "start": [piece.start for piece in batch], "end": [piece.end for piece in batch],
        **dict(zip(SYSTEM.columns, values.T, strict=True)), "expression": named(values, SYSTEM.labels),
    }  # fmt: skip
    return pa.table([pa.array(found[field.name], field.type) for field in _schema()], schema=_schema())


def _mirrored(folder: Path, room: Path) -> Path:
    """A folder of links to a run's files: what a recipe keeps of the pieces is not to grow the run, which may be read-only."""
    for file in _kept(folder):
        link = room / file.relative_to(folder)
        link.parent.mkdir(parents=True, exist_ok=True)
        try:
            link.symlink_to(file)
        except OSError:   # Windows lets only some users make links
            shutil.copyfile(file, link)
    return room


def _kept_rows(store: Store, names: set[str]) -> list[pa.Table]:
    """The rows of the table as it is that some systems gave."""
    if not names:
        return []
    table = parquet.read(store.folder / f"{TABLE}.parquet")
    return [table.filter([name in names for name in table["system"].to_pylist()])]


def _in_order(names: Sequence[str], parts: Iterable[pa.Table]) -> pa.Table:
    """All rows, one system after the other as they were given, each in order of time."""
    import pyarrow as pa

    whole = parquet.joined(_schema(), parts)
    place = {name: i for i, name in enumerate(names)}
    number = np.array([place[name] for name in whole["system"].to_pylist()], np.int64)
    return whole.take(pa.array(np.lexsort((whole["start"].to_numpy(), number))))
