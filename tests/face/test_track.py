"""Tracking: planted faces that move, vanish and meet, and real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np

import emotrace
from emotrace.face.detect import Detections
from emotrace.face.landmarks import Region
from emotrace.face.track import Tracker
from emotrace.settings import Settings
from emotrace.tracks import Tracks

SHAPE = np.random.default_rng(0).uniform(-0.5, 0.5, (478, 3)).astype(np.float32)
SHAPE[33, :2], SHAPE[263, :2] = (-0.2, 0.0), (0.2, 0.0)


@dataclass
class World:
    """Planted faces: for each frame the centre of every visible face, 40 px wide; the frame's number is in the picture."""

    frames: list[list[tuple[float, float]]]
    undetectable: set[int] = field(default_factory=set)
    calls: list[int] = field(default_factory=list)

    def images(self) -> list[np.ndarray]:
        return [np.full((1, 1, 3), number, np.uint8) for number in range(len(self.frames))]

    def locate(self, image: np.ndarray, regions: list[Region]) -> list[tuple[np.ndarray, float]]:
        return [self._one(self.frames[int(image[0, 0, 0])], region) for region in regions]

    def _one(self, faces: list[tuple[float, float]], region: Region) -> tuple[np.ndarray, float]:
        near = [(x, y) for x, y in faces if abs(x - region.x) < region.side / 3 and abs(y - region.y) < region.side / 3]
        x, y = near[0] if near else (region.x, region.y)
        mesh = SHAPE * 40
        mesh[:, :2] += [x, y]
        return mesh, 0.99 if near else 0.01

    def detect(self, image: np.ndarray) -> Callable[[], Detections]:
        return lambda: self._detections(image)

    def _detections(self, image: np.ndarray) -> Detections:
        number = int(image[0, 0, 0])
        self.calls.append(number)
        faces = [] if number in self.undetectable else self.frames[number]
        centre = np.array(faces, np.float32).reshape(-1, 2)
        points = centre[:, None] + np.array([[-8, 0], [8, 0], [0, 5], [-6, 12], [6, 12]], np.float32)
        return Detections(np.concatenate([centre - 20, centre + 20], axis=1), points, np.ones(len(centre), np.float32))

    def run(self, shots: list[int] | None = None, every: float = 0.4) -> Tracks:
        n = len(self.frames)
        tracker = Tracker(self.locate, self.detect, every)
        return tracker.update(self.images(), np.arange(n), np.arange(n) / 25, np.array(shots or [0] * n, np.int32))


def ids(tracks: Tracks, frame: int) -> list[int]:
    return tracks.track[tracks.frame == frame].tolist()


def test_a_moving_face_keeps_its_number_with_few_detector_calls() -> None:
    world = World([[(100 + 3 * i, 100)] for i in range(50)])
    found = world.run()
    assert found.track.tolist() == [0] * 50
    np.testing.assert_allclose((found.box[:, 0] + found.box[:, 2]) / 2, 100 + 3 * np.arange(50), atol=1.0)
    assert len(world.calls) == 5   # every 0.4 s of 2 s


def test_a_new_face_is_found_by_the_next_detector_call() -> None:
    found = World([[(100, 100)] + ([(300, 100)] if i >= 12 else []) for i in range(40)]).run()
    assert ids(found, 11) == [0]
    assert ids(found, 20) == [0, 1]


def test_no_track_crosses_a_cut() -> None:
    found = World([[(100, 100)]] * 10).run(shots=[0] * 5 + [1] * 5)
    assert found.track.tolist() == [0] * 5 + [1] * 5


def test_a_face_lost_for_a_moment_comes_back_under_its_number() -> None:
    found = World([[] if 10 <= i < 18 else [(100, 100)] for i in range(30)]).run()
    assert set(found.track.tolist()) == {0}
    assert found.frame.tolist() == [i for i in range(30) if not 10 <= i < 18]


@dataclass
class Textured(World):
    """The same, with faces that look like something: for each frame, the number of a texture."""

    texture: list[int] = field(default_factory=list)

    def images(self) -> list[np.ndarray]:
        looks = np.random.default_rng(1).integers(0, 256, (2, 25, 25, 3), np.uint8)
        pictures = [cv2.resize(looks[k], (200, 200), interpolation=cv2.INTER_CUBIC) for k in self.texture]
        for number, picture in enumerate(pictures):
            picture[0, 0] = number
        return pictures


def test_a_track_ends_where_another_face_looks_out_of_its_place() -> None:
    found = Textured([[(100, 100)]] * 30, texture=[0] * 10 + [1] * 20).run()
    assert found.track.tolist() == [0] * 10 + [1] * 20


def test_somebody_else_in_the_place_of_a_lost_face_gets_a_number_of_his_own() -> None:
    frames = [[] if 10 <= i < 18 else [(100, 100)] for i in range(30)]
    assert set(Textured(frames, texture=[0] * 30).run().track.tolist()) == {0}
    found = Textured(frames, texture=[0] * 14 + [1] * 16).run()
    assert ids(found, 9) == [0]
    assert ids(found, 29) == [1]


def test_behind_a_dissolve_is_another_person(data: Path, tmp_path: Path) -> None:
    files = (av.open(str(data / "clips" / f"grid_s{k}.mpg")) for k in (1, 2))
    first, second = ([frame.to_ndarray(format="rgb24") for frame in islice(file.decode(video=0), 50)] for file in files)
    share = np.clip((np.arange(50) - 18) / 13, 0, 1)   # 12 frames are mixed
    with av.open(str(tmp_path / "dissolve.mkv"), "w") as writer:
        stream = writer.add_stream("libx264", rate=25, options={"crf": "15"})
        stream.height, stream.width, _ = first[0].shape
        stream.pix_fmt = "yuv420p"
        for a, b, s in zip(first, second, share, strict=True):
            frame = av.VideoFrame.from_ndarray(((1 - s) * a + s * b).astype(np.uint8), "rgb24")
            writer.mux(stream.encode(frame))
        writer.mux(stream.encode(None))
    settings = Settings(components=("face.identity",))
    found = emotrace.analyze(tmp_path / "dissolve.mkv", tmp_path / "out", settings=settings, report=False).to_pandas("faces")
    assert set(found.person[found.frame <= 18]) != set(found.person[found.frame >= 31])
    assert found.person[found.frame <= 18].nunique() == found.person[found.frame >= 31].nunique() == 1


def test_a_face_away_for_long_is_a_new_track() -> None:
    found = World([[] if 10 <= i < 50 else [(100, 100)] for i in range(60)]).run()
    assert ids(found, 9) == [0]
    assert ids(found, 55) == [1]


def test_an_empty_picture_is_searched_in_every_frame() -> None:
    world = World([[] if i < 7 else [(100, 100)] for i in range(10)])
    assert world.run().frame.tolist() == [7, 8, 9]
    assert world.calls[:8] == list(range(8))


def test_what_the_detector_never_confirms_is_dropped() -> None:
    found = World([[(100, 100)]] * 60, undetectable=set(range(1, 60))).run()
    assert 25 < len(found) < 40   # three calls of patience, 0.4 s apart


def test_two_tracks_on_one_face_become_one() -> None:
    world = World([[(100, 100), (160 - 6 * min(i, 10), 100)] if i < 10 else [(100, 100)] for i in range(20)])
    found = world.run()
    assert ids(found, 0) == [0, 1]
    assert ids(found, 19) == [0]


def test_tracking_in_parts_is_tracking_in_one_go() -> None:
    frames = [[(100 + 2 * i, 100)] + ([(300 - i, 150)] if i > 13 else []) for i in range(40)]
    whole = World(frames).run()
    world = World(frames)
    tracker = Tracker(world.locate, world.detect, 0.4)
    parts = []
    for start in range(0, 40, 7):
        span = np.arange(start, min(start + 7, 40))
        parts.append(tracker.update([world.images()[i] for i in span], span, span / 25, np.zeros(len(span), np.int32)))
    merged = Tracks.merge(parts)
    np.testing.assert_array_equal(merged.track, whole.track)
    np.testing.assert_array_equal(merged.mesh, whole.mesh)
    assert world.calls


def test_the_woman_is_one_track_from_beginning_to_end(woman_analysis: object) -> None:
    tracks = woman_analysis.table("tracks").to_pylist()  # type: ignore[attr-defined]
    assert [(row["frames"], row["person"]) for row in tracks] == [(472, "P1")]


def test_tracks_of_the_debate_end_at_its_cut(data: Path, tmp_path: Path) -> None:
    found = emotrace.analyze(data / "clips" / "debate_two_people_cuts.mp4", tmp_path / "debate.emotrace", report=False)
    frames: dict[tuple[int, str], int] = {}
    for row in found.table("tracks").to_pylist():   # one man turns his head so quickly that his track ends and another begins
        frames[row["shot"], row["person"]] = frames.get((row["shot"], row["person"]), 0) + row["frames"]
    assert frames == {(0, "P1"): 61, (1, "P1"): 349, (1, "P2"): 349}
    assert len(found.people) == 2
