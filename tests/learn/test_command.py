"""Modules of the learning side that are run as commands say what is wrong in one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def said(module: str, *given: str, path: Path | None = None) -> tuple[int, str]:
    """Status and what is said of `python -m`; `path` is searched for libraries first."""
    places = [*([str(path)] if path else []), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))}
    done = subprocess.run(
        [sys.executable, "-m", f"emotrace.{module}", *given], capture_output=True, text=True, env=environment, check=False
    )
    return done.returncode, done.stderr.strip()


@pytest.mark.parametrize(
    ("module", "library"), [("recipes.paired_fusion", "sklearn"), ("recipes.expression_registration", "torch")]
)
def test_a_library_of_the_train_extra_that_is_missing_is_said_with_what_to_install(
    module: str, library: str, tmp_path: Path
) -> None:
    (tmp_path / f"{library}.py").write_text(f"raise ModuleNotFoundError('No module named {library}', name='{library}')")
    expected = f"emotrace: training needs {library}: pip install 'emotrace[train]'"
    assert said(module, "corpus", "run", path=tmp_path) == (2, expected)


def test_a_corpus_that_is_not_there_is_said_in_a_line() -> None:
    for module, given in (
        ("recipes.expression_framing", ["none.csv"]), ("learn.groups", ["face.expression", "--corpus", "fer2013=none.csv"]),
    ):  # fmt: skip
        status, line = said(module, *given)
        assert (status, line.count("\n"), line[:28]) == (2, 0, "emotrace: none.csv: no such ")
