"""The file: what is in it, how large it is, that nothing in it can run that is not ours, and that it appears whole."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path
from urllib.parse import unquote

import pytest
from planted_folder import DEFAULT, FROWN, SMILE, TURNS, Planted, plant

from emotrace.analysis import Analysis, load
from emotrace.api import analyze
from emotrace.errors import FolderError
from emotrace.report import content as contents
from emotrace.report import facts
from emotrace.report.build import island, write
from emotrace.settings import Settings
from emotrace.weights import entries
from odd_films import film

EVIL = "</script><script>window.hacked=1</script><!--"


def data_of(report: Path) -> dict[str, object]:
    text = report.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_the_report_of_a_short_clip_is_small_and_quick(tmp_path: Path) -> None:
    analysis = plant(tmp_path)
    write(analysis)
    start = time.process_time()   # of this process alone, whatever else the machine does
    report = write(analysis)
    assert time.process_time() - start < 0.5
    assert report == analysis.folder / "report.html"
    assert report.stat().st_size < 1_000_000


def test_the_planted_changes_are_its_events(tmp_path: Path) -> None:
    events = contents.content(plant(tmp_path))["events"]
    assert [(event["time"], event["person"], event["what"], round(event["change"], 3)) for event in events] == [
        (SMILE, "P1", "happiness", 0.8),
        (FROWN, "P2", "anger", 0.7),
    ]


def test_the_strongest_change_of_the_crying_woman_is_that_she_begins_to_laugh(woman_analysis: Analysis) -> None:
    first = contents.content(woman_analysis)["events"][0]
    assert first["person"] == "P1"
    assert first["what"] in ("valence", "happiness")
    assert first["change"] > 0.5
    assert 9 < first["time"] < 14


def test_cuts_people_and_the_unassigned_face_are_where_they_were_planted(tmp_path: Path) -> None:
    shown = contents.content(plant(tmp_path))
    assert shown["cuts"] == [6.0, 12.0]
    assert shown["span"] == (0.0, 18.0)
    assert [person["spans"] for person in shown["people"]] == [[[0.0, 6.0], [12.0, 18.0]], [[6.0, 18.0]]]
    assert shown["unassigned"] == [[13.0, 14.0]]


def test_panels_are_those_of_the_measured_components(tmp_path: Path) -> None:
    shown = contents.content(plant(tmp_path, Planted(components=("face.pose", "face.expression"))))
    assert [panel["component"] for panel in shown["panels"]] == ["face.expression", "face.quality", "face.pose"]
    assert not any("derived" in note for note in shown["notes"])


@pytest.mark.parametrize(
    "what",
    [Planted(names=()), Planted(measured=False), Planted(names=("P1",), image=True), Planted(end=0.04, names=("P1",))],
    ids=["nobody", "nothing measured", "still image", "one frame"],
)
def test_every_kind_of_analysis_has_a_report(tmp_path: Path, what: Planted) -> None:
    shown = data_of(write(plant(tmp_path, what)))
    assert len(shown["people"]) == len(what.names)
    assert shown["events"] == []


def test_whatever_was_measured_is_shown_or_said_to_be_elsewhere(tmp_path: Path) -> None:
    more = ("face.expression_mini_xception", "face.expression_densenet", "voice.egemaps")
    shown = contents.content(plant(tmp_path, Planted(components=(*DEFAULT, *more), turns=TURNS)))
    drawn = {panel["component"] for panel in shown["panels"] if panel["closed"]}
    assert set(more[:2]) <= drawn
    (note,) = [note for note in shown["notes"] if note.startswith("Also measured")]
    assert note.endswith(": face.blendshapes, voice.egemaps.")


def test_a_crowd_beyond_what_the_page_holds_is_said_to_be_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "MOST_PEOPLE", 1)
    shown = contents.content(plant(tmp_path))
    assert [person["name"] for person in shown["people"]] == ["P1"]
    assert shown["warnings"] == ["1 more person is not shown here; their numbers are in faces.parquet"]
    assert {event["person"] for event in shown["events"]} == {"P1"}


def test_names_cannot_leave_the_data_or_become_a_part_of_the_page(tmp_path: Path) -> None:
    what = Planted(names=(EVIL, "{{script}}"), file="{{data}} <b>&amp;.mp4", warnings=(EVIL,))
    report = write(plant(tmp_path, what))
    text = report.read_text(encoding="utf-8")
    assert EVIL not in text
    assert text.count("<script") == text.count("</script") == 3
    assert "<title>{{data}} &lt;b&gt;&amp;amp;.mp4</title>" in text
    assert [person["name"] for person in data_of(report)["people"]] == [EVIL, "{{script}}"]


def test_an_island_has_no_markup_and_no_number_that_json_does_not_know() -> None:
    assert island({"a": "<!--</script>&"}) == '{"a":"\\u003c!--\\u003c/script\\u003e\\u0026"}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        island({"a": float("nan")})


def test_the_policy_lets_nothing_be_fetched_and_only_the_packages_scripts_run(tmp_path: Path) -> None:
    text = write(plant(tmp_path)).read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[1]
    assert "http" not in policy[1]


@pytest.mark.parametrize(
    "relative", ["javascript:alert(1).mp4", "//evil.example/a.mp4", "https://evil.example/a.mp4", "a #1?%20.mp4", "a\\b.mp4"]
)
def test_a_relative_source_stays_a_relative_path(relative: str) -> None:
    source = facts.source(relative, None)
    assert source.startswith("./")
    assert not re.search(r"[#?:]", source)
    assert unquote(source) == f"./{relative}"


def test_the_path_of_a_folder_from_windows_is_read_as_such() -> None:
    assert facts.source("..\\talk.mp4", "C:\\films\\talk.mp4") == "./../talk.mp4"


def test_a_video_without_a_relative_path_is_looked_for_where_it_was() -> None:
    absolute = Path(sys.executable).resolve()
    assert facts.source(None, str(absolute)) == absolute.as_uri()
    assert facts.source(None, None) == ""


@pytest.mark.skipif(os.name != "posix", reason="only POSIX file names are bytes")
def test_a_file_name_that_is_not_utf8_has_a_report(tmp_path: Path) -> None:
    analysis = plant(tmp_path)
    name = os.fsdecode(b"caf\xe9.mp4")
    analysis.provenance["video"] |= {"name": name, "relative": f"../{name}"}
    assert data_of(write(analysis))["media"]["source"] == "./../caf%E9.mp4"


def test_weights_come_with_their_licences_and_a_changed_file_is_said_to_be_unknown(tmp_path: Path) -> None:
    analysis = plant(tmp_path)
    analysis.provenance["weights"]["yunet"] = "0" * 64
    (table,) = [table for table in facts.tables(analysis) if table["title"] == "Weights"]
    rows = {row[0]: row for row in table["rows"]}
    assert rows["sface"][2] == entries()["sface"].licence
    assert rows["yunet"][2].startswith("unknown")


def test_facts_of_the_headline() -> None:
    assert facts.clock(3725.25) == "1:02:05.2"
    assert facts.clock(59.96) == "1:00.0"


def test_the_headline_says_how_long_the_recording_is_and_not_when_it_ends(tmp_path: Path) -> None:
    assert facts.headline(plant(tmp_path))[0] == "0:18.0"
    broadcast = analyze(film(tmp_path / "late.ts", 50, first=25 * 3600), settings=Settings(components=("face.quality",)))
    assert (broadcast.video["start"], broadcast.video["duration"]) == pytest.approx((3600, 3602))
    assert facts.headline(broadcast)[0] == "0:02.0"
    assert facts.length({"start": None, "duration": None}) == 0
    assert facts.length({"duration": 9.5}) == 9.5   # of a folder from before there was a start


@pytest.mark.parametrize(("settings", "said"), [
    ({"start": 0.0, "end": None}, []),
    ({"start": 0.0, "end": 18.0}, []),
    ({"start": 2.5, "end": None}, ["analysed from 0:02.5"]),
    ({"start": 0.0, "end": 12.0}, ["analysed to 0:12.0"]),
    ({"start": 2.5, "end": 12.0}, ["analysed from 0:02.5 to 0:12.0"]),
])  # fmt: skip
def test_the_headline_says_which_part_of_the_recording_was_analysed(
    tmp_path: Path, settings: dict[str, float | None], said: list[str]
) -> None:
    analysis = plant(tmp_path)
    whole = facts.headline(analysis)
    analysis.provenance["settings"] |= settings
    assert facts.headline(analysis) == [whole[0], *said, *whole[1:]]


def test_the_headline_says_of_how_many_frames_the_numbers_are(tmp_path: Path) -> None:
    analysis = plant(tmp_path)
    analysis.provenance["counts"] |= {"frames": 12_000, "analysed": 1200}
    assert facts.headline(analysis)[-2] == "12 000 frames, 1 200 analysed"
    analysis.provenance["counts"]["analysed"] = 12_000
    assert facts.headline(analysis)[-2] == "12 000 frames"


def test_who_is_in_every_frame_is_seen_for_all_of_the_time(single_face: Path, tmp_path: Path) -> None:
    settings = Settings(components=("face.quality",), end=1.75)   # 53 frames: a length that cannot be rounded without loss
    analysis = analyze(single_face, tmp_path / "out", settings=settings, report=False)
    assert analysis.people[0].frames == 53
    assert contents.content(analysis)["people"][0]["seen"] == "seen 1.8 s (100 %)"


def test_an_unfinished_analysis_has_no_report(tmp_path: Path) -> None:
    folder = plant(tmp_path).folder
    provenance = json.loads((folder / "analysis.json").read_text())
    (folder / "analysis.json").write_text(json.dumps(provenance | {"finished": False}))
    with pytest.raises(FolderError, match="unfinished"):
        write(load(folder))


def test_a_report_that_cannot_be_written_leaves_the_old_one_and_nothing_beside_it(tmp_path: Path) -> None:
    analysis = plant(tmp_path)
    (analysis.folder / "report.html").mkdir()
    (analysis.folder / "report.html" / "kept").touch()
    with pytest.raises(FolderError, match="cannot be written"):
        write(analysis)
    assert sorted(path.name for path in analysis.folder.glob("report*")) == ["report.html"]
