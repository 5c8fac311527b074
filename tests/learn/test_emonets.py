"""EmoNets from end to end on a corpus of tiny films, some of which are broken, short, mute or without a face."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from itertools import product
from pathlib import Path

import made_films
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from emotrace.corpora import afew  # noqa: E402
from emotrace.errors import InputError  # noqa: E402
from emotrace.learn import activity, audio_dbn  # noqa: E402
from emotrace.learn.bag_of_mouths import Mouths  # noqa: E402
from emotrace.learn.clip_store import ClipStore  # noqa: E402
from emotrace.learn.plan import Plan  # noqa: E402
from emotrace.learn.registered_tubes import follow_faces, frames_of_clips  # noqa: E402
from emotrace.learn.scaled_svm import ScaledSearch  # noqa: E402
from emotrace.learn.scoreboard import Scoreboard  # noqa: E402
from emotrace.learn.stills import ConvNetPlan  # noqa: E402
from emotrace.learn.weight_search import Search  # noqa: E402
from emotrace.recipes import emonets, record, trained  # noqa: E402

QUICK = Search(draws=200, rounds=1, local=50)
SMALL = emonets.Config(
    faces=ConvNetPlan(Plan(epochs=1, batch=28, method="sgd", rate=0.01, device="cpu")),
    audio=audio_dbn.Config(
        components=20, units=(16, 16, 16), epochs=100, patience=100, rate=1e-2, batch=8, drop_hidden=0.2,
    ),
    activity=activity.Config(
        side=30, blocks=600, whitened=20, whitening_blocks=600, hidden=16, epochs=4, batch=20, supers=150, components=8,
        words=10,
    ),
    mouths=Mouths(centroids=8, stride=4, frames=3, patches=200),
    search=QUICK, searches=5, bagged=QUICK, scaled=ScaledSearch(draws=5),
)  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_films.write(tmp_path_factory.mktemp("films"))


@pytest.fixture(scope="module")
def run(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Scoreboard]:
    folder = tmp_path_factory.mktemp("emonets")
    record.write(folder, "emonets", SMALL)
    return folder, emonets.fit(corpus, folder, SMALL, [made_films.stills()], lambda line: None)


def test_the_constants_are_those_of_the_paper() -> None:
    config = emonets.Config()
    assert config.searches == 350
    assert config.audio.units == (350, 350, 350)
    assert (config.activity.words, config.mouths.centroids, config.mouths.side) == (3000, 400, 96)
    assert config.faces.plan.rate == 0.001
    assert emonets.PUBLISHED.score == 0.4767


def test_a_network_that_learnt_from_other_stills_is_another(tmp_path: Path) -> None:
    faces = made_films.stills()
    dimmed = replace(faces, pictures=[picture // 2 for picture in faces.pictures])
    turned = replace(faces, label=faces.label[::-1])
    parts = (emonets.parts(tmp_path, SMALL, [stills])[0] for stills in (faces, made_films.stills(), dimmed, turned))
    same, again, *others = (repr(part.settings) for part in parts)
    assert same == again
    assert len({same, *others}) == 3


@pytest.mark.slow
def test_every_model_and_every_combination_is_in_the_tables(run: tuple[Path, Scoreboard]) -> None:
    folder, board = run
    names = [line.name for line in board.rows]
    assert names[:4] == ["faces", "audio", "activity", "mouths"]
    assert len([name for name in names if name.startswith("average of ") and "(" not in name]) == 11
    assert len([name for name in names if name.endswith("(Val)")]) == len(emonets.rules(SMALL)) == 7
    assert board.chosen.endswith(("(Val)", "(swapped predictions)"))
    assert board["audio"].scores["Test"].accuracy > 0.5   # of three classes
    files = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    assert {"scores.json", "scores.md", "weights.svg", "weights-bagged.svg", "confusion/mouths-Test.svg"} <= files
    assert "Left out" not in (folder / "scores.md").read_text()
    assert "1 of " in board.notes[-1]
    assert "broken" in board.notes[-1]


@pytest.mark.slow
def test_clips_that_a_model_cannot_see_or_hear_are_not_answered_by_it(corpus: Path, run: tuple[Path, Scoreboard]) -> None:
    folder, _ = run
    clips = afew.read(corpus)
    odd = {path.stem: row for row, path in enumerate(clips.paths)}
    kept = {file.name.split("-")[0]: file for file in (folder / "system").glob("*-fitted.npz")}
    assert set(kept) == {"faces", "audio", "activity", "mouths"}
    for part in emonets.parts(folder, SMALL, report=lambda line: None):
        said = emonets.answered(part, folder / "system", clips)
        silent = {stem for stem, row in odd.items() if np.isnan(said[row]).any()}
        assert silent == {
            "face": {"broken", "short", "faceless"}, "voice": {"broken", "mute"}, "scene": {"broken"},
        }[part.modality]  # fmt: skip
        assert np.nanmax(said[:, [1, 2, 5, 6]]) < 0.2   # classes without a clip


@pytest.mark.slow
def test_what_was_trained_says_of_test_what_the_run_measured(corpus: Path, run: tuple[Path, Scoreboard]) -> None:
    folder, board = run
    scores = trained.measure(str(folder), f"afew={corpus}", "Test")
    assert scores.n == 7
    assert scores.accuracy == pytest.approx(board[board.chosen].scores["Test"].accuracy)
    assert scores.confusion.tolist() == board[board.chosen].confusion["Test"].tolist()


@pytest.mark.slow
def test_parts_that_do_not_go_together_are_said_before_any_clip_is_looked_at(
    run: tuple[Path, Scoreboard], tmp_path: Path
) -> None:
    emonets.check(run[0], SMALL)
    kept, own = run[0] / "system", tmp_path / "run" / "system"
    names = json.loads((kept / "rule.json").read_text())["parts"]
    for kind, one, other in product(("learnt", "fitted"), names, names):
        shutil.copytree(kept, own, dirs_exist_ok=True)
        (own / f"{one}-{kind}.npz").write_bytes((kept / f"{other}-{kind}.npz").read_bytes() if one != other else b"PK")
        with pytest.raises(InputError, match="run") as caught:
            emonets.check(tmp_path / "run", SMALL)
        assert "\n" not in str(caught.value)
    shutil.copytree(kept, own, dirs_exist_ok=True)
    for content, words in (({"rule": "x"}, r"rule\.json.*parts: field required"), ({"rule": "x", "parts": names}, r"\('x'\)")):
        (own / "rule.json").write_text(json.dumps(content))
        with pytest.raises(InputError, match=words):
            emonets.check(tmp_path / "run", SMALL)


@pytest.mark.slow
def test_the_same_command_gives_the_same_numbers(
    corpus: Path, run: tuple[Path, Scoreboard], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, board = run
    before = json.loads((folder / "scores.json").read_text())

    def stopped(*given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(emonets, "keep_system", stopped)
        with pytest.raises(KeyboardInterrupt):
            emonets.fit(corpus, folder, SMALL, [made_films.stills()], lambda line: None)
    assert not (folder / "scores.json").exists()   # so nobody takes the run for whole
    emonets.fit(corpus, folder, SMALL, [made_films.stills()], lambda line: None)
    assert json.loads((folder / "scores.json").read_text()) == before
    shutil.copytree(folder / "clips", tmp_path / "clips")  # all is fitted anew, from what was computed of the clips
    fresh = emonets.fit(corpus, tmp_path, SMALL, [made_films.stills()], lambda line: None)
    assert [(line.name, line.scores) for line in fresh.rows] == [(line.name, line.scores) for line in board.rows]


def test_faces_followed_by_two_threads_are_those_of_one(corpus: Path, tmp_path: Path) -> None:
    clips = afew.read(corpus).of_split("Test")
    stores = [ClipStore(tmp_path / name) for name in ("one", "two")]
    for workers, store in enumerate(stores, start=1):
        follow_faces(clips, (48,), store, workers)
    one, two = (frames_of_clips(clips, 48, store) for store in stores)
    assert sorted(len(frames) for frames in one) == [0, 6, 6, 6, 6, 6, 6]
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert len(list(tmp_path.rglob("facetube-registered-48/*.npz"))) == 2 * 7


def test_without_labels_or_stills_nothing_is_fitted_and_a_run_that_did_not_end_answers_nothing(tmp_path: Path) -> None:
    made_films.film(tmp_path / "films" / "Test" / "a.avi", 0, 3, np.random.default_rng(0))
    made_films.film(tmp_path / "films" / "Train" / "Happy" / "b.avi", 3, 3, np.random.default_rng(0))
    with pytest.raises(InputError, match="films: no labelled clips in Val; expected some in Train and in Val"):
        emonets.fit(tmp_path / "films", tmp_path / "run", SMALL, [made_films.stills()])
    with pytest.raises(InputError, match="learns faces from stills; give some, as --stills fer2013="):
        emonets.fit(tmp_path / "films", tmp_path / "run", SMALL)
    with pytest.raises(InputError, match=r"system.rule\.json: no such file; the run is not finished"):
        emonets.predict(afew.read(tmp_path / "films"), tmp_path / "run", SMALL)
    with pytest.raises(InputError, match=r"run.system.rule\.json: no such file; the run is not finished"):
        emonets.check(tmp_path / "run", SMALL)
