"""Registered tubes: the face comes to lie where the mean face of FER2013 lies, however it is turned."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from emotrace.learn.clip_store import ClipStore
from emotrace.learn.facetubes import frames_of
from emotrace.learn.light import unlit
from emotrace.learn.registered_tubes import MEAN_FACE, landmarks_of_clip, registered, registered_tube_of_clip
from emotrace.learn.registration import inner
from emotrace.learn.small_faces import SmallFaces
from emotrace.video import Video


def test_landmarks_are_brought_onto_the_mean_face() -> None:
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    shape = 3 * MEAN_FACE @ turn.T + [90, 20]
    image = np.zeros((250, 250, 3), np.uint8)
    eye = shape[19:25].mean(axis=0)
    image[int(eye[1]) - 3 : int(eye[1]) + 4, int(eye[0]) - 3 : int(eye[0]) + 4] = 255
    crop = registered(image, np.array([0.0, 0, 200, 200]), shape, 48)
    rows, columns = np.nonzero(crop > 100)
    assert [columns.mean() + 0.5, rows.mean() + 0.5] == pytest.approx(MEAN_FACE[19:25].mean(axis=0), abs=0.7)


def test_without_landmarks_the_frame_is_cut_around_the_square() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    image[40:60, 40:60] = 255
    crop = registered(image, np.array([40.0, 40, 60, 60]), np.full((51, 2), np.nan), 24)
    assert crop[2:22, 2:22].min() == 255
    assert crop[:2].max() == 0


def test_a_real_face_lies_where_the_faces_of_fer2013_lie(single_face: Path, tmp_path: Path) -> None:
    store = ClipStore(tmp_path)
    frames, times = registered_tube_of_clip(single_face, 48, store)
    assert frames.shape == (72, 48, 48)
    assert len(times) == 72
    assert np.isfinite(landmarks_of_clip(single_face, store)).all()
    found = inner(SmallFaces().landmarks(frames[::24]))
    assert np.isfinite(found).all()
    assert np.abs(found - MEAN_FACE).mean() < 1.5
    assert np.abs(found[:, 19:31] - MEAN_FACE[19:31]).mean() < 1.5   # the eyes


def test_a_folder_of_crops_is_registered_too_and_what_shows_no_face_is_kept_as_it_is(single_face: Path, tmp_path: Path) -> None:
    folder, store = tmp_path / "000001", ClipStore(tmp_path / "kept")
    folder.mkdir()
    _, _, image = next(frames_of(Video.open(single_face)))
    shape = landmarks_of_clip(single_face, store)[0]
    low, high = shape.min(axis=0).astype(int), shape.max(axis=0).astype(int)
    margin = (high - low) // 3
    face = image[max(0, low[1] - margin[1]) : high[1] + margin[1], max(0, low[0] - margin[0]) : high[0] + margin[0]]
    cv2.imwrite(str(folder / "1.png"), cv2.resize(face, (100, 100))[..., ::-1])
    cv2.imwrite(str(folder / "2.png"), np.full((100, 100), 77, np.uint8))
    frames, _ = registered_tube_of_clip(folder, 48, store)
    assert frames.shape == (2, 48, 48)
    known = np.isfinite(landmarks_of_clip(folder, store)).all(axis=(1, 2))
    assert known.tolist() == [True, False]
    assert (frames[1] == 77).all()
    direct, _ = registered_tube_of_clip(single_face, 48, store)
    assert np.corrcoef(frames[0].ravel(), direct[0].ravel())[0, 1] > 0.8


def test_nothing_is_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    frames, times = registered_tube_of_clip(broken, 96, ClipStore(tmp_path / "kept"))
    assert frames.shape == (0, 96, 96)
    assert len(times) == 0
    assert unlit(frames).shape == (0, 96, 96)


def test_a_talker_of_a_corpus_is_followed_through_the_whole_clip(data: Path, tmp_path: Path) -> None:
    frames, _ = registered_tube_of_clip(data / "clips" / "grid_s1.mpg", 48, ClipStore(tmp_path))
    assert len(frames) == 75
    mouth, brow = frames[:, 33:44, 15:33].astype(float), frames[:, 4:12, 15:33].astype(float)
    assert mouth.std(axis=0).mean() > brow.std(axis=0).mean()   # she speaks
