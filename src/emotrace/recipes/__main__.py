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
    parser.add_argument("--config", default="", metavar="NAME", help="another set of constants that the recipe's module names")
    given = parser.parse_args()
    try:
        run(given.name, given.corpus, given.folder, given.ship, given.config)
    except EmotraceError as error:
        print(f"emotrace: {error}", file=sys.stderr)
        sys.exit(2)


def run(name: str, corpus: Path, folder: Path, ship: Path | None, variant: str = "") -> None:
    """Fit a recipe, and ship it where asked.

    Args:
        name: of the recipe.
        corpus: what it learns from.
        folder: of the run.
        ship: ONNX file to write; None: none.
        variant: another set of constants that the recipe's module names; "" is its `Config()`.

    Raises:
        InputError: the recipe ships nothing, or has no such variant.
    """
    recipe = catalogue.module(name)
    if ship is not None and not hasattr(recipe, "ship"):
        raise InputError(f"recipe {name} ships nothing; leave out --ship, its weights lie in {folder / 'best'}")
    config = getattr(recipe, variant, None) if variant else recipe.Config()
    if not isinstance(config, recipe.Config):
        raise InputError(f"recipe {name} has no constants {variant!r}; see its module, or leave out --config")
    record.write(folder, name, config)
    progress = recipe.fit(corpus, folder, config)
    print(f"best epoch {progress.best_epoch}: {progress.best:.4f}; published: {recipe.PUBLISHED.score or 'none'}")
    if ship is not None:
        temperatures = recipe.ship(corpus, folder, ship, config)
        print(f"{ship}: temperatures {', '.join(f'{value:.3f}' for value in temperatures)}")


if __name__ == "__main__":
    main()
