"""Captions: planted text, the grammar, and a real browser."""

from __future__ import annotations

import re

import numpy as np

from emotrace.export import export, webvtt
from emotrace.scheme import EXPRESSION_7
from emotrace.timeline import Timeline

STAMP = r"\d{2,}:[0-5]\d:[0-5]\d\.\d{3}"
SHOWN = {
    "P1": [("happiness", 2.0), ("unmeasured", 1.0), ("fear", 0.6)],
    "P2": [("absent", 1.0), ("neutral", 2.6)],
}
EXPECTED = [
    (0.0, 1.0, "P1: happiness 0.88"),
    (1.0, 2.0, "P1: happiness 0.88 · P2: neutral 0.88"),
    (2.0, 3.0, "P2: neutral 0.88"),
    (3.0, 3.6, "P1: fear 0.88 · P2: neutral 0.88"),
]


def cues(text: str) -> list[tuple[float, float, str]]:
    def seconds(stamp: str) -> float:
        hours, minutes, rest = stamp.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(rest)

    found = re.findall(rf"^({STAMP}) --> ({STAMP})\n(.+)$", text, re.MULTILINE)
    return [(seconds(start), seconds(end), line) for start, end, line in found]


def test_cues_say_what_was_planted(plant):
    text = export(plant(SHOWN), "webvtt")[0].read_text(encoding="utf-8")
    assert text.startswith("WEBVTT\n\nNOTE ")
    assert cues(text) == EXPECTED


def test_every_block_is_a_note_or_a_cue(plant):
    blocks = export(plant(SHOWN), "webvtt")[0].read_text(encoding="utf-8").rstrip("\n").split("\n\n")
    assert blocks[0] == "WEBVTT"
    assert all(re.fullmatch(rf"NOTE .+|{STAMP} --> {STAMP}\n.+", block) for block in blocks[1:])


def test_seconds_with_the_same_text_are_one_cue():
    assert webvtt.cues({0: "a", 1: "a", 2: "b", 4: "b"}, 10.0) == [(0.0, 2.0, "a"), (2.0, 3.0, "b"), (4.0, 5.0, "b")]


def test_the_number_is_the_mean_over_the_second_and_ignores_what_was_not_measured():
    values = np.full((50, 7), 0.1, np.float32)
    values[:25, 3], values[25:, 4] = np.linspace(0.2, 0.8, 25), 0.61
    values[30:] = np.nan
    line = Timeline(np.arange(50) / 25, values, EXPRESSION_7, "planted")
    assert webvtt.by_second(line, line.times + 0.04) == {0: "happiness 0.50", 1: "sadness 0.61"}


def test_a_frame_counts_in_the_seconds_in_which_it_is_shown_and_for_as_long():
    times = np.array([0.0, 0.1, 0.2, 0.7, 0.8, 1.7, 1.8])
    values = np.full((7, 7), 0.1, np.float32)
    values[[0, 1, 3, 5, 6], 4], values[2, 3], values[4, 3] = 0.4, 0.8, 0.6
    line = Timeline(times, values, EXPRESSION_7, "planted")
    shown = webvtt.by_second(line, np.append(times[1:], 1.9))
    assert shown == {0: "happiness 0.55", 1: "happiness 0.49"}   # 0.5 s of 0.8, 0.2 of 0.6, 0.3 of 0.1; 0.7 of 0.6, 0.2 of 0.1


def test_a_frame_that_stands_for_seconds_is_in_the_captions_of_all_of_them():
    line = Timeline(np.array([0.0, 3.0]), np.eye(7, dtype=np.float32)[[3, 4]], EXPRESSION_7, "planted")
    assert webvtt.by_second(line, np.array([3.0, 5.0])) == {
        0: "happiness 1.00", 1: "happiness 1.00", 2: "happiness 1.00", 3: "sadness 1.00", 4: "sadness 1.00",
    }  # fmt: skip


def test_time_stamps_have_two_digits_of_hours_or_more():
    assert webvtt.clock(62.5) == "00:01:02.500"
    assert webvtt.clock(3599.9996) == "01:00:00.000"
    assert webvtt.clock(360_000) == "100:00:00.000"


def test_text_cannot_become_markup_or_a_cue():
    assert webvtt.escaped("<i>&\n\n00:00 --> x") == "&lt;i&gt;&amp; 00:00 --&gt; x"


def test_nobody_to_caption_gives_a_valid_file_without_cues(plant):
    text = export(plant({}, times=[0.0, 0.04]), "webvtt")[0].read_text(encoding="utf-8")
    assert text.startswith("WEBVTT\n")
    assert cues(text) == []


def test_a_browser_loads_the_captions(plant, chromium):
    text = export(plant(SHOWN), "webvtt")[0].read_text(encoding="utf-8")
    pages = {"/": "<video><track default src='/clip.vtt'></video>", "/clip.vtt": text}
    kinds = {"/": "text/html", "/clip.vtt": "text/vtt"}
    page = chromium.new_page()
    page.route("**/*", lambda route: route.fulfill(
        body=pages.get(path := "/" + route.request.url.split("/", 3)[3], ""),
        content_type=kinds.get(path, "text/plain") + "; charset=utf-8",
    ))  # fmt: skip
    page.goto("http://captions.test/")
    page.wait_for_function("document.querySelector('track').readyState >= 2")
    assert page.evaluate("document.querySelector('track').readyState") == 2   # loaded, no error
    shown = page.evaluate(
        "[...document.querySelector('track').track.cues]"
        ".map(cue => [cue.startTime, cue.endTime, cue.getCueAsHTML().textContent])"
    )
    page.close()
    assert [tuple(cue) for cue in shown] == EXPECTED


def test_a_second_file_tells_who_speaks_and_what_is_fused(plant):
    said = {
        "P1": [("happiness", "face+voice"), ("", ""), ("", ""), ("fear", "face"), ("fear", "face")],
        "<b>": [None, None, ("sadness", "face"), ("sadness", "face"), ("sadness", "face")],
        "": [None, None, None, ("anger", "voice"), ("anger", "voice")],
    }
    shown = {"P1": [("fear", 5.12)], "<b>": [("fear", 5.12)]}
    written = export(plant(shown, turns=[("P1", 2.4), ("silence", 0.64), ("", 2.08)], said=said), "webvtt")
    assert [path.name for path in written] == ["clip.vtt", "clip.fused.vtt"]
    assert cues(written[1].read_text(encoding="utf-8")) == [
        (0.0, 1.5, "P1 speaks: happiness 0.60"),
        (1.5, 2.5, "P1 speaks"),   # without an expression that is sure enough
        (2.5, 3.5, "&lt;b&gt;: sadness 0.60"),
        (3.5, 5.12, "unseen speaks: anger 0.60 · &lt;b&gt;: sadness 0.60 · P1: fear 0.60"),
    ]


def test_windows_that_say_the_same_are_one_cue(plant):
    written = export(plant({"P1": [("fear", 4.0)]}, said={"P1": [("fear", "face")] * 3}), "webvtt")
    assert cues(written[1].read_text(encoding="utf-8")) == [(0.0, 4.0, "P1: fear 0.60")]


def test_a_third_file_tells_what_trained_systems_say_of_each_piece(plant, say):
    analysis = plant(SHOWN)
    assert len(export(analysis, "webvtt")) == 2
    answers = {"emonets": ["fear", None], "a<b": ["anger", "fear"]}
    say(analysis, [(name, *piece) for name, said in answers.items() for piece in ((0.0, 1.5, said[0]), (1.5, 2.0, said[1]))])
    text = export(analysis, "webvtt")[2].read_text(encoding="utf-8")
    assert cues(text) == [(0.0, 1.5, "emonets: fear 0.70 · a&lt;b: anger 0.70"), (1.5, 2.0, "a&lt;b: fear 0.70")]
