"""Odd files: every frame once, at its time, whether decoded in one go or gone on with, and whatever the sound does."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import odd_films
from emotrace.decode import Chunk
from emotrace.hearing import SAMPLE_RATE, stretches
from emotrace.sound import Mixer
from emotrace.video import Video
from odd_films import RATE, film

Made = Callable[[Path], Path]


def _joined(folder: Path) -> Path:
    parts = film(folder / "a.ts", 70, tone=300.0), film(folder / "b.ts", 50, tone=900.0)
    return odd_films.joined(folder / "joined.ts", *parts)


def _covered(folder: Path) -> Path:
    return odd_films.with_cover_first(folder / "covered.mp4", film(folder / "plain.mp4", codec="mpeg4"))


def _with_text(folder: Path) -> Path:
    return odd_films.with_late_text(folder / "text.flv", film(folder / "plain.flv", codec="libx264", tone=300.0))


ODD: dict[str, tuple[Made, int]] = {
    "without time stamps": (lambda folder: film(folder / "raw.m4v", codec="mpeg4"), 100),
    "some time stamps missing": (lambda folder: film(folder / "part.avi", codec="mpeg4"), 100),
    "joined": (_joined, 120),
    "cover first": (_covered, 100),
    "text begins late": (_with_text, 100),
    "times below 0": (lambda folder: film(folder / "below.nut", codec="mpeg4", first=-10), 100),
}


@pytest.fixture(scope="module", params=ODD)
def odd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Video, int]:
    made, frames = ODD[request.param]
    return Video.open(made(tmp_path_factory.mktemp("odd"))), frames


def whole(chunks: list[Chunk]) -> tuple[list[int], list[float], list[int], int]:
    """Numbers, times, grey levels of the middle, and guessed times."""
    return (
        [int(n) for chunk in chunks for n in chunk.number],
        [float(t) for chunk in chunks for t in chunk.time],
        [int(image[32, 48, 0]) for chunk in chunks for image in chunk.images],
        sum(chunk.guessed_times for chunk in chunks),
    )


def test_every_frame_of_an_odd_file_is_there_once(odd: tuple[Video, int]) -> None:
    video, frames = odd
    numbers, times, _, _ = whole(list(video.chunks()))
    assert numbers == list(range(frames))
    np.testing.assert_allclose(np.diff(times), 1 / RATE, atol=1e-3)


def test_going_on_behind_any_chunk_of_an_odd_file_gives_the_rest(odd: tuple[Video, int]) -> None:
    video, _ = odd
    chunks = list(video.chunks())
    for i, chunk in enumerate(chunks):
        rest = list(video.chunks(after=(int(chunk.number[-1]), float(chunk.time[-1]))))
        assert whole(rest) == whole(chunks[i + 1 :])


def test_going_on_inside_a_chunk_of_an_odd_file_gives_the_rest(odd: tuple[Video, int]) -> None:
    video, frames = odd
    numbers, times, levels, _ = whole(list(video.chunks()))
    for at in (0, 40, 77, frames - 1):
        rest = whole(list(video.chunks(after=(numbers[at], times[at]))))
        assert rest[:3] == (numbers[at + 1 :], times[at + 1 :], levels[at + 1 :])


@pytest.mark.parametrize("start", [0.02, 1.0, 2.5])
def test_a_start_inside_an_odd_file_keeps_numbers_and_times(odd: tuple[Video, int], start: float) -> None:
    video, _ = odd
    numbers, times, levels, _ = whole(list(video.chunks()))
    first = next(i for i, time in enumerate(times) if time >= start)
    assert whole(list(video.chunks(start=start)))[:3] == (numbers[first:], times[first:], levels[first:])


def test_lost_packets_are_counted_once_however_often_decoding_goes_on(corrupted: Path) -> None:
    video = Video.open(corrupted)
    chunks = list(video.chunks())
    for i, chunk in enumerate(chunks):
        rest = list(video.chunks(after=(int(chunk.number[-1]), float(chunk.time[-1]))))
        assert [int(n) for c in rest for n in c.number] == [int(n) for c in chunks[i + 1 :] for n in c.number]
        assert sum(c.lost_packets for c in rest) == sum(c.lost_packets for c in chunks[i + 1 :])


def strongest(heard: np.ndarray, seconds: tuple[int, ...]) -> list[int]:
    """The strongest frequency of some whole seconds, Hz."""
    return [int(np.abs(np.fft.rfft(heard[i * SAMPLE_RATE :][:SAMPLE_RATE])).argmax()) for i in seconds]


def test_sound_goes_on_behind_what_was_there_when_its_time_stamps_start_again(tmp_path: Path) -> None:
    parts = film(tmp_path / "a.ts", 8 * RATE, tone=300.0), film(tmp_path / "b.ts", 6 * RATE, tone=900.0)
    video = Video.open(odd_films.joined(tmp_path / "joined.ts", *parts))
    last = list(video.chunks())[-1].time[-1]
    blocks = list(video.sound(SAMPLE_RATE))
    ends = [block.time + len(block.samples) / SAMPLE_RATE for block in blocks]
    np.testing.assert_allclose([block.time for block in blocks[1:]], ends[:-1], atol=0.1)
    assert ends[-1] == pytest.approx(last + 1 / RATE, abs=0.1)
    heard = np.concatenate([block.samples for block in blocks])
    assert strongest(heard, (1, 3, 5, 9, 11, 12)) == [300, 300, 300, 900, 900, 900]


def test_sound_that_starts_again_behind_a_minute_is_heard_to_its_end(tmp_path: Path) -> None:
    parts = film(tmp_path / "a.ts", 75 * RATE, "", 300.0), film(tmp_path / "b.ts", 10 * RATE, "", 900.0)
    video = Video.open(odd_films.joined(tmp_path / "joined.ts", *parts))
    found = list(stretches(video.sound(SAMPLE_RATE), 0.0, math.inf))
    assert sum(stretch.own for stretch in found) / SAMPLE_RATE == pytest.approx(85 + found[0].begin, abs=1.5)


@pytest.mark.parametrize("off", [3.0, -3.0])
def test_one_wrong_time_stamp_of_sound_shifts_nothing_behind_it(off: float) -> None:
    mixer, placed = Mixer(SAMPLE_RATE), {}
    for i in range(100):
        frame = av.AudioFrame.from_ndarray(np.full((1, 1600), i * 100, np.int16), "s16", "mono")
        frame.sample_rate, frame.time_base = SAMPLE_RATE, Fraction(1, SAMPLE_RATE)
        frame.pts = round((i / 10 + (off if i == 50 else 0)) * SAMPLE_RATE)
        for block in mixer.take(frame):
            placed[i] = block.time
    assert [placed[i] for i in range(100) if i != 50] == pytest.approx([i / 10 for i in range(100) if i != 50], abs=0.1)


@pytest.mark.parametrize("ahead", [3_600, 1_000_000])   # s
def test_one_sound_stamp_far_ahead_costs_nothing_that_is_heard_behind_it(ahead: int, tmp_path: Path) -> None:
    plain = film(tmp_path / "plain.flv", 8 * RATE, "", 300.0)
    odd = odd_films.with_one_stamp_ahead(tmp_path / "odd.flv", plain, 150, ahead)

    def blocks(path: Path) -> list[tuple[float, list[float]]]:
        return [(block.time, block.samples.tolist()) for block in Video.open(path).sound(SAMPLE_RATE)]

    assert blocks(odd) == blocks(plain)


def test_sound_whose_stamps_leap_ahead_by_years_goes_on_behind_what_was_there() -> None:
    mixer, given = Mixer(SAMPLE_RATE), []
    for i in range(40):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.int16), "s16", "mono")
        frame.sample_rate, frame.time_base = SAMPLE_RATE, Fraction(1, SAMPLE_RATE)
        frame.pts = i * 1600 + (0 if i < 20 else 1_700_000_000 * SAMPLE_RATE)
        given += mixer.take(frame)
    assert [block.time for block in given] == pytest.approx([i / 10 for i in range(40)])


def clicks(packets: list[int], slower: float) -> list[float]:
    """When the click in the middle of each second is heard (s) in sound of packets of 20 ms, some of which are missing."""
    mixer, heard = Mixer(SAMPLE_RATE), np.zeros(11 * SAMPLE_RATE, np.float32)
    length = SAMPLE_RATE // 50
    for i in packets:
        samples = np.zeros((1, length), np.int16)
        samples[0, 0] = 20000 if i % 50 == 25 else 0
        frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
        frame.sample_rate, frame.time_base = SAMPLE_RATE, Fraction(1, SAMPLE_RATE)
        frame.pts = round(i / 50 * slower * SAMPLE_RATE)
        for block in mixer.take(frame):
            place = round(block.time * SAMPLE_RATE)
            heard[place : place + len(block.samples)] = block.samples
    return (np.flatnonzero(heard > 0.3) / SAMPLE_RATE).tolist()


def test_packets_lost_one_by_one_do_not_add_up() -> None:
    found = clicks([i for i in range(500) if i % 40 != 39], 1.0)   # 12 x 20 ms
    assert found == pytest.approx([second + 0.5 for second in range(10)], abs=0.005)


@pytest.mark.parametrize("slower", [0.99, 1.01])
def test_sound_keeps_to_its_time_stamps_where_they_drift(slower: float) -> None:
    found = clicks(list(range(500)), slower)
    assert found == pytest.approx([(second + 0.5) * slower for second in range(10)], abs=0.025)


def test_stamps_that_jitter_move_no_sound() -> None:
    mixer, given = Mixer(SAMPLE_RATE), []
    for i in range(200):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 320), np.int16), "s16", "mono")
        frame.sample_rate, frame.time_base = SAMPLE_RATE, Fraction(1, SAMPLE_RATE)
        frame.pts = i * 320 + (0, 400, -300, 250, -350)[i % 5]
        given += mixer.take(frame)
    assert [block.time for block in given] == pytest.approx([i * 0.02 for i in range(200)])


def test_sound_without_time_stamps_begins_at_0_as_pictures_do() -> None:
    mixer = Mixer(SAMPLE_RATE)
    for _ in range(3):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, SAMPLE_RATE), np.int16), "s16", "mono")
        frame.sample_rate = SAMPLE_RATE
        assert frame.time is None
        begins = mixer.clock
        assert [block.time for block in mixer.take(frame)] == [0.0 if math.isnan(begins) else begins]
    assert mixer.clock == 3.0


@pytest.mark.parametrize("matrix", [8, 10, 14])   # YCgCo, BT.2020 with constant luminance, ICtCp
def test_pictures_with_a_colour_matrix_that_ffmpeg_cannot_undo_are_read_without_it(matrix: int, tmp_path: Path) -> None:
    def pictures(name: str, **colour: int) -> np.ndarray:
        source = film(tmp_path / name, 5, "libx264")
        with av.open(str(source)) as reader, av.open(str(tmp_path / f"new-{name}"), "w") as writer:
            stream = writer.add_stream("libx264", rate=RATE)
            stream.width, stream.height, stream.pix_fmt = odd_films.SIZE[0], odd_films.SIZE[1], "yuv420p"
            for key, value in colour.items():
                setattr(stream.codec_context, key, value)
            for frame in reader.decode(video=0):
                writer.mux(stream.encode(frame))
            writer.mux(stream.encode(None))
        return np.concatenate([chunk.images for chunk in Video.open(tmp_path / f"new-{name}").chunks()])

    np.testing.assert_array_equal(pictures("odd.mp4", colorspace=matrix), pictures("plain.mp4"))


def _squares(target: Path, width: int, height: int) -> Path:
    """Ten grey frames with a white square of 32 px in the middle."""
    picture = np.full((height, width, 3), 60, np.uint8)
    picture[height // 2 - 16 : height // 2 + 16, width // 2 - 16 : width // 2 + 16] = 250
    with av.open(str(target), "w") as writer:
        stream = writer.add_stream("libx264", rate=RATE, options={"qp": "10"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for i in range(10):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = i, Fraction(1, RATE)
            writer.mux(stream.encode(frame))
        writer.mux(stream.encode(None))
    return target


def test_a_picture_that_changes_its_shape_on_the_way_keeps_its_proportions(tmp_path: Path) -> None:
    parts = _squares(tmp_path / "wide.ts", 192, 96), _squares(tmp_path / "tall.ts", 96, 192)
    images = np.concatenate([chunk.images for chunk in Video.open(odd_films.joined(tmp_path / "turned.ts", *parts)).chunks()])
    assert images.shape[:3] == (20, 96, 192)
    for image, side, left in ((images[5], 32, 0), (images[15], 16, 72)):   # 96 x 192 becomes 48 x 96
        white = image[..., 1] > 160
        assert np.ptp(np.flatnonzero(white.any(axis=0))) + 1 == pytest.approx(side, abs=2)
        assert np.ptp(np.flatnonzero(white.any(axis=1))) + 1 == pytest.approx(side, abs=2)
        assert (image[:, :left] == 0).all()
        assert image[48, left + 2, 1] == pytest.approx(60, abs=8)


SKIN = (224, 172, 150)
KR_KB = {   # and the number of the matrix
    "unspecified": (2, 0.299, 0.114), "BT.601": (6, 0.299, 0.114), "BT.709": (1, 0.2126, 0.0722),
    "BT.2020": (9, 0.2627, 0.0593),
}  # fmt: skip


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("name", KR_KB)
@pytest.mark.parametrize("form", ["yuv420p", "yuv444p"])
def test_colours_are_those_of_the_matrix_and_range_that_a_file_says(form: str, name: str, full: bool, tmp_path: Path) -> None:
    matrix, kr, kb = KR_KB[name]
    red, green, blue = SKIN
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = (blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr)
    scales = (1.0, 1.0) if full else (219 / 255, 224 / 255)
    values = [(0 if full else 16) + scales[0] * luma, *(128 + scales[1] * each for each in chroma)]
    with av.open(str(tmp_path / "film.mp4"), "w") as writer:
        stream = writer.add_stream("libx264", rate=RATE, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, form
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, 2 if full else 1
        frame = av.VideoFrame(64, 64, form)
        frame.color_range = 2 if full else 1
        for plane, value in zip(frame.planes, values, strict=True):
            plane.update(bytes([round(value)]) * plane.buffer_size)
        writer.mux(stream.encode(frame))
        writer.mux(stream.encode(None))
    seen = next(Video.open(tmp_path / "film.mp4").chunks()).images[0, 32, 32]
    np.testing.assert_allclose(seen.astype(int), SKIN, atol=3)


def test_sound_may_change_its_channels_on_the_way(tmp_path: Path) -> None:
    parts = film(tmp_path / "a.ts", 100, tone=300.0, layout="stereo"), film(tmp_path / "b.ts", 100, tone=900.0)
    video = Video.open(odd_films.joined(tmp_path / "both.ts", *parts))
    heard = np.concatenate([block.samples for block in video.sound(SAMPLE_RATE)])
    assert len(heard) / SAMPLE_RATE == pytest.approx(8.0, abs=0.1)
    assert strongest(heard, (1, 6)) == [300, 900]
    assert np.abs(heard[5 * SAMPLE_RATE :]).max() == pytest.approx(0.5, abs=0.05)


def test_a_film_whose_sound_nobody_can_decode_is_a_film(tmp_path: Path) -> None:
    video = Video.open(odd_films.with_unknown_sound(tmp_path / "odd.mp4", film(tmp_path / "plain.mp4", 50, "mpeg4", 300.0)))
    assert (video.has_sound, video.sound_rate) == (True, 0)
    assert sum(map(len, video.chunks())) == 50
    assert list(video.sound(SAMPLE_RATE)) == []


MATRICES = {   # of a display: a, b, c, d, and what a picture must become
    "mirrored": ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
    "upside down": ((1, 0, 0, -1), lambda image: image[::-1]),
    "transposed": ((0, 1, 1, 0), lambda image: image.transpose(1, 0, 2)),
    "turned": ((0, 1, -1, 0), lambda image: np.rot90(image, -1)),
    "nonsense": ((0, 0, 0, 0), lambda image: image),
}


@pytest.mark.parametrize("name", MATRICES)
def test_pictures_are_mirrored_and_turned_as_the_display_matrix_says(name: str, steady: Path, tmp_path: Path) -> None:
    (a, b, c, d), expected = MATRICES[name]
    content = bytearray(steady.read_bytes())
    place = content.index(b"tkhd") + 44
    values = (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    content[place : place + 36] = b"".join((value % (1 << 32)).to_bytes(4, "big") for value in values)
    (tmp_path / "shown.mp4").write_bytes(content)
    stored, shown = (next(Video.open(file).chunks()).images[0] for file in (steady, tmp_path / "shown.mp4"))
    np.testing.assert_array_equal(shown, expected(stored))


def test_titles_in_another_encoding_are_no_reason_to_refuse_a_file(tmp_path: Path) -> None:
    content = bytearray(film(tmp_path / "plain.avi", 30, "mpeg4").read_bytes())
    place = content.index(b"Lavf")   # the name of the program that wrote it
    content[place : place + 4] = "Müll".encode("latin-1")
    (tmp_path / "titled.avi").write_bytes(content)
    assert sum(map(len, Video.open(tmp_path / "titled.avi").chunks())) == 30


def test_a_matroska_that_starts_late_ends_when_it_says(tmp_path: Path) -> None:
    video = Video.open(film(tmp_path / "late.mkv", 75, "mpeg4", first=125))
    assert list(video.chunks())[-1].time[-1] == pytest.approx(5 + 74 / RATE, abs=0.01)
    assert video.duration == pytest.approx(8.0, abs=0.1)


@pytest.mark.parametrize("name", ["12:30.mp4", "interview:anna.mp4", "a?b#c %41.mp4"])
def test_a_name_is_no_address(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    film(tmp_path / "plain.mp4", 30, "mpeg4").rename(tmp_path / name)
    assert sum(map(len, Video.open(name).chunks())) == 30
