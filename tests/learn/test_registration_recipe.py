"""The comparison of registrations: what each arm sees, and that a run goes on from what it has."""

from __future__ import annotations

from dataclasses import replace

import made_fer2013
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from emotrace.errors import InputError  # noqa: E402
from emotrace.learn import fer  # noqa: E402
from emotrace.learn.plan import Plan  # noqa: E402
from emotrace.learn.registration import each, inner, moved  # noqa: E402
from emotrace.recipes import expression_registration as recipe  # noqa: E402

CONFIG = recipe.Config(sample=30, held_out=14, plan=Plan(epochs=1, batch=10, device="cpu"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return made_fer2013.write(tmp_path_factory.mktemp("fer") / "fer2013.parquet", no_face=(3,))


def planted(n: int, seed: int) -> np.ndarray:
    """Landmarks of n faces, the same shape elsewhere in each picture; the first has none."""
    random = np.random.default_rng(seed)
    shape = np.random.default_rng(9).uniform(10, 38, (68, 2))
    found = (shape + random.uniform(-5, 5, (n, 1, 2))).astype(np.float32)
    found[0] = np.nan
    return found


def test_what_shows_no_face_is_not_learnt_from(corpus):
    lessons = fer.read(corpus)
    assert (len(lessons.images), len(lessons.label), len(lessons.held_out)) == (41, 41, 14)
    assert lessons.label[:5].tolist() == [0, 1, 2, 4, 5]


def test_a_larger_draw_begins_with_the_smaller_one(corpus):
    lessons = fer.read(corpus)
    small, large = recipe.drawn(lessons, CONFIG), recipe.drawn(lessons, replace(CONFIG, sample=40))
    np.testing.assert_array_equal(large.images[:30], small.images)
    assert (len(large.label), len(small.label), len(small.held_out)) == (40, 30, 14)


def test_arms_show_the_same_faces_registered_and_leave_alone_those_without_landmarks(corpus):
    lessons = recipe.drawn(fer.read(corpus), CONFIG)
    training, held_out = inner(planted(30, 0)), inner(planted(14, 1))
    found = dict(recipe.arms(lessons, training, held_out, CONFIG))
    assert list(found) == ["none", "affine", "similarity", "similarity-light"]
    assert found["none"] is lessons
    for arm in ("affine", "similarity"):
        np.testing.assert_array_equal(found[arm].images[0], lessons.images[0])
        assert (found[arm].images[1:] != lessons.images[1:]).any(axis=(1, 2)).all()
        np.testing.assert_array_equal(found[arm].label, lessons.label)
    assert found["similarity-light"].held_out.mean() == pytest.approx(127, abs=20)
    target = recipe.target_of(training)
    np.testing.assert_allclose(moved(held_out[1:], each(held_out, target)[1:]), np.tile(target, (13, 1, 1)), atol=1e-4)


def test_a_comparison_goes_on_from_the_landmarks_and_runs_it_has(corpus, tmp_path):
    for part, n, seed in (("training", 30, 0), ("held_out", 14, 1)):
        (tmp_path / "landmarks" / part).mkdir(parents=True)
        np.save(tmp_path / "landmarks" / part / "000000.npy", planted(n, seed))
    first = dict(recipe.measure(corpus, tmp_path, CONFIG, lambda numbers: None))
    told: list[dict[str, float]] = []
    again = dict(recipe.measure(corpus, tmp_path, CONFIG, told.append))
    assert [run.history for run in again.values()] == [run.history for run in first.values()]
    assert told == []
    with pytest.raises(InputError, match="landmarks of 30 pictures, expected 20"):
        list(recipe.measure(corpus, tmp_path, replace(CONFIG, sample=20), told.append))


def test_pictures_without_any_face_say_so(corpus, tmp_path):
    with pytest.raises(InputError, match="no face found in 30 pictures"):
        list(recipe.measure(corpus, tmp_path, CONFIG, lambda numbers: None))
