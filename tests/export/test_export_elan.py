"""The .eaf file, as an XML parser sees it."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from emotrace.export import elan, export
from emotrace.export.segments import Segment

SHOWN = {
    "P1": [("happiness", 2.0), ("unmeasured", 0.4), ("fear", 1.0)],
    "P2": [("absent", 1.0), ("neutral", 2.4)],
}


def document(analysis) -> ElementTree.Element:
    return ElementTree.parse(export(analysis, "elan")[0]).getroot()


def tiers(root: ElementTree.Element) -> dict[str, list[tuple[int, int, str]]]:
    """Start and end (ms) and text of each annotation, by tier."""
    slots = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE")) for slot in root.iter("TIME_SLOT")}
    return {
        tier.get("TIER_ID"): [
            (slots[one.get("TIME_SLOT_REF1")], slots[one.get("TIME_SLOT_REF2")], one.findtext("ANNOTATION_VALUE"))
            for one in tier.iter("ALIGNABLE_ANNOTATION")
        ]
        for tier in root.iter("TIER")
    }


def test_tiers_hold_what_was_planted(plant):
    assert tiers(document(plant(SHOWN, cuts=[1.0]))) == {
        "P1 expression": [(0, 2000, "happiness"), (2400, 3400, "fear")],
        "P1 presence": [(0, 3400, "seen")],
        "P2 expression": [(1000, 3400, "neutral")],
        "P2 presence": [(1000, 3400, "seen")],
        "shots": [(0, 1000, "shot 0"), (1000, 3400, "shot 1")],
    }


def test_the_document_has_the_parts_of_eaf_3_in_their_order(plant):
    root = document(plant(SHOWN))
    assert root.tag == "ANNOTATION_DOCUMENT"
    assert (root.get("FORMAT"), root.get("VERSION")) == ("3.0", "3.0")
    assert root.get("DATE") == "2025-03-01T12:00:00+00:00"
    parts = [part.tag for part in root]
    assert parts == ["HEADER", "TIME_ORDER", *["TIER"] * 5, *["LINGUISTIC_TYPE"] * 3]
    assert root.find("HEADER").get("TIME_UNITS") == "milliseconds"


def test_names_are_unique_and_every_reference_leads_somewhere(plant):
    root = document(plant(SHOWN, cuts=[1.0, 2.0]))
    slots = [slot.get("TIME_SLOT_ID") for slot in root.iter("TIME_SLOT")]
    annotations = [one.get("ANNOTATION_ID") for one in root.iter("ALIGNABLE_ANNOTATION")]
    names = [tier.get("TIER_ID") for tier in root.iter("TIER")]
    for found in (slots, annotations, names, [*slots, *annotations]):
        assert len(found) == len(set(found))
    used = [one.get(key) for one in root.iter("ALIGNABLE_ANNOTATION") for key in ("TIME_SLOT_REF1", "TIME_SLOT_REF2")]
    assert sorted(used) == sorted(slots)
    kinds = {kind.get("LINGUISTIC_TYPE_ID") for kind in root.iter("LINGUISTIC_TYPE")}
    assert {tier.get("LINGUISTIC_TYPE_REF") for tier in root.iter("TIER")} == kinds
    last = root.find("HEADER/PROPERTY[@NAME='lastUsedAnnotationId']")
    assert last.text == str(len(annotations))


def test_time_slots_are_in_order_and_annotations_do_not_overlap(plant):
    flicker = [("happiness", 0.28), ("anger", 0.24), ("unmeasured", 0.04)] * 8
    root = document(plant({"P1": flicker, "P2": flicker[::-1]}, cuts=[0.5, 1.5, 3.0]))
    times = [int(slot.get("TIME_VALUE")) for slot in root.iter("TIME_SLOT")]
    assert times == sorted(times)
    for found in tiers(root).values():
        assert found
        assert all(start < end for start, end, _ in found)
        assert all(before[1] <= behind[0] for before, behind in pairwise(found))


def test_a_person_who_is_never_measured_has_no_empty_tier(plant):
    found = tiers(document(plant({"P1": [("unmeasured", 1.0)]})))
    assert list(found) == ["P1 presence", "shots"]


def test_the_video_is_found_by_its_absolute_and_its_relative_path(plant, tmp_path):
    (tmp_path / "clip.mp4").touch()
    media = document(plant(SHOWN)).find("HEADER/MEDIA_DESCRIPTOR")
    assert media.get("MEDIA_URL") == f"file://{tmp_path}/clip.mp4"
    assert media.get("MIME_TYPE") == "video/mp4"
    assert media.get("RELATIVE_MEDIA_URL") == "./../../clip.mp4"


def test_a_folder_moved_with_its_video_points_to_where_it_is_now(plant, tmp_path):
    (tmp_path / "clip.mp4").touch()
    media = document(plant(SHOWN, video={"path": "/somewhere/else/clip.mp4"})).find("HEADER/MEDIA_DESCRIPTOR")
    assert media.get("MEDIA_URL") == f"file://{tmp_path}/clip.mp4"


@pytest.mark.parametrize("name", ['a"><TIER/>&.mp4', "tab\tline\nend.mp4", "bell\x07\x1b\udc80.mp4"])
def test_a_hostile_name_is_only_a_name(plant, name):
    root = document(plant(SHOWN, video={"name": name, "path": f"/videos/{name}", "relative": None}))
    assert len(list(root.iter("TIER"))) == 5
    shown = root.find("HEADER/MEDIA_DESCRIPTOR").get("MEDIA_URL")
    assert shown == "file:///videos/" + name.translate({7: "\ufffd", 27: "\ufffd", 0xDC80: "\ufffd"})


def test_the_file_lies_in_the_export_folder_and_is_named_after_the_video(plant):
    analysis = plant(SHOWN)
    assert export(analysis, "elan") == [analysis.folder / "export" / "clip.eaf"]


def test_what_is_shorter_than_a_millisecond_is_left_out(plant, monkeypatch):
    monkeypatch.setattr(elan.segments, "shots", lambda analysis: [Segment(0.0, 0.0001, "shot 0"), Segment(0.0001, 1, "shot 1")])
    assert tiers(document(plant(SHOWN)))["shots"] == [(0, 1000, "shot 1")]


HEARD = {
    "turns": [("P1", 2.496), ("silence", 1.024), ("P2", 1.984), ("", 2.496)],
    "said": {
        "P1": [("happiness", "face+voice"), ("happiness", "face"), ("", ""), ("fear", "face"), None],
        "": [None, None, None, ("anger", "voice"), ("anger", "voice")],
    },
}


def test_who_speaks_and_what_is_fused_are_tiers_of_their_own(plant):
    root = document(plant({"P1": [("neutral", 8.0)], "P2": [("neutral", 8.0)]}, **HEARD))
    found = tiers(root)
    assert found["P1 speech"] == [(0, 2496, "speaks")]
    assert found["P2 speech"] == [(3520, 5500, "speaks")]   # where nobody is silent between them, turns change between windows
    assert found["unseen speech"] == [(5500, 8000, "speaks")]
    assert found["P1 emotion"] == [(0, 2500, "happiness"), (3500, 4500, "fear")]   # no answer in between, not there after
    assert found["unseen emotion"] == [(3500, 5500, "anger")]
    assert "P2 emotion" not in found
    people = {tier.get("TIER_ID"): tier.get("PARTICIPANT") for tier in root.iter("TIER")}
    assert people["P1 emotion"] == "P1"
    assert people["unseen speech"] is None
    kinds = {kind.get("LINGUISTIC_TYPE_ID") for kind in root.iter("LINGUISTIC_TYPE")}
    assert kinds == {"expression", "presence", "speech", "emotion", "shots"}


def test_tiers_of_what_was_heard_end_with_the_file(plant):
    found = tiers(document(plant({"P1": [("fear", 2.6)]}, turns=[("P1", 2.56)], said={"P1": [("fear", "face")] * 2})))
    assert found["P1 emotion"] == [(0, 2600, "fear")]   # its last window reaches to 3 s
    assert found["P1 speech"] == [(0, 2560, "speaks")]


def test_what_trained_systems_say_is_a_tier_of_each(plant, say):
    analysis = plant(SHOWN)
    say(analysis, [("emonets", 0.0, 1.5, "fear"), ("emonets", 1.5, 2.0, None), ("a/b", 0.0, 2.0, "anger")])
    root = document(analysis)
    assert tiers(root)["emonets system"] == [(0, 1500, "fear")]
    assert tiers(root)["a/b system"] == [(0, 2000, "anger")]
    assert "system" in {kind.get("LINGUISTIC_TYPE_ID") for kind in root.iter("LINGUISTIC_TYPE")}
