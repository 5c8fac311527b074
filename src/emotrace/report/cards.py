"""Cards: what is said about each person, in words."""

from __future__ import annotations

import base64
import math
from pathlib import Path

from emotrace.analysis import Person
from emotrace.report.facts import clock

MOST_THUMBNAIL = 500_000   # bytes; a thumbnail is a few thousand, so a larger file is something else
_PICTURES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


def card(person: Person, folder: Path, length: float) -> dict[str, object]:
    """What the page says about one person.

    Args:
        person: one of the analysis.
        folder: output folder, in which the thumbnail lies.
        length: s analysed of the video; 0 for a still image.
    """
    return {
        "name": person.name,
        "picture": picture(folder, person.thumbnail),
        "seen": seen(person, length),
        "looks": [text for text in (apparent_age(person), labelled(person)) if text],
        "expression": person.expression,
        "valence": _number(person.valence),
        "arousal": _number(person.arousal),
        "measured": measured(person, length),
    }


def seen(person: Person, length: float) -> str:
    """For how long, and in which share of the video, the person is seen; empty for a still image."""
    if length <= 0:
        return ""
    return f"seen {_duration(person.seconds)} ({_percent(person.seconds / length)})"


def measured(person: Person, length: float) -> str:
    """In which share of the frames with the face it was good enough to be measured; empty for a measured still image."""
    if person.measured == 0:
        return "never good enough to be measured"
    return f"{_percent(person.measured / person.frames)} of it measured" if length > 0 else ""


def speaks(seconds: float, of: float) -> str:
    """For how long the person speaks, and in which share of the speech given to anybody; empty where nobody speaks."""
    if of <= 0:
        return ""
    return f"speaks {_duration(seconds)} ({_percent(seconds / of)} of the speech)" if seconds > 0 else "never speaks"


def mostly(expression: str, share: float, unsure: float, spoken: bool) -> str:
    """Which expression is fused most often, in which share of the windows, and in which there is no answer."""
    source = "face and voice" if spoken else "face, in windows of 2 s"
    if not expression:
        return f"{source}: never sure enough for an answer"
    gap = f", no answer {_percent(unsure)}" if unsure > 0.005 else ""
    return f"{source}: {expression} {_percent(share)} of the time{gap}"


def apparent_age(person: Person) -> str:
    """Apparent age, how far it differs between frames, and that it is off by more; empty where not measured."""
    if not math.isfinite(person.age):
        return ""
    spread = f"between frames ± {person.age_spread:.0f}; " if math.isfinite(person.age_spread) else ""
    return f"looks {person.age:.0f} years old ({spread}errors of ten years are common)"


def labelled(person: Person) -> str:
    """The likelier gender label and its probability; empty where not measured."""
    if not math.isfinite(person.female):
        return ""
    word, probability = ("female", person.female) if person.female >= 0.5 else ("male", 1 - person.female)
    if probability > 0.99:
        return f"labelled {word} with over 0.99"
    return f"labelled {word} with {probability:.2f}"


def picture(folder: Path, name: str) -> str | None:
    """A picture of the folder as a data URI; None where there is none, or it is no picture inside the folder."""
    file = (folder / name).resolve()
    kind = _PICTURES.get(file.suffix.lower())
    if not name or kind is None or not file.is_relative_to(folder.resolve()) or not file.is_file():
        return None
    if file.stat().st_size > MOST_THUMBNAIL:
        return None
    return f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode('ascii')}"


def _percent(share: float) -> str:
    """A share in words; "100 %" and "0 %" are said only where they are true."""
    if 0 < share < 0.01:
        return "under 1 %"
    return f"{min(math.floor(share * 100 + 1e-6), 100)} %" if share > 0.99 else f"{share * 100:.0f} %"


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else clock(seconds)


def _number(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None
