"""NTechLab's system on a corpus of tiny films whose colour and pitch go with the label."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from emotrace.corpora import catalogue as corpora  # noqa: E402
from emotrace.corpora.afew import CLASSES as FOLDERS  # noqa: E402
from emotrace.corpora.labels import POSITION  # noqa: E402
from emotrace.errors import EmotraceError, InputError, UnknownNameError  # noqa: E402
from emotrace.learn import face_nets  # noqa: E402
from emotrace.learn.frame_faces import FaceFinding  # noqa: E402
from emotrace.learn.labelled import labelled  # noqa: E402
from emotrace.learn.mixture import Mixture  # noqa: E402
from emotrace.learn.scoreboard import Scoreboard  # noqa: E402
from emotrace.learn.sequence import LstmPlan  # noqa: E402
from emotrace.learn.trunks import Trunk  # noqa: E402
from emotrace.recipes import catalogue, ntechlab, record  # noqa: E402
from emotrace.recipes.ntechlab import Config, fit, predict  # noqa: E402

SMALL = Config(
    finding=FaceFinding(side=16), tuned=(), frozen=("colours", "greys"), costs=(1e-3, 1e-1), voices=("midterm",),
    lstm=LstmPlan(hidden=8, epochs=2),
)  # fmt: skip
EMPTY = "Fear"  # has no clips in Train


def film(path: Path, label: int, frames: int, sound: bool, rng: np.random.Generator) -> None:
    """Frames of about one colour, and a tone, which go with the label; both with noise."""
    bits = np.array([(label + 1) >> bit & 1 for bit in range(3)])  # a corner of the cube of colours for each label
    colour = 70 + 110 * bits + rng.normal(0, 9)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        voice = container.add_stream("aac", rate=16_000, layout="mono") if sound else None
        for _ in range(frames):
            picture = np.clip(colour + rng.normal(0, 12, (48, 64, 3)), 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode(None))
        if voice is not None:
            time = np.arange(16_000 * max(frames, 8) // 25) / 16_000
            tone = 0.2 * np.sin(2 * np.pi * (200 + 150 * (label + rng.normal(0, 0.1))) * time) + rng.normal(0, 0.02, len(time))
            block = av.AudioFrame.from_ndarray(tone.astype(np.float32)[None], "fltp", "mono")
            block.sample_rate, block.time_base, block.pts = 16_000, Fraction(1, 16_000), 0
            container.mux(voice.encode(block))
            container.mux(voice.encode(None))


@pytest.fixture(scope="module")
def afew(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three clips of each class in Train and two in Val and Test; some are difficult in one way each."""
    corpus, rng = tmp_path_factory.mktemp("afew"), np.random.default_rng(0)
    for split, count in (("Train", 3), ("Val", 2), ("Test", 2)):
        for word in FOLDERS:
            (corpus / split / word).mkdir(parents=True)
            for number in range(0 if (split, word) == ("Train", EMPTY) else count):
                silent, short = (split, word, number) == ("Val", "Happy", 0), (word, number) == ("Sad", 1)
                file = corpus / split / word / f"{number:03}.mp4"
                film(file, POSITION[word.lower()], 3 if short else int(rng.integers(6, 12)), not silent, rng)
    (corpus / "Val" / "Angry" / "000.mp4").write_bytes(b"no film")
    return corpus


def coloured(pictures: np.ndarray) -> np.ndarray:
    """How bright each colour is, (n, 3)."""
    return np.asarray(pictures.mean(axis=(1, 2)), np.float32)


def grey(pictures: np.ndarray) -> np.ndarray:
    """How bright a picture is, and how much it varies, (n, 2)."""
    return np.stack([pictures.mean(axis=(1, 2, 3)), pictures.std(axis=(1, 2, 3))], axis=1).astype(np.float32)


@pytest.fixture(scope="module", autouse=True)
def simple_nets() -> Iterator[None]:
    """Two networks that see next to nothing."""
    simple = {"colours": lambda: Trunk("colours", 8, 3, None, coloured), "greys": lambda: Trunk("greys", 8, 2, None, grey)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(face_nets, "FROZEN", {**face_nets.FROZEN, **simple})
        yield


@pytest.fixture(scope="module")
def run(afew: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Scoreboard]:
    folder = tmp_path_factory.mktemp("run")
    record.write(folder, "ntechlab", SMALL)
    return folder, fit(afew, folder, SMALL, report=lambda line: None)


def test_the_tables_of_the_paper_are_there(run: tuple[Path, Scoreboard]) -> None:
    _, board = run
    tables = {title: [line.name for line in board.rows if line.table == title] for title in ntechlab.TABLES.values()}
    assert [len(names) for names in tables.values()] == [9, 12, 4, 8]
    assert "colours: STAT* + FFT" in tables[ntechlab.TABLES[2]]
    assert "greys, no rootSIFT" in tables[ntechlab.TABLES[3]]
    assert "colours, LSTM, frames shuffled" in tables[ntechlab.TABLES[4]]
    assert board.chosen == tables[ntechlab.TABLES[6]][-1]
    assert board.chosen == "all networks and voice, modalities alike, weighted, fitted on Train and Val"
    published = board["modalities alike, weighted by AFEW's Test"].published
    assert published == {"Val": pytest.approx(0.483, abs=1e-3), "Test": 0.6003}


def test_planted_colours_and_pitches_are_learnt(run: tuple[Path, Scoreboard]) -> None:
    _, board = run
    assert board["colours: mean"].scores["Test"].accuracy > 0.4  # chance is 1/7, and a seventh has no training clips
    assert board["voice: 68 features"].scores["Test"].accuracy > 0.3
    assert board[board.chosen].scores["Test"].accuracy >= 0.5


def test_what_is_missing_is_counted_as_no_answer(run: tuple[Path, Scoreboard]) -> None:
    _, board = run
    assert board["colours: mean"].scores["Val"].answered == pytest.approx(13 / 14)     # one film cannot be read
    assert " clips cannot be opened, " in board.notes[-1]
    assert board["voice: 68 features"].scores["Val"].answered == pytest.approx(12 / 14)  # and one has no sound
    assert board["all networks and voice, models alike"].scores["Val"].answered == pytest.approx(13 / 14)
    assert list(board[board.chosen].scores) == ["Test"]


def test_a_corpus_of_one_class_is_refused_before_anything_is_computed(afew: Path, tmp_path: Path) -> None:
    shutil.copytree(afew / "Train" / "Happy", tmp_path / "corpus" / "Train" / "Happy")
    shutil.copytree(afew / "Val", tmp_path / "corpus" / "Val")
    with pytest.raises(InputError, match="labelled clips in Train are all of one class; expected two at least"):
        fit(tmp_path / "corpus", tmp_path / "run", SMALL, report=lambda line: None)
    assert not (tmp_path / "run").exists()


def test_the_folder_says_of_clips_what_the_run_said(afew: Path, run: tuple[Path, Scoreboard]) -> None:
    folder, board = run
    recipe, config = record.read(folder)
    assert recipe is ntechlab
    assert config == SMALL
    clips = corpora.clips_at(afew)
    said = predict(clips, folder, config, lambda line: None)
    test = labelled(clips, "Test")
    right = said[test].argmax(axis=1) == clips.label[test]
    assert right.mean() == pytest.approx(board[board.chosen].scores["Test"].accuracy)
    assert said.shape == (len(clips), 7)
    unreadable = clips.unreadable()
    assert np.isnan(said).any(axis=1).nonzero()[0].tolist() == list(unreadable)


def test_a_folder_that_is_damaged_is_said_before_any_clip_is_looked_at(run: tuple[Path, Scoreboard], tmp_path: Path) -> None:
    ntechlab.check(run[0], SMALL)
    mixture = json.loads((run[0] / "system" / "mixture.json").read_text())
    first, *others = mixture["members"]
    for changes, words in (
        ({"prior": [1, 2]}, r"frequencies \[1\.0, 2\.0\] of 7 classes"),
        ({"members": [first | {"weight": "x"}, *others]}, r"mixture\.json.*members\.0\.weight: input should be a valid number"),
        ({"members": [first | {"name": "nobody"}, *others]}, r"does not go together \('nobody'\)"),
        ({"members": [first | {"machine": others[-1]["machine"]}, *others]}, r"run: features are \(1, \d+\)"),
        ({"voice": "song"}, "no set of voice features 'song'"),
    ):
        shutil.copytree(run[0], tmp_path / "run", ignore=shutil.ignore_patterns("clips"), dirs_exist_ok=True)
        (tmp_path / "run" / "system" / "mixture.json").write_text(json.dumps(mixture | changes))
        with pytest.raises(EmotraceError, match=words) as caught:
            ntechlab.check(tmp_path / "run", SMALL)
        assert "\n" not in str(caught.value)
    (tmp_path / "run" / "system" / "mixture.json").write_text("[]")
    with pytest.raises(InputError, match=r"mixture\.json: not a mixture\.json of emotrace"):
        ntechlab.check(tmp_path / "run", SMALL)


def test_the_same_run_gives_the_same_numbers_and_has_none_before_it_ends(
    afew: Path, run: tuple[Path, Scoreboard], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = run
    first = json.loads((folder / "scores.json").read_text())

    def stopped(*given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ntechlab, "submitted", stopped)
        with pytest.raises(KeyboardInterrupt):
            fit(afew, folder, SMALL, report=lambda line: None)
    assert not (folder / "scores.json").exists()
    fit(afew, folder, SMALL, report=lambda line: None)
    assert json.loads((folder / "scores.json").read_text()) == first


def test_a_mixture_is_the_mean_of_those_that_answer_weighted_by_roots() -> None:
    one, other = np.full((2, 7), 1 / 7, np.float32), np.eye(7, dtype=np.float32)[[3, 4]]
    one[1] = np.nan
    singles = {"a": one, "b": other}
    mean = Mixture(("a", "b"), (1.0, 1.0)).of(singles)
    assert mean[0, 3] == pytest.approx((1 + 1 / 7) / 2)
    assert mean[1].tolist() == other[1].tolist()
    assert Mixture.alike(["a"], "b", "modalities").of(singles)[0, 3] == mean[0, 3]
    assert Mixture.alike(["a", "a"], "b", "modalities").weights == (1, 1, 2)
    assert Mixture.alike(["a", "a"], "b", "models").weights == (1, 1, 1)
    weighted = Mixture(("a", "b"), (1.0, 1.0), (0, 1, 1, 4, 1, 1, 1)).of(singles)
    expected = mean[0] * np.sqrt([0, 1, 1, 4, 1, 1, 1])
    assert weighted[0] == pytest.approx(expected / expected.sum())


def test_a_network_that_is_not_known_and_missing_stills_are_said(afew: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="there is no frozen network 'nothing'"):
        fit(afew, tmp_path, Config(tuned=(), frozen=("nothing",)), report=lambda line: None)
    with pytest.raises(UnknownNameError, match="face_mobilenet, vgg_face"):
        fit(afew, tmp_path, Config(tuned=("nothing",)), report=lambda line: None)
    with pytest.raises(InputError, match=r"vgg\.mat: no such file"):
        fit(afew, tmp_path, Config(tuned=(), vgg_face=str(tmp_path / "vgg.mat")), report=lambda line: None)
    with pytest.raises(InputError, match="no such file; the run is not finished, go on with it by"):
        predict(corpora.clips_at(afew), tmp_path, SMALL)


def test_the_recipe_is_in_the_catalogue_with_its_constants() -> None:
    assert catalogue.module("ntechlab") is ntechlab
    assert record.restored(Config, json.loads(json.dumps(asdict(ntechlab.QUICK)))) == ntechlab.QUICK
    assert Config().costs[0] == 5e-6
    assert Config().tuning.iterations == 30_000
