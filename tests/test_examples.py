"""The examples run, and the README shows them as they are."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def test_the_readme_shows_the_example_as_it_is() -> None:
    assert (PROJECT / "examples" / "smiles.py").read_text() in (PROJECT / "README.md").read_text()


def test_the_readme_says_what_the_example_needs_besides() -> None:
    before = (PROJECT / "README.md").read_text().split((PROJECT / "examples" / "smiles.py").read_text())[0]
    assert "`to_pandas` needs `pip install '.[pandas]'`" in before.splitlines()[-3]


def test_the_example_finds_when_she_smiles(woman: Path, tmp_path: Path) -> None:
    clip = Path(shutil.copyfile(woman, tmp_path / "clip.mp4"))
    done = subprocess.run(
        [sys.executable, str(PROJECT / "examples" / "smiles.py"), str(clip)], capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"P1: 19\.7 s, smiles most at 1[89]\.\d s\n", done.stdout)
