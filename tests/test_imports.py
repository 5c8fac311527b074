"""Imports go the one way that docs/how-it-flows.md says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import emotrace

PACKAGE = Path(emotrace.__file__).parent
FLOW = (Path(__file__).parents[1] / "docs" / "how-it-flows.md").read_text(encoding="utf-8")
AGAINST = {("api", "report"), ("systems", "recipes"), ("systems", "corpora")}   # inside functions; the page says why


def steps() -> dict[str, int]:
    """Modules and packages in the order of the page: what has a lower number must not import what has a higher one."""
    (line,) = re.findall(r"Imports go one way: (.*?) \(", FLOW, re.DOTALL)
    return {name: step for step, group in enumerate(line.split("←")) for name in re.findall(r"\w+", group)}


def imports() -> Iterator[tuple[str, str]]:
    """Who imports whom, by module, or by package where there is one."""
    for file in sorted(PACKAGE.rglob("*.py")):
        own = file.relative_to(PACKAGE).with_suffix("").parts[0]
        for line in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(line, ast.ImportFrom) or not (line.module or "").startswith("emotrace"):
                continue
            _, *inner = str(line.module).split(".")
            yield from ((own, other) for other in (inner[:1] or [alias.name for alias in line.names]) if other != own)


def test_every_module_has_its_step() -> None:
    found = {file.stem for file in PACKAGE.iterdir() if file.suffix == ".py" or (file / "__init__.py").is_file()}
    assert {name for name in found if not name.startswith("__")} == set(steps())


def test_no_module_imports_one_of_a_later_step() -> None:
    step = steps()
    late = {(own, other) for own, other in imports() if own in step and other in step and step[other] > step[own]}
    assert late == AGAINST
