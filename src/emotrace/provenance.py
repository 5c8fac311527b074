"""The form of analysis.json: what of it is read, and as what.

Folders come from other people and programs. A word where a number should be, or a number where a list should be, is found
here and named, before anything counts with it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

Form = str | tuple["Form"] | Mapping[str, "Form"]   # of a leaf; of each item of a list; of the members of an object

TEXT, NUMBER, TRUTH = "a text", "a number", "true or false"
ANY = "*"              # stands for the names of an object whose names are not fixed
NEEDED = {"": ("created", "video", "settings"), "settings": ("components",)}   # members of objects that are always read
LARGEST = 1e15         # of a number that is read; no clock, size or count comes near it

SYSTEM: Form = {"system": TEXT, "recipe": TEXT, "version": TEXT, "files": {ANY: TEXT}}
VIDEO: Form = {
    "name": TEXT, "path": TEXT, "relative": TEXT, "width": NUMBER, "height": NUMBER, "rotation": NUMBER, "start": NUMBER,
    "duration": NUMBER, "rate": NUMBER, "codec": TEXT, "has_pictures": TRUTH, "has_sound": TRUTH, "sound_rate": NUMBER,
    "is_image": TRUTH, "pixel_aspect": NUMBER, "fingerprint": TEXT, "hdr": TEXT,
}  # fmt: skip
SETTINGS: Form = {
    "components": (TEXT,), "start": NUMBER, "end": NUMBER, "rate": NUMBER, "min_face": NUMBER, "detect_every": NUMBER,
    "min_quality": NUMBER, "mesh": TRUTH, "identity": TEXT, "identity_threshold": NUMBER, "systems": (TEXT,),
}  # fmt: skip
FORM: Form = {
    "schema": NUMBER, "emotrace": TEXT, "created": TEXT, "video": VIDEO, "settings": SETTINGS, "weights": {ANY: TEXT},
    "systems": (SYSTEM,), "libraries": {ANY: TEXT}, "python": TEXT, "platform": TEXT, "counts": {ANY: NUMBER},
    "wall_seconds": NUMBER, "frames_per_second": NUMBER, "warnings": (TEXT,), "finished": TRUTH,
}  # fmt: skip


def fault(content: Any, form: Form = FORM, where: str = "") -> str | None:
    """What of analysis.json is not as it should be, in words: "video.rate is 'fast', expected a number".

    Hardly anything has to be there, since older folders hold less, and null is a member that is not known. Names that are not
    part of the form are left alone.

    Args:
        content: of the file, or of a part of it.
        form: that it should have.
        where: name of the part, "video.rate"; "" = all of it.

    Returns:
        None where there is no fault.
    """
    if isinstance(form, str):
        return None if _is_leaf(content, form) else _said(content, form, where)
    if isinstance(form, tuple):
        if not isinstance(content, list):
            return _said(content, "a list", where)
        if None in content:
            return f"{where} has an item that is null"
        parts = ((f"{where}[{i}]", part, form[0]) for i, part in enumerate(content))
    else:
        if not isinstance(content, dict):
            return _said(content, "an object", where)
        if missing := [name for name in NEEDED.get(where, ()) if content.get(name) is None]:
            return f"{f'{where}.{missing[0]}'.lstrip('.')} is missing"
        named = {name: form[name if name in form else ANY] for name in content if name in form or ANY in form}
        parts = ((f"{where}.{name}".lstrip("."), content[name], inner) for name, inner in named.items())
    faults = (fault(part, inner, name) for name, part, inner in parts)
    return next((words for words in faults if words is not None), None)


def _is_leaf(content: Any, form: str) -> bool:
    if content is None:
        return True
    if form == TEXT:
        return isinstance(content, str)
    if form == TRUTH:
        return isinstance(content, bool)
    number = isinstance(content, int | float) and not isinstance(content, bool)
    return number and (isinstance(content, int) or math.isfinite(content)) and abs(content) <= LARGEST


def _said(content: Any, form: str, where: str) -> str:
    got = repr(content)
    return f"{where or 'its content'} is {got if len(got) <= 40 else got[:37] + '...'}, expected {form}"
