"""Every frame of a clip gives a picture: its face, or the frame itself."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from emotrace.errors import InputError
from emotrace.face.detect import Detections
from emotrace.learn.clip_store import ClipStore
from emotrace.learn.frame_faces import FaceFinder, FaceFinding, cut, faces_of_clip, most_plausible, square
from emotrace.video import Video


def film(target: Path, frames: list[NDArray[np.uint8]]) -> Path:
    """A clip of the given RGB frames, 25 a second."""
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "4"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(stream.encode(None))
    return target


def found(boxes: list[tuple[float, float, float, float]], score: list[float]) -> Detections:
    return Detections(np.array(boxes, np.float32), np.zeros((len(boxes), 5, 2), np.float32), np.array(score, np.float32))


def test_the_woman_is_found_in_nearly_every_frame_with_eyes_above_the_mouth_inside_the_picture(woman: Path) -> None:
    faces = FaceFinder(FaceFinding(side=96, rate=2.0)).of(woman)
    assert faces.pictures.shape == (len(faces), 96, 96, 3)
    assert len(faces) == pytest.approx(2 * Video.open(woman).duration, abs=2)
    assert faces.found.mean() > 0.95
    points = faces.points[faces.found]
    assert ((points > 0) & (points < 96)).all()
    right_eye, left_eye, nose, right_mouth, left_mouth = points.mean(axis=0)
    assert right_eye[0] < nose[0] < left_eye[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])
    assert np.diff(faces.times) == pytest.approx(0.5, abs=0.05)


def test_where_the_face_has_gone_the_whole_frame_goes_in(face_noface: Path) -> None:
    faces = FaceFinder(FaceFinding(side=64, rate=4.0, score=0.6)).of(face_noface)
    assert faces.found[faces.times < 2.0].all()
    gone = faces.times > 3.0
    assert not faces.found[gone].any()
    assert np.isnan(faces.box[gone]).all()
    assert np.isnan(faces.points[gone]).all()
    last = [chunk.images[-1] for chunk in Video.open(face_noface).chunks(rate=4.0) if len(chunk.images)][-1]
    whole = cv2.resize(last, (64, 64), interpolation=cv2.INTER_AREA)
    assert (faces.pictures[-1] == whole).all()


def test_a_clip_of_three_frames_without_a_face_gives_three_whole_frames(tmp_path: Path) -> None:
    grey = np.repeat(np.tile(np.linspace(20, 220, 128).astype(np.uint8), (96, 1))[:, :, None], 3, axis=2)
    faces = FaceFinder(FaceFinding(side=48)).of(film(tmp_path / "a.mp4", [grey] * 3))
    assert faces.found.tolist() == [False] * 3
    assert faces.times == pytest.approx([0, 0.04, 0.08])
    assert faces.pictures[1, 24, 2, 0] < 50 < 190 < faces.pictures[1, 24, 45, 0]


def test_a_file_that_cannot_be_read_gives_no_faces(tmp_path: Path) -> None:
    broken = tmp_path / "a.mp4"
    broken.write_bytes(b"no film")
    faces = FaceFinder(FaceFinding(side=48)).of(broken)
    assert len(faces) == 0
    assert faces.pictures.shape == (0, 48, 48, 3)
    assert faces.points.shape == (0, 5, 2)


def test_every_kth_frame_is_taken(obama: Path) -> None:
    all_times = np.concatenate([chunk.time for chunk in Video.open(obama).chunks(end=1.0)])
    third = FaceFinder(FaceFinding(side=32, every=3)).of(obama)
    assert third.times[: len(all_times[::3])].tolist() == all_times[::3].tolist()


def test_boxes_are_in_the_frame_as_it_was_rescaled(woman: Path) -> None:
    plain = FaceFinder(FaceFinding(side=64, rate=1.0)).of(woman)
    wide = FaceFinder(FaceFinding(side=64, rate=1.0, size=(1280, 720))).of(woman)  # the clip is 640 x 360
    both = plain.found & wide.found
    assert both.sum() >= 10
    assert np.median(wide.box[both] - 2 * plain.box[both]) == pytest.approx(0, abs=6)


def test_pictures_of_a_folder_are_faces_in_the_order_of_their_names(tmp_path: Path) -> None:
    for number, level in ((2, 200), (1, 100), (3, 50)):
        cv2.imwrite(str(tmp_path / f"clip-{number:03}.png"), np.full((20, 30, 3), (0, 0, level), np.uint8))  # red, as BGR
    (tmp_path / "clip-004.png").write_bytes(b"no picture")
    faces = FaceFinder(FaceFinding(side=16)).of(tmp_path)
    assert faces.pictures[:, 8, 8].tolist() == [[100, 0, 0], [200, 0, 0], [50, 0, 0]]
    assert faces.found.all()
    assert faces.times == pytest.approx([0, 0.04, 0.08])
    assert FaceFinder(FaceFinding(side=16, rate=12.5)).of(tmp_path).pictures[:, 8, 8, 0].tolist() == [100, 50]


def test_the_largest_face_is_taken_unless_another_goes_on() -> None:
    small, large = (0.0, 0.0, 40.0, 40.0), (100.0, 0.0, 160.0, 60.0)
    faces = found([small, large], [0.9, 0.9])
    assert most_plausible(faces, None) == 1
    assert most_plausible(faces, np.array([2, 2, 42, 42], np.float32)) == 0
    assert most_plausible(found([], []), None) is None


def test_a_face_that_goes_on_is_left_for_one_four_times_as_plausible() -> None:
    before = np.array([0, 0, 20, 20], np.float32)
    assert most_plausible(found([(0, 0, 20, 20), (100, 0, 139, 39)], [0.8, 0.8]), before) == 0  # 3.8 times the area
    assert most_plausible(found([(0, 0, 20, 20), (100, 0, 141, 41)], [0.8, 0.8]), before) == 1  # 4.2 times


def test_the_crop_is_square_about_the_box_and_repeats_the_edge() -> None:
    corner, side = square(np.array([10, 20, 30, 60], np.float32), 0.25)
    assert (corner.tolist(), side) == ([-10, 10], 60)
    image = np.arange(50 * 40, dtype=np.int64).reshape(50, 40, 1).repeat(3, axis=2) % 256
    picture = cut(image.astype(np.uint8), corner, side)
    assert picture.shape == (60, 60, 3)
    assert (picture[:, :10] == picture[:, 10:11]).all()                       # left of the frame
    assert (picture[:40, 10:50] == image[10:50]).all()
    assert (picture[40:] == picture[39]).all()                                # below it


def test_what_was_found_is_kept_by_the_settings(woman: Path, tmp_path: Path) -> None:
    store, finder = ClipStore(tmp_path), FaceFinder(FaceFinding(side=32, rate=0.5))
    first = faces_of_clip(woman, store, finder)
    again = faces_of_clip(woman, store, finder)
    assert (first.pictures == again.pictures).all()
    assert first.points.tobytes() == again.points.tobytes()
    faces_of_clip(woman, store, FaceFinder(FaceFinding(side=32, rate=0.5, score=0.9)))
    assert sorted(folder.name for folder in tmp_path.iterdir()) == [
        "frame_faces-32px-score0.3-margin0.25-0.5fps", "frame_faces-32px-score0.9-margin0.25-0.5fps",
    ]  # fmt: skip


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError, match="expected 1, 1, 0 or more"):
        FaceFinding(every=0)


@pytest.mark.parametrize(("name", "share"), [("strong_expressions_d9.mp4", 0.9), ("talking_head_1.mp4", 0.9)])
def test_real_clips_show_a_face_in_most_frames(data: Path, name: str, share: float) -> None:
    faces = FaceFinder(FaceFinding(side=64, rate=1.0)).of(data / "clips" / name)
    assert faces.found.mean() > share
