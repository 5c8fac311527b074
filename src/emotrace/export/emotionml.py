"""Expressions, valence and arousal as EmotionML 1.0 (W3C Recommendation, 22 May 2014).

One <emotion> a person and stretch of one expression (the segments of the ELAN export), with
- <category>: the expression; `confidence` is its mean probability over the stretch. The six basic ones are named after the
  set "big6" of W3C's Vocabularies for EmotionML. `neutral` is not in it, and a name must be in the set in force, so this
  document defines a vocabulary of its own, "expression", with all labels, and the neutral stretches declare that one.
- <dimension>: valence and arousal (set "fsre-dimensions"), each a <trace> at TRACE_RATE. EmotionML's scales run from 0 to 1,
  ours from -1 to 1: a sample is (value + 1) / 2, so 0.5 is neutral.
- <reference>: the video, with the stretch as a media fragment (#t=start,end in s); `expressed-through` is "face".
- time: `start` and `end` are milliseconds since 1970 in EmotionML, which the time in a video is not. Its way to say "so long
  after the beginning of the recording" is `time-ref-uri` (the video) with `offset-to-start` and `duration`, in ms.
- <info>: who it is, as text.

What face and voice say together is a document of its own, so that the same face is not told twice in one: a stretch of
windows with one expression that rests on the same. `expressed-through` is "face", "voice" or "face voice", and valence and
arousal have the mean over the stretch as `value`.

Where trained systems were asked, what they say is a third document: one <emotion> a system and piece of the video. <info> is
the system's name; through what it is expressed is not known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from emotrace import registry
from emotrace.analysis import Analysis
from emotrace.export import media, segments
from emotrace.export.segments import Fused, Segment
from emotrace.export.writing import replacing
from emotrace.timeline import Timeline

NAMESPACE = "http://www.w3.org/2009/10/emotionml"
BIG6 = "http://www.w3.org/TR/emotion-voc/xml#big6"
BIG6_NAMES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")   # the same words as ours
DIMENSIONS = "http://www.w3.org/TR/emotion-voc/xml#fsre-dimensions"
OWN = "expression"
TRACE_RATE = 10   # Hz; expressions change slower, and a file for an hour stays small


def write(analysis: Analysis, folder: Path) -> list[Path]:
    """Write the two documents; see `emotrace.export.export` for arguments and errors."""
    media.check_moves(analysis, "emotionml")
    faces, together = _root(), _root()
    video = _Video(media.file(analysis).as_uri(), media.kind(analysis))
    for person in analysis.people:
        affect = _affect(analysis, person.name)
        for segment in segments.expressions(analysis, person.name):
            _emotion(faces, video, media.called(analysis, person.name), segment, "face", _traces(segment, affect), {})
    for name, stretches in segments.fused(analysis).items():
        who = media.called(analysis, name)
        for stretch in stretches:
            _emotion(together, video, who, stretch, stretch.rests_on.replace("+", " "), {}, _means(stretch))
    said = _root()
    for name, pieces in segments.systems(analysis).items():
        for piece in pieces:
            _emotion(said, video, media.xml_text(name), piece, "", {}, {})
    return [
        _written(faces, media.named(analysis, folder, ".emotionml")),
        _written(together, media.named(analysis, folder, ".fused.emotionml")),
        *([_written(said, media.named(analysis, folder, ".systems.emotionml"))] if len(said) > 1 else []),
    ]


def _written(root: ElementTree.Element, path: Path) -> Path:
    document = ElementTree.ElementTree(root)
    ElementTree.indent(document)
    with replacing(path) as stream:
        document.write(stream, encoding="UTF-8", xml_declaration=True)
    return path


def _root() -> ElementTree.Element:
    """A document without emotions, with the vocabulary of expressions."""
    root = ElementTree.Element("emotionml", {
        "xmlns": NAMESPACE, "version": "1.0", "category-set": BIG6, "dimension-set": DIMENSIONS,
    })  # fmt: skip
    vocabulary = ElementTree.SubElement(root, "vocabulary", {"type": "category", "id": OWN})
    scheme = registry.spec("face.expression").scheme
    assert scheme is not None   # face.expression is a table of numbers
    for label in scheme.labels:
        ElementTree.SubElement(vocabulary, "item", {"name": label})
    return root


def _affect(analysis: Analysis, person: str) -> Timeline | None:
    """Valence and arousal, where they were part of the analysis."""
    if "face.valence_arousal" not in analysis.provenance["settings"]["components"]:
        return None
    return analysis.timeline("face.valence_arousal", person)


@dataclass(frozen=True, slots=True)
class _Video:
    """What stretches are stretches of: its `uri` and media type."""

    uri: str
    kind: str


def _emotion(
    root: ElementTree.Element,
    video: _Video,
    name: str,
    segment: Segment,
    through: str,
    traces: dict[str, str],
    means: dict[str, str],
) -> None:
    """One stretch, its dimensions as traces or as means; the schema wants info, descriptions and references in this order.

    `name` is whose it is, `through` what it is expressed through, "" where that is not known.
    """
    start, end = round(segment.start * 1000), round(segment.end * 1000)
    emotion = ElementTree.SubElement(root, "emotion", {
        "id": f"e{len(root)}",   # the first child is the vocabulary
        **({"expressed-through": through} if through else {}),
        "time-ref-uri": video.uri, "offset-to-start": str(start), "duration": str(end - start),
    })  # fmt: skip
    if segment.label not in BIG6_NAMES:
        emotion.set("category-set", f"#{OWN}")
    ElementTree.SubElement(emotion, "info").text = name
    ElementTree.SubElement(emotion, "category", {"name": segment.label, "confidence": f"{segment.value:.3f}"})
    for label, samples in traces.items():
        dimension = ElementTree.SubElement(emotion, "dimension", {"name": label})
        ElementTree.SubElement(dimension, "trace", {"freq": f"{TRACE_RATE}Hz", "samples": samples})
    for label, value in means.items():
        ElementTree.SubElement(emotion, "dimension", {"name": label, "value": value})
    ElementTree.SubElement(emotion, "reference", {
        "role": "expressedBy", "media-type": video.kind, "uri": f"{video.uri}#t={start / 1000:.3f},{end / 1000:.3f}",
    })  # fmt: skip


def _means(stretch: Fused) -> dict[str, str]:
    """Mean valence and arousal on a scale of 0 to 1, where they are known."""
    found = {"valence": stretch.valence, "arousal": stretch.arousal}
    return {label: f"{min(max((mean + 1) / 2, 0), 1):.3f}" for label, mean in found.items() if math.isfinite(mean)}


def _traces(segment: Segment, affect: Timeline | None) -> dict[str, str]:
    """Samples of each dimension on a scale of 0 to 1, up to the end of the last frame, which holds for all of it.

    None where a value is missing, for a trace can have no gap.
    """
    if affect is None:
        return {}
    part = affect.crop(segment.start, segment.end).resample(TRACE_RATE)
    if len(part) == 0 or not np.isfinite(part.values).all():
        return {}
    count = math.ceil((segment.end - segment.start) * TRACE_RATE - 1e-6)
    scaled = np.clip((np.pad(part.values, ((0, max(count - len(part), 0)), (0, 0)), mode="edge") + 1) / 2, 0, 1)
    labels = part.scheme.labels
    return {label: " ".join(f"{value:.3f}" for value in scaled[:, k]) for k, label in enumerate(labels)}
