"""Voice: sound and fusion of one analysis on one clock of windows, as JSON values for the page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotrace.analysis import Analysis
from emotrace.report import cards, heard, panels
from emotrace.report.fused import Fused
from emotrace.report.series import PIXELS, packed
from emotrace.spoken import NOBODY, Spoken, Turn, cells, speakers_sought, windows


@dataclass(frozen=True, slots=True)
class Voice:
    """Sound and fusion on one clock of windows.

    Args:
        spoken: None where there is no sound.
        fused: None where there is nobody to fuse.
        span: first and last moment of pictures and sound, s.
        starts: (n,) s, first moments of all windows of both.
        cells: (n, 2) s for which each stands on the page.
        turns: from when to when who speaks.
        sought: whether it was looked for who does.
    """

    spoken: Spoken | None
    fused: Fused | None
    span: tuple[float, float]
    starts: NDArray[np.float64]
    cells: NDArray[np.float64]
    turns: list[Turn]
    sought: bool

    @classmethod
    def of(cls, analysis: Analysis, pictures: tuple[float, float]) -> Voice:
        """Read the tables.

        Args:
            analysis: a finished one.
            pictures: first and last moment of the pictures, s; equal where there are none.
        """
        spoken, fused = Spoken.of(analysis), Fused.of(analysis)
        known = [span for span in (pictures, *([spoken.span] if spoken else [])) if span[1] > span[0]] or [pictures]
        span = round(min(start for start, _ in known), 4), round(max(stop for _, stop in known), 4)
        whole = windows(spoken and spoken.voice, fused and fused.table)
        shown = np.clip(cells(whole[:, 0], whole[:, 1]), *span)
        turns = spoken.turns() if spoken else []
        return cls(spoken, fused, span, whole[:, 0], shown, turns, speakers_sought(analysis))

    def sound(self) -> dict[str, object] | None:
        """Waveform, speech and turns (start, end, person); None where there is no sound."""
        if self.spoken is None:
            return None
        speech = self.spoken.stretches((self.span[1] - self.span[0]) / PIXELS)   # a shorter gap cannot be seen
        turns = [[round(turn.start, 3), round(turn.end, 3), turn.person] for turn in self.turns]
        return {"wave": heard.waveform(self.spoken), "speech": np.round(speech, 3).tolist(), "turns": turns}

    def described(self) -> dict[str, object] | None:
        """Panels of the voice and their series over the windows; None where there is no sound."""
        if self.spoken is None:
            return None
        table = self.spoken.voice
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
        if self.spoken is not None and self.sought:
            spans = [(turn.end - turn.start, turn.person) for turn in self.turns]
            own = sum(seconds for seconds, who in spans if who == person)
            found.append(cards.speaks(own, sum(seconds for seconds, _ in spans)))
        if self.fused is not None and self.span[1] > self.span[0]:
            found.append(cards.mostly(*self.fused.mostly(person), bool(self.turns)))
        return [text for text in found if text]
