"""Settings of an analysis: all that changes its numbers, in one frozen record that goes into analysis.json."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from emotrace import registry
from emotrace.errors import InputError

Grouping = Literal["cluster", "greedy"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What to measure, and how.

    Args:
        components: names of the registry; what they need is added.
        start: s; frames before it are left out.
        end: s; frames from it on are left out.
        rate: frames a second to analyse; None: every frame.
        min_face: width in px of the smallest face to find; None: 40 px in 720p, in proportion otherwise.
        detect_every: s between detector calls while faces are followed.
        min_quality: faces of less quality keep box, landmarks and pose; everything else of them is NaN.
        mesh: write all 478 points.
        identity: how tracks are grouped to people.
        identity_threshold: cosine from which two faces are one person.

    Raises:
        InputError: a number is out of its range.
        UnknownNameError: there is no such component.
    """

    components: tuple[str, ...] = field(default_factory=lambda: tuple(registry.default_names()))
    start: float = 0.0
    end: float = math.inf
    rate: float | None = None
    min_face: float | None = None
    detect_every: float = 0.4
    min_quality: float = 0.2
    mesh: bool = False
    identity: Grouping = "cluster"
    identity_threshold: float = 0.36

    def __post_init__(self) -> None:
        for spec in registry.with_needs(self.components):
            assert spec.name
        if not 0 <= self.start < self.end:
            raise InputError(f"--start must be 0 or more and less than --end, got {self.start} and {self.end}")
        if self.rate is not None and not 0 < self.rate < math.inf:
            raise InputError(f"--rate must be more than 0 frames a second, got {self.rate}")
        if self.min_face is not None and not 0 < self.min_face < math.inf:
            raise InputError(f"--min-face must be more than 0 px, got {self.min_face}")
        if not 0 <= self.min_quality <= 1:
            raise InputError(f"--min-quality must lie in 0..1, got {self.min_quality}")
        if not 0 <= self.detect_every < math.inf:
            raise InputError(f"--detect-every must be 0 s or more, got {self.detect_every}")
        if self.identity not in ("cluster", "greedy"):
            raise InputError(f"--identity must be cluster or greedy, got {self.identity!r}")
        if not -1 <= self.identity_threshold <= 1:
            raise InputError(f"--identity-threshold is a cosine, -1..1, got {self.identity_threshold}")

    def as_json(self) -> dict[str, Any]:
        """The settings as analysis.json holds them; an open end is null."""
        values = asdict(self)
        values["components"] = [spec.name for spec in registry.with_needs(self.components)]
        values["end"] = None if math.isinf(self.end) else self.end
        return values
