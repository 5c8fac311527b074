"""What trained systems say, in a real browser."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from planted_folder import SAID, TURNS, Planted, plant
from playwright.sync_api import expect
from report_browser import Opened, click_at, panel, plot, ready, value
from test_report_voice_page import ANGER, HAPPINESS, LANE, colour, point_at

from emotrace import columns
from emotrace.analysis import Analysis
from emotrace.report.build import write
from emotrace.report.content import content
from emotrace.scheme import SYSTEM

LANES = "Expression by trained systems"
FACTS = {"version": "0.1.0", "files": {"recipe.json": "0" * 64}}
SAYS = {   # of each piece: from, to, expression ("" says nothing)
    "emonets": [(0, 3, "neutral"), (3, 6, "happiness"), (6, 9, ""), (9, 12, "anger"), (12.4, 15, "anger"), (15, 18, "fear")],
    "upc": [(0, 3, "happiness"), (3, 6, "happiness"), (6, 9, ""), (9, 12, ""), (12.4, 15, ""), (15, 18, "fear")],
}
SURE = 0.7


def add_systems(analysis: Analysis) -> Analysis:
    """Write the table into a planted folder, and into its provenance."""
    rows = []
    for name, pieces in SAYS.items():
        for start, end, said in pieces:
            rest = (1 - SURE) / 6 if said else np.nan
            values = {SYSTEM.prefix + label: SURE if label == said else rest for label in SYSTEM.labels}
            rows.append({"system": name, "recipe": name, "start": start, "end": end, "expression": said or None, **values})
    pq.write_table(pa.Table.from_pylist(rows, columns.schema(columns.SYSTEMS)), analysis.folder / "systems.parquet")
    analysis.provenance["systems"] = [{"system": name, "recipe": name, **FACTS} for name in SAYS]
    (analysis.folder / "analysis.json").write_text(json.dumps(analysis.provenance), encoding="utf-8")
    return analysis


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of two people who speak, and of two systems."""
    what = Planted(turns=TURNS, said=SAID)
    return write(add_systems(plant(tmp_path_factory.mktemp("asked"), what, playable=True)))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_system_has_a_lane_in_the_colours_of_what_it_says(opened: Opened, asked: Path, scheme: str) -> None:
    opened.page.emulate_media(color_scheme=scheme)   # type: ignore[arg-type]
    page = opened.open(asked)
    ready(page)
    first, second = LANE / 2, LANE * 1.5
    assert colour(page, LANES, 4.0, first) == colour(page, LANES, 1.0, second) == HAPPINESS
    assert colour(page, LANES, 10.0, first) == colour(page, LANES, 14.0, first) == ANGER
    assert colour(page, LANES, 12.2, first) == []   # a shot too short to be asked about
    assert colour(page, LANES, 7.5, first - 5) == []   # says nothing
    assert colour(page, LANES, 10.6, second - 5) == []


def test_what_is_said_is_told_with_its_probability_at_the_pointer_and_at_the_playhead(opened: Opened, asked: Path) -> None:
    page = opened.open(asked)
    ready(page)
    bubble = panel(page, LANES).locator(".bubble")
    for seconds, y, text in ((4.0, 10, "emonets: happiness 0.70"), (16.0, 30, "upc: fear 0.70"), (7.5, 30, "upc: no answer")):
        point_at(page, plot(page, LANES), seconds, y)
        expect(bubble).to_contain_text(text)
    click_at(page, plot(page, LANES), 10.0)
    page.mouse.move(0, 0)
    expect(value(page, LANES, "emonets")).to_have_text("anger 0.70")
    expect(value(page, LANES, "upc")).to_have_text("no answer")


def test_systems_are_named_with_their_recipe_and_how_far_to_trust_them(opened: Opened, asked: Path) -> None:
    page = opened.open(asked)
    ready(page)
    expect(page.locator("table", has_text="Trained systems").locator("tbody tr")).to_have_count(2)
    assert any("whole shot" in note for note in page.locator(".notes li").all_inner_texts())


def test_a_report_without_systems_shows_nothing_of_them(opened: Opened, tmp_path: Path) -> None:
    analysis = plant(tmp_path, playable=True)
    assert content(analysis)["systems"] == []
    page = opened.open(write(analysis))
    ready(page)
    assert LANES not in page.locator("#timelines h3").all_inner_texts()
    expect(page.locator("table", has_text="Trained systems")).to_have_count(0)
    assert opened.complaints == []


def test_a_film_without_people_or_sound_still_shows_its_systems(opened: Opened, tmp_path: Path) -> None:
    page = opened.open(write(add_systems(plant(tmp_path, Planted(names=()), playable=True))))
    ready(page)
    assert page.locator("#timelines h3").all_inner_texts() == [LANES]
    expect(page.locator(".legend")).to_have_count(1)
    assert opened.complaints == []
