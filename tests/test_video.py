"""Decoding: every frame, at the container's time, upright, whatever is wrong with the file."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import emotrace
from emotrace import samples
from emotrace.container import in_square_pixels
from emotrace.errors import InputError, VideoError
from emotrace.video import Video
from recordings import VARIABLE


def times(video: Video, **choice: float) -> np.ndarray:
    return np.concatenate([chunk.time for chunk in video.chunks(**choice)] or [np.zeros(0)])


def numbers(video: Video, **choice: float) -> list[int]:
    return [int(number) for chunk in video.chunks(**choice) for number in chunk.number]


@pytest.mark.parametrize("clip", ["woman", "single_face", "face_noface", "obama", "steady", "variable"])
def test_there_are_exactly_as_many_frames_as_ffprobe_counts(clip: str, request: pytest.FixtureRequest) -> None:
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed")
    path = request.getfixturevalue(clip)
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-count_frames", "-show_entries", "stream=nb_read_frames",
               "-of", "csv=p=0", str(path)]  # fmt: skip
    counted = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().strip(","))
    assert numbers(Video.open(path)) == list(range(counted))


def test_times_are_those_of_a_variable_frame_rate(variable: Path) -> None:
    np.testing.assert_allclose(times(Video.open(variable)), [float(time) for time in VARIABLE], atol=1e-4)


def test_frames_are_turned_upright_as_the_display_matrix_says(rotated: Path, steady: Path) -> None:
    plain, turned = Video.open(steady), Video.open(rotated)
    assert (plain.width, plain.height) == (turned.height, turned.width) == (640, 360)
    stored, upright = next(plain.chunks()).images[0], next(turned.chunks()).images[0]
    assert turned.rotation in (90, 270)
    np.testing.assert_array_equal(upright, np.rot90(stored, turned.rotation // 90))
    assert turned.rotation == 270   # the matrix (0 1 -1 0) turns a picture clockwise by a quarter


def test_damaged_packets_are_counted_and_decoding_goes_on_behind_them(corrupted: Path) -> None:
    chunks = list(Video.open(corrupted).chunks())
    found = np.concatenate([chunk.time for chunk in chunks])
    lost = sum(chunk.lost_packets for chunk in chunks)
    damaged = sum(int(chunk.damaged.sum()) for chunk in chunks)
    assert lost + damaged >= 1
    assert len(found) >= 58 - lost
    assert found[-1] == pytest.approx(59 / 30, abs=1e-3)


def test_a_truncated_file_gives_the_frames_it_has(truncated: Path) -> None:
    video = Video.open(truncated)
    found = times(video)
    assert video.duration == pytest.approx(2.0, abs=0.05)
    assert 5 < len(found) < 60
    np.testing.assert_allclose(found, np.arange(len(found)) / 30, atol=1e-3)


def test_sound_that_starts_late_keeps_its_offset(late_sound: Path) -> None:
    blocks = list(Video.open(late_sound).sound(16000))
    assert blocks[0].time == pytest.approx(0.5, abs=0.03)   # the encoder's own delay is at most 1024 samples
    samples = np.concatenate([block.samples for block in blocks])
    assert len(samples) == pytest.approx(16000, abs=1100)
    middle = samples[4000:12000]
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.05)
    strongest = np.fft.rfftfreq(len(middle), 1 / 16000)[np.abs(np.fft.rfft(middle)).argmax()]
    assert strongest == pytest.approx(440, abs=2)


def test_blocks_of_sound_follow_each_other_without_gap_or_overlap(woman: Path) -> None:
    blocks = list(Video.open(woman).sound(16000))
    ends = [block.time + len(block.samples) / 16000 for block in blocks]
    np.testing.assert_allclose([block.time for block in blocks[1:]], ends[:-1], atol=1e-6)
    assert ends[-1] == pytest.approx(19.69, abs=0.03)


def test_sound_of_a_real_file_begins_where_its_track_begins(face_noface: Path) -> None:
    assert next(Video.open(face_noface).sound(16000)).time == pytest.approx(2.430, abs=1e-3)


def test_a_file_without_sound_has_none(steady: Path) -> None:
    video = Video.open(steady)
    assert not video.has_sound
    assert list(video.sound(16000)) == []


def test_start_and_end_choose_frames_by_time_and_keep_their_numbers(woman: Path) -> None:
    video = Video.open(woman)
    whole = times(video)
    chosen = (whole >= 5.0) & (whole < 6.5)
    np.testing.assert_array_equal(times(video, start=5.0, end=6.5), whole[chosen])
    assert numbers(video, start=5.0, end=6.5) == np.flatnonzero(chosen).tolist()


def test_a_start_inside_gives_the_same_pictures_as_decoding_from_the_beginning(variable: Path) -> None:
    video = Video.open(variable)
    whole = np.concatenate([chunk.images for chunk in video.chunks()])
    part = np.concatenate([chunk.images for chunk in video.chunks(start=2.0)])
    np.testing.assert_array_equal(part, whole[-len(part) :])


def test_decoding_goes_on_behind_a_frame_already_had(variable: Path) -> None:
    video = Video.open(variable)
    whole, images = times(video), np.concatenate([chunk.images for chunk in video.chunks()])
    rest = list(video.chunks(after=(41, float(whole[41]))))
    assert [int(n) for chunk in rest for n in chunk.number] == list(range(42, 60))
    np.testing.assert_array_equal(np.concatenate([chunk.images for chunk in rest]), images[42:])


@pytest.mark.parametrize("suffix", ["mpg", "ts", "mkv", "avi"])
def test_going_on_inside_works_in_other_containers_too(suffix: str, steady: Path, made: Path) -> None:
    path = made / f"other.{suffix}"
    codec = {"mpg": "mpeg1video", "avi": "mpeg4"}.get(suffix, "libx264")
    with av.open(str(steady)) as reader, av.open(str(path), "w") as writer:
        stream = writer.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for frame in reader.decode(video=0):
            frame.pict_type = av.video.frame.PictureType.NONE
            writer.mux(stream.encode(frame))
        writer.mux(stream.encode(None))
    video = Video.open(path)
    whole = times(video)
    assert len(whole) == 60
    rest = list(video.chunks(after=(44, float(whole[44]))))
    assert [int(n) for chunk in rest for n in chunk.number] == list(range(45, 60))
    np.testing.assert_allclose(np.concatenate([chunk.time for chunk in rest]), whole[45:])


def test_a_rate_chooses_frames_evenly_on_the_clock_and_all_keep_their_rows(steady: Path) -> None:
    chunks = list(Video.open(steady).chunks(rate=10))
    analysed = np.concatenate([chunk.analysed for chunk in chunks])
    assert np.flatnonzero(analysed).tolist() == list(range(0, 60, 3))
    assert sum(len(chunk.images) for chunk in chunks) == 20


def test_a_rate_above_the_frame_rate_chooses_every_frame(steady: Path) -> None:
    assert all(chunk.analysed.all() for chunk in Video.open(steady).chunks(rate=240))


def test_a_photo_is_a_video_of_one_frame(five_people: Path) -> None:
    video = Video.open(five_people)
    assert video.is_image
    assert times(video).tolist() == [0.0]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_stands_upright_as_its_exif_says_also_where_it_is_mirrored(orientation: int, made: Path) -> None:
    stored, photo = made / "stored.jpg", made / f"orientation{orientation}.jpg"
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:16, :32] = 255   # its corner is what the eight differ in
    cv2.imwrite(str(stored), picture)
    tags = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x112, 3, 1, orientation, 0, 0)
    content, segment = stored.read_bytes(), b"Exif\0\0" + tags
    photo.write_bytes(content[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + content[2:])
    shown = next(Video.open(photo).chunks()).images[0]
    turned = cv2.imread(str(photo))[..., ::-1]   # by OpenCV, which has a decoder of its own and turns photos by the same tag
    np.testing.assert_allclose(shown.astype(int), turned.astype(int), atol=4)
    assert shown.shape == ((48, 64, 3) if orientation < 5 else (64, 48, 3))


def test_colours_are_rgb(made: Path) -> None:
    path = made / "red.png"
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[..., 0] = 255
    frame = av.VideoFrame.from_ndarray(picture, "rgb24")
    with av.open(str(path), "w", format="image2") as writer:
        stream = writer.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
        writer.mux(stream.encode(frame))
        writer.mux(stream.encode(None))
    np.testing.assert_array_equal(next(Video.open(path).chunks()).images[0], picture)


def test_a_unicode_path_is_read(steady: Path, made: Path) -> None:
    path = made / "интервью 一 ü.mp4"
    shutil.copyfile(steady, path)
    assert len(times(Video.open(path))) == 60


def test_what_is_no_video_is_refused_in_one_line(made: Path) -> None:
    text, empty = made / "text.mp4", made / "empty.mp4"
    text.write_text("this is not a video\n" * 50)
    empty.write_bytes(b"")
    expected = {text: "not a video", empty: "0 bytes", made: "folder", made / "none.mp4": "no such file"}
    for path, words in expected.items():
        with pytest.raises(VideoError, match=words) as caught:
            Video.open(path)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)


def test_a_list_of_other_files_is_refused_whatever_it_is_called(steady: Path, tmp_path: Path) -> None:
    shutil.copyfile(steady, tmp_path / "other.mp4")
    with av.open(str(steady)) as reader, av.open(str(tmp_path / "other.ts"), "w") as writer:
        stream = writer.add_stream_from_template(reader.streams.video[0])
        for packet in reader.demux(video=0):
            if packet.size:
                packet.stream = stream
                writer.mux(packet)
    segments = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nother.ts\n#EXT-X-ENDLIST\n"
    session = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 8766 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
    lists = {"list.mp4": "ffconcat version 1.0\nfile other.mp4\n", "list.m3u8": segments, "list.sdp": session}
    for name, text in lists.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(VideoError, match="A playlist is not read"):
            Video.open(tmp_path / name)


def test_a_picture_called_like_a_series_is_that_picture(made: Path) -> None:
    for name, width in (("%d.png", 64), ("1.png", 32), ("%03d.jpg", 64), ("001.jpg", 32)):
        cv2.imwrite(str(made / name), np.zeros((48, width, 3), np.uint8))
    assert [Video.open(made / name).width for name in ("%d.png", "%03d.jpg")] == [64, 64]


def test_a_pipe_is_refused_instead_of_waited_for(made: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(made / "pipe.mp4")
    with pytest.raises(VideoError, match="is a pipe or a device"):
        Video.open(made / "pipe.mp4")


def test_an_unreadable_file_is_refused(steady: Path, made: Path) -> None:
    path = made / "locked.mp4"
    shutil.copyfile(steady, path)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("the user of this process may read everything")
    with pytest.raises(VideoError, match="cannot be read"):
        Video.open(path)


@pytest.mark.parametrize("choice", [{"rate": 0.0}, {"rate": -1.0}, {"start": 3.0, "end": 3.0}])
def test_impossible_choices_are_refused(steady: Path, choice: dict[str, float]) -> None:
    with pytest.raises(InputError):
        list(Video.open(steady).chunks(**choice))


def test_memory_of_a_chunk_is_bounded_whatever_the_picture_size(steady: Path) -> None:
    video = Video.open(steady)
    assert all(chunk.images.nbytes <= 24_000_000 for chunk in video.chunks())
    assert video.chunk_frames == 32


@pytest.mark.parametrize(
    ("stored", "aspect", "shown"),
    [
        ((1440, 1080), 4 / 3, (1920, 1080)),      # HDV, AVCHD
        ((720, 576), 16 / 15, (768, 576)),        # DV of 4:3
        ((720, 480), 8 / 9, (720, 540)),          # nothing is lost: it is enlarged in the other direction
        ((640, 368), 1.0222, (640, 368)),         # hardly off
        ((640, 368), 40.0, (640, 368)),           # not believed
    ],
)
def test_pictures_in_square_pixels(stored: tuple[int, int], aspect: float, shown: tuple[int, int]) -> None:
    assert in_square_pixels(*stored, aspect) == shown


def squeezed(target: Path, width: int, aspect: Fraction) -> Path:
    """A second of the woman's clip, stored `width` px wide in pixels of another shape."""
    with av.open(str(samples.path("woman"))) as reader, av.open(str(target), "w") as writer:
        stream = writer.add_stream("libx264", rate=25, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = width, 360, "yuv420p"
        stream.codec_context.sample_aspect_ratio = aspect
        for number, frame in zip(range(25), reader.decode(video=0), strict=False):
            image = cv2.resize(frame.to_ndarray(format="rgb24"), (width, 360), interpolation=cv2.INTER_AREA)
            picture = av.VideoFrame.from_ndarray(image, format="rgb24")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            writer.mux(stream.encode(picture))
        writer.mux(stream.encode())
    return target


def test_a_squeezed_picture_is_measured_as_it_is_shown(tmp_path: Path) -> None:
    found = {}
    for width, aspect in ((640, Fraction(1)), (320, Fraction(2))):
        file = squeezed(tmp_path / f"{width}.mp4", width, aspect)
        video = Video.open(file)
        assert (video.width, video.height, video.pixel_aspect, video.stored_aspect) == (640, 360, 1.0, float(aspect))
        found[width] = emotrace.analyze(file, report=False)
    plain, wide = (found[width].table("faces") for width in (640, 320))
    assert len(wide) == len(plain) == 25   # of pixels stored two times as wide as high no face was found
    for name, near in (("x1", 4), ("x2", 4), ("y1", 4), ("y2", 4), ("pose_yaw", 3), ("expression_sadness", 0.1)):
        assert np.mean(wide[name].to_numpy()) == pytest.approx(np.mean(plain[name].to_numpy()), abs=near)
    assert found[640].warnings == []
    assert found[320].warnings == [
        "pixels are not square (2.000 as stored); pictures are measured as they are shown, in 640 x 360 square ones"
    ]
