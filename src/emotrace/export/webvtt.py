"""Captions: which expression each person shows, second by second, for the <track> of a video player.

A cue lasts as long as its text stays the same: "P1: happiness 0.93 · P2: neutral 0.71" is the expression with the highest mean
probability over the second, and that mean. People who cannot be measured in a second are left out of its cue; a second without
anybody has none. Times are the container's.

A second file has what face and voice say together, window by window: "P1 speaks: anger 0.62 · P2: sadness 0.48". Whoever speaks
is said to, also where there is no sure expression; "unseen" is a voice whose speaker is not seen, "somebody" one whose speaker
was not looked for.

Where trained systems were asked, a third has what they say, piece by piece: "emonets: happiness 0.52 · upc: neutral 0.31".

Source: W3C, WebVTT: The Web Video Text Tracks Format.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.analysis import Analysis
from emotrace.export import media, segments
from emotrace.export.segments import Segment, ends
from emotrace.export.writing import replacing
from emotrace.frames import divided
from emotrace.spoken import holds_there, table_of
from emotrace.timeline import Timeline

Cue = tuple[float, float, str]   # start and stop (s), text

NOTE = "NOTE Expression shown, as a viewer would name it, with its mean probability over the second."
FUSED_NOTE = "NOTE Expression by face and voice together, in windows of 2 s, with its probability; who speaks."
SYSTEMS_NOTE = "NOTE Expression of each piece of the video by trained systems, with its probability."


def write(analysis: Analysis, folder: Path) -> list[Path]:
    """Write the captions; see `emotrace.export.export` for arguments and errors."""
    media.check_moves(analysis, "webvtt")
    lines: dict[int, list[str]] = {}
    end = 0.0
    for person in analysis.people:
        timeline = analysis.timeline("face.expression", person.name)
        last = ends(analysis, timeline.times)
        end = max(end, float(last[-1]))
        for second, text in by_second(timeline, last).items():
            lines.setdefault(second, []).append(f"{escaped(person.name)}: {text}")
    shown = cues({second: " · ".join(found) for second, found in lines.items()}, end)
    asked = said(segments.systems(analysis))
    return [
        _written(media.named(analysis, folder, ".vtt"), NOTE, shown),
        _written(media.named(analysis, folder, ".fused.vtt"), FUSED_NOTE, together(analysis)),
        *([_written(media.named(analysis, folder, ".systems.vtt"), SYSTEMS_NOTE, asked)] if asked else []),
    ]


def _written(path: Path, note: str, found: list[Cue]) -> Path:
    with replacing(path) as stream:
        stream.write(f"WEBVTT\n\n{note}\n".encode())
        for start, stop, text in found:
            if stop > 0:   # players begin at 0
                stream.write(f"\n{clock(max(start, 0.0))} --> {clock(stop)}\n{text}\n".encode())
    return path


def together(analysis: Analysis) -> list[Cue]:
    """Who speaks and what face and voice say together, a cue for each stretch of windows in which the text stays the same."""
    table = table_of(analysis, "emotions")
    if table is None:
        return []
    cell = segments.cells_of(analysis)
    columns = (table[name].to_pylist() for name in ("start", "person", "speaking", "expression", "confidence"))
    lines: dict[float, list[str]] = {}
    for there, start, person, speaking, label, value in zip(holds_there(analysis, table), *columns, strict=True):
        if not there:
            continue
        who = f"{escaped(media.called(analysis, person or ''))}{' speaks' if speaking or not person else ''}"
        if label or who.endswith(" speaks"):
            lines.setdefault(start, []).append(f"{who}: {label} {value:.2f}" if label else who)
    found: list[Cue] = []
    for window in sorted(lines):
        (start, stop), text = cell[window], " · ".join(lines[window])
        if found and found[-1][1:] == (start, text):
            found[-1] = (found[-1][0], stop, text)
        elif stop > start:
            found.append((start, stop, text))
    return found


def said(systems: dict[str, list[Segment]]) -> list[Cue]:
    """What each system says of each piece that it answers, a cue a piece, in order of time."""
    lines: dict[tuple[float, float], list[str]] = {}
    for name, pieces in systems.items():
        for piece in pieces:
            lines.setdefault((piece.start, piece.end), []).append(f"{escaped(name)}: {piece.label} {piece.value:.2f}")
    return [(start, stop, " · ".join(found)) for (start, stop), found in sorted(lines.items())]


def by_second(timeline: Timeline, last: NDArray[np.float64]) -> dict[int, str]:
    """The strongest expression of each whole second in which anything was measured, "happiness 0.93".

    Args:
        timeline: n rows of probabilities, NaN where nothing could be measured; n is not 0.
        last: (n,) s at which each row ends; in its second's mean it counts for as long as it lasts.
    """
    lasts = last - timeline.times
    row, begin, weight = divided(timeline.times, lasts, min(float(np.median(lasts)), 1.0))
    measured = np.isfinite(timeline.values[row]).all(axis=1)
    row, begin, weight = row[measured], begin[measured], weight[measured]
    found, first = np.unique(np.floor(begin).astype(np.int64), return_index=True)   # each second is one stretch of parts
    if len(found) == 0:
        return {}
    total = np.add.reduceat(timeline.values[row] * weight[:, None], first, axis=0)
    mean = total / np.add.reduceat(weight, first)[:, None]
    labels = timeline.scheme.labels
    return {
        int(second): f"{labels[k]} {shares[k]:.2f}"
        for second, shares, k in zip(found, mean, mean.argmax(axis=1), strict=True) if second >= 0
    }


def cues(lines: dict[int, str], end: float) -> list[Cue]:
    """Start, stop (s) and text of each cue: neighbouring seconds with the same text are one, the last ends at `end`."""
    found: list[Cue] = []
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
