"""Facts: what the page says about the video, how it was analysed, and how far to trust it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PureWindowsPath
from urllib.parse import quote

from emotrace.analysis import Analysis
from emotrace.weights import entries

Table = dict[str, object]
COUNTS = ("frames", "analysed", "faces", "tracks", "people", "shots", "lost_packets", "guessed_times", "damaged")
NOTES = {
    "": (
        "An expression is what a face shows or a voice sounds like, not what a person feels. People smile without joy and feel "
        "without showing it; nothing here says what somebody feels, thinks or intends.",
        "Networks learn from pictures that people labelled, and they err more on faces, lights and angles that were rare "
        "there. Look at the video before you believe a number.",
        "What could not be measured is blank, never 0.",
    ),
    "face.valence_arousal": (
        "Valence and arousal are derived: the expectation of each expression's place in the circumplex of affect under the "
        "measured probabilities. They hold nothing that the expression's probabilities do not hold.",
    ),
    "face.action_units": (
        "Action units are read from the blendshapes of a face mesh, not scored by a FACS coder; where there is a left and "
        "a right one, it is their mean.",
    ),
    "face.age_gender": (
        "Age is how old a face looks. Gender is the label that annotators of the training pictures would likely have given; "
        "it is not a fact about the person.",
    ),
    "face.gaze": ("Gaze comes from iris and eye corners of an ordinary picture and is coarse.",),
    "voice.activity": (
        "Speech is told from other sound by a network; singing, laughter and voices far away are missed or taken for it. Who "
        "speaks is the visible person whose mouth moves with the sound; a hidden mouth, two that move at once, or one that "
        "moves for another reason, as of a listener who laughs or cries, mislead it.",
    ),
    "voice.emotion": (
        "The expression of a voice was learnt from actors who spoke a few sentences in English and Polish; everyday voices say "
        "less, and other languages may be read wrongly.",
    ),
    "voice.prosody": (
        "Pitch, loudness and voice quality are measured in all that sounds at once; music and other voices are in them.",
    ),
    "fusion": (
        "Face and voice are put together in windows of 2 s, of which each is drawn for the second in its middle. A voice "
        "counts for its speaker alone. Where neither is sure enough there is no answer, which is not the same as neutral.",
    ),
    "systems": (
        "A trained system says one expression of a whole shot, or of a piece of 4 s at most, whoever is seen or heard in it. "
        "It is as good as the clips it learnt from are like this video.",
    ),
    "face.identity": ("People are told apart by how alike their faces look; P1, P2 can be mixed up or split.",),
}


def title(analysis: Analysis) -> str:
    """Name of the analysed file."""
    return str(analysis.video.get("name") or analysis.folder.name)


def headline(analysis: Analysis) -> list[str]:
    """How long the recording is, which part of it was analysed, its size and what was found, in words."""
    video, counts = analysis.video, analysis.provenance.get("counts", {})
    size = f"{video.get('width')} × {video.get('height')} px"
    found = _count(len(analysis.people), "person", "people")
    if video.get("is_image"):
        return ["still image", size, found]
    rate, long = _positive(video.get("rate")), length(video)
    sound = f"sound {_positive(video.get('sound_rate')) / 1000:.4g} kHz" if _positive(video.get("sound_rate")) else ""
    if not has_pictures(analysis):
        return [fact for fact in (clock(long) if long else "", _part(analysis), "no pictures", sound) if fact]
    analysed = _whole(counts, "analysed")
    some = f", {_number(analysed)} analysed" if 0 < analysed < _whole(counts, "frames") else ""
    facts = [
        clock(long) if long else "",
        _part(analysis),
        size,
        f"{rate:.4g} frames/s" if rate else "",
        found,
        _count(_whole(counts, "shots"), "shot", "shots"),
        _count(_whole(counts, "frames"), "frame", "frames") + some,
        sound if video.get("has_sound") else "no sound",
    ]
    return [fact for fact in facts if fact]


def _part(analysis: Analysis) -> str:
    """From and until when a recording was analysed, on its own clock; nothing where that is all of it."""
    video, settings = analysis.video, _mapping(analysis.provenance, "settings")
    start, end, duration = (_positive(value) for value in (settings.get("start"), settings.get("end"), video.get("duration")))
    begins = f"from {clock(start)}" if start > _positive(video.get("start")) else ""
    stops = f"to {clock(end)}" if end and not 0 < duration <= end else ""
    return " ".join(filter(None, ("analysed", begins, stops))) if begins or stops else ""


def length(video: Mapping[str, object]) -> float:
    """How long a recording is, s: from its first frame to the end of its last one; 0 where its container does not say."""
    start = video.get("start")
    return _positive(_positive(video.get("duration")) - (start if isinstance(start, int | float) else 0.0))


def has_pictures(analysis: Analysis) -> bool:
    """False for a file of sound alone."""
    return bool(analysis.video.get("has_pictures", True))


def media(analysis: Analysis) -> dict[str, object]:
    """What the page shows: `source` is a URL relative to the folder, or a file URL, or empty."""
    video = analysis.video
    pixel_aspect = _positive(video.get("pixel_aspect")) or 1.0
    return {
        "source": source(video.get("relative"), video.get("path")),
        "image": bool(video.get("is_image")),
        "pictures": has_pictures(analysis),
        "sound": bool(video.get("has_sound")),
        "width": video.get("width") or 16,
        "height": video.get("height") or 9,
        "aspect": (_positive(video.get("width")) or 16.0) * pixel_aspect / (_positive(video.get("height")) or 9.0),
    }


def source(relative: object, path: object) -> str:
    """URL of the video: relative to the folder where that is known, so that both can be moved together.

    The relative one begins with "./", so that no name can be read as another scheme or host.
    """
    if isinstance(relative, str) and relative:
        if isinstance(path, str) and PureWindowsPath(path).drive:
            relative = relative.replace("\\", "/")   # elsewhere it may be part of a name
        return "./" + quote(relative, errors="surrogateescape")
    if isinstance(path, str) and Path(path).is_absolute():
        return Path(path).as_uri()
    return ""


def notes(components: list[str]) -> list[str]:
    """How far to trust the numbers."""
    return [note for name, texts in NOTES.items() if name in ("", *components) for note in texts]


def tables(analysis: Analysis) -> list[Table]:
    """Where the numbers come from: each `title`, `head` and `rows` of text."""
    provenance = analysis.provenance
    return [
        {"title": "Analysis", "head": [], "rows": _pairs(_run(provenance))},
        {"title": "Settings", "head": [], "rows": _pairs(_mapping(provenance, "settings"))},
        {"title": "Libraries", "head": [], "rows": _pairs(_mapping(provenance, "libraries"))},
        {
            "title": "Weights",
            "head": ["name", "task", "licence", "trained on", "known limits", "sha256"],
            "rows": [_weights_row(name, str(sha)) for name, sha in _mapping(provenance, "weights").items()],
        },
        {
            "title": "Trained systems",
            "head": ["system", "recipe", "trained by", "files", "sha256 of recipe.json"],
            "rows": [_system_row(system) for system in provenance.get("systems", [])],
        },
    ]


def _run(provenance: Mapping[str, object]) -> dict[str, object]:
    video, counts = _mapping(provenance, "video"), _mapping(provenance, "counts")
    seen = video.get("has_pictures", True)
    facts = ("codec", "rotation", "has_sound", "sound_rate", "fingerprint") if seen else ("codec", "sound_rate", "fingerprint")
    seconds, speed = _positive(provenance.get("wall_seconds")), _positive(provenance.get("frames_per_second"))
    return {
        "made by": f"emotrace {provenance.get('emotrace')}, schema {provenance.get('schema')}",
        "on": provenance.get("created"),
        "took": f"{seconds:.1f} s, {speed:.1f} frames/s" if seconds and speed else None,
        **{f"{'video' if seen else 'file'} {name.replace('_', ' ')}": video.get(name) for name in facts},
        **{name.replace("_", " "): counts.get(name) for name in COUNTS if seen},
    }


def _weights_row(name: str, sha: str) -> list[str]:
    item = entries().get(name)
    if item is None or item.sha256 != sha:
        return [name, "", "unknown: not in this version's table of weights", "", "", sha]
    return [name, item.task, item.licence, item.training_data, item.limits, sha]


def _system_row(system: Mapping[str, object]) -> list[str]:
    files = _mapping(system, "files")
    made = f"emotrace {system.get('version')}"
    return [str(system.get("system")), str(system.get("recipe")), made, str(len(files)), str(files.get("recipe.json", ""))]


def _pairs(values: Mapping[str, object]) -> list[list[str]]:
    return [[name, _text(value)] for name, value in values.items() if value not in (None, [])]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return ", ".join(_text(item) for item in value) if isinstance(value, list) else str(value)


def _mapping(values: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = values.get(name)
    return value if isinstance(value, dict) else {}


def _positive(value: object) -> float:
    """A number above 0, else 0."""
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0


def _whole(counts: Mapping[str, object], name: str) -> int:
    return int(_positive(counts.get(name)))


def _count(number: int, one: str, many: str) -> str:
    return f"{_number(number)} {one if number == 1 else many}"


def _number(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def clock(seconds: float) -> str:
    """Seconds as h:mm:ss.s or m:ss.s."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest / 10:04.1f}"
    return f"{hours}:{minutes:02d}:{text}" if hours else f"{minutes}:{text}"
