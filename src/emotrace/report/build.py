"""The report of one analysed video: one HTML file that needs nothing else, except the video itself to be played.

    Analysis ─content()─▶ what is shown, as JSON ─┐
    page.html, page.css, js/*.js, uPlot ──────────┴─page()─▶ report.html

Names, paths and warnings come from outside and are hostile until shown otherwise: they are text in a JSON island and
reach the page as text nodes. A content security policy lets only these scripts run and nothing be fetched.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from contextlib import suppress
from pathlib import Path

from emotrace.analysis import Analysis
from emotrace.errors import FolderError
from emotrace.report import facts
from emotrace.report.content import content

FOLDER = Path(__file__).parent
LIBRARY = "uPlot.iife.min.js"
STYLES = ("uPlot.min.css", "page.css")
SCRIPTS = (
    "dom", "data", "state", "colours", "windows", "player", "overlay", "plot", "lanes", "bands", "curves", "heat", "rows",
    "sound", "fused", "systems", "snapshot", "circumplex", "people", "events", "about", "main",
)  # fmt: skip


def write(analysis: Analysis) -> Path:
    """Write `report.html` into the folder of a finished analysis.

    Returns:
        The file.

    Raises:
        FolderError: the analysis is unfinished, or the folder cannot be written.
    """
    if not analysis.finished:
        raise FolderError(f"{analysis.folder}: the analysis is unfinished; run 'emotrace analyze' again, then report")
    text = page(facts.title(analysis), content(analysis))
    target = analysis.folder / "report.html"
    unfinished = target.with_name("report.html.part")
    try:
        unfinished.write_bytes(text.encode("utf-8", errors="replace"))   # file names need not be valid UTF-8
        return unfinished.replace(target)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise FolderError(f"{target}: cannot be written ({error}); is the disk full, or the folder read-only?") from error


def page(title: str, shown: dict[str, object]) -> str:
    """The HTML of a report.

    Args:
        title: of the window.
        shown: what `content` gives.
    """
    style = "\n".join(_file(name) for name in STYLES)
    library = _file(LIBRARY)
    script = "(() => {\n\"use strict\";\n" + "\n".join(_file(f"js/{name}.js") for name in SCRIPTS) + "})();\n"
    parts = {
        "title": html.escape(title),
        "policy": _policy([library, script], style),
        "style": style,
        "library": library,
        "script": script,
        "data": island(shown),
    }
    template = _file("page.html")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)   # one pass: names cannot name a part


def island(shown: dict[str, object]) -> str:
    """JSON that no HTML parser can leave: `<`, `>` and `&` are escaped.

    Raises:
        ValueError: a number is not finite.
    """
    text = json.dumps(shown, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _policy(scripts: list[str], style: str) -> str:
    """Only these scripts and styles, pictures and video of this machine, nothing else."""
    def pinned(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return (f"default-src 'none'; script-src {' '.join(map(pinned, scripts))}; style-src {pinned(style)}; "
            "img-src 'self' file: data: blob:; media-src 'self' file: blob:; base-uri 'none'; form-action 'none'")


def _file(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
