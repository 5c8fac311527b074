"""Settings of an analysis: all that changes its numbers, in one frozen record that goes into analysis.json."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from emotrace import registry
from emotrace.errors import InputError

Method = Literal["cluster", "greedy"]

DETECT_EVERY = 0.5   # s
MIN_QUALITY = 0.2
# Cosine from which two tracks are one person. Measured on the means of 17 tracks of 11 recordings: the same person .52 to .94
# (also across recordings ten years apart), others at most .28 but for one pair of like-looking people with .42. OpenCV's own
# value for single pictures is .363, on LFW.
IDENTITY_THRESHOLD = 0.45


ALWAYS = ("face.detection", "face.mesh")   # run whatever is chosen


@dataclass(frozen=True, slots=True)
class Settings:
    """What to measure, and how.

    Args:
        components: names of the registry; what they need is added, and `face.quality` where it says what of them is NaN.
        start: s; frames before it are left out.
        end: s; frames from it on are left out.
        rate: frames a second to analyse; None: every frame.
        min_face: width in px of the smallest face to find; None: 40 px in 720p, in proportion otherwise.
        detect_every: s between detector calls while faces are followed.
        min_quality: faces of less quality keep box, landmarks and pose; everything else of them is NaN.
        mesh: write all 478 points.
        identity: how tracks are grouped to people.
        identity_threshold: cosine from which two faces are one person.
        systems: folders of trained systems of clips to be asked, too; needs the train extra.

    Raises:
        InputError: a number is out of its range, or one name is given where several are expected.
        UnknownNameError: there is no such component.
    """

    components: tuple[str, ...] = field(default_factory=lambda: tuple(registry.default_names()))
    start: float = 0.0
    end: float = math.inf
    rate: float | None = None
    min_face: float | None = None
    detect_every: float = DETECT_EVERY
    min_quality: float = MIN_QUALITY
    mesh: bool = False
    identity: Method = "cluster"
    identity_threshold: float = IDENTITY_THRESHOLD
    systems: tuple[str | Path, ...] = ()

    def __post_init__(self) -> None:
        for name in ("components", "systems"):
            if isinstance(given := getattr(self, name), str | Path):
                raise InputError(f"{name} must be several in a tuple, got one: {str(given)!r}; write ({str(given)!r},)")
        registry.with_needs(self.components)   # raises where there is no such component
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
        if self.identity not in get_args(Method):
            raise InputError(f"--identity must be {' or '.join(get_args(Method))}, got {self.identity!r}")
        if not -1 <= self.identity_threshold <= 1:
            raise InputError(f"--identity-threshold is a cosine, -1..1, got {self.identity_threshold}")

    @property
    def measured(self) -> list[str]:
        """Names of the components with all that they need, each after what it needs."""
        return [spec.name for spec in registry.with_needs(self.components)]

    def as_json(self) -> dict[str, Any]:
        """The settings as analysis.json holds them; an open end is null."""
        values = asdict(self)
        values["components"] = self.measured
        values["systems"] = list(dict.fromkeys(str(Path(folder).resolve()) for folder in self.systems))
        values["end"] = None if math.isinf(self.end) else self.end
        return values


def chosen_components(also: Iterable[str], without: Iterable[str]) -> tuple[str, ...]:
    """The default components with some more and without others.

    Raises:
        UnknownNameError: there is no such component.
        InputError: what is left out is needed by what stays.
    """
    left_out = {registry.spec(name).name for name in without}
    if always := left_out.intersection(ALWAYS):
        raise InputError(f"{', '.join(sorted(always))} cannot be left out: every face is found and followed by it")
    chosen = [name for name in (*registry.default_names(), *also) if name not in left_out]
    for line in registry.with_needs(chosen):
        if line.name in left_out:
            users = [other for other in chosen if line.name in registry.spec(other).after]
            raise InputError(f"{line.name} is needed by {', '.join(users)}; leave those out too")
    return tuple(dict.fromkeys(chosen))
