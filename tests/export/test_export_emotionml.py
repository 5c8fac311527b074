"""The EmotionML document against the rules of the recommendation (numbers are those of W3C's implementation report)."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from emotrace.export import export

SPACE = "{http://www.w3.org/2009/10/emotionml}"
BIG6 = {"anger", "disgust", "fear", "happiness", "sadness", "surprise"}
FSRE = {"valence", "potency", "arousal", "unpredictability"}
SHOWN = {"P1": [("happiness", 2.0), ("neutral", 1.0)], "P2": [("absent", 1.0), ("fear", 2.0)]}


def document(analysis, number: int = 0) -> ElementTree.Element:
    return ElementTree.parse(export(analysis, "emotionml")[number]).getroot()


def emotions(root: ElementTree.Element) -> list[tuple[str, str, int, int]]:
    """Person, expression, start and end (ms)."""
    return [
        (one.findtext(f"{SPACE}info"), one.find(f"{SPACE}category").get("name"), int(one.get("offset-to-start")),
         int(one.get("offset-to-start")) + int(one.get("duration")))
        for one in root.iter(f"{SPACE}emotion")
    ]  # fmt: skip


def test_emotions_are_what_was_planted(plant):
    assert emotions(document(plant(SHOWN))) == [
        ("P1", "happiness", 0, 2000), ("P1", "neutral", 2000, 3000), ("P2", "fear", 1000, 3000),
    ]  # fmt: skip


def test_the_root_is_an_emotionml_document_of_version_1(plant):
    root = document(plant(SHOWN))
    assert root.tag == f"{SPACE}emotionml"   # 102
    assert root.get("version") == "1.0"   # 110, 111
    assert all(element.tag.startswith(SPACE) for element in root.iter())   # 700


def test_every_category_is_in_the_set_that_is_in_force(plant):
    root = document(plant({"P1": [(label, 1.0) for label in [*sorted(BIG6), "neutral"]]}))
    own = {item.get("name") for item in root.find(f"{SPACE}vocabulary").iter(f"{SPACE}item")}
    sets = {"http://www.w3.org/TR/emotion-voc/xml#big6": BIG6, "#expression": own}
    assert root.find(f"{SPACE}vocabulary").attrib == {"type": "category", "id": "expression"}   # 602-605
    seen = set()
    for one in root.iter(f"{SPACE}emotion"):
        names = [category.get("name") for category in one.iter(f"{SPACE}category")]
        in_force = one.get("category-set") or root.get("category-set")
        assert set(names) <= sets[in_force]
        assert len(names) == 1   # 156, 213
        seen |= {(*names, in_force)}
    assert ("neutral", "#expression") in seen
    assert ("anger", "http://www.w3.org/TR/emotion-voc/xml#big6") in seen


def test_every_dimension_is_in_its_set_and_between_0_and_1(plant):
    ramp = np.linspace(-1, 1, 50)
    root = document(plant({"P1": [("happiness", 2.0)]}, measured={"valence": ramp, "arousal": -ramp}))
    assert root.get("dimension-set") == "http://www.w3.org/TR/emotion-voc/xml#fsre-dimensions"
    dimensions = {d.get("name"): d.find(f"{SPACE}trace") for d in root.iter(f"{SPACE}dimension")}
    assert set(dimensions) == {"valence", "arousal"} <= FSRE
    for trace in dimensions.values():
        assert re.fullmatch(r"\d+(\.\d*)?\s*Hz", trace.get("freq"))   # 502
    valence, arousal = ([float(v) for v in dimensions[name].get("samples").split()] for name in ("valence", "arousal"))
    at = np.arange(20) * 0.1   # 10 Hz over 2 s
    assert valence == pytest.approx((np.interp(at, np.arange(50) / 25, ramp) + 1) / 2, abs=1e-3)
    assert arousal == pytest.approx(1 - np.array(valence), abs=2e-3)


def test_a_trace_lasts_as_long_as_its_stretch_also_where_few_frames_are_analysed(plant):
    analysed = np.arange(100) % 20 == 0   # each 0.8 s
    runs = [("happiness", 0.04), ("absent", 0.76)] * 5
    affect = {"valence": np.linspace(0.2, 1.0, 5), "arousal": np.zeros(5)}
    root = document(plant({"P1": runs}, analysed=analysed, measured=affect))
    assert emotions(root) == [("P1", "happiness", 0, 4000)]
    valence, arousal = [trace.get("samples").split() for trace in root.iter(f"{SPACE}trace")]
    assert len(valence) == len(arousal) == 40
    assert (valence[0], valence[32:]) == ("0.600", ["1.000"] * 8)


def test_a_trace_with_a_gap_is_left_out_because_it_cannot_be_written(plant):
    values = np.zeros(50)
    values[10] = np.nan
    root = document(plant({"P1": [("happiness", 2.0)]}, measured={"valence": values, "arousal": 0.0}))
    assert not list(root.iter(f"{SPACE}dimension"))
    assert len(emotions(root)) == 1


def test_without_valence_and_arousal_there_are_no_dimensions(plant):
    root = document(plant({"P1": [("happiness", 2.0)]}, components=["face.expression"]))
    assert not list(root.iter(f"{SPACE}dimension"))
    assert len(emotions(root)) == 1


def test_the_reference_is_the_stretch_of_the_video(plant, tmp_path):
    root = document(plant(SHOWN, video={"name": "a b#1.mp4", "path": f"{tmp_path}/a b#1.mp4", "relative": None}))
    first = root.find(f"{SPACE}emotion")
    assert first.get("time-ref-uri") == f"file://{tmp_path}/a%20b%231.mp4"
    reference = first.find(f"{SPACE}reference")
    assert reference.get("uri") == f"file://{tmp_path}/a%20b%231.mp4#t=0.000,2.000"
    assert reference.get("role") == "expressedBy"   # 414
    assert reference.get("media-type") == "video/mp4"


def test_children_come_in_the_order_of_the_schema_and_ids_are_unique(plant):
    root = document(plant(SHOWN, measured={"valence": 0.0, "arousal": 0.0}))
    for one in root.iter(f"{SPACE}emotion"):
        assert [child.tag.removeprefix(SPACE) for child in one] == ["info", "category", "dimension", "dimension", "reference"]
        assert one.get("expressed-through") == "face"
        assert 0 <= float(one.find(f"{SPACE}category").get("confidence")) <= 1   # 300
    ids = [one.get("id") for one in root.iter(f"{SPACE}emotion")]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[A-Za-z_][\w.-]*", one) for one in ids)   # 174


def test_a_hostile_name_is_only_a_name(plant):
    name = '"><emotion>&\x07.mp4'
    root = document(plant(SHOWN, video={"name": name, "path": f"/videos/{name}", "relative": None}))
    assert len(emotions(root)) == 3
    assert root.find(f"{SPACE}emotion").get("time-ref-uri") == "file:///videos/%22%3E%3Cemotion%3E%26%07.mp4"


FUSED = {
    "turns": [("P1", 2.56), ("", 2.56)],
    "said": {
        "P1": [("happiness", "face+voice"), ("happiness", "face+voice"), ("happiness", "face"), ("", "")],
        "": [None, None, None, ("neutral", "voice"), ("neutral", "voice")],
    },
}


def test_what_is_fused_is_a_document_of_its_own_that_tells_what_it_rests_on(plant):
    analysis = plant({"P1": [("fear", 5.12)]}, **FUSED)
    assert [path.name for path in export(analysis, "emotionml")] == ["clip.emotionml", "clip.fused.emotionml"]
    root = document(analysis, 1)
    assert emotions(root) == [("P1", "happiness", 0, 2500), ("P1", "happiness", 2500, 3500), ("unseen", "neutral", 3500, 5120)]
    found = list(root.iter(f"{SPACE}emotion"))
    assert [one.get("expressed-through") for one in found] == ["face voice", "face", "voice"]
    assert [one.get("category-set") for one in found] == [None, None, "#expression"]
    assert {one.find(f"{SPACE}category").get("confidence") for one in found} == {"0.600"}
    values = [(one.get("name"), one.get("value")) for one in found[0].iter(f"{SPACE}dimension")]
    assert values == [("valence", "0.750"), ("arousal", "0.400")]   # 0.5 and -0.2 on a scale of 0 to 1
    assert [child.tag.removeprefix(SPACE) for child in found[0]] == ["info", "category", "dimension", "dimension", "reference"]
    assert [one.get("id") for one in found] == ["e1", "e2", "e3"]
    assert emotions(document(analysis)) == [("P1", "fear", 0, 5120)]


def test_what_trained_systems_say_is_a_document_of_its_own(plant, say):
    analysis = plant(SHOWN)
    assert [file.name for file in export(analysis, "emotionml")] == ["clip.emotionml", "clip.fused.emotionml"]
    say(analysis, [("emonets", 0.0, 1.5, "fear"), ("emonets", 1.5, 2.0, None), ("a<b", 0.0, 2.0, "neutral")])
    root = document(analysis, 2)
    assert emotions(root) == [("emonets", "fear", 0, 1500), ("a<b", "neutral", 0, 2000)]
    both = list(root.iter(f"{SPACE}emotion"))
    assert [one.find(f"{SPACE}category").get("confidence") for one in both] == ["0.700", "0.700"]
    assert [one.get("category-set") for one in both] == [None, "#expression"]
    assert {one.get("expressed-through") for one in both} == {None}
