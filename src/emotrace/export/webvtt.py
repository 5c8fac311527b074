"""Captions: which expression each person shows, second by second, for the <track> of a video player.

A cue lasts as long as its text stays the same: "P1: happiness 0.93 · P2: neutral 0.71" is the expression with the highest mean
probability over the second, and that mean. People who cannot be measured in a second are left out of its cue; a second without
anybody has none. Times are the container's.

Source: W3C, WebVTT: The Web Video Text Tracks Format.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emotrace.analysis import Analysis
from emotrace.export import media
from emotrace.export.segments import ends
from emotrace.export.writing import replacing
from emotrace.timeline import Timeline

NOTE = "NOTE Expression shown, as a viewer would name it, with its mean probability over the second."


def write(analysis: Analysis, folder: Path) -> list[Path]:
    """Write the captions; see `emotrace.export.export` for arguments and errors."""
    media.check_moves(analysis, "webvtt")
    lines: dict[int, list[str]] = {}
    end = 0.0
    for person in analysis.people:
        timeline = analysis.timeline("face.expression", person.name)
        end = max(end, float(ends(analysis, timeline.times)[-1]))
        for second, text in by_second(timeline).items():
            lines.setdefault(second, []).append(f"{escaped(person.name)}: {text}")
    path = media.named(analysis, folder, ".vtt")
    with replacing(path) as stream:
        stream.write(f"WEBVTT\n\n{NOTE}\n".encode())
        for start, stop, text in cues({second: " · ".join(found) for second, found in lines.items()}, end):
            stream.write(f"\n{clock(start)} --> {clock(stop)}\n{text}\n".encode())
    return [path]


def by_second(timeline: Timeline) -> dict[int, str]:
    """The strongest expression of each whole second in which anything was measured, "happiness 0.93"."""
    measured = np.isfinite(timeline.values).all(axis=1)
    seconds = np.floor(timeline.times[measured]).astype(np.int64)
    values = timeline.values[measured].astype(np.float64)
    found, first = np.unique(seconds, return_index=True)   # times increase, so each second is one stretch of rows
    if len(found) == 0:
        return {}
    mean = np.add.reduceat(values, first, axis=0) / np.diff(np.append(first, len(seconds)))[:, None]
    best = mean.argmax(axis=1)
    labels = timeline.scheme.labels
    return {
        int(second): f"{labels[k]} {row[k]:.2f}" for second, row, k in zip(found, mean, best, strict=True) if second >= 0
    }


def cues(lines: dict[int, str], end: float) -> list[tuple[float, float, str]]:
    """Start, stop (s) and text of each cue: neighbouring seconds with the same text are one, the last ends at `end`."""
    found: list[tuple[float, float, str]] = []
    for second in sorted(lines):
        stop = min(second + 1.0, end)
        if found and found[-1][1] == second and found[-1][2] == lines[second]:
            found[-1] = (found[-1][0], stop, lines[second])
        elif stop > second:
            found.append((float(second), stop, lines[second]))
    return found


def clock(seconds: float) -> str:
    """A WebVTT time stamp, "00:01:02.500"."""
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def escaped(text: str) -> str:
    """Text that a cue may hold: one line, no markup."""
    one_line = " ".join(media.xml_text(text).split())
    return one_line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
