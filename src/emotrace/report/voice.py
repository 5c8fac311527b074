"""Voice: sound and fusion of one analysis on one clock of windows, as JSON values for the page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotrace.analysis import Analysis
from emotrace.report import cards, heard, panels
from emotrace.report.fused import Fused
from emotrace.report.heard import NOBODY, Heard
from emotrace.report.series import PIXELS, packed


@dataclass(frozen=True, slots=True)
class Voice:
    """Sound and fusion on one clock of windows.

    Args:
        heard: None where there is no sound.
        fused: None where there is nobody to fuse.
        span: first and last moment of pictures and sound, s.
        starts: (n,) s, first moments of all windows of both tables.
        cells: (n, 2) s for which each stands on the page.
        turns: from when to when who speaks.
    """

    heard: Heard | None
    fused: Fused | None
    span: tuple[float, float]
    starts: NDArray[np.float64]
    cells: NDArray[np.float64]
    turns: list[list[float]]

    @classmethod
    def of(cls, analysis: Analysis, pictures: tuple[float, float]) -> Voice:
        """Read the tables.

        Args:
            analysis: a finished one.
            pictures: first and last moment of the pictures, s; equal where there are none.
        """
        sound, fused = Heard.of(analysis), Fused.of(analysis)
        spans = [span for span in (pictures, sound.span if sound else pictures) if span[1] > span[0]] or [pictures]
        span = round(min(start for start, _ in spans), 4), round(max(stop for _, stop in spans), 4)
        tables = [table for table in (sound and sound.voice, fused and fused.table) if table]
        windows = [np.stack([table[name].to_numpy() for name in ("start", "end")], axis=1) for table in tables]
        whole = np.unique(np.concatenate([np.zeros((0, 2)), *windows]), axis=0)
        cells = heard.cells(whole[:, 0], whole[:, 1], span)
        turns = []
        if sound:
            own = np.searchsorted(whole[:, 0], sound.voice["start"].to_numpy())
            turns = heard.turns(heard.stretches(sound, 0.0), cells[own], sound.speaker)
        return cls(sound, fused, span, whole[:, 0], cells, turns)

    def sound(self) -> dict[str, object] | None:
        """Waveform, speech and turns; None where there is no sound."""
        if self.heard is None:
            return None
        gap = (self.span[1] - self.span[0]) / PIXELS
        speech = heard.stretches(self.heard, gap)
        return {"wave": heard.waveform(self.heard), "speech": np.round(speech, 3).tolist(), "turns": self.turns}

    def described(self) -> dict[str, object] | None:
        """Panels of the voice and their series over the windows; None where there is no sound."""
        if self.heard is None:
            return None
        table = self.heard.voice
        drawn = panels.available(table.column_names, panels.VOICE_PANELS)
        names = ["speech", "speaker_score", *(name for panel in drawn for name in panel.columns)]
        place = np.searchsorted(self.starts, table["start"].to_numpy())
        series = {}
        for name in names:
            values = np.full(len(self.starts), np.nan, np.float32)
            values[place] = table[name].to_numpy()
            series[name] = packed(values)
        return {"panels": [panel.described() for panel in drawn], "series": series}

    def fused_rows(self, people: int) -> list[dict[str, object]]:
        """A row a person with timelines, and one for voices of nobody visible."""
        if self.fused is None:
            return []
        return [self.fused.row(who, self.starts) for who in (*range(people), NOBODY) if self.fused.has(who)]

    def said_of(self, person: int) -> list[str]:
        """For the person's card: how long they speak, and what is fused of them most often."""
        found = []
        if self.heard is not None:
            total = heard.speaking(self.turns)
            found.append(cards.speaks(total.get(person, 0.0), sum(total.values())))
        if self.fused is not None and self.span[1] > self.span[0]:
            found.append(cards.mostly(*self.fused.mostly(person), self.heard is not None))
        return [text for text in found if text]
