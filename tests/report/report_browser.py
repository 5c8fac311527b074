"""A report in a real browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page

LOCAL = ("file:", "data:", "blob:")


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
