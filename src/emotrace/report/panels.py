"""Panels: which components the report draws, and how.

What a column is called, its unit and its bounds are the scheme's; here is only what is particular to drawing it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from emotrace import registry
from emotrace import scheme as schemes
from emotrace.scheme import Scheme

Kind = Literal["bands", "curves", "heat", "rows"]
UNITS = {"pitch": ("Hz", 0), "pitch_spread": ("st", 1), "jitter": ("", 3), "shimmer": ("dB", 2), "hnr": ("dB", 1)}


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot over time.

    Args:
        component: whose columns are drawn.
        scheme: meaning of its columns.
        title: what people read above it.
        kind: "bands" stacks probabilities, "curves" draws lines, "heat" a row of colours a column, "rows" a line a column, each
            on a scale of its own.
        note: one sentence on how to read it.
        labels: labels of the scheme to draw; all where empty.
        closed: folded away until the reader opens it.
        fitted: the vertical axis follows the values instead of the scheme's bounds.
        events: strong changes of these columns are listed.
    """

    component: str
    scheme: Scheme
    title: str
    kind: Kind
    note: str
    labels: tuple[str, ...] = ()
    closed: bool = False
    fitted: bool = False
    events: bool = False

    @property
    def shown(self) -> tuple[str, ...]:
        """Labels that are drawn, in order."""
        return self.labels or self.scheme.labels

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table that are drawn, in order."""
        return tuple(self.scheme.prefix + label for label in self.shown)

    def described(self) -> dict[str, object]:
        """What the page needs to know to draw it."""
        line = registry.COMPONENTS.get(self.component)
        columns = [
            {"name": name, "label": label.replace("_", " "), "about": self.scheme.describe(label), "unit": unit,
             "decimals": decimals}
            for name, label in zip(self.columns, self.shown, strict=True)
            for unit, decimals in [UNITS.get(label, ("", 2))]
        ]
        return {
            "component": self.component, "title": self.title, "kind": self.kind, "note": self.note,
            "unit": self.scheme.unit,
            "low": None if self.fitted else self.scheme.low, "high": None if self.fitted else self.scheme.high,
            "closed": self.closed, "gated": line is not None and line.gated, "columns": columns,
        }  # fmt: skip


PANELS = (
    Panel("face.expression", schemes.EXPRESSION_7, "Expression", "bands",
          "Probability that a viewer would name the shown expression so.", events=True),
    Panel("face.expression_mini_xception", schemes.EXPRESSION_MINI_XCEPTION, "Expression, by the network of 2017", "bands",
          "For comparison; nothing else rests on it.", closed=True),
    Panel("face.expression_densenet", schemes.EXPRESSION_DENSENET, "Expression, by the large network", "bands",
          "For comparison; nothing else rests on it.", closed=True),
    Panel("face.valence_arousal", schemes.VALENCE_AROUSAL, "Valence and arousal", "curves",
          "Derived from the expression's probabilities, not measured on their own.", events=True),
    Panel("face.action_units", schemes.ACTION_UNITS, "Action units", "heat",
          "Intensity from 0 (relaxed) to 1 (strongest); blank where the face was not measured.", events=True),
    Panel("face.quality", schemes.QUALITY, "Quality", "curves",
          "How far the face can be measured; below the dashed line nothing is reported.", labels=("quality",), closed=True),
    Panel("face.pose", schemes.HEAD_POSE, "Head pose", "curves",
          "Degrees; 0 faces the camera. Pitch up, yaw to the picture's right, roll clockwise are positive.",
          closed=True, fitted=True),
    Panel("face.pose_pnp", schemes.HEAD_POSE_PNP, "Head pose, second method", "curves",
          "Degrees, from 68 landmarks by perspective-n-point; signs as for head pose.", closed=True, fitted=True),
    Panel("face.gaze", schemes.GAZE, "Gaze", "curves",
          "Degrees; 0 looks into the camera. Up and to the picture's right are positive. Coarse.", closed=True, fitted=True),
)  # fmt: skip

VOICE_PANELS = (
    Panel("voice.emotion", schemes.VOICE_EXPRESSION, "Expression of the voice", "bands",
          "Probability that a listener would name it so, in windows of 2 s. The strip below is speech, by who speaks."),
    Panel("voice.valence_arousal", schemes.VOICE_VALENCE_AROUSAL, "Valence and arousal of the voice", "curves",
          "Learnt from values derived from acted labels."),
    Panel("voice.prosody", schemes.PROSODY, "Pitch, loudness and voice quality", "rows",
          "Each row from its smallest to its largest value; blank where nobody speaks.", closed=True),
)  # fmt: skip


def elsewhere(components: Collection[str]) -> list[str]:
    """A sentence that names those of the measured components that have values over time and no panel; none where all have."""
    drawn = {panel.component for panel in (*PANELS, *VOICE_PANELS)}
    lines = [registry.COMPONENTS[name] for name in components if name in registry.COMPONENTS and name not in drawn]
    names = [line.name for line in lines if line.scheme is not None and line.rows == "every"]
    return [f"Also measured, and only in the tables faces.parquet and voice.parquet: {', '.join(names)}."] if names else []


def available(columns: Collection[str], panels: tuple[Panel, ...] = PANELS) -> list[Panel]:
    """Panels whose columns are all there."""
    return [panel for panel in panels if all(name in columns for name in panel.columns)]
