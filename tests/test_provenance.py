"""What of analysis.json is not as it should be is found before anything counts with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import emotrace
from emotrace.analysis import Analysis
from emotrace.errors import FolderError
from emotrace.provenance import FORM, fault

FACTS: dict[str, Any] = {
    "schema": 2, "created": "2026-01-01T00:00:00+00:00", "video": {"name": "clip.mp4", "rate": 25.0, "is_image": False},
    "settings": {"components": ["face.expression"], "end": None}, "warnings": [],
}  # fmt: skip


def planted(where: str, value: object) -> dict[str, Any]:
    """FACTS with another value in one place."""
    facts = json.loads(json.dumps(FACTS))
    *path, name = where.split(".")
    place = facts
    for part in path:
        place = place[part]
    place[name] = value
    return facts


def test_what_analyze_writes_has_no_fault_and_no_name_that_the_form_does_not_know(obama_analysis: Analysis) -> None:
    assert fault(obama_analysis.provenance) is None
    assert isinstance(FORM, dict)
    assert set(obama_analysis.provenance) <= set(FORM)
    for part in ("video", "settings"):
        assert set(obama_analysis.provenance[part]) == set(FORM[part])


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        ("video.rate", "fast", "video.rate is 'fast', expected a number"),
        ("video.rate", True, "video.rate is True, expected a number"),
        ("video.rate", float("inf"), "video.rate is inf, expected a number"),
        ("video.rate", 10**40, f"video.rate is {10**36}..., expected a number"),
        ("video.name", 3, "video.name is 3, expected a text"),
        ("video.is_image", "no", "video.is_image is 'no', expected true or false"),
        ("video", [], "video is [], expected an object"),
        ("video", None, "video is missing"),
        ("settings.components", ["face.expression", {}], "settings.components[1] is {}, expected a text"),
        ("settings.components", [None], "settings.components has an item that is null"),
        ("settings.components", None, "settings.components is missing"),
        ("warnings", "none", "warnings is 'none', expected a list"),
        ("systems", [{"files": {"recipe.json": 1}}], "systems[0].files.recipe.json is 1, expected a text"),
        ("counts", {"frames": []}, "counts.frames is [], expected a number"),
    ],
)
def test_a_fault_is_named_with_its_place(where: str, value: object, said: str) -> None:
    assert fault(FACTS) is None
    assert fault(planted(where, value)) == said


def test_null_is_what_is_not_known_and_other_names_are_left_alone() -> None:
    assert fault(planted("video.rate", None)) is None
    assert fault(planted("video.colour", 3)) is None


def test_a_folder_with_a_fault_is_neither_read_nor_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "analysis.json").write_text(json.dumps(planted("video.rate", "fast")))
    with pytest.raises(FolderError, match=r"damaged \(video.rate is 'fast', expected a number\); measure anew"):
        emotrace.load(tmp_path)
