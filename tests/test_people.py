"""People: planted identities are found again, in the right order."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from emotrace.analysis import Analysis
from emotrace.api import analyze
from emotrace.face.identity import cluster, greedy, unit
from emotrace.finish import Averages
from emotrace.people import Appearances, Portraits, group, seen_together
from emotrace.settings import Settings
from recordings import encode


def embeddings(*people: int, noise: float = 0.5, seed: int = 0) -> np.ndarray:
    """One unit vector a track; the same person's cosine is about .8 at the default noise, of two people about 0."""
    random = np.random.default_rng(seed)
    centres = unit(random.normal(size=(max(people) + 1, 128)))
    return unit(np.stack([centres[k] for k in people]) + noise * unit(random.normal(size=(len(people), 128))))


@pytest.mark.parametrize("method", [cluster, greedy])
def test_planted_people_are_found(method: object) -> None:
    planted = [0, 1, 0, 2, 1, 0, 2, 2]
    found = method(embeddings(*planted), np.ones(8), np.zeros((8, 8), bool), 0.4)  # type: ignore[operator]
    assert found.tolist() == planted


@pytest.mark.parametrize("method", [cluster, greedy])
def test_nobody_is_nobody(method: object) -> None:
    assert len(method(np.zeros((0, 128), np.float32), np.zeros(0), np.zeros((0, 0), bool), 0.4)) == 0  # type: ignore[operator]


def test_clustering_never_joins_tracks_seen_together() -> None:
    apart = np.zeros((3, 3), bool)
    apart[0, 1] = apart[1, 0] = True
    found = cluster(embeddings(0, 0, 0, noise=0.1), np.ones(3), apart, 0.4)
    assert found[0] != found[1]
    assert found[2] in (found[0], found[1])


def test_clustering_does_not_depend_on_the_order_of_the_tracks() -> None:
    vectors = embeddings(*[0, 1, 2] * 8, noise=1.1)
    order = np.random.default_rng(3).permutation(24)
    plain = cluster(vectors, np.ones(24), np.zeros((24, 24), bool), 0.3)
    mixed = cluster(vectors[order], np.ones(24), np.zeros((24, 24), bool), 0.3)
    same = plain[:, None] == plain[None]
    assert ((mixed[:, None] == mixed[None]) == same[np.ix_(order, order)]).all()


def test_average_linkage_weighs_by_portraits() -> None:
    angle = np.deg2rad([0, 50, 100])
    vectors = np.zeros((3, 128), np.float32)
    vectors[:, 0], vectors[:, 1] = np.cos(angle), np.sin(angle)
    apart = np.zeros((3, 3), bool)
    # 0 and 1 join first (tie broken by position); their mean cosine to 2 is (w0 cos 100 + w1 cos 50) / (w0 + w1)
    assert cluster(vectors, np.array([1.0, 9.0, 1.0]), apart, 0.5).tolist() == [0, 0, 0]
    assert cluster(vectors, np.array([9.0, 1.0, 1.0]), apart, 0.5).tolist() == [0, 0, 1]


def seen(*tracks: tuple[int, int, int], places: list[int] | None = None) -> Appearances:
    """Rows of tracks given as (track, first frame, last frame); each in a place of its own unless told otherwise."""
    rows = sorted((frame, track) for track, first, last in tracks for frame in range(first, last + 1))
    frame, track = np.array(rows).T
    left = 100 * (track if places is None else np.array(places)[track])[:, None]
    box = np.add(left, [0, 0, 50, 60]).astype(np.float32)
    return Appearances(frame, frame / 25, track, np.zeros(len(frame), np.int32), np.full(len(frame), 0.04), box)


def test_tracks_are_together_from_a_fifth_of_the_shorter_one() -> None:
    found = seen_together(seen((0, 0, 99), (1, 90, 139), (2, 99, 199)), [0, 1, 2])
    assert found.tolist() == [[False, False, False], [False, False, True], [False, True, False]]


def test_tracks_that_are_not_asked_for_are_left_out() -> None:
    found = seen_together(seen((0, 0, 99), (1, 0, 99), (5, 50, 99)), [0, 5])
    assert found.tolist() == [[False, True], [True, False]]
    assert seen_together(seen((0, 0, 9)), []).shape == (0, 0)


def portraits(vectors: np.ndarray, tracks: list[int]) -> Portraits:
    n = len(tracks)
    return Portraits(np.array(tracks), np.ones(n, np.float32), vectors, np.full(n, 30, np.float32), np.zeros(n, np.float32))


def test_p1_is_who_is_seen_longest_and_a_frame_counts_once() -> None:
    rows = seen((0, 0, 9), (1, 10, 99), (2, 95, 194))   # track 2 is the same person, twice in the picture for 5 frames
    found = group(rows, portraits(embeddings(0, 1, 1), [0, 1, 2]), Settings())
    assert found.names(np.array([0, 1, 2])) == ["P2", "P1", "P1"]
    assert found.seconds == pytest.approx((185 * 0.04, 10 * 0.04))


def test_a_track_without_a_portrait_stays_unassigned() -> None:
    found = group(seen((0, 0, 9), (1, 20, 80)), portraits(embeddings(0), [0]), Settings())
    assert found.names(np.array([0, 1])) == ["P1", None]
    assert [fact.portraits for fact in found.facts] == [1, 0]


def test_a_track_without_a_portrait_is_of_whom_is_seen_in_its_place_before_or_after() -> None:
    tracks = (0, 0, 9), (1, 10, 19), (2, 20, 30), (3, 60, 70), (4, 71, 80), (5, 0, 80), (6, 110, 120)
    rows = seen(*tracks, places=[0, 0, 0, 0, 0, 1, 0])
    known = portraits(embeddings(0, 1, 2), [0, 4, 5])
    found = group(rows, known, Settings())
    assert found.names(np.arange(7)) == ["P2", "P2", "P2", "P3", "P3", "P1", None]
    assert [fact.portraits for fact in found.facts] == [1, 0, 0, 0, 1, 1, 0]


def test_nobody_is_given_a_face_that_is_seen_beside_his_own() -> None:
    rows = seen((0, 0, 9), (1, 10, 19), (2, 12, 30), places=[0, 0, 1])
    found = group(rows, portraits(embeddings(0, 0), [0, 2]), Settings())   # tracks 0 and 2 are one person
    assert found.names(np.arange(3)) == ["P1", None, "P1"]


def turned(degrees: float) -> np.ndarray:
    """Two embeddings (2, 128) with so many degrees between them."""
    vectors = np.zeros((2, 128), np.float32)
    vectors[:, 0], vectors[:, 1] = np.cos(np.deg2rad([0, degrees])), np.sin(np.deg2rad([0, degrees]))
    return vectors


@pytest.mark.parametrize(
    ("degrees", "begin", "place", "people"), [(64, 10, 0, 1), (75, 10, 0, 2), (64, 20, 0, 2), (64, 10, 1, 2)]
)
def test_who_goes_on_in_one_place_need_be_less_alike(degrees: float, begin: int, place: int, people: int) -> None:
    rows = seen((0, 0, 9), (1, begin, 30), places=[0, place])
    assert np.cos(np.deg2rad(64)) < Settings().identity_threshold
    assert group(rows, portraits(turned(degrees), [0, 1]), Settings()).people == people


def test_who_is_seen_in_one_frame_alone_is_nobody_new_in_the_place_of_another() -> None:
    rows = seen((0, 0, 9), (1, 10, 10), (2, 11, 30), (3, 15, 15), places=[0, 0, 0, 1])
    found = group(rows, portraits(embeddings(0, 1, 2, 3), [0, 1, 2, 3]), Settings())
    assert found.names(np.arange(4)) == ["P2", "P2", "P1", "P3"]


def test_without_identity_who_is_seen_in_one_place_is_a_person() -> None:
    settings = Settings(components=("face.pose",))
    rows = seen((0, 0, 9), (1, 10, 80), (2, 0, 40), (3, 150, 160), places=[0, 0, 1, 0])
    found = group(rows, portraits(np.zeros((0, 128), np.float32), []), settings)
    assert found.names(np.arange(4)) == ["P1", "P1", "P2", "P3"]


def test_without_identity_each_track_elsewhere_is_a_person() -> None:
    settings = Settings(components=("face.pose",))
    found = group(seen((0, 0, 9), (3, 20, 80)), portraits(np.zeros((0, 128), np.float32), []), settings)
    assert found.names(np.array([0, 3])) == ["P2", "P1"]


def test_a_frame_counts_once_for_whom_it_shows_twice() -> None:
    averages = Averages(2, 0.5)
    for first in (0, 10):
        faces = pa.table({"frame": [first, first, first, first + 1], "quality": [0.9, 0.8, 0.1, 0.2]})
        averages.add(np.array([0, 0, 1, 0]), faces, np.full(4, 0.04))
    assert averages.frames.tolist() == [4, 2]
    assert averages.measured.tolist() == [2, 0]


def test_means_are_over_time_and_of_what_was_measured() -> None:
    averages = Averages(2, 0.5)
    averages.add(np.array([0, 0, 0, -1]), pa.table({"frame": range(4), "valence": [0.0, 1.0, np.nan, 9.0]}),
                 np.array([0.1, 0.3, 5.0, 5.0]))
    assert averages.mean(0, "valence") == pytest.approx(0.75)
    assert np.isnan(averages.mean(1, "valence"))


def test_frames_that_are_left_out_change_no_mean_over_time(
    woman: Path, woman_analysis: Analysis, made: Path, tmp_path: Path
) -> None:
    every = woman_analysis.table("frames")["time"].to_pylist()
    kept = [Fraction(time).limit_denominator(90_000) if time < 10 or i % 8 == 0 else None for i, time in enumerate(every)]
    film = encode(made / "thinned.mp4", woman, kept)   # she cries, and of her laughter few frames are kept
    person, = analyze(film, tmp_path / "out", settings=Settings(components=("face.valence_arousal",)), report=False).people
    whole, = woman_analysis.people
    assert person.expression == whole.expression == "happiness"
    assert person.valence == pytest.approx(whole.valence, abs=0.05)
    assert person.seconds == pytest.approx(whole.seconds, abs=0.4)


def test_the_two_men_are_two_people_of_the_right_age(obama_analysis: Analysis) -> None:
    assert [person.name for person in obama_analysis.people] == ["P1", "P2"]
    assert all(40 < person.age < 65 and person.female < 0.2 for person in obama_analysis.people)


def test_the_woman_is_labelled_a_woman(woman_analysis: Analysis) -> None:
    person, = woman_analysis.people
    assert person.female > 0.95
    assert 22 < person.age < 45
    assert (woman_analysis.folder / person.thumbnail).stat().st_size > 1000
