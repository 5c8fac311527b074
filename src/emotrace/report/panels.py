"""Panels: which components the report draws, and how.

What a column is called, its unit and its bounds are the scheme's; here is only what is particular to drawing it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from emotrace import registry
from emotrace.scheme import Scheme

Kind = Literal["bands", "curves", "heat"]


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot over time.

    Args:
        component: whose columns are drawn.
        title: what people read above it.
        kind: "bands" stacks probabilities, "curves" draws lines, "heat" a row of colours a column.
        note: one sentence on how to read it.
        labels: labels of the scheme to draw; all where empty.
        closed: folded away until the reader opens it.
        fitted: the vertical axis follows the values instead of the scheme's bounds.
        events: strong changes of these columns are listed.
    """

    component: str
    title: str
    kind: Kind
    note: str
    labels: tuple[str, ...] = ()
    closed: bool = False
    fitted: bool = False
    events: bool = False

    @property
    def scheme(self) -> Scheme:
        """Meaning of the component's columns."""
        scheme = registry.spec(self.component).scheme
        assert scheme is not None, self.component
        return scheme

    @property
    def shown(self) -> tuple[str, ...]:
        """Labels that are drawn, in order."""
        return self.labels or self.scheme.labels

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of faces.parquet that are drawn, in order."""
        return tuple(self.scheme.prefix + label for label in self.shown)

    def described(self) -> dict[str, object]:
        """What the page needs to know to draw it."""
        scheme = self.scheme
        columns = [
            {"name": name, "label": label, "about": scheme.describe(label)}
            for name, label in zip(self.columns, self.shown, strict=True)
        ]
        return {
            "component": self.component, "title": self.title, "kind": self.kind, "note": self.note, "unit": scheme.unit,
            "low": None if self.fitted else scheme.low, "high": None if self.fitted else scheme.high,
            "closed": self.closed, "gated": registry.spec(self.component).gated, "columns": columns,
        }  # fmt: skip


PANELS = (
    Panel("face.expression", "Expression", "bands",
          "Probability that a viewer would name the shown expression so.", events=True),
    Panel("face.valence_arousal", "Valence and arousal", "curves",
          "Derived from the expression's probabilities, not measured on their own.", events=True),
    Panel("face.action_units", "Action units", "heat",
          "Intensity from 0 (relaxed) to 1 (strongest); blank where the face was not measured.", events=True),
    Panel("face.quality", "Quality", "curves",
          "How far the face can be measured; below the dashed line nothing is reported.", labels=("quality",), closed=True),
    Panel("face.pose", "Head pose", "curves",
          "Degrees; 0 faces the camera. Pitch up, yaw to the picture's right, roll clockwise are positive.",
          closed=True, fitted=True),
    Panel("face.pose_pnp", "Head pose, second method", "curves",
          "Degrees, from 68 landmarks by perspective-n-point; signs as for head pose.", closed=True, fitted=True),
    Panel("face.gaze", "Gaze", "curves",
          "Degrees; 0 looks into the camera. Up and to the picture's right are positive. Coarse.", closed=True, fitted=True),
)  # fmt: skip


def available(columns: Collection[str]) -> list[Panel]:
    """Panels whose columns are all there."""
    return [panel for panel in PANELS if all(name in columns for name in panel.columns)]
