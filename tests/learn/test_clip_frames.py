"""Frames of clips as a trunk sees them, computed once, and false faces among them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from emotrace.corpora.clips import Clips
from emotrace.learn.augment import Augmentation
from emotrace.learn.clip_frames import ClipFrames, Looking
from emotrace.learn.clip_sound import sound_features
from emotrace.learn.clip_store import ClipStore
from emotrace.learn.frame_faces import FaceFinder, FaceFinding
from emotrace.learn.outlier_frames import Outliers
from emotrace.learn.trunks import Trunk

HOW = Augmentation(rotation=30, contrast=(1, 1), brightness=0, noise=0)


def clips_of(paths: list[Path], labels: list[int], splits: list[str]) -> Clips:
    words = np.array([""] * len(paths))
    return Clips("made", paths, np.array(labels), words, np.array(splits), words, [None] * len(paths))


def pictures(folder: Path, count: int, seed: int) -> Path:
    """A folder of face pictures of one soft pattern with some noise."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    face = cv2.GaussianBlur(rng.uniform(0, 255, (24, 24, 3)).astype(np.float32), (0, 0), 2)
    face = (face - face.min()) / (face.max() - face.min()) * 200 + 20
    for i in range(count):
        cv2.imwrite(str(folder / f"{i:03d}.png"), (face + rng.normal(0, 6, face.shape)).clip(0, 255).astype(np.uint8))
    return folder


def counting(calls: list[int], name: str = "small") -> Trunk:
    def run(given: np.ndarray) -> np.ndarray:
        calls.append(len(given))
        small = given.reshape(len(given), 8, 3, 8, 3, 3).mean(axis=(2, 4)).astype(np.float32)
        return (small - small.mean(axis=(1, 2, 3), keepdims=True)).reshape(len(given), 192)

    return Trunk(name, 24, 192, None, run)


def looker(folder: Path, calls: list[int], seed: int = 0) -> ClipFrames:
    finder = FaceFinder(FaceFinding(side=24))
    return ClipFrames(ClipStore(folder), finder, counting(calls, "identity"), Looking(HOW, 2, seed))


def test_every_frame_is_seen_once_as_it_is_and_augmented_where_asked(tmp_path: Path) -> None:
    paths = [pictures(tmp_path / "a", 3, 0), pictures(tmp_path / "b", 5, 1), tmp_path / "gone.avi"]
    clips, calls, known = clips_of(paths, [0, 1, 2], ["Train"] * 3), list[int](), list[int]()
    look = looker(tmp_path / "run", known)
    seen = look.look(clips, np.arange(3), counting(calls), augmented=True)
    assert seen.frames.features.shape == (8, 3, 192)
    assert seen.frames.clip.tolist() == [0, 0, 0, 1, 1, 1, 1, 1]
    assert (seen.embedding.shape, seen.box.shape) == ((8, 192), (8, 4))
    assert np.isnan(seen.box).all()  # the faces came cropped
    assert sum(calls) == 8 * 3
    plain = look.look(clips, np.array([1, 2]), counting(calls), augmented=False)
    assert plain.frames.features.shape == (5, 1, 192)
    assert np.array_equal(plain.frames.features[:, 0], seen.frames.features[3:, 0])
    again = looker(tmp_path / "run", known).look(clips, np.arange(3), counting(calls), augmented=True)
    assert np.array_equal(again.frames.features, seen.frames.features)
    assert sum(calls) == 8 * 3  # nothing was computed again
    none = look.look(clips, np.array([2]), counting(calls), augmented=False)
    assert none.frames.features.shape == (0, 1, 192)
    other = looker(tmp_path / "run", known, seed=1).look(clips, np.arange(3), counting(calls), augmented=True)
    assert np.array_equal(other.frames.features[:, 0], seen.frames.features[:, 0])
    assert not np.array_equal(other.frames.features[:, 1], seen.frames.features[:, 1])


def test_a_clip_is_augmented_in_the_same_way_whatever_is_looked_at_before_it(tmp_path: Path) -> None:
    paths = [pictures(tmp_path / "a", 3, 0), pictures(tmp_path / "b", 4, 1)]
    clips = clips_of(paths, [0, 1], ["Train"] * 2)
    both = looker(tmp_path / "one", []).look(clips, np.arange(2), counting([]), augmented=True)
    alone = looker(tmp_path / "two", []).look(clips, np.array([1]), counting([]), augmented=True)
    assert np.array_equal(both.frames.features[3:], alone.frames.features)


def test_planted_false_faces_are_found_by_clip_and_by_part(tmp_path: Path) -> None:
    paths = [pictures(tmp_path / str(i), 10, i) for i in range(6)]
    clips = clips_of(paths, [0, 1, 2, 0, 1, 2], ["Train"] * 3 + ["Val"] * 3)
    seen = looker(tmp_path / "run", []).look(clips, np.arange(6), counting([]), augmented=False)
    assert seen.belonging(Outliers()).all()
    spoilt, false = seen.with_false_faces(clips, 0.4, seed=3)
    assert [int(false[spoilt.frames.clip == clip].sum()) for clip in range(6)] == [4] * 6
    assert np.array_equal(spoilt.belonging(Outliers()), ~false)
    kept = spoilt.without_outliers(Outliers())
    assert np.bincount(kept.clip).tolist() == [6] * 6
    assert np.array_equal(kept.features, seen.frames.features[~false])
    val = seen.embedding[30:]
    assert all((val == shown).all(axis=1).any() for shown in spoilt.embedding[30:])  # no frame came from another part
    assert np.array_equal(spoilt.frames.features, seen.with_false_faces(clips, 0.4, seed=3)[0].frames.features)


def test_sound_is_68_numbers_and_nan_where_there_is_none(tmp_path: Path, late_sound: Path) -> None:
    (tmp_path / "bad.avi").write_bytes(b"no film")
    clips = clips_of([late_sound, tmp_path / "bad.avi", pictures(tmp_path / "a", 3, 0)], [0, 1, 2], ["Train"] * 3)
    heard = sound_features(clips, ClipStore(tmp_path / "run"))
    assert heard.shape == (3, 68)
    assert not np.isnan(heard[0]).any()
    assert np.isnan(heard[1:]).all()
    assert np.array_equal(sound_features(clips, ClipStore(tmp_path / "run")), heard, equal_nan=True)
