"""Pages in the browser, and reports of planted folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from planted_folder import SAID, TURNS, Planted, plant
from playwright.sync_api import Browser
from report_browser import Opened

from emotrace.report.build import write


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Opened]:
    """An empty page of 1400 x 900 px that remembers complaints and requests."""
    context = chromium.new_context(viewport={"width": 1400, "height": 900}, device_scale_factor=1)
    watched = Opened(context.new_page())
    watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    watched.page.on("console", lambda line: line.type in ("error", "warning") and watched.complaints.append(line.text))
    watched.page.on("request", lambda request: watched.requests.append(request.url))
    yield watched
    context.close()


@pytest.fixture(scope="session")
def two_people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of two people in three shots, with a video that can be played."""
    return write(plant(tmp_path_factory.mktemp("two"), Planted(), playable=True))


@pytest.fixture(scope="session")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the same two people, who also speak, and somebody unseen does."""
    return write(plant(tmp_path_factory.mktemp("talking"), Planted(turns=TURNS, said=SAID), playable=True))


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a file of sound alone."""
    turns = tuple(("" if who != "silence" else who, seconds) for who, seconds in TURNS)
    said = {"": [*[("neutral", "voice")] * 3, ("happiness", "voice"), ("", ""), *[None] * 12]}
    what = Planted(names=(), turns=turns, said=said, pictures=False, file="talk.wav")
    return write(plant(tmp_path_factory.mktemp("recorded"), what, playable=True))
