"""Pieces of a video: cut where the shots are, and in each file the frames, times and sound of the video."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from emotrace.errors import FolderError
from emotrace.pieces import Piece, cut, pieces
from emotrace.video import Video
from recordings import VARIABLE


def cuts(shot: np.ndarray, rate: float = 25.0) -> list[tuple[float, float]]:
    time = np.arange(len(shot)) / rate
    return [(round(p.start, 6), round(p.end, 6)) for p in pieces(np.arange(len(shot)), time, shot.astype(np.int32))]


def test_a_video_is_cut_at_its_shots_and_long_shots_evenly() -> None:
    shot = np.repeat([0, 1, 2], [100, 75, 225])   # 4 s, 3 s, 9 s
    assert cuts(shot) == [(0, 4), (4, 7), (7, 10), (10, 13), (13, 16)]


def test_a_shot_shorter_than_half_a_second_is_left_out() -> None:
    assert cuts(np.repeat([0, 1, 2], [50, 12, 13])) == [(0, 2), (2.48, 3)]
    assert cuts(np.zeros(1)) == []
    assert cuts(np.zeros(0)) == []


def test_a_hole_in_the_file_is_in_no_piece() -> None:
    time = np.append(np.arange(50), 1000 + np.arange(50)) / 25
    found = pieces(np.arange(100), time, np.zeros(100, np.int32))
    assert [(p.first, p.last) for p in found] == [(0, 49), (50, 99)]
    assert [p.end - p.start for p in found] == pytest.approx([1.96 + 1.04, 2.0])
    assert found[1].before == (49, 1.96)


def test_frames_keep_the_numbers_that_they_have_in_the_file() -> None:
    found = pieces(np.arange(100, 200), 4 + np.arange(100) / 25, np.repeat([3, 5], 50).astype(np.int32))
    assert [(p.first, p.last, p.frames) for p in found] == [(100, 149, 50), (150, 199, 50)]


def whole(video: Video, start: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chunks = list(video.chunks(start=start))
    return tuple(np.concatenate([getattr(c, name) for c in chunks]) for name in ("number", "time", "images"))  # type: ignore


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 60 pictures of noise, of odd size and at times that nothing but the time stamps tells."""
    file = tmp_path_factory.mktemp("tiny") / "tiny.mkv"
    chance = np.random.default_rng(0)
    with av.open(str(file), "w") as film:
        stream = film.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 101, 67, "bgr0"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 90_000)
        for time in VARIABLE:
            picture = av.VideoFrame.from_ndarray(chance.integers(0, 256, (67, 101, 3), np.uint8), "rgb24")
            picture.pts, picture.time_base = int(time * 90_000), Fraction(1, 90_000)
            film.mux(stream.encode(picture))
        film.mux(stream.encode(None))
    return file


def sound_of(video: Video, rate: int) -> np.ndarray:
    """On the video's clock from 0 s on, 0 where there is none."""
    heard = np.zeros(rate * 10, np.float32)
    for block in video.sound(rate):
        heard[round(block.time * rate) : round(block.time * rate) + len(block.samples)] = block.samples
    return heard


@pytest.mark.parametrize("clip", ["tiny", "rotated", "corrupted"])
def test_pieces_hold_the_very_frames_and_times_of_the_video(clip: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    video = Video.open(request.getfixturevalue(clip))
    number, time, images = whole(video)
    shot = (np.arange(len(number)) >= 20).astype(np.int32)
    found = pieces(number, time, shot)
    assert len(found) >= 2
    for piece, file in zip(found, cut(video, found, tmp_path), strict=True):
        _, times, pictures = whole(Video.open(file))
        own = (number >= piece.first) & (number <= piece.last)
        np.testing.assert_allclose(times, time[own] - piece.start, atol=1e-6)
        np.testing.assert_array_equal(pictures, images[own])


def test_a_run_that_goes_on_writes_the_same_pieces(tiny: Path, tmp_path: Path) -> None:
    video = Video.open(tiny)
    number, time, _ = whole(video)
    found = pieces(number, time, (np.arange(len(number)) // 20).astype(np.int32))
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    second.mkdir()
    files = list(cut(video, found, first))
    later = list(cut(video, found[1:], second))
    assert [file.read_bytes() for file in files[1:]] == [file.read_bytes() for file in later]


def test_sound_is_that_of_the_video_at_the_same_moments(obama: Path, tmp_path: Path) -> None:
    video = Video.open(obama)
    number, time, _ = whole(video)
    found = pieces(number, time, np.zeros(len(number), np.int32))
    rate = video.sound_rate
    heard = sound_of(video, rate)
    assert len(found) == 3   # of 8.75 s
    for piece, file in zip(found, cut(video, found, tmp_path), strict=True):
        written = Video.open(file)
        assert (written.sound_rate, written.has_sound) == (rate, True)
        place = round(piece.start * rate)
        mine = np.concatenate([block.samples for block in written.sound(rate)])
        assert len(mine) == round((piece.end - piece.start) * rate)
        np.testing.assert_allclose(mine, heard[place : place + len(mine)], atol=1e-6)
        assert np.abs(mine).max() > 0.05


def test_sound_that_begins_within_a_piece_is_silence_before(late_sound: Path, tmp_path: Path) -> None:
    video = Video.open(late_sound)   # a tone from 0.5 s on
    piece = Piece(0.0, 1.0, 0, 29, None)
    (file,) = cut(video, [piece], tmp_path)
    heard = sound_of(Video.open(file), 48_000)
    assert np.abs(heard[: int(0.47 * 48_000)]).max() == 0
    assert np.abs(heard[int(0.55 * 48_000) : 48_000]).max() > 0.3


def test_a_piece_before_the_sound_begins_and_one_of_a_silent_film_have_no_sound_track(
    late_sound: Path, tiny: Path, tmp_path: Path
) -> None:
    early = Piece(0.0, 0.4, 0, 11, None)
    (file,) = cut(Video.open(late_sound), [early], tmp_path)
    assert not Video.open(file).has_sound
    (file,) = cut(Video.open(tiny), [early], tmp_path)
    assert not Video.open(file).has_sound


def test_a_folder_called_like_an_address_is_written_to(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "12:30.emotrace").mkdir()
    monkeypatch.chdir(tmp_path)
    (file,) = cut(Video.open(tiny), [Piece(0.0, 0.4, 0, 11, None)], Path("12:30.emotrace"))
    assert len(whole(Video.open(file))[0]) == 12


def test_a_folder_that_is_gone_is_said_in_one_line(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="cannot be written"):
        list(cut(Video.open(tiny), [Piece(0.0, 1.0, 0, 9, None)], tmp_path / "gone"))


def test_a_piece_later_than_the_start_needs_nothing_before_it(tiny: Path, tmp_path: Path) -> None:
    video = Video.open(tiny)
    number, time, images = whole(video, start=1.6)
    assert 1.6 <= time[0] < number[0]
    (piece,) = pieces(number, time, np.zeros(len(number), np.int32))
    (file,) = cut(video, [piece], tmp_path)
    np.testing.assert_array_equal(whole(Video.open(file))[2], images)
