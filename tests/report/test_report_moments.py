"""What is told of a moment is that of the frame on the screen: a frame holds until the next analysed one."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from planted_folder import Planted, plant
from playwright.sync_api import Page, expect
from report_browser import Opened, colour, panel, value

from emotrace.analysis import Analysis
from emotrace.report.build import write
from emotrace.scheme import EXPRESSION_7

EVERY = 20          # of the analysed frames: one each 0.8 s
CUT = 12.0          # s; P1 is back from here on


def seldom(analysis: Analysis) -> Analysis:
    """The folder as of `--rate 1.25`."""
    frames, faces = (pq.read_table(analysis.folder / f"{name}.parquet") for name in ("frames", "faces"))
    analysed = pa.array(frames["frame"].to_numpy() % EVERY == 0)
    frames = frames.set_column(frames.column_names.index("analysed"), frames.field("analysed"), analysed)
    pq.write_table(frames, analysis.folder / "frames.parquet")
    pq.write_table(faces.filter(pa.array(faces["frame"].to_numpy() % EVERY == 0)), analysis.folder / "faces.parquet")
    return analysis


def measured_only_at(analysis: Analysis, time: float) -> Analysis:
    """The folder with a single frame in which the expression could be measured."""
    faces = pq.read_table(analysis.folder / "faces.parquet")
    there = np.abs(faces["time"].to_numpy() - time) < 0.01
    assert there.any()
    for name in EXPRESSION_7.columns:
        values = np.where(there, faces[name].to_numpy(), np.nan).astype(np.float32)
        faces = faces.set_column(faces.column_names.index(name), faces.field(name), pa.array(values))
    pq.write_table(faces, analysis.folder / "faces.parquet")
    return analysis


def go_to(page: Page, seconds: float) -> None:
    """Where no pixel of a plot lies."""
    page.locator(".scrub").evaluate(
        "(scrub, time) => { scrub.step = 'any'; scrub.value = time; scrub.dispatchEvent(new Event('input')) }", seconds
    )


def test_a_frame_holds_up_to_the_next_one_and_not_half_way_across_a_cut(opened: Opened, tmp_path: Path) -> None:
    page = opened.open(write(plant(tmp_path)))
    for seconds, told in ((CUT - 0.015, "–"), (CUT, "0.80"), (CUT + 0.039, "0.80")):
        go_to(page, seconds)
        expect(value(page, "Expression", "happiness")).to_have_text(told)


def test_where_few_frames_are_analysed_the_values_are_of_the_last_of_them(opened: Opened, tmp_path: Path) -> None:
    page = opened.open(write(seldom(plant(tmp_path))))
    for seconds, told in ((3.1, "0.00"), (3.2, "0.80"), (6.3, "0.80"), (6.5, "–"), (CUT - 0.3, "–"), (CUT + 0.3, "0.80")):
        go_to(page, seconds)
        expect(value(page, "Expression", "happiness")).to_have_text(told)
        expect(value(page, "Action units", "lip corner puller")).to_have_text("0.60" if told == "0.80" else told)
    for title in ("Expression", "Action units"):
        assert colour(page, title, CUT - 0.1, 5) == []   # nothing is drawn before the cut, nor slopes towards it
        assert colour(page, title, CUT + 0.1, 5) != []


def with_a_hole(analysis: Analysis) -> Analysis:
    """The folder with nothing from 4 to 9 s; the frame before is shown until 5 s."""
    for name in ("frames", "faces"):
        file = analysis.folder / f"{name}.parquet"
        table = pq.read_table(file)
        time = table["time"].to_numpy()
        later = pa.array(np.where(time >= 4.0, time + 5.0, time))
        pq.write_table(table.set_column(table.column_names.index("time"), table.field("time"), later), file)
    return analysis


def test_on_a_card_a_frame_counts_for_as_long_as_it_is_shown(opened: Opened, tmp_path: Path) -> None:
    page = opened.open(write(with_a_hole(plant(tmp_path))))
    mix = page.get_by_role("button", name="P1").locator(".mix")
    expect(mix).to_have_attribute("aria-label", re.compile("happiness 0.62"))   # 0.8 in 10 of 13 s; in 225 of 300 frames


def test_the_values_end_in_a_hole_of_the_file(opened: Opened, tmp_path: Path) -> None:
    page = opened.open(write(with_a_hole(plant(tmp_path))))
    for seconds, told in ((4.9, "0.80"), (5.5, "–"), (8.9, "–"), (9.0, "0.80")):
        go_to(page, seconds)
        expect(value(page, "Expression", "happiness")).to_have_text(told)
    assert colour(page, "Expression", 4.5, 100, end=23.0) != []
    assert colour(page, "Expression", 7.0, 100, end=23.0) == []


def test_a_face_measured_in_a_single_frame_is_drawn_for_as_long_as_it_holds(opened: Opened, tmp_path: Path) -> None:
    page = opened.open(write(measured_only_at(seldom(plant(tmp_path)), 4.0)))
    assert [colour(page, "Expression", seconds, 100) != [] for seconds in (3.9, 4.1, 4.7, 4.9)] == [False, True, True, False]


def test_a_face_measured_in_a_single_frame_of_a_long_video_is_drawn(opened: Opened, tmp_path: Path) -> None:
    page = opened.open(write(measured_only_at(plant(tmp_path, Planted(end=300.0)), 15.0)))
    happy = """canvas => {
        const { data } = canvas.getContext('2d').getImageData(0, 100, canvas.width, 1)
        return data.filter((_, i) => i % 4 === 0 && data[i] === 0xf0 && data[i + 1] === 0xc4 && data[i + 2] === 0x31).length
    }"""
    assert panel(page, "Expression").locator("canvas").evaluate(happy) == 1   # px


def happy_behind_the_cut(analysis: Analysis) -> Analysis:
    """The folder in which P2 is angry up to the last cut and happy from there on."""
    faces = pq.read_table(analysis.folder / "faces.parquet")
    late = (faces["time"].to_numpy() >= CUT) & np.array([who == "P2" for who in faces["person"].to_pylist()])
    levels = {"expression_happiness": 1.0, "expression_anger": 0.0, "expression_neutral": 0.0, "valence": 0.65}
    for name, level in levels.items():
        values = np.where(late, level, faces[name].to_numpy()).astype(np.float32)
        faces = faces.set_column(faces.column_names.index(name), faces.field(name), pa.array(values))
    pq.write_table(faces, analysis.folder / "faces.parquet")
    return analysis


def on_circle(page: Page, valence: float, arousal: float) -> bool:
    """Whether anything is drawn at a place of the circumplex."""
    drawn = """([valence, arousal]) => {
      const canvas = document.querySelector('.circumplex'), half = canvas.clientWidth / 2;
      const [x, y] = [half + valence * (half - 25), half - arousal * (half - 25)];
      return canvas.getContext('2d').getImageData(x - 2, y - 2, 5, 5).data.some((value) => value > 0);
    }"""
    return bool(page.evaluate(drawn, [valence, arousal]))


def test_nothing_moves_across_a_cut(opened: Opened, tmp_path: Path) -> None:
    page = opened.open(write(happy_behind_the_cut(plant(tmp_path))))
    page.get_by_role("button", name="P2").first.click()
    go_to(page, 16.0)
    assert on_circle(page, -0.36, 0.41)
    assert on_circle(page, 0.65, 0.41)
    assert not on_circle(page, 0.145, 0.41)
    before, behind = (colour(page, "Expression", CUT + shift, 100) for shift in (-0.1, 0.1))
    assert before == colour(page, "Expression", 11.0, 100)
    assert behind == colour(page, "Expression", 14.0, 100) != before
