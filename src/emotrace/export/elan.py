"""Tiers for ELAN, the annotation tool of the Max Planck Institute for Psycholinguistics, as EAF 3.0.

    P1 expression   the strongest expression, smoothed over 0.5 s, stretches under 0.2 s joined to their neighbour;
                    a gap is time in which it could not be measured
    P1 presence     "seen" while the face is in the picture, measurable or not
    P1 speech       "speaks" while the person does
    P1 emotion      the most probable expression by face and voice together, in windows of 2 s that each stand for their middle;
                    a gap is time in which neither was sure enough
    unseen speech   of a voice whose speaker is not seen; and likewise "unseen emotion". Where too few pictures a second were
                    analysed to see who speaks, "somebody speech"
    shots           one annotation a shot, so its edges are the cuts
    emonets system  the most probable expression of each piece by a trained system of that name; a gap is no answer

Times are whole milliseconds on the container's clock. ELAN finds the video by its absolute path, or by the path relative to the
.eaf file.

Source: The Language Archive, EAF Annotation Format 3.0.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

from emotrace import __version__
from emotrace.analysis import Analysis
from emotrace.export import media, segments
from emotrace.export.segments import Segment
from emotrace.export.writing import replacing

SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
KINDS = ("expression", "presence", "speech", "emotion", "shots", "system")   # linguistic types, of which each tier has one


def write(analysis: Analysis, folder: Path) -> list[Path]:
    """Write the tiers; see `emotrace.export.export` for arguments and errors."""
    media.check_moves(analysis, "elan")
    path = media.named(analysis, folder, ".eaf")
    document = ElementTree.ElementTree(_document(analysis, folder))
    ElementTree.indent(document)
    with replacing(path) as stream:
        document.write(stream, encoding="UTF-8", xml_declaration=True)
    return [path]


def _document(analysis: Analysis, folder: Path) -> ElementTree.Element:
    root = ElementTree.Element("ANNOTATION_DOCUMENT", {
        "AUTHOR": f"emotrace {__version__}",
        "DATE": str(analysis.provenance["created"]),
        "FORMAT": "3.0",
        "VERSION": "3.0",
        "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
        "xsi:noNamespaceSchemaLocation": SCHEMA,
    })  # fmt: skip
    header = ElementTree.SubElement(root, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    ElementTree.SubElement(header, "MEDIA_DESCRIPTOR", _descriptor(analysis, folder))
    order = ElementTree.SubElement(root, "TIME_ORDER")
    tiers = [tier for tier in _tiers(analysis) if tier[2]]
    slots = _slots(order, [found for _, _, found in tiers])
    count = 0
    for tier, (name, person, found) in enumerate(tiers):
        element = _tier(root, name, person)
        for k, segment in enumerate(found):
            count += 1
            _annotate(element, f"a{count}", slots[tier, k], segment.label)
    last = ElementTree.SubElement(header, "PROPERTY", {"NAME": "lastUsedAnnotationId"})
    last.text = str(count)
    used = {_kind(name) for name, _, _ in tiers}
    for kind in (kind for kind in KINDS if kind in used):
        ElementTree.SubElement(root, "LINGUISTIC_TYPE", {
            "GRAPHIC_REFERENCES": "false", "LINGUISTIC_TYPE_ID": kind, "TIME_ALIGNABLE": "true",
        })  # fmt: skip
    return root


def _tiers(analysis: Analysis) -> list[tuple[str, str, Sequence[Segment]]]:
    """Name, person and segments of each tier; a segment shorter than a millisecond cannot be shown."""
    seen, speech, fused = segments.presence(analysis), segments.speech(analysis), segments.fused(analysis, by_source=False)
    tiers: list[tuple[str, str, Sequence[Segment]]] = []
    for person in (*(person.name for person in analysis.people), ""):
        if person:
            tiers.append((f"{person} expression", person, segments.expressions(analysis, person)))
            tiers.append((f"{person} presence", person, seen[person]))
        tiers.append((f"{media.called(analysis, person)} speech", person, speech[person]))
        tiers.append((f"{media.called(analysis, person)} emotion", person, fused[person]))
    tiers.append(("shots", "", segments.shots(analysis)))
    tiers += [(f"{name} system", "", found) for name, found in segments.systems(analysis).items()]
    return [(name, person, [s for s in found if _ms(s.start) < _ms(s.end)]) for name, person, found in tiers]


def _kind(tier: str) -> str:
    return tier.split()[-1]


def _slots(order: ElementTree.Element, tiers: list[Sequence[Segment]]) -> dict[tuple[int, int], tuple[str, str]]:
    """Write the time slots in order of time; the two of each segment, by tier and number."""
    ends = sorted(
        (_ms(time), tier, k, side)
        for tier, found in enumerate(tiers)
        for k, segment in enumerate(found)
        for side, time in enumerate((segment.start, segment.end))
    )
    names: dict[tuple[int, int, int], str] = {}
    for number, (time, tier, k, side) in enumerate(ends, start=1):
        names[tier, k, side] = f"ts{number}"
        ElementTree.SubElement(order, "TIME_SLOT", {"TIME_SLOT_ID": f"ts{number}", "TIME_VALUE": str(time)})
    return {(tier, k): (names[tier, k, 0], names[tier, k, 1]) for tier, k, side in names if side == 0}


def _tier(root: ElementTree.Element, name: str, person: str) -> ElementTree.Element:
    attributes = {"ANNOTATOR": "emotrace", "LINGUISTIC_TYPE_REF": _kind(name), "TIER_ID": media.xml_text(name)}
    if person:
        attributes["PARTICIPANT"] = media.xml_text(person)
    return ElementTree.SubElement(root, "TIER", attributes)


def _annotate(tier: ElementTree.Element, name: str, slots: tuple[str, str], text: str) -> None:
    annotation = ElementTree.SubElement(tier, "ANNOTATION")
    aligned = ElementTree.SubElement(annotation, "ALIGNABLE_ANNOTATION", {
        "ANNOTATION_ID": name, "TIME_SLOT_REF1": slots[0], "TIME_SLOT_REF2": slots[1],
    })  # fmt: skip
    ElementTree.SubElement(aligned, "ANNOTATION_VALUE").text = text


def _descriptor(analysis: Analysis, folder: Path) -> dict[str, str]:
    """Where the video lies. ELAN takes the text behind file:// as a path, so it is not percent-encoded."""
    video = media.file(analysis)
    slash = "" if video.as_posix().startswith("/") else "/"
    found = {"MEDIA_URL": f"file://{slash}{video.as_posix()}", "MIME_TYPE": media.kind(analysis)}
    with suppress(ValueError):   # another drive, on Windows
        found["RELATIVE_MEDIA_URL"] = "./" + Path(os.path.relpath(video, folder.absolute())).as_posix()
    return {key: media.xml_text(value) for key, value in found.items()}


def _ms(seconds: float) -> int:
    return max(round(seconds * 1000), 0)   # ELAN's time begins at 0
