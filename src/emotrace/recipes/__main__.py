"""`python -m emotrace.recipes NAME CORPUS FOLDER`: run a recipe, or go on with the run that lies in FOLDER.

With `--ship FILE` the best weights of the run are calibrated and written as ONNX (recipes that ship something have it).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from emotrace.errors import EmotraceError, InputError
from emotrace.recipes import catalogue, record


def main() -> None:
    """Parse, run, and say an error made on purpose in one line with status 2."""
    parser = argparse.ArgumentParser(prog="python -m emotrace.recipes", description="Run a recipe, or go on with it.")
    parser.add_argument("name", help=", ".join(catalogue.RECIPES))
    parser.add_argument("corpus", type=Path, help="file or folder of the corpus")
    parser.add_argument("folder", type=Path, help="of the run")
    parser.add_argument("--ship", type=Path, metavar="FILE", help="write the best weights as ONNX, when fitted")
    given = parser.parse_args()
    try:
        run(given.name, given.corpus, given.folder, given.ship)
    except EmotraceError as error:
        print(f"emotrace: {error}", file=sys.stderr)
        sys.exit(2)


def run(name: str, corpus: Path, folder: Path, ship: Path | None) -> None:
    """Fit a recipe, and ship it where asked.

    Raises:
        InputError: the recipe ships nothing.
    """
    recipe = catalogue.module(name)
    if ship is not None and not hasattr(recipe, "ship"):
        raise InputError(f"recipe {name} ships nothing; leave out --ship, its weights lie in {folder / 'best'}")
    config = recipe.Config()
    record.write(folder, name, config)
    progress = recipe.fit(corpus, folder, config)
    print(f"best epoch {progress.best_epoch}: {progress.best:.4f}; published: {recipe.PUBLISHED.score or 'none'}")
    if ship is not None:
        temperatures = recipe.ship(corpus, folder, ship)
        print(f"{ship}: temperatures {', '.join(f'{value:.3f}' for value in temperatures)}")


if __name__ == "__main__":
    main()
