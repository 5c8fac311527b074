"""A report in a real browser."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

LOCAL = ("file:", "data:", "blob:")
TOP = 6   # px above the area of a plot


@dataclass
class Opened:
    """A report in the browser, and what the browser complained about or asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def foreign(self) -> list[str]:
        """Requests that left the machine's own files."""
        return [url for url in self.requests if not url.startswith(LOCAL)]

    def open(self, report: Path) -> Page:
        """Load a report over file://."""
        self.page.goto(report.as_uri())
        return self.page


def ready(page: Page) -> None:
    """The video can be sought in."""
    expect(page.locator(".play")).to_be_enabled()
    expect(page.locator("video")).to_have_js_property("readyState", 4)


def panel(page: Page, title: str) -> Locator:
    """The frame around a plot, its title and its values."""
    return page.locator(".panel", has=page.get_by_role("heading", name=title, exact=True))


def plot(page: Page, title: str) -> Locator:
    """The area of a plot."""
    return panel(page, title).locator(".u-over")


def value(page: Page, title: str, label: str) -> Locator:
    """A number at the right of a plot."""
    rows = panel(page, title).locator(".value")
    return rows.filter(has_text=re.compile(rf"^{label}")).locator("b")


def now(page: Page, text: str) -> None:
    """The playhead is at a time."""
    expect(page.locator(".now")).to_have_text(re.compile(rf"^{re.escape(text)} /"))


def click_at(page: Page, over: Locator, seconds: float, end: float = 18.0) -> None:
    """Click a plot at a moment."""
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * seconds / end, box["y"] + box["height"] / 2)


def colour(page: Page, title: str, seconds: float, y: float, end: float = 18.0) -> list[int]:
    """The colour of a plot at a moment and so many px below the top of its area; [] where nothing is drawn."""
    area = plot(page, title)
    canvas = panel(page, title).locator("canvas")
    found = canvas.evaluate(
        """(canvas, [left, top]) => [...canvas.getContext('2d').getImageData(Math.round(left), Math.round(top), 1, 1).data]""",
        [area.evaluate("e => e.offsetLeft") + area.evaluate("e => e.clientWidth") * seconds / end, TOP + y],
    )
    return found[:3] if found[3] > 200 else []


def playheads(page: Page) -> list[float]:
    """Where the playhead stands in each plot, px."""
    return page.evaluate("[...document.querySelectorAll('.playhead')].map(e => new DOMMatrix(e.style.transform).e)")
