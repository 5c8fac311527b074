"""Fused: what face and voice say together of each person, window by window, in a few bytes a window.

    emotions.parquet ─Fused.of()─▶ rows by person and window ─row()─▶ letters and series for the page
                                                               └mostly()─▶ a sentence for the person's card
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from emotrace.analysis import Analysis
from emotrace.report.series import packed
from emotrace.scheme import FUSED
from emotrace.spoken import holds_there, people_of, table_of

ABSENT, ABSTAINS = " ", "-"            # letters of a window in which a person is not there, or fusion gives no answer
NOT_SHOWN = -3
RESTS = ("", "face", "voice", "face+voice")


@dataclass(frozen=True, slots=True)
class Fused:
    """The table `emotions`.

    Args:
        table: r rows.
        person: (r,) int64 index into the people of the analysis, NOBODY for a voice of nobody visible, NOT_SHOWN where the
            person is not there in the part of the clock that the window stands for.
    """

    table: pa.Table
    person: NDArray[np.int64]

    @classmethod
    def of(cls, analysis: Analysis) -> Fused | None:
        """Read the table; None where there is nobody in it, or the folder is older than it."""
        table = table_of(analysis, "emotions")
        if table is None:
            return None
        return cls(table, np.where(holds_there(analysis, table), people_of(analysis, table["person"].to_pylist()), NOT_SHOWN))

    @property
    def start(self) -> NDArray[np.float64]:
        """(r,) s, first moment of each row's window."""
        return np.asarray(self.table["start"].to_numpy(), np.float64)

    def has(self, person: int) -> bool:
        """Whether a person (or NOBODY) has any row."""
        return bool((self.person == person).any())

    def row(self, person: int, starts: NDArray[np.float64]) -> dict[str, object]:
        """One person's windows.

        Args:
            person: index, or NOBODY.
            starts: (n,) s, first moments of all windows of the page, increasing.

        Returns:
            `person`; `said`, a letter a window: the number of the expression, ABSTAINS or ABSENT; `rests`, a digit a window: 1
            for the face plus 2 for the voice; and the series `confidence`, `valence`, `arousal`.
        """
        own = np.flatnonzero(self.person == person)
        place = np.searchsorted(starts, self.start[own])
        said, rests = np.full(len(starts), ABSENT), np.full(len(starts), "0")
        said[place] = [_letter(label) for label in self._texts("expression", own)]
        rests[place] = [str(RESTS.index(text or "")) for text in self._texts("rests_on", own)]
        return {
            "person": person,
            "said": "".join(said.tolist()),
            "rests": "".join(rests.tolist()),
            **{name: packed(self._series(name, own, place, len(starts))) for name in ("confidence", "valence", "arousal")},
        }

    def _texts(self, name: str, rows: NDArray[np.int64]) -> list[str | None]:
        texts: list[str | None] = self.table[name].take(pa.array(rows)).to_pylist()
        return texts

    def _series(self, name: str, own: NDArray[np.int64], place: NDArray[np.int64], count: int) -> NDArray[np.float32]:
        values = np.full(count, np.nan, np.float32)
        values[place] = self.table[name].to_numpy()[own]
        return values

    def mostly(self, person: int) -> tuple[str, float, float]:
        """Most frequent expression ("" without any), its share of the person's windows, and the share without an answer."""
        labels = self._texts("expression", np.flatnonzero(self.person == person))
        counts = {label: labels.count(label) for label in FUSED.labels}
        best = max(counts, key=lambda label: counts[label])
        rows = max(len(labels), 1)
        return best if counts[best] else "", counts[best] / rows, 1 - sum(counts.values()) / rows


def _letter(label: str | None) -> str:
    return str(FUSED.labels.index(label)) if label in FUSED.labels else ABSTAINS
