"""`python -m emotrace.recipes NAME CORPUS FOLDER`: run a recipe, or go on with the run that lies in FOLDER.

With `--ship FILE` the best weights of the run are calibrated and written as ONNX (recipes that ship something have it).
"""

from __future__ import annotations

import argparse
import errno
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from emotrace.corpora import catalogue as corpora
from emotrace.corpora.paired import unshown
from emotrace.corpora.table import Faces
from emotrace.ending import in_one_line
from emotrace.errors import FolderError, InputError
from emotrace.learn import pages
from emotrace.learn.shipped import name_and_path
from emotrace.recipes import catalogue, constants, record
from emotrace.store import NO_LOCKS

INTERRUPTED = "interrupted; what was learnt is kept, the same command goes on from there"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # of the disk, of what a user may have of it, of one file


def main() -> None:
    """Parse, run, and say an error made on purpose in one line with status 2."""
    parser = argparse.ArgumentParser(prog="python -m emotrace.recipes", description="Run a recipe, or go on with it.")
    parser.add_argument("name", help=", ".join(catalogue.RECIPES))
    parser.add_argument("corpus", type=Path, help="file or folder of the corpus")
    parser.add_argument("folder", type=Path, help="of the run")
    parser.add_argument("--ship", type=Path, metavar="FILE", help="write the best weights as ONNX, when fitted")
    parser.add_argument("--stills", action="append", default=[], metavar="NAME=PATH", help="pictures that it learns from, too")
    parser.add_argument("--config", default="", metavar="NAME", help="another set of constants that the recipe's module names")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="another value of a constant")
    given = parser.parse_args()
    with in_one_line(INTERRUPTED):
        run(given.name, given.corpus, given.folder, given.ship, given.config, given.stills, given.set)


def run(
    name: str, corpus: Path, folder: Path, ship: Path | None = None, variant: str = "", stills: Sequence[str] = (),
    changes: Sequence[str] = (),
) -> None:  # fmt: skip
    """Fit a recipe, and ship it where asked.

    Args:
        name: of the recipe.
        corpus: what it learns from.
        folder: of the run.
        ship: ONNX file to write; None: none.
        variant: another set of constants that the recipe's module names; "" is its `Config()`.
        stills: corpora of pictures as "NAME=PATH", of a recipe that learns from them beside its clips.
        changes: other values of constants, as "plan.epochs=3".

    Raises:
        InputError: the recipe ships nothing, has no such variant or constant, or takes no stills.
        FolderError: another training writes into the folder, it cannot be written, or the disk is full.
    """
    recipe = catalogue.module(name)
    if ship is not None and not hasattr(recipe, "ship"):
        raise InputError(f"recipe {name} ships nothing; leave out --ship, its weights lie in {folder / 'best'}")
    config = constants.chosen(recipe, name, variant, changes)
    takes = bool(catalogue.RECIPES[name].stills)
    if stills and not takes:
        raise InputError(f"recipe {name} learns from its corpus alone; leave out --stills {stills[0]}")
    beside = {"stills": [pictures(given, corpus) for given in stills]} if takes else {}
    pages.keep()
    with writing(folder):
        record.write(folder, name, config)
        result = recipe.fit(corpus, folder, config, **beside)
    print(f"{result.summary}; published: {recipe.PUBLISHED.score or 'none'}")
    if ship is not None:
        temperatures = recipe.ship(corpus, folder, ship, config)
        print(f"{ship}: temperatures {', '.join(f'{value:.3f}' for value in temperatures)}")


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """A block that writes into the folder of a run, which no other process does meanwhile, where the file system can tell.

    Raises:
        FolderError: another one does, the folder cannot be written, or the disk is full.
    """
    from safetensors import SafetensorError

    lock = FileLock(folder / record.LOCK, timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise FolderError(f"{folder}: another training is writing there; wait for it, or use another folder") from None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise FolderError(f"{folder}: cannot be written ({error.strerror}); use another folder") from error
    try:
        yield
    except (OSError, SafetensorError) as error:
        said = re.search(r"os error (\d+)", str(error))  # safetensors say it in words alone
        number = error.errno if isinstance(error, OSError) else int(said[1]) if said else None
        if number not in FULL:
            raise
        raise FolderError(f"{folder}: {os.strerror(number)}; make room, and the same command goes on from there") from error
    finally:
        lock.release()


def pictures(given: str, corpus: Path) -> Faces:
    """The corpus of pictures of "NAME=PATH", without those that a constructed corpus of clips shows.

    Raises:
        InputError: it is not of that form, or the path has another layout.
        UnknownNameError: there is no such corpus.
    """
    return unshown(corpora.read(*name_and_path(given, "fer2013=fer2013.csv", "--stills")), corpus)


if __name__ == "__main__":
    main()
