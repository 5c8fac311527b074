"""The activity model of EmoNets: that it tells motions apart, whatever clips are like."""

from pathlib import Path

import made_clips
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from emotrace.corpora.clips import Clips
from emotrace.errors import InputError
from emotrace.learn import activity
from emotrace.learn.activity import Config
from emotrace.learn.clip_store import ClipStore
from emotrace.learn.emonets_parts import ActivityPart
from emotrace.learn.grey_frames import grey_frames

SMALL = Config(
    side=40, blocks=1500, whitened=40, whitening_blocks=1500, hidden=30, epochs=20, batch=20, supers=300, components=10,
    words=12, costs=(10.0,),
)  # fmt: skip
ACROSS, DOWN = 1, 4   # labels


@pytest.fixture(scope="module")
def motions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Clips, ClipStore]:
    """24 textures that drift across or down; then three frames, a sound, an empty folder and a broken file."""
    place, rng = tmp_path_factory.mktemp("motions"), np.random.default_rng(0)
    speeds = [(0.0, 1.0) if i % 2 else (1.0, 0.0) for i in range(24)]
    paths = [made_clips.folder(place / f"{i}", made_clips.drifting(28, 40, 40, speed, rng)) for i, speed in enumerate(speeds)]
    labels = [ACROSS if i % 2 else DOWN for i in range(24)]
    splits = ["Train"] * 12 + ["Val"] * 4 + ["Test"] * 8
    short = made_clips.folder(place / "short", made_clips.drifting(3, 30, 30, (0.0, 1.0), rng))
    voice = made_clips.voice(place / "voice.wav", 120, 0.5, rng)
    empty, broken = made_clips.folder(place / "empty", np.zeros((0, 30, 30), np.uint8)), place / "broken.mp4"
    broken.write_bytes(b"no video")
    odd = [short, voice, empty, broken]
    return made_clips.corpus([*paths, *odd], [*labels, 0, 1, 2, 0], [*splits, *["Train"] * 4]), ClipStore(place / "run")


@pytest.fixture(scope="module")
def said(motions: tuple[Clips, ClipStore]) -> NDArray[np.float32]:
    """Posteriors of all clips, learned once: it takes seconds."""
    clips, store = motions
    return made_clips.said_by(ActivityPart(SMALL, 0, store), clips)


def test_published_constants() -> None:
    config = Config()
    assert (config.blocks, config.whitened, config.hidden) == (200_000, 300, 300)
    assert (config.rate, config.momentum) == (1e-4, 0.9)
    assert (config.components, config.words) == (100, 3000)


def test_motions_are_told_apart_and_clips_without_pictures_are_nan(
    motions: tuple[Clips, ClipStore], said: NDArray[np.float32]
) -> None:
    clips, found = motions[0], said
    assert found.shape == (28, 7)
    assert found.dtype == np.float32
    assert np.isnan(found).all(axis=1).tolist() == [False] * 25 + [True] * 3   # the clip of three frames has an answer
    np.testing.assert_allclose(found[:25].sum(axis=1), 1, atol=1e-5)
    test = clips.split == "Test"
    assert (found[test].argmax(axis=1) == clips.label[test]).mean() >= 0.75   # of the 8, when half would be chance
    assert not found[:25, [2, 3, 5, 6]].any()   # classes that no training clip has


def test_neither_test_clips_nor_another_store_nor_global_chance_change_what_is_said(
    motions: tuple[Clips, ClipStore], said: NDArray[np.float32], tmp_path: Path
) -> None:
    kept = np.flatnonzero(motions[0].split != "Test")
    clips, before = motions[0][kept], torch.get_rng_state()
    torch.manual_seed(99)
    np.testing.assert_allclose(said[kept], made_clips.said_by(ActivityPart(SMALL, 0, ClipStore(tmp_path)), clips), atol=1e-5)
    torch.set_rng_state(before)


def test_no_training_pictures_are_an_error_of_one_line(motions: tuple[Clips, ClipStore]) -> None:
    clips, store = motions
    with pytest.raises(InputError, match="pictures"):
        ActivityPart(SMALL, 0, store).learn(clips, np.array([25, 26]), np.flatnonzero(clips.split == "Val"))


def test_a_short_clip_stands_still_at_its_end(motions: tuple[Clips, ClipStore]) -> None:
    clips, store = motions
    film = activity.film_of(clips.paths[24], store, SMALL)
    assert film.shape == (14, 40, 40)
    assert (film[2:] == film[2]).all()
    assert (film[1] != film[2]).any()
    assert len(activity.film_of(clips.paths[25], store, SMALL)) == 0


def test_a_video_is_grey_with_its_longer_side_as_asked_and_all_its_frames(obama: Path, tmp_path: Path) -> None:
    film = grey_frames(obama, ClipStore(tmp_path), 160, 20)
    assert film.shape == (105, 120, 160)
    assert film.dtype == np.uint8
    assert 10 < film.std() < 120


def test_a_narrow_picture_is_widened_and_pictures_of_another_size_are_brought_to_the_first(tmp_path: Path) -> None:
    path = made_clips.folder(tmp_path / "faces", np.zeros((2, 10, 200), np.uint8))
    made_clips.cv2.imwrite(str(path / "900.png"), np.full((50, 50), 7, np.uint8))
    film = grey_frames(path, ClipStore(tmp_path / "run"), 100, 20)
    assert film.shape == (3, 20, 100)
    assert (film[2] == 7).all()


def test_a_damaged_picture_of_a_clip_costs_no_other(tmp_path: Path) -> None:
    path = made_clips.folder(tmp_path / "faces", np.stack([np.full((40, 40), level, np.uint8) for level in (10, 20, 30)]))
    sorted(path.iterdir())[1].write_bytes(b"cut off")
    film = grey_frames(path, ClipStore(tmp_path / "run"), 40, 20)
    assert film[:, 5, 5].tolist() == [10, 30]
