"""Tubes: subjects kept apart, frames that the detector missed found again, and nothing where there is nothing."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from emotrace.face.detect import Detections
from emotrace.learn import facetubes
from emotrace.learn.clip_store import ClipStore
from emotrace.learn.facetubes import assigned, cut, mapped, square_pixels, tubes_of, unlikeness
from emotrace.learn.registered_tubes import registered_tube_of_clip
from emotrace.video import Video

SIDE = 40


def film(path: Path, frames: list[np.ndarray], aspect: Fraction = Fraction(1)) -> Path:
    """RGB frames as a video of 25 frames a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "4", "preset": "ultrafast"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.sample_aspect_ratio = "yuv420p", aspect
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(stream.encode(None))
    return path


def scene(*corners: tuple[float, float], seed: int = 0, size: tuple[int, int] = (160, 240), ground: int = 120) -> np.ndarray:
    """Two-coloured squares, red over green, on a grey noisy ground."""
    grey = np.random.default_rng(seed).integers(ground - 20, ground + 20, (*size, 1))
    image = np.repeat(grey, 3, axis=2).astype(np.uint8)
    for x, y in corners:
        x, y = round(x), round(y)
        image[y : y + SIDE, x : x + SIDE] = (230, 30, 30)
        image[y + SIDE // 2 : y + SIDE, x : x + SIDE] = (30, 200, 30)
    return image


class Planted:
    """A detector that is told, call by call, where the squares' corners are."""

    def __init__(self, places: Callable[[int], list[tuple[float, float]]]) -> None:
        self.places, self.calls = places, 0

    def detect(self, image: np.ndarray) -> Detections:
        corners = np.array(self.places(self.calls), np.float32).reshape(-1, 2)
        self.calls += 1
        n = len(corners)
        return Detections(np.concatenate([corners, corners + SIDE], 1), np.zeros((n, 5, 2), np.float32), np.ones(n, np.float32))


def path_of(i: int) -> tuple[float, float]:
    return 30 + 2 * i, 50 + 0.5 * i


def test_a_moving_square_that_the_detector_misses_is_found_again_by_its_colours(tmp_path: Path) -> None:
    clip = film(tmp_path / "a.mp4", [scene(path_of(i), seed=i) for i in range(40)])
    missed = {12, 13, 14, 15, 25}
    tubes = tubes_of(Video.open(clip), Planted(lambda i: [] if i in missed else [path_of(i)]))
    assert len(tubes) == 1
    assert tubes[0].frame.tolist() == list(range(40))
    assert set(np.flatnonzero(~tubes[0].detected)) == missed
    truth = np.array([path_of(i) for i in range(40)])
    assert np.abs(tubes[0].box[:, :2] - truth).max() <= 3
    assert tubes[0].time == pytest.approx(np.arange(40) / 25)


def test_frames_in_which_the_square_is_hidden_are_left_out(tmp_path: Path) -> None:
    frames = [scene(seed=i) if 10 <= i < 15 else scene(path_of(i), seed=i) for i in range(30)]
    tubes = tubes_of(Video.open(film(tmp_path / "a.mp4", frames)), Planted(lambda i: [] if 10 <= i < 15 else [path_of(i)]))
    assert tubes[0].frame.tolist() == [*range(10), *range(15, 30)]


def test_two_subjects_are_two_tubes_the_longest_first(tmp_path: Path) -> None:
    def places(i: int) -> list[tuple[float, float]]:
        return [(20 + i, 110), path_of(i)][:: 1 if i % 2 else -1] if i >= 8 else [path_of(i)]

    clip = film(tmp_path / "a.mp4", [scene(*places(i), seed=i) for i in range(30)])
    tubes = tubes_of(Video.open(clip), Planted(places))
    assert [len(tube) for tube in tubes] == [30, 22]
    assert np.abs(np.diff(tubes[0].box[:, 0]) - 2).max() < 0.1


def test_a_tube_ends_at_a_cut(tmp_path: Path) -> None:
    frames = [scene((60, 60), ground=60) for _ in range(12)] + [scene((60, 60), ground=200, seed=1) for _ in range(15)]
    tubes = tubes_of(Video.open(film(tmp_path / "a.mp4", frames)), Planted(lambda i: [(60, 60)]))
    assert [tube.frame[0] for tube in tubes] == [12, 0]


def test_boxes_are_like_themselves_and_unlike_what_is_elsewhere_or_larger() -> None:
    box = np.array([[10, 10, 50, 50], [30, 10, 70, 50], [10, 10, 90, 90], [110, 10, 150, 50]], np.float32)
    cost = unlikeness(box[:1], box)[0]
    assert cost[0] == pytest.approx(0)
    assert cost[1] == pytest.approx(0.5 + 1 - 1 / 3)
    assert cost[2] == pytest.approx(np.hypot(20, 20) / 60 + 1 + 1 - 1 / 4, abs=1e-6)
    assert cost[3] == pytest.approx(2.5 + 1)
    assert assigned([box[1], box[0]], box).tolist() == [1, 0, -1, -1]
    assert assigned([], box).tolist() == [-1] * 4
    assert len(assigned([box[0]], box[:0])) == 0


def test_a_crop_is_the_pixels_themselves_or_their_averages() -> None:
    image = np.random.default_rng(0).integers(0, 256, (60, 80), np.uint8)
    assert (cut(image, np.array([10, 20, 30, 40]), 20) == image[20:40, 10:30]).all()
    halves = image[20:40, 10:30].reshape(10, 2, 10, 2).mean(axis=(1, 3))
    assert np.abs(cut(image, np.array([10, 20, 30, 40]), 10) - halves).max() <= 0.75
    beyond = mapped(image, np.array([[1.0, 0, 5], [0, 1, 0]]), 20)
    assert (beyond[:, :6] == image[:20, :1]).all()


def test_wide_pixels_are_made_square() -> None:
    assert square_pixels(np.zeros((576, 720, 3), np.uint8), 64 / 45).shape == (576, 1024, 3)
    image = np.zeros((10, 10, 3), np.uint8)
    assert square_pixels(image, 1.0) is image


def test_pictures_already_cropped_are_the_tube_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "000046280"
    folder.mkdir()
    for level in (10, 200, 90):
        cv2.imwrite(str(folder / f"{level:03d}.png"), np.full((100, 100), level, np.uint8))
    (folder / "150.png").write_bytes(b"no picture")
    frames, times = registered_tube_of_clip(folder, 48, ClipStore(tmp_path / "kept"))
    assert frames[:, 5, 5].tolist() == [10, 90, 200]
    assert frames.shape == (3, 48, 48)
    assert times == pytest.approx([0, 0.04, 0.08])


def test_a_clip_without_a_face_an_unreadable_one_and_an_empty_folder_have_no_frames(tmp_path: Path) -> None:
    plain = film(tmp_path / "plain.mp4", [scene(seed=i) for i in range(5)])
    broken, empty = tmp_path / "broken.mp4", tmp_path / "empty"
    broken.write_bytes(b"no video")
    empty.mkdir()
    store = ClipStore(tmp_path / "kept")
    for path in (plain, broken, empty):
        frames, times = registered_tube_of_clip(path, 48, store)
        assert frames.shape == (0, 48, 48)
        assert frames.dtype == np.uint8
        assert times.shape == (0,)


def test_a_face_is_followed_and_kept(single_face: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ClipStore(tmp_path)
    frames, times = registered_tube_of_clip(single_face, 48, store)
    assert frames.shape == (72, 48, 48)
    assert (np.diff(times) > 0).all()
    assert np.abs(np.diff(frames.astype(float), axis=0)).mean() < 8   # neighbours look alike: the crop does not jump
    monkeypatch.setattr(facetubes, "tubes_of", None)
    larger, _ = registered_tube_of_clip(single_face, 96, store)
    assert larger.shape == (72, 96, 96)
    assert (registered_tube_of_clip(single_face, 48, store)[0] == frames).all()


def test_a_clip_of_three_frames_has_a_tube_of_three(single_face: Path, tmp_path: Path) -> None:
    images = next(Video.open(single_face).chunks()).images[:3]
    clip = film(tmp_path / "three.mp4", [image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2] for image in images])
    assert len(registered_tube_of_clip(clip, 48, ClipStore(tmp_path / "kept"))[0]) == 3
