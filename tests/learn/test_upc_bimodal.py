"""UPC's bimodal system, from end to end on a small corpus of patterns and tones."""

from __future__ import annotations

import json
import shutil
import wave
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from emotrace.corpora import afew
from emotrace.corpora.clips import Clips
from emotrace.errors import InputError
from emotrace.learn import chosen_svm, face_nets
from emotrace.learn.bimodal import DECISIONS, MACHINE, PERCEPTRON
from emotrace.learn.frame_head import HeadPlan
from emotrace.learn.scoreboard import Scoreboard
from emotrace.learn.trunks import Trunk
from emotrace.recipes import record, trained, upc_bimodal
from emotrace.recipes.upc_bimodal import AUDIO, FINDING, Config

CONFIG = Config(
    finding=replace(FINDING, side=24, rate=None), versions=1, trunks=("compact",), heads=((256,),),
    head=HeadPlan(rate=0.003, epochs=4), kernels=("rbf",), shuffles=1, epochs=40,
)  # fmt: skip
COUNTS = {"Train": 8, "Val": 4, "Test": 4}
ALONE = "video: compact, FC 256"


def write_clip(part: Path, name: str, seen: int, heard: int, rng: np.random.Generator, frames: int = 4) -> None:
    """A clip whose face pictures tell `seen`, and whose sound, in a file named as a film, tells `heard`."""
    folder = part.parent / "faces" / name
    folder.mkdir(parents=True)
    pattern = np.random.default_rng(seen).uniform(0, 255, (4, 4, 3)).repeat(6, axis=0).repeat(6, axis=1)
    for i in range(frames):
        picture = pattern + rng.normal(0, 25, pattern.shape)
        cv2.imwrite(str(folder / f"{i}.png"), picture.clip(0, 255).astype(np.uint8))
    part.mkdir(parents=True, exist_ok=True)
    time = np.arange(8000) / 16_000
    tone = 0.4 * np.sin(2 * np.pi * 150 * 1.5**heard * time) + 0.02 * rng.normal(size=8000)
    with wave.open(str(part / f"{name}.avi"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((tone * 32767).astype("<i2").tobytes())


def confused(label: int, wrong: tuple[int, int], rng: np.random.Generator) -> int:
    """A label that a modality cannot tell from another, half of the time."""
    return int(rng.choice(wrong)) if label in wrong else label


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Faces cannot tell the first two classes apart, voices not the last two; there is no Fear in Train."""
    root, rng = tmp_path_factory.mktemp("corpus"), np.random.default_rng(0)
    for split, count in COUNTS.items():
        for label, word in enumerate(afew.CLASSES):
            for i in range(0 if (split, word) == ("Train", "Fear") else count):
                name = f"{split}-{word}-{i}"
                write_clip(root / split / word, name, confused(label, (0, 1), rng), confused(label, (5, 6), rng), rng)
    test = root / "Test"
    (test / "Happy" / "unreadable.avi").write_bytes(b"no film")
    write_clip(test / "Happy", "faceless", 3, 3, rng)
    shutil.rmtree(test / "faces" / "faceless")
    write_clip(test / "Happy", "mute", 3, 3, rng, frames=3)
    (test / "Happy" / "mute.avi").write_bytes(b"mute")
    return root


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks that see 4 x 4 colours."""

    def run(given: np.ndarray) -> np.ndarray:
        colours = given.reshape(len(given), 4, 6, 4, 6, 3).mean(axis=(2, 4)).reshape(len(given), 48).astype(np.float32)
        return colours - colours.mean(axis=1, keepdims=True)

    def trunk(name: object) -> Trunk:
        return Trunk(Path(str(name)).stem, 24, 48, None, run)

    monkeypatch.setattr(face_nets, "FROZEN", {"compact": lambda: trunk("compact")})
    monkeypatch.setattr(upc_bimodal, "vgg_face", trunk)
    monkeypatch.setattr(upc_bimodal, "sface", lambda: trunk("sface"))


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture
def board(films: Path, run_folder: Path) -> Scoreboard:
    record.write(run_folder, "upc_bimodal", CONFIG)
    return upc_bimodal.fit(films, run_folder, CONFIG, report=lambda line: None)


def test_each_modality_is_trained_and_together_they_name_what_neither_does_alone(board: Scoreboard, run_folder: Path) -> None:
    names = [line.name for line in board.rows]
    assert names[:8] == [ALONE, AUDIO, *DECISIONS, PERCEPTRON, MACHINE]
    accuracy = {name: board[name].scores["Test"].accuracy for name in names}
    alone = max(accuracy[ALONE], accuracy[AUDIO])
    assert min(accuracy[ALONE], accuracy[AUDIO]) > 0.5
    assert alone < 0.85
    assert accuracy["decisions, equal weights"] > alone
    assert accuracy[PERCEPTRON] > 0.4  # 324 features are many for 48 clips
    assert board.chosen in names[:8]
    assert json.loads((run_folder / "scores.json").read_text())["chosen"] == board.chosen
    assert "best single model on Val" in board.notes[0]
    assert "0.0% of" in board.notes[1]
    assert "2 of " in board.notes[-1]
    assert "Test/Happy/unreadable.avi (" in board.notes[-1]
    assert "(chosen)" in (run_folder / "scores.md").read_text()


def test_the_sizes_are_those_of_the_thesis(board: Scoreboard, run_folder: Path) -> None:
    with np.load(run_folder / "reduction.npz") as reduction, np.load(run_folder / "layers.npz") as layers:
        assert reduction["components"].shape == (47, 324)  # 48 clips in Train; 68 where there are more
        assert (layers["inner"].shape, layers["outer"].shape) == ((47, 14), (14, 7))
    assert (CONFIG.components, CONFIG.hidden, CONFIG.frame_size) == (68, 14, (1020, 576))
    assert Config().heads == ((256,), (512, 256))


def test_the_same_command_gives_the_same_numbers_from_scratch_and_from_what_was_kept(
    board: Scoreboard, films: Path, run_folder: Path, tmp_path: Path
) -> None:
    for folder in (run_folder, tmp_path):
        again = upc_bimodal.fit(films, folder, CONFIG, report=lambda line: None)
        assert [(line.name, line.scores) for line in again.rows] == [(line.name, line.scores) for line in board.rows]


def of_test(films: Path) -> Clips:
    clips = afew.read(films)
    return clips.of_split("Test")


def test_a_run_s_folder_answers_for_any_clips_by_the_modality_that_is_there(
    board: Scoreboard, films: Path, run_folder: Path
) -> None:
    clips = of_test(films)
    for name in (ALONE, AUDIO, *DECISIONS, PERCEPTRON, MACHINE):
        system = json.loads((run_folder / "system.json").read_text())
        (run_folder / "system.json").write_text(json.dumps(system | {"chosen": name}))
        said = dict(zip([path.stem for path in clips.paths], upc_bimodal.predict(clips, run_folder, CONFIG), strict=True))
        assert np.isnan(said.pop("unreadable")).all()
        assert np.isnan(said["faceless"]).all() == (name == ALONE)
        assert np.isnan(said["mute"]).all() == (name == AUDIO)
        whole = np.array([row for row in said.values() if not np.isnan(row).any()])
        assert whole.sum(axis=1) == pytest.approx(np.ones(len(whole)), abs=1e-4)
        if name in (*DECISIONS, PERCEPTRON, MACHINE):  # one modality alone answers where it is alone
            assert (said["faceless"].argmax(), said["mute"].argmax()) == (3, 3)
        (run_folder / "system.json").write_text(json.dumps(system))
    scores = trained.measure(str(run_folder), f"afew={films}", "Test")
    assert scores.accuracy == pytest.approx(board[board.chosen].scores["Test"].accuracy)


def unchosen(folder: Path, **changes: object) -> None:
    """Another system.json."""
    system = json.loads((folder / "system.json").read_text())
    (folder / "system.json").write_text(json.dumps(system | changes))


def test_a_run_s_folder_that_is_damaged_is_said_before_any_clip_is_looked_at(
    board: Scoreboard, films: Path, run_folder: Path, tmp_path: Path
) -> None:
    for name in (ALONE, AUDIO, *DECISIONS, PERCEPTRON, MACHINE):
        shutil.copytree(run_folder, tmp_path / "run", ignore=shutil.ignore_patterns("clips"), dirs_exist_ok=True)
        unchosen(tmp_path / "run", chosen=name)
        upc_bimodal.check(tmp_path / "run", CONFIG)
    machine = dict(np.load(run_folder / "audio.npz"))
    np.savez(tmp_path / "narrow.npz", **machine | {"vectors": machine["vectors"][:, :5]})
    for file, content, words in (
        ("system.json", b"{", r"system\.json: not a system\.json of emotrace"),
        ("system.json", b"{}", r"chosen: field required"),
        ("audio.npz", (run_folder / "audio.npz").read_bytes()[:500], r"audio\.npz: not a whole \.npz"),
        ("audio.npz", (run_folder / "layers.npz").read_bytes(), r"audio\.npz: not the \.npz of SupportVectors"),
        ("audio.npz", (tmp_path / "narrow.npz").read_bytes(), "run: what was fitted there does not go together"),
    ):
        shutil.copytree(run_folder, tmp_path / "run", ignore=shutil.ignore_patterns("clips"), dirs_exist_ok=True)
        (tmp_path / "run" / file).write_bytes(content)
        with pytest.raises(InputError, match=words) as caught:
            trained.measure(str(tmp_path / "run"), f"afew={films}", "Test")
        assert "\n" not in str(caught.value)
    shutil.copytree(run_folder, tmp_path / "run", ignore=shutil.ignore_patterns("clips"), dirs_exist_ok=True)
    unchosen(tmp_path / "run", chosen="nobody")
    with pytest.raises(InputError, match=r"system\.json: no row is named 'nobody'"):
        upc_bimodal.check(tmp_path / "run", CONFIG)
    assert not (tmp_path / "run" / "clips").exists()


def stopped(*given: object) -> None:
    """Ctrl-C."""
    raise KeyboardInterrupt


def test_a_finished_run_that_is_fitted_anew_and_stopped_says_that_it_is_not_finished_and_goes_on(
    board: Scoreboard, films: Path, run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(run_folder, tmp_path / "run")
    with monkeypatch.context() as patched:
        patched.setattr(chosen_svm, "fit_chosen", stopped)
        with pytest.raises(KeyboardInterrupt):
            upc_bimodal.fit(films, tmp_path / "run", CONFIG, report=lambda line: None)
    with pytest.raises(InputError, match=r"run: the run is not finished \(it has no scores\.json\); go on with it"):
        trained.measure(str(tmp_path / "run"), f"afew={films}", "Test")
    upc_bimodal.fit(films, tmp_path / "run", CONFIG, report=lambda line: None)
    scores = trained.measure(str(tmp_path / "run"), f"afew={films}", "Test")
    assert scores.accuracy == pytest.approx(board[board.chosen].scores["Test"].accuracy)


@pytest.mark.parametrize("file", ["audio.npz", "reduction.npz", "joint.npz"])
def test_a_machine_that_was_fitted_and_is_gone_is_said_and_not_taken_for_nothing_to_learn(
    file: str, board: Scoreboard, run_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(run_folder, tmp_path / "run", ignore=shutil.ignore_patterns("clips"))
    (tmp_path / "run" / file).unlink()
    for chosen in (AUDIO, MACHINE):
        unchosen(tmp_path / "run", chosen=chosen)
        with pytest.raises(InputError, match=f"run: no {file}, of which the system is made"):
            upc_bimodal.check(tmp_path / "run", CONFIG)
    system = json.loads((tmp_path / "run" / "system.json").read_text())
    del system["machines"]   # as in a run of before
    (tmp_path / "run" / "system.json").write_text(json.dumps(system))
    with pytest.raises(InputError, match=f"run: no {file}, of which the system is made"):
        upc_bimodal.check(tmp_path / "run", CONFIG)


def test_false_faces_cost_accuracy_that_leaving_outliers_out_gives_back(board: Scoreboard) -> None:
    accuracy = {line.name: line.scores["Test"].accuracy for line in board.rows if line.table == "Outlier frames"}
    assert list(accuracy) == [
        f"{frames}, {way}" for way in ("all frames", "outliers left out") for frames in ("as found", "40% false faces planted")
    ]
    assert accuracy["40% false faces planted, outliers left out"] >= accuracy["40% false faces planted, all frames"]


def test_without_any_sound_the_face_alone_answers_and_without_any_face_the_voice(films: Path, tmp_path: Path) -> None:
    shutil.copytree(films, tmp_path / "silent")
    for file in (tmp_path / "silent").rglob("*.avi"):
        file.write_bytes(file.stem.encode())
    silent = upc_bimodal.fit(tmp_path / "silent", tmp_path / "a", CONFIG, report=lambda line: None)
    assert silent[AUDIO].scores["Test"].answered == 0
    assert f"Left out, as there was nothing to learn from: {AUDIO}." in silent.notes
    face = silent[ALONE].scores["Test"]
    assert all(silent[name].scores["Test"] == face for name in (*DECISIONS, PERCEPTRON, MACHINE))
    shutil.copytree(films, tmp_path / "faceless", ignore=shutil.ignore_patterns("faces"))
    faceless = upc_bimodal.fit(tmp_path / "faceless", tmp_path / "b", CONFIG, report=lambda line: None)
    assert faceless[ALONE].scores["Test"].answered == 0
    voice = faceless[AUDIO].scores["Test"]
    assert all(faceless[name].scores["Test"] == voice for name in (*DECISIONS, PERCEPTRON, MACHINE))


def test_vgg_face_of_a_user_takes_the_place_of_the_other_trunks(films: Path, tmp_path: Path) -> None:
    config = replace(CONFIG, vgg_face="vgg.mat", vgg_heads=((32,), (64, 32)))
    board = upc_bimodal.fit(films, tmp_path, config, report=lambda line: None)
    assert [line.name for line in board.rows[:3]] == ["video: vgg_face, FC 32", "video: vgg_face, FC 64 + 32", AUDIO]


def test_a_corpus_without_val_is_refused_and_so_is_an_unfinished_run(films: Path, tmp_path: Path) -> None:
    shutil.copytree(films / "Train", tmp_path / "corpus" / "Train")
    with pytest.raises(InputError, match="no labelled clips in Val; expected some in Train and in Val"):
        upc_bimodal.fit(tmp_path / "corpus", tmp_path / "run", CONFIG)
    shutil.copytree(films / "Val", tmp_path / "corpus" / "Val")
    for word in afew.CLASSES[1:]:
        shutil.rmtree(tmp_path / "corpus" / "Train" / word, ignore_errors=True)
    with pytest.raises(InputError, match="labelled clips in Train are all of one class; expected two at least"):
        upc_bimodal.fit(tmp_path / "corpus", tmp_path / "run", CONFIG)
    with pytest.raises(InputError, match=r"system\.json: no such file; the run is not finished"):
        upc_bimodal.predict(of_test(films), tmp_path / "run", CONFIG)


def test_the_constants_survive_being_written_beside_the_run() -> None:
    config = replace(CONFIG, vgg_face="weights/vgg_face.mat", seed=3)
    restored = record.restored(Config, json.loads(json.dumps(asdict(config))))
    assert restored == config


def test_a_machine_is_there_until_another_one_is_fitted(films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*given: object) -> None:
        raise KeyboardInterrupt

    clips, file = afew.read(films), tmp_path / "audio.npz"
    file.write_bytes(b"a machine")
    monkeypatch.setattr(chosen_svm, "fit_chosen", killed)
    with pytest.raises(KeyboardInterrupt):
        upc_bimodal.machine(np.zeros((len(clips), 3), np.float32), clips, file, Config())
    assert file.read_bytes() == b"a machine"
