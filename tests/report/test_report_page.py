"""The page in a real browser, over file://: it plays, follows, answers, and asks nobody for anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import pytest
from planted_folder import FROWN, PLACE, SMILE, Planted, plant
from playwright.sync_api import expect
from report_browser import Opened, click_at, now, playheads, plot, ready, value

from emotrace.report.build import write

P1_COLOUR = [0x33, 0xBB, 0xEE]
EARLY_FRAME = """{
    // A browser that shows the first frame before it says what it knows of the video, as a busy one does.
    const ask = HTMLVideoElement.prototype.requestVideoFrameCallback
    HTMLVideoElement.prototype.requestVideoFrameCallback = function (tell) {
        const early = () => { window.early = true; tell(0, { mediaTime: 0 }) }
        if (!window.early) this.addEventListener('durationchange', early, { once: true })
        return ask.call(this, tell)
    }
}"""


def test_it_loads_without_a_complaint_and_without_asking_for_anything_but_the_video(opened: Opened, two_people: Path) -> None:
    page = opened.open(two_people)
    ready(page)
    expect(page.locator(".card")).to_have_count(2)
    expect(page.locator("#timelines canvas")).to_have_count(4)   # presence, expression, valence and arousal, action units
    assert opened.complaints == []
    assert opened.foreign == []
    assert {url.rsplit("/", 1)[-1] for url in opened.requests if url.startswith("file:")} == {"report.html", "clip.mp4"}


def test_the_policy_stops_a_page_script_from_fetching(opened: Opened, two_people: Path) -> None:
    page = opened.open(two_people)
    tried = "fetch('https://example.org/').then(() => 'fetched', () => 'refused')"
    assert page.evaluate(tried) == "refused"


def test_space_plays_and_pauses_and_the_playhead_follows(opened: Opened, two_people: Path) -> None:
    page = opened.open(two_people)
    ready(page)
    page.keyboard.press("Space")
    expect(page.locator(".play")).to_have_attribute("aria-label", "Pause")
    expect(page.locator(".now")).not_to_have_text(re.compile(r"^0:00\.0"))
    page.keyboard.press("Space")
    expect(page.locator(".play")).to_have_attribute("aria-label", "Play")
    heads = playheads(page)
    assert min(heads) > 0
    assert max(heads) - min(heads) < 0.1


def test_arrows_move_by_a_second(opened: Opened, two_people: Path) -> None:
    page = opened.open(two_people)
    ready(page)
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    now(page, "0:02.0")
    assert page.evaluate("document.querySelector('video').currentTime") == pytest.approx(2, abs=0.01)


def test_a_click_on_an_event_goes_to_one_second_before_it_and_shows_its_person(opened: Opened, two_people: Path) -> None:
    page = opened.open(two_people)
    ready(page)
    expect(page.locator(".event")).to_have_count(2)
    page.get_by_role("button", name=re.compile(r"^0:09\.0 P2 anger \+0\.70")).click()
    now(page, f"0:{FROWN - 1:04.1f}")
    assert page.evaluate("document.querySelector('video').currentTime") == pytest.approx(FROWN - 1, abs=0.01)
    expect(page.get_by_role("heading", name="P2 over time")).to_be_visible()


def test_space_after_a_click_on_an_event_plays(opened: Opened, two_people: Path) -> None:
    page = opened.open(two_people)
    ready(page)
    page.locator(".event").first.click()
    page.keyboard.press("Space")
    expect(page.locator(".play")).to_have_attribute("aria-label", "Pause")
    expect(page.locator(".now")).to_have_text(re.compile(r"^0:0[3-9]"))   # 2 s is where the event was gone to


def test_a_button_reached_with_the_keyboard_keeps_its_own_space(opened: Opened, two_people: Path) -> None:
    page = opened.open(two_people)
    ready(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator(".card").nth(1)).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_role("heading", name="P2 over time")).to_be_visible()
    expect(page.locator("video")).to_have_js_property("paused", True)


@pytest.mark.parametrize("title", ["Who is seen when", "Expression", "Valence and arousal", "Action units"])
def test_a_click_on_any_plot_moves_the_playhead_of_all_and_the_video(opened: Opened, two_people: Path, title: str) -> None:
    page = opened.open(two_people)
    ready(page)
    over = plot(page, title)
    click_at(page, over, 9.0)
    now(page, "0:09.0")
    width = over.evaluate("e => e.clientWidth")
    assert playheads(page) == pytest.approx([width / 2] * 4, abs=2)   # the frame shown there
    assert page.evaluate("document.querySelector('video').currentTime") == pytest.approx(9.0, abs=0.05)


def test_the_values_are_the_planted_ones_at_the_playhead(opened: Opened, two_people: Path) -> None:
    page = opened.open(two_people)
    ready(page)
    expect(value(page, "Expression", "neutral")).to_have_text("1.00")
    click_at(page, plot(page, "Expression"), SMILE + 1)
    page.mouse.move(0, 0)
    expect(value(page, "Expression", "happiness")).to_have_text("0.80")
    expect(value(page, "Valence and arousal", "valence")).to_have_text("+0.65")
    expect(value(page, "Action units", "lip corner puller")).to_have_text("0.60")
    click_at(page, plot(page, "Expression"), FROWN)   # P1 is not in the second shot
    page.mouse.move(0, 0)
    expect(value(page, "Expression", "happiness")).to_have_text("–")


def test_pointing_at_a_plot_shows_the_values_there_and_leaves_the_playhead(opened: Opened, two_people: Path) -> None:
    page = opened.open(two_people)
    ready(page)
    box = plot(page, "Expression").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 4.5 / 18, box["y"] + 20)
    expect(page.locator(".moment")).to_have_text(re.compile(r"^values at 0:04\.[45]\d \(pointer\)"))
    expect(value(page, "Expression", "happiness")).to_have_text("0.80")
    now(page, "0:00.0")
    page.mouse.move(0, 0)
    expect(value(page, "Expression", "happiness")).to_have_text("0.00")


def test_choosing_p2_changes_the_plots(opened: Opened, two_people: Path) -> None:
    page = opened.open(two_people)
    ready(page)
    click_at(page, plot(page, "Expression"), 10.0)
    page.mouse.move(0, 0)
    before = page.evaluate("[...document.querySelectorAll('#timelines canvas')].map(c => c.toDataURL())")
    page.locator(".card").nth(1).click()
    expect(page.locator(".card").nth(1)).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".card").nth(0)).to_have_attribute("aria-pressed", "false")
    expect(value(page, "Expression", "anger")).to_have_text("0.70")
    expect(value(page, "Action units", "brow lowerer")).to_have_text("0.50")
    after = page.evaluate("[...document.querySelectorAll('#timelines canvas')].map(c => c.toDataURL())")
    assert len(before) == len(after)
    assert all(a != b for a, b in zip(before, after, strict=True))


def test_dragging_zooms_all_plots_and_a_double_click_shows_all(opened: Opened, two_people: Path) -> None:
    page = opened.open(two_people)
    ready(page)
    click_at(page, plot(page, "Expression"), 9.0)
    over = plot(page, "Valence and arousal")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 6 / 18, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 15 / 18, y, steps=4)
    page.mouse.up()
    expect(page.get_by_role("button", name="show all")).to_be_visible()
    now(page, "0:09.0")   # a drag is no click
    assert playheads(page) == pytest.approx([box["width"] / 3] * 4, abs=2)
    page.locator(".card").nth(1).click()   # another person's plots keep the zoom
    assert playheads(page) == pytest.approx([box["width"] / 3] * 4, abs=2)
    plot(page, "Expression").dblclick(position={"x": 5, "y": 20})
    expect(page.get_by_role("button", name="show all")).to_be_hidden()
    now(page, "0:06.0")   # its first click went to where it was in the zoomed plot


def test_folded_panels_open_with_the_zoom_and_the_person_of_the_others(opened: Opened, two_people: Path) -> None:
    page = opened.open(two_people)
    ready(page)
    click_at(page, plot(page, "Expression"), 4.0)
    page.mouse.move(0, 0)
    page.get_by_text("Head pose").click()
    expect(value(page, "Head pose", "yaw")).to_have_text("+20°")
    assert len(playheads(page)) == 5


def test_boxes_lie_on_the_planted_faces_in_the_persons_colour(opened: Opened, two_people: Path) -> None:
    page = opened.open(two_people)
    ready(page)
    click_at(page, plot(page, "Expression"), 4.0)
    drawn = """([x, y]) => {
        const canvas = document.querySelector('.overlay'), scale = canvas.width / 320
        return [...canvas.getContext('2d').getImageData(Math.round(x * scale), Math.round(y * scale), 1, 1).data]
    }"""
    left = PLACE["P1"] + 4 * 4.0
    assert page.evaluate(drawn, [left, 85]) == [*P1_COLOUR, 255]
    assert page.evaluate(drawn, [left + 60, 85]) == [*P1_COLOUR, 255]
    assert page.evaluate(drawn, [left + 30, 85])[3] == 0
    assert page.evaluate(drawn, [PLACE["P2"] + 16, 85])[3] == 0   # P2 is not in the first shot
    page.get_by_label("faces").uncheck()
    assert page.evaluate(drawn, [left, 85])[3] == 0


def test_hostile_names_are_shown_and_do_nothing(opened: Opened, tmp_path: Path) -> None:
    image, script = "<img src=x onerror=window.hacked=1>", "</script><script>window.hacked=1</script>"
    what = Planted(names=(image, script), file="a'b #1?%20 {{script}} <b>&amp;.mp4", warnings=(image, script))
    page = opened.open(write(plant(tmp_path, what, playable=True)))
    ready(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(what.file)
    expect(page.locator(".card strong")).to_have_text([image, script])
    expect(page.locator(".warnings li")).to_have_text([image, script])
    page.locator(".card").nth(1).click()
    expect(page.get_by_role("heading", name=f"{script} over time")).to_be_visible()
    assert page.evaluate("window.hacked") is None
    assert opened.complaints == []
    assert opened.foreign == []


def test_without_its_video_the_timelines_still_work_and_the_file_can_be_chosen(
    opened: Opened, tmp_path: Path, two_people: Path
) -> None:
    page = opened.open(write(plant(tmp_path)))
    expect(page.get_by_text("The video cannot be reached or played from here; timelines still work.")).to_be_visible()
    expect(page.locator(".play")).to_be_disabled()
    click_at(page, plot(page, "Expression"), 9.0)
    now(page, "0:09.0")
    page.get_by_label("Choose the video file").set_input_files(two_people.parent.parent / "clip.mp4")
    ready(page)
    expect(page.locator(".unplayable")).to_be_hidden()
    assert page.evaluate("document.querySelector('video').currentTime") == pytest.approx(9.0, abs=0.05)


def test_a_frame_shown_before_the_metadata_is_announced_does_not_move_the_reader(
    opened: Opened, tmp_path: Path, two_people: Path
) -> None:
    opened.page.add_init_script(EARLY_FRAME)
    page = opened.open(write(plant(tmp_path)))
    click_at(page, plot(page, "Expression"), 9.0)
    page.get_by_label("Choose the video file").set_input_files(two_people.parent.parent / "clip.mp4")
    ready(page)
    assert page.evaluate("window.early")
    assert page.evaluate("document.querySelector('video').currentTime") == pytest.approx(9.0, abs=0.05)


def test_a_file_that_is_no_video_is_said_to_be_unplayable(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"not a video" * 100)
    page = opened.open(write(plant(tmp_path)))
    expect(page.get_by_text("The video cannot be reached or played from here; timelines still work.")).to_be_visible()


class Plain(SimpleHTTPRequestHandler):
    """As of `python -m http.server`: it answers no Range requests."""

    def log_message(self, *_words: object) -> None:
        """Says nothing."""


@pytest.fixture
def served(two_people: Path) -> Iterator[str]:
    """The report of two people on a server without Range requests."""
    root = two_people.parent.parent
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Plain, directory=str(root))) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/{quote(two_people.relative_to(root).as_posix())}"
        server.shutdown()


def test_on_a_server_that_cannot_seek_it_says_so_and_the_reader_goes_on(opened: Opened, two_people: Path, served: str) -> None:
    page = opened.page
    page.goto(served)
    ready(page)
    expect(page.locator(".unplayable")).to_be_hidden()   # it can be played from the start
    click_at(page, plot(page, "Expression"), 9.0)
    expect(page.get_by_text("This server cannot seek in the video (it answers no Range requests)")).to_be_visible()
    expect(page.locator(".play")).to_be_disabled()
    now(page, "0:09.0")
    page.keyboard.press("ArrowRight")
    now(page, "0:10.0")
    page.get_by_label("Choose the video file").set_input_files(two_people.parent.parent / "clip.mp4")
    ready(page)
    expect(page.locator(".unplayable")).to_be_hidden()
    assert page.evaluate("document.querySelector('video').currentTime") == pytest.approx(10.0, abs=0.05)
    assert opened.complaints == []


def test_a_running_clock_is_not_read_out(opened: Opened, two_people: Path) -> None:
    page = opened.open(two_people)
    expect(page.get_by_role("timer", name="Time")).to_have_text("0:00.0 / 0:18.0")
    expect(page.get_by_role("status")).to_have_count(0)


def test_a_still_image_has_bars_and_no_player(opened: Opened, tmp_path: Path) -> None:
    page = opened.open(write(plant(tmp_path, Planted(names=("P1",), image=True, file="still.png"), playable=True)))
    expect(page.locator("img.picture")).to_have_js_property("naturalWidth", 320)
    expect(page.locator(".measure", has_text="neutral").locator("b")).to_have_text("1.00")
    expect(page.locator(".controls")).to_have_count(0)
    assert opened.complaints == []


def test_a_video_without_people_says_so(opened: Opened, tmp_path: Path) -> None:
    page = opened.open(write(plant(tmp_path, Planted(names=()), playable=True)))
    ready(page)
    expect(page.get_by_text("No face was found that could be followed as a person.")).to_be_visible()
    page.keyboard.press("ArrowRight")
    now(page, "0:01.0")
    assert opened.complaints == []


def test_people_who_could_not_be_measured_have_empty_plots_that_say_so(opened: Opened, tmp_path: Path) -> None:
    page = opened.open(write(plant(tmp_path, Planted(measured=False), playable=True)))
    ready(page)
    expect(page.get_by_text("Nothing of this could be measured.").locator("visible=true")).to_have_count(3)
    expect(page.locator(".card").first).to_contain_text("never good enough to be measured")
    expect(value(page, "Expression", "neutral")).to_have_text("–")
    assert opened.complaints == []


@pytest.mark.parametrize("width", [390, 900, 1000, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_its_window_in_light_and_dark(opened: Opened, two_people: Path, width: int, scheme: str) -> None:
    opened.page.set_viewport_size({"width": width, "height": 900})
    opened.page.emulate_media(color_scheme=scheme)   # type: ignore[arg-type]
    page = opened.open(two_people)
    ready(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    background = {"light": "rgb(246, 246, 244)", "dark": "rgb(17, 19, 21)"}[scheme]
    expect(page.locator("body")).to_have_css("background-color", background)
    assert opened.complaints == []


def test_plots_follow_the_window_when_it_is_made_narrower(opened: Opened, two_people: Path) -> None:
    page = opened.open(two_people)
    ready(page)
    wide = plot(page, "Expression").evaluate("e => e.clientWidth")
    page.set_viewport_size({"width": 1000, "height": 900})
    expect(plot(page, "Expression")).not_to_have_js_property("clientWidth", wide)
    widths = page.evaluate("[...document.querySelectorAll('.u-over')].map(e => e.clientWidth)")
    assert len(set(widths)) == 1
    assert widths[0] < wide


def test_on_a_phone_the_scales_of_a_card_are_long_enough_to_be_read(opened: Opened, two_people: Path) -> None:
    opened.page.set_viewport_size({"width": 390, "height": 800})
    page = opened.open(two_people)
    ready(page)
    assert min(page.locator(".scale").evaluate_all("all => all.map(scale => scale.clientWidth)")) > 100


def test_on_paper_plots_fit_their_panels_and_keep_their_colours(opened: Opened, two_people: Path) -> None:
    page = opened.open(two_people)
    ready(page)
    wide = plot(page, "Expression").evaluate("e => e.clientWidth")
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    expect(plot(page, "Expression")).to_have_js_property("clientWidth", wide)   # as before
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(plot(page, "Expression")).not_to_have_js_property("clientWidth", wide)
    inside = """all => all.every(canvas => {
        const [drawn, panel] = [canvas, canvas.closest('.plot')].map(e => e.getBoundingClientRect())
        return Math.abs(drawn.width - panel.width) < 1 && panel.right <= document.body.getBoundingClientRect().right
    })"""
    assert page.locator("#timelines canvas").evaluate_all(inside)
    for part in (".key", ".mix i", ".size"):
        expect(page.locator(part).first).to_have_css("print-color-adjust", "exact")
    for part in ("#timelines figure.panel", ".card"):
        expect(page.locator(part).first).to_have_css("break-inside", "avoid")
    expect(page.locator(".events")).to_have_css("max-height", "none")
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(plot(page, "Expression")).to_have_js_property("clientWidth", wide)


def test_headings_skip_no_level_and_figures_are_figures(opened: Opened, two_people: Path) -> None:
    page = opened.open(two_people)
    levels = page.locator("h1, h2, h3").evaluate_all("all => all.map(heading => Number(heading.tagName[1]))")
    assert levels[0] == 1
    assert max(later - level for level, later in pairwise(levels)) == 1
    expect(page.get_by_role("figure", name="Expression", exact=True)).to_have_count(1)


def test_plus_and_minus_zoom_around_the_playhead(opened: Opened, two_people: Path) -> None:
    page = opened.open(two_people)
    ready(page)
    click_at(page, plot(page, "Expression"), 6.0)
    page.mouse.move(0, 0)
    now(page, "0:06.0")
    width = plot(page, "Expression").evaluate("e => e.clientWidth")
    page.keyboard.press("+")   # 1.5 to 10.5 s
    expect(page.get_by_role("button", name="show all")).to_be_visible()
    assert playheads(page) == pytest.approx([width / 2] * 4, abs=4)
    page.keyboard.press("-")
    expect(page.get_by_role("button", name="show all")).to_be_hidden()
    assert playheads(page) == pytest.approx([width / 3] * 4, abs=2)
