"""What was heard, in a real browser: the waveform, who speaks, what is fused, and a file of sound alone."""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from planted_folder import DEFAULT, SAID, TURNS, Planted, plant
from playwright.sync_api import Locator, Page, expect
from report_browser import Opened, click_at, colour, now, panel, playheads, plot, ready, value

from emotrace.report.build import write

P1, P2, UNSEEN = [0x33, 0xBB, 0xEE], [0xEE, 0x77, 0x33], [0xA0, 0xA4, 0xA8]
HAPPINESS, ANGER, SADNESS = [0xF0, 0xC4, 0x31], [0xD5, 0x5E, 0x00], [0x00, 0x72, 0xB2]
LANE, WAVE, ANSWER = 20, 60, 100   # px
TOGETHER, OVERVIEW, SPEECH = "Face and voice together", "Expression by face and voice", "Who speaks when"


def point_at(page: Page, over: Locator, seconds: float, y: float, end: float = 18.0) -> None:
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * seconds / end, box["y"] + y)


def test_what_is_fused_comes_first_then_who_speaks_then_the_faces_then_the_voice(opened: Opened, talking: Path) -> None:
    page = opened.open(talking)
    ready(page)
    assert page.locator("#timelines h3").all_inner_texts()[:4] == [OVERVIEW, SPEECH, "Who is seen when", "Strongest changes"]
    assert page.locator("#timelines h2").all_inner_texts() == ["P1 over time", "The voice over time"]
    titles = page.locator("#timelines h3").all_inner_texts()
    assert titles.index(TOGETHER) < titles.index("Expression") < titles.index("Pitch, loudness and voice quality")
    assert opened.complaints == []
    assert opened.foreign == []


def test_the_waveform_and_the_lane_have_the_colour_of_who_speaks(opened: Opened, talking: Path) -> None:
    page = opened.open(talking)
    ready(page)
    middle, lane = WAVE / 2, WAVE + LANE / 2
    for seconds, expected in ((2.0, P1), (9.0, P2), (15.0, UNSEEN), (5.5, [])):
        assert colour(page, SPEECH, seconds, lane) == expected
        assert colour(page, SPEECH, seconds, middle + 4) == expected
    assert colour(page, SPEECH, 3.9, lane) == P1
    assert colour(page, SPEECH, 4.1, lane) == []


def test_who_speaks_is_told_at_the_playhead_with_how_sure_that_is_and_how_loud(opened: Opened, talking: Path) -> None:
    page = opened.open(talking)
    ready(page)
    for seconds, name, sure, level in (
        (2.0, "P1", "0.90", "−20 dB"),
        (15.0, "nobody visible", "0.90", "−20 dB"),
        (5.5, "–", "–", "−60 dB"),
    ):
        click_at(page, plot(page, SPEECH), seconds)
        page.mouse.move(0, 0)
        expect(value(page, SPEECH, "speaks")).to_have_text(name)
        expect(value(page, SPEECH, "sureness")).to_have_text(sure)
        expect(value(page, SPEECH, "level")).to_have_text(level)


def test_lanes_show_what_is_fused_of_everybody_and_what_it_rests_on(opened: Opened, talking: Path) -> None:
    page = opened.open(talking)
    ready(page)
    upper, lower = 5, 15
    assert colour(page, OVERVIEW, 4.0, upper) == colour(page, OVERVIEW, 4.0, lower) == HAPPINESS   # face and voice
    assert colour(page, OVERVIEW, 14.0, upper) == HAPPINESS
    assert colour(page, OVERVIEW, 14.0, lower) == []   # rests on the face alone
    assert colour(page, OVERVIEW, 9.0, LANE + upper) == ANGER
    assert colour(page, OVERVIEW, 14.8, 2 * LANE + upper) == []
    assert colour(page, OVERVIEW, 14.8, 2 * LANE + lower) == SADNESS   # a voice of nobody visible
    assert colour(page, OVERVIEW, 4.8, upper) == colour(page, OVERVIEW, 4.8, lower) == []   # abstains
    point_at(page, plot(page, OVERVIEW), 9.0, LANE + upper)
    bubble = panel(page, OVERVIEW).locator(".bubble")
    expect(bubble).to_contain_text("P2: anger 0.60, rests on face + voice")
    point_at(page, plot(page, OVERVIEW), 4.8, upper)
    expect(bubble).to_contain_text("P1: no answer")


def test_the_line_of_a_person_is_as_high_as_it_is_sure_and_has_a_gap_where_it_abstains(opened: Opened, talking: Path) -> None:
    page = opened.open(talking)
    ready(page)
    assert colour(page, TOGETHER, 4.0, ANSWER * 0.45) == HAPPINESS   # 0.60 from below
    assert colour(page, TOGETHER, 4.0, ANSWER * 0.35) == []
    assert colour(page, TOGETHER, 4.8, ANSWER * 0.9) == []
    click_at(page, plot(page, TOGETHER), 4.0)
    page.mouse.move(0, 0)
    for label, text in (("expression", "happiness"), ("sureness", "0.60"), ("rests on", "face + voice"), ("valence", "+0.50")):
        expect(value(page, TOGETHER, label)).to_have_text(text)
    click_at(page, plot(page, TOGETHER), 5.0)
    page.mouse.move(0, 0)
    expect(value(page, TOGETHER, "expression")).to_have_text("no answer")
    click_at(page, plot(page, TOGETHER), 9.0)   # P1 is not there
    page.mouse.move(0, 0)
    expect(value(page, TOGETHER, "expression")).to_have_text("–")
    page.locator(".card").nth(1).click()
    expect(value(page, TOGETHER, "expression")).to_have_text("anger")
    assert colour(page, TOGETHER, 9.0, ANSWER * 0.45) == ANGER


def test_cards_tell_how_long_people_speak_and_what_is_fused_most_often(opened: Opened, talking: Path) -> None:
    page = opened.open(talking)
    expect(page.locator(".card").first).to_contain_text("speaks 4.0 s (33 % of the speech)")
    expect(page.locator(".card").first).to_contain_text("face and voice: happiness 67 % of the time, no answer 8 %")


def test_prosody_is_folded_and_has_units(opened: Opened, talking: Path) -> None:
    page = opened.open(talking)
    ready(page)
    click_at(page, plot(page, SPEECH), 2.0)
    page.get_by_role("heading", name="Pitch, loudness and voice quality").click()
    page.mouse.move(0, 0)
    expect(panel(page, "Pitch, loudness and voice quality").locator(".value b").first).to_have_text("210 Hz")
    click_at(page, plot(page, SPEECH), 5.5)
    page.mouse.move(0, 0)
    expect(panel(page, "Pitch, loudness and voice quality").locator(".value b").first).to_have_text("–")


def test_a_click_on_the_sound_moves_all_plots_and_the_video(opened: Opened, talking: Path) -> None:
    page = opened.open(talking)
    ready(page)
    click_at(page, plot(page, SPEECH), 9.0)
    now(page, "0:09.0")
    heads = playheads(page)
    assert max(heads) - min(heads) < 0.1
    assert page.evaluate("document.querySelector('video').currentTime") == pytest.approx(9.0, abs=0.05)


def test_dragging_in_the_sound_zooms_all_and_a_double_click_shows_all(opened: Opened, talking: Path) -> None:
    page = opened.open(talking)
    ready(page)
    over = plot(page, SPEECH)
    point_at(page, over, 6.0, 30)
    page.mouse.down()
    point_at(page, over, 15.0, 30)
    page.mouse.up()
    expect(page.get_by_role("button", name="show all").first).to_be_visible()
    assert colour(page, SPEECH, 9.0, WAVE + LANE / 2, end=18.0) == P2   # 10.5 s, in the middle of what is shown
    assert colour(page, SPEECH, 17.0, WAVE + LANE / 2, end=18.0) == UNSEEN
    plot(page, TOGETHER).dblclick(position={"x": 5, "y": 20})
    expect(page.get_by_role("button", name="show all").first).to_be_hidden()


def test_without_sound_it_says_that_it_rests_on_the_face_and_shows_no_voice(opened: Opened, tmp_path: Path) -> None:
    said = {"P1": [("happiness", "face")] * 5}
    page = opened.open(write(plant(tmp_path, Planted(said=said), playable=True)))
    ready(page)
    expect(panel(page, OVERVIEW)).to_contain_text("No sound: it rests on the face alone.")
    expect(page.get_by_role("heading", name=SPEECH)).to_have_count(0)
    expect(page.get_by_role("heading", name="The voice over time")).to_have_count(0)
    expect(page.locator(".facts")).to_contain_text("no sound")
    expect(page.locator(".card").first).to_contain_text("face, in windows of 2 s: happiness 100 % of the time")
    assert opened.complaints == []
    assert colour(page, OVERVIEW, 2.0, 5) == colour(page, OVERVIEW, 2.0, 15) == HAPPINESS


def test_sound_without_speech_is_shown_but_nothing_of_a_voice(opened: Opened, tmp_path: Path) -> None:
    said = {"P1": [("happiness", "face")] * 5}
    page = opened.open(write(plant(tmp_path, Planted(turns=(("silence", 17.984),), said=said), playable=True)))
    ready(page)
    expect(panel(page, SPEECH)).to_contain_text("Nobody is found to speak.")
    expect(panel(page, OVERVIEW)).to_contain_text("Nobody speaks: it rests on the face alone.")
    expect(page.get_by_role("heading", name="The voice over time")).to_have_count(0)
    expect(page.locator(".card").first).to_contain_text("face, in windows of 2 s: happiness")
    assert opened.complaints == []


def test_a_recording_without_speech_says_so(opened: Opened, tmp_path: Path) -> None:
    what = Planted(names=(), turns=(("silence", 6.0),), pictures=False, file="noise.wav")
    page = opened.open(write(plant(tmp_path, what, playable=True)))
    expect(page.locator(".play")).to_be_enabled()
    expect(page.locator("#timelines h3")).to_have_text(["Sound and speech"])
    expect(panel(page, "Sound and speech")).to_contain_text("Nobody is found to speak.")
    assert opened.complaints == []


def test_a_recording_of_which_no_sound_was_measured_says_so(opened: Opened, tmp_path: Path) -> None:
    page = opened.open(write(plant(tmp_path, Planted(names=(), pictures=False, file="noise.wav"))))
    expect(page.get_by_text("No sound was measured.")).to_be_visible()


def test_a_voice_in_a_video_without_people_has_its_own_line(opened: Opened, tmp_path: Path) -> None:
    said = {"": [("anger", "voice")] * 4}
    page = opened.open(write(plant(tmp_path, Planted(names=(), turns=(("", 4.992),), said=said), playable=True)))
    ready(page)
    expect(page.get_by_text("No face was found that could be followed as a person.")).to_be_visible()
    assert page.locator("#timelines h2").all_inner_texts() == ["The voice over time"]
    expect(value(page, OVERVIEW, "nobody visible")).to_have_text("anger 0.60")
    assert opened.complaints == []


def test_where_nobody_was_looked_for_who_speaks_is_not_told(opened: Opened, tmp_path: Path) -> None:
    said, extra = {"": [("anger", "voice")] * 4}, {"settings": {"components": list(DEFAULT), "rate": 1.0}}
    page = opened.open(write(plant(tmp_path, Planted(turns=(("", 4.992),), said=said, extra=extra), playable=True)))
    ready(page)
    expect(panel(page, SPEECH)).to_contain_text("Too few pictures a second were analysed to see who; pale is other sound.")
    expect(value(page, SPEECH, "speaks")).to_have_text("somebody")
    expect(value(page, OVERVIEW, "somebody")).to_have_text("anger 0.60")
    expect(page.get_by_text("nobody visible")).to_have_count(0)
    expect(panel(page, OVERVIEW).locator(".value")).to_have_attribute("title", "somebody")   # in full where it is cut


def test_where_the_sound_goes_on_behind_the_pictures_nothing_of_a_face_is_told(opened: Opened, tmp_path: Path) -> None:
    page = opened.open(write(plant(tmp_path, Planted(turns=(*TURNS, ("", 9.6)), said=SAID), playable=True)))
    ready(page)
    end = 27.584
    click_at(page, plot(page, SPEECH), 17.5, end)
    page.mouse.move(0, 0)
    expect(value(page, "Expression", "happiness")).to_have_text("0.80")
    click_at(page, plot(page, "Expression"), 25.0, end)
    page.mouse.move(0, 0)
    now(page, "0:25.0")
    expect(value(page, "Expression", "happiness")).to_have_text("–")
    expect(value(page, SPEECH, "speaks")).to_have_text("nobody visible")
    over = plot(page, "Expression")
    point_at(page, over, 0.05, 30, end)   # all of the pictures and little of the rest is no "show all"
    page.mouse.down()
    point_at(page, over, 20.0, 30, end)
    page.mouse.up()
    expect(page.get_by_role("button", name="show all").first).to_be_visible()
    assert opened.complaints == []


def test_it_opens_at_the_first_picture_where_sound_begins_before_it(opened: Opened, tmp_path: Path) -> None:
    analysis = plant(tmp_path, Planted(turns=TURNS, said=SAID))
    for name in ("frames", "faces"):
        table = pq.read_table(analysis.folder / f"{name}.parquet")
        later = table.set_column(table.column_names.index("time"), "time", pc.add(table["time"], 0.4))
        pq.write_table(later, analysis.folder / f"{name}.parquet")
    page = opened.open(write(analysis))
    now(page, "0:00.4")
    expect(value(page, "Expression", "neutral")).to_have_text("1.00")
    expect(page.locator(".scrub")).to_have_attribute("min", "0")


def test_a_recording_has_a_player_of_sound_and_the_voice_alone(opened: Opened, recorded: Path) -> None:
    page = opened.open(recorded)
    expect(page.locator(".play")).to_be_enabled()
    expect(page.locator("audio")).to_have_count(1)
    expect(page.locator("video, .overlay, .stage, .card")).to_have_count(0)
    expect(page.get_by_label("faces")).to_have_count(0)
    expect(page.locator(".facts")).to_contain_text("no pictures")
    expect(page.get_by_role("heading", name="Expression of the voice")).to_have_count(1)
    end = 17.984
    click_at(page, plot(page, "Sound and speech"), 4.0, end)
    now(page, "0:04.0")
    page.mouse.move(0, 0)
    assert page.evaluate("document.querySelector('audio').currentTime") == pytest.approx(4.0, abs=0.05)
    expect(value(page, "Expression, window by window", "expression")).to_have_text("happiness")
    expect(value(page, "Expression, window by window", "rests on")).to_have_text("voice")
    page.keyboard.press("Space")
    expect(page.locator(".play")).to_have_attribute("aria-label", "Pause")
    expect(page.locator(".now")).not_to_have_text("0:04.0 / 0:18.0")
    page.keyboard.press("Space")
    expect(page.locator(".play")).to_have_attribute("aria-label", "Play")
    assert opened.complaints == []
    assert opened.foreign == []


def test_a_recording_that_is_not_there_can_be_chosen(opened: Opened, tmp_path: Path, recorded: Path) -> None:
    turns = (("", 4.0), ("silence", 1.984))
    page = opened.open(write(plant(tmp_path, Planted(names=(), turns=turns, pictures=False, file="gone.wav"))))
    expect(page.get_by_text("The recording cannot be reached or played from here; timelines still work.")).to_be_visible()
    page.get_by_label("Choose the recording file").set_input_files(recorded.parent.parent / "talk.wav")
    expect(page.locator(".play")).to_be_enabled()


def test_hostile_names_that_speak_are_shown_and_do_nothing(opened: Opened, tmp_path: Path) -> None:
    image, script = "<img src=x onerror=window.hacked=1>", "</script><script>window.hacked=1</script>"
    page = opened.open(write(plant(tmp_path, Planted(names=(image, script), turns=TURNS, said=SAID), playable=True)))
    ready(page)
    click_at(page, plot(page, SPEECH), 2.0)
    expect(value(page, SPEECH, "speaks")).to_have_text(image)
    point_at(page, plot(page, OVERVIEW), 9.0, LANE + 5)
    expect(panel(page, OVERVIEW).locator(".bubble")).to_contain_text(f"{script}: anger")
    assert page.evaluate("window.hacked") is None
    assert opened.complaints == []


@pytest.mark.parametrize("width", [420, 1000, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["talking", "recorded"])
def test_it_fits_its_window(opened: Opened, request: pytest.FixtureRequest, name: str, width: int, scheme: str) -> None:
    opened.page.set_viewport_size({"width": width, "height": 900})
    opened.page.emulate_media(color_scheme=scheme)   # type: ignore[arg-type]
    page = opened.open(request.getfixturevalue(name))
    expect(page.locator(".play")).to_be_enabled()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.complaints == []
