"""Frames that show another face are left out, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emotrace.errors import InputError
from emotrace.learn.frame_faces import FaceFinder, FaceFinding, FrameFaces
from emotrace.learn.outlier_frames import Outliers, belonging, distance, planted, unusual
from emotrace.learn.trunks import sface
from emotrace.learn.views import seen

BOX = np.array([100, 100, 200, 220], np.float32)


def people(counts: list[int], noise: float = 0.04, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings about one direction for each person, and whose each is."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(len(counts)), counts)
    centres = rng.normal(size=(len(counts), 128))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    return (centres[who] + noise * rng.normal(size=(len(who), 128))).astype(np.float32), who


@pytest.mark.parametrize("wrong", [0, 1, 4, 8])
def test_planted_faces_of_another_person_are_left_out_and_all_others_kept(wrong: int) -> None:
    embedding, who = people([12, wrong])
    order = np.random.default_rng(1).permutation(len(who))
    kept = belonging(embedding[order], np.tile(BOX, (len(who), 1)))
    assert kept.tolist() == (who[order] == 0).tolist()


def test_false_faces_that_have_nothing_in_common_are_left_out_up_to_nearly_half() -> None:
    embedding, who = people([11] + [1] * 9)
    assert belonging(embedding, np.tile(BOX, (20, 1))).tolist() == (who == 0).tolist()


def test_how_long_embeddings_are_and_their_order_do_not_matter() -> None:
    embedding, _ = people([9, 4])
    lengths = np.random.default_rng(2).uniform(0.1, 10, (13, 1)).astype(np.float32)
    assert distance(embedding * lengths) == pytest.approx(distance(embedding), abs=1e-5)
    assert distance(embedding[::-1])[::-1] == pytest.approx(distance(embedding), abs=1e-5)


def test_a_blurred_clip_whose_frames_all_lie_far_apart_keeps_them() -> None:
    embedding, _ = people([16], noise=0.16)
    assert np.median(distance(embedding)) > 0.4
    far = distance(embedding) > 1 - Outliers().alike
    assert far.any()
    assert belonging(embedding, np.tile(BOX, (16, 1))).all()


def test_the_same_face_may_move_and_a_doubtful_one_elsewhere_may_not_stay() -> None:
    embedding, _ = people([9], noise=0.01)
    box = np.tile(BOX, (9, 1))
    box[2] += 250  # elsewhere, and surely the same
    assert unusual(box).tolist() == [False, False, True, *[False] * 6]
    assert belonging(embedding, box).all()
    other = np.random.default_rng(3).normal(size=128)
    centre = embedding[0] / np.linalg.norm(embedding[0])
    other -= centre * (other @ centre)
    embedding[2] = 0.42 * centre + np.sqrt(1 - 0.42**2) * other / np.linalg.norm(other)  # a cosine of 0.42 to the rest
    assert belonging(embedding, np.tile(BOX, (9, 1))).all()
    assert belonging(embedding, box).tolist() == [True, True, False, *[True] * 6]


def test_a_box_of_another_size_is_unusual_and_one_that_is_not_known_is_not() -> None:
    box = np.tile(BOX, (6, 1))
    box[1] = [90, 90, 210, 230]
    box[2] = [0, 0, 300, 320]
    box[3] = [140, 150, 160, 170]
    box[4] = np.nan
    assert unusual(box).tolist() == [False, False, True, True, False, False]
    assert not unusual(np.full((4, 4), np.nan)).any()


def test_of_one_or_two_frames_all_are_kept_and_of_none_none() -> None:
    embedding, _ = people([1, 1])
    assert belonging(embedding, np.tile(BOX, (2, 1))).tolist() == [True, True]
    assert belonging(embedding[:1], BOX[None]).tolist() == [True]
    assert belonging(np.zeros((0, 128), np.float32), np.zeros((0, 4), np.float32)).shape == (0,)
    with pytest.raises(InputError, match=r"embeddings are \(2, 128\), boxes \(3, 4\)"):
        belonging(embedding, np.tile(BOX, (3, 1)))


def test_real_frames_of_a_woman_are_kept_and_planted_background_and_another_face_are_not(
    woman: Path, single_face: Path
) -> None:
    finder = FaceFinder(FaceFinding(rate=1.0))
    hers = finder.of(woman)
    hers = hers[hers.found]
    theirs = finder.of(single_face)[:1]
    rng = np.random.default_rng(0)
    ground = rng.integers(0, 255, (3, 8, 8, 3)).repeat(16, axis=1).repeat(16, axis=2).astype(np.uint8)
    false = FrameFaces(
        ground, np.zeros(3), np.ones(3, np.bool_), np.full(3, 0.4, np.float32), np.tile(BOX, (3, 1)), hers.points[:3]
    )
    trunk = sface()
    parts = [trunk.run(seen(faces, trunk)) for faces in (hers, theirs, false)]
    box = np.concatenate([hers.box, theirs.box, false.box])
    kept = belonging(np.concatenate(parts), box)
    assert len(hers) >= 12
    assert kept[: len(hers)].mean() >= 0.9
    assert not kept[len(hers) :].any()


def test_planting_exchanges_a_share_of_each_clip_for_frames_of_another_kind() -> None:
    clip = np.repeat([2, 5, 7, 8], [10, 4, 3, 1])
    kind = np.repeat([0, 1, 0, 1], [10, 4, 3, 1])
    stands = planted(clip, kind, 0.3, np.random.default_rng(0))
    changed = stands != np.arange(18)
    assert [int(changed[clip == one].sum()) for one in (2, 5, 7, 8)] == [3, 1, 0, 0]
    assert (kind[stands[changed]] != kind[changed]).all()
    assert np.array_equal(stands, planted(clip, kind, 0.3, np.random.default_rng(0)))
    assert np.array_equal(planted(clip, 0 * kind, 0.3, np.random.default_rng(0)), np.arange(18))
    with pytest.raises(InputError, match=r"share 0\.6 of false faces"):
        planted(clip, kind, 0.6, np.random.default_rng(0))
