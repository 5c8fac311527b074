"""Trained systems of clips in an analysis: a small one that is planted, asked about a film whose shots are known."""

from __future__ import annotations

import subprocess
import sys
import types
import wave
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

import emotrace
from emotrace import systems
from emotrace.corpora.clips import Clips
from emotrace.errors import EmotraceError, InputError, MissingExtraError
from emotrace.export import export
from emotrace.learn import command
from emotrace.learn.clip_store import ClipStore
from emotrace.recipes import catalogue, record
from emotrace.scheme import EXPRESSION_7, SYSTEM
from emotrace.settings import Settings
from emotrace.systems import opened
from emotrace.video import Video

RATE, SIZE, SOUND_RATE = 10, (64, 48), 8000
SHOTS = ((0, 2.0), (255, 0.3), (60, 6.0), (250, 2.0))   # grey level, s: the second is too short, the third is cut in two
PIECES = [(0.0, 2.0), (2.3, 5.3), (5.3, 8.3), (8.3, 10.3)]
NEUTRAL, HAPPINESS = EXPRESSION_7.labels.index("neutral"), EXPRESSION_7.labels.index("happiness")


@dataclass(frozen=True, slots=True)
class Config:
    """How sure it is."""

    sure: float = 0.7


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A recipe that finds bright clips happy and others neutral, and of one without sound says nothing; what it was asked."""
    found: list[str] = []

    def predict(clips: Clips, folder: Path, config: Config, report: object) -> np.ndarray:
        found.extend(clips.origin.tolist())
        assert (folder / "machine.npz").read_bytes() == b"learnt"
        assert (folder / "head" / "best" / "network.safetensors").read_bytes() == b"best"
        assert not (folder / "clips" / "of_the_corpus.npz").exists()
        (folder / "predicted.json").write_text("{}")
        rows = []
        for path in clips.paths:
            seen = ClipStore(folder / "clips").of(path, "level", lambda path=path: {"level": level(path)})["level"]
            rest = (1 - config.sure) / 6
            rows.append(np.full(7, rest if Video.open(path).has_sound else np.nan, np.float32))
            rows[-1][HAPPINESS if seen > 128 else NEUTRAL] += config.sure - rest
        return np.stack(rows)

    def check(folder: Path, config: Config) -> None:
        if (folder / "machine.npz").read_bytes() != b"learnt":
            raise InputError(f"{folder / 'machine.npz'}: is damaged")

    clip_recipe = types.SimpleNamespace(Config=Config, predict=predict, check=check, HEADS=(EXPRESSION_7,))
    face_recipe = types.SimpleNamespace(Config=Config, HEADS=(EXPRESSION_7,))
    monkeypatch.setattr(catalogue, "module", {"brightness": clip_recipe, "faces": face_recipe}.__getitem__)
    return found


def level(path: Path) -> np.ndarray:
    return np.array(np.mean([chunk.images.mean() for chunk in Video.open(path).chunks()]))


def run_of(folder: Path, recipe: str = "brightness", sure: float = 0.7) -> Path:
    """The folder that training leaves."""
    record.write(folder, recipe, Config(sure))
    (folder / "clips").mkdir()
    (folder / "clips" / "of_the_corpus.npz").write_bytes(b"much")
    (folder / "machine.npz").write_bytes(b"learnt")
    (folder / "scores.json").write_text("{}")
    for part in ("best", "last"):
        (folder / "head" / part).mkdir(parents=True)
        (folder / "head" / part / "network.safetensors").write_bytes(part.encode())
    return folder


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shots, and a tone from 2.2 s on."""
    file = tmp_path_factory.mktemp("film") / "film.mkv"
    with av.open(str(file), "w") as writer:
        sound = writer.add_stream("pcm_s16le", rate=SOUND_RATE, layout="mono")
        tone = (8000 * np.sin(np.arange(8 * SOUND_RATE) / 3)).astype(np.int16)
        block = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
        block.sample_rate, block.pts, block.time_base = SOUND_RATE, round(2.2 * SOUND_RATE), Fraction(1, SOUND_RATE)
        stream = writer.add_stream("ffv1", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "bgr0"
        writer.mux(sound.encode(block))
        writer.mux(sound.encode(None))
        for grey, seconds in SHOTS:
            for i in range(round(seconds * RATE)):   # no camera gives the same picture twice
                picture = np.full((SIZE[1], SIZE[0], 3), grey - i % 2 if grey else i % 2, np.uint8)
                writer.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        writer.mux(stream.encode(None))
    return file


def analyze(film: Path, out: Path, *folders: Path, **options: object) -> emotrace.Analysis:
    settings = Settings(components=(), systems=folders)
    return emotrace.analyze(film, out, settings=settings, report=False, **options)   # type: ignore[arg-type]


def test_each_system_says_of_each_shot_what_it_shows(asked: list[str], film: Path, tmp_path: Path) -> None:
    runs = run_of(tmp_path / "sure"), run_of(tmp_path / "unsure", sure=0.4)
    found = analyze(film, tmp_path / "out", *runs)
    table = found.to_pandas("systems")
    assert table.system.tolist() == ["sure"] * 4 + ["unsure"] * 4
    assert set(table.recipe) == {"brightness"}
    np.testing.assert_allclose(table[["start", "end"]].to_numpy(), PIECES * 2, atol=1e-3)
    assert table.expression.fillna("").tolist() == ["", "neutral", "neutral", "happiness"] * 2   # the first has no sound
    values = table[list(SYSTEM.columns)].to_numpy()
    assert values[[1, 2], NEUTRAL] == pytest.approx(0.7)
    assert values[[5, 6], NEUTRAL] == pytest.approx(0.4)
    assert values[[3, 7], HAPPINESS] == pytest.approx([0.7, 0.4])
    np.testing.assert_allclose(values[[1, 2, 3, 5, 6, 7]].sum(axis=1), 1, atol=1e-6)
    assert np.isnan(values[[0, 4]]).all()
    first = found.provenance["systems"][0]
    assert (first["system"], first["recipe"], first["version"]) == ("sure", "brightness", emotrace.__version__)
    assert set(first["files"]) == {"recipe.json", "machine.npz", "head/best/network.safetensors"}
    assert all(len(sha256) == 64 for sha256 in first["files"].values())
    assert systems.NOTHING_TO_ASK not in found.warnings


def test_the_folder_of_a_system_is_not_written_to_and_no_piece_is_left(asked: list[str], film: Path, tmp_path: Path) -> None:
    run = run_of(tmp_path / "run")
    before = {file: file.read_bytes() for file in run.rglob("*") if file.is_file()}
    analyze(film, tmp_path / "out", run)
    assert {file: file.read_bytes() for file in run.rglob("*") if file.is_file()} == before
    assert not list((tmp_path / "out").rglob("*.nut"))
    assert not (tmp_path / "out" / "parts").exists()


def test_an_interrupted_analysis_goes_on_at_the_batch_that_was_not_done(
    asked: list[str], film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systems, "BATCH_PIECES", 3)
    run = run_of(tmp_path / "run")
    whole = analyze(film, tmp_path / "whole", run)
    asked.clear()

    def stop(line: str) -> None:
        if line == "batch 1/2 done":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        analyze(film, tmp_path / "out", run, announce=stop)
    assert asked == ["film.mkv 0.000", "film.mkv 2.300", "film.mkv 5.300"]
    again = analyze(film, tmp_path / "out", run)
    assert asked[3:] == ["film.mkv 8.300"]
    pd.testing.assert_frame_equal(again.to_pandas("systems"), whole.to_pandas("systems"))


def answers(found: emotrace.Analysis) -> dict[str, int]:
    """How many rows each system has, in the table's order; the analysis says that it holds the same."""
    table = found.to_pandas("systems")
    assert [facts["system"] for facts in found.provenance["systems"]] == list(dict.fromkeys(table.system))
    return table.groupby("system", sort=False).size().to_dict()


def test_a_finished_analysis_is_asked_more_systems_and_keeps_what_others_said(
    asked: list[str], film: Path, tmp_path: Path
) -> None:
    run, other = run_of(tmp_path / "run"), run_of(tmp_path / "other", sure=0.4)
    before = analyze(film, tmp_path / "out")
    frames = (tmp_path / "out" / "frames.parquet").stat().st_mtime_ns
    assert answers(analyze(film, tmp_path / "out", run)) == {"run": 4}
    assert len(asked) == 4
    assert answers(analyze(film, tmp_path / "out", run, other)) == {"run": 4, "other": 4}
    assert len(asked) == 8   # the first was not asked again
    for folders in ((), (run,), (other,), (other, run)):
        found = analyze(film, tmp_path / "out", *folders)
        assert answers(found) == {"run": 4, "other": 4}
    assert len(asked) == 8
    assert (tmp_path / "out" / "frames.parquet").stat().st_mtime_ns == frames
    assert found.finished
    assert found.provenance["counts"] == before.provenance["counts"]
    assert found.provenance["settings"]["systems"] == [str(run), str(other)]
    together = analyze(film, tmp_path / "together", run, other)
    pd.testing.assert_frame_equal(found.to_pandas("systems"), together.to_pandas("systems"))


def test_a_system_that_was_trained_anew_is_asked_again_in_its_place(asked: list[str], film: Path, tmp_path: Path) -> None:
    run, other = run_of(tmp_path / "run"), run_of(tmp_path / "other")
    analyze(film, tmp_path / "out", run, other)
    (run / record.FILE).unlink()
    record.write(run, "brightness", Config(0.5))
    found = analyze(film, tmp_path / "out", run)
    assert answers(found) == {"run": 4, "other": 4}
    values = found.to_pandas("systems")[SYSTEM.columns[NEUTRAL]].to_numpy()
    assert values[[1, 5]] == pytest.approx([0.5, 0.7])
    assert len(asked) == 12


def test_another_folder_of_the_same_name_is_another_system(asked: list[str], film: Path, tmp_path: Path) -> None:
    run, twin = run_of(tmp_path / "run"), run_of(tmp_path / "copies" / "run")
    analyze(film, tmp_path / "out", run)
    assert answers(analyze(film, tmp_path / "out", twin)) == {"run": 4, str(twin): 4}


def test_an_interrupted_question_to_a_finished_analysis_leaves_it_whole_and_goes_on(
    asked: list[str], film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systems, "BATCH_PIECES", 3)
    run, other, third = (run_of(tmp_path / name) for name in ("run", "other", "third"))
    analyze(film, tmp_path / "out", run)

    def stop(line: str) -> None:
        if line == "batch 1/2 done":
            raise KeyboardInterrupt

    for folder in (other, third):   # what was begun for one system is not taken for another's
        asked.clear()
        with pytest.raises(KeyboardInterrupt):
            analyze(film, tmp_path / "out", folder, announce=stop)
        assert len(asked) == 3
        assert answers(emotrace.load(tmp_path / "out")) == {"run": 4}
    assert answers(analyze(film, tmp_path / "out", third)) == {"run": 4, "third": 4}
    assert asked[3:] == ["film.mkv 8.300"]
    assert not (tmp_path / "out" / "parts").exists()


def test_the_report_shows_systems_that_were_asked_later(asked: list[str], film: Path, tmp_path: Path) -> None:
    run = run_of(tmp_path / "bright")
    settings = Settings(components=())
    emotrace.analyze(film, tmp_path / "out", settings=settings)
    assert "bright" not in (tmp_path / "out" / "report.html").read_text()
    emotrace.analyze(film, tmp_path / "out", settings=replace(settings, systems=(run,)))
    assert "bright" in (tmp_path / "out" / "report.html").read_text()


BAD = [("none", "expected the folder of a run"), ("faces", "names no expressions in clips"), ("unfinished", "is not finished"),
       ("damaged", r"machine\.npz: is damaged")]  # fmt: skip


@pytest.mark.parametrize(("kind", "words"), BAD)
def test_a_folder_that_holds_no_system_of_clips_is_refused_before_anything_is_analysed(
    kind: str, words: str, asked: list[str], film: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "none" if kind == "none" else run_of(tmp_path / "run", "faces" if kind == "faces" else "brightness")
    if kind == "unfinished":
        (folder / "scores.json").unlink()
    if kind == "damaged":
        (folder / "machine.npz").write_bytes(b"lear")
    with pytest.raises(InputError, match=words) as caught:
        analyze(film, tmp_path / "out", folder)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_without_torch_the_extra_is_named(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str) -> object:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr(command, "import_module", without)
    record.write(tmp_path / "run", "voice_emotion", Config())
    with pytest.raises(MissingExtraError, match=r"needs torch: pip install 'emotrace\[train\]'"):
        analyze(film, tmp_path / "out", tmp_path / "run")
    assert not (tmp_path / "out").exists()


def test_on_the_command_line_a_bad_folder_is_one_line_and_status_2(film: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "emotrace", "analyze", str(film), "--with", str(tmp_path), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "no recipe.json" in done.stderr
    assert not (tmp_path / "out").exists()


def test_without_systems_nothing_of_training_is_loaded_and_the_table_is_empty(film: Path, tmp_path: Path) -> None:
    code = (
        "import sys, emotrace; from emotrace.settings import Settings; from pathlib import Path\n"
        "found = emotrace.analyze(sys.argv[1], sys.argv[2], settings=Settings(components=()))\n"
        "print(len(found.table('systems')), {'torch', 'sklearn'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code, film, tmp_path / "out"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
    assert said.split("\n")[-2] == "0 set()"


def test_two_folders_of_one_name_are_told_apart_by_their_paths_and_one_given_twice_is_one(
    asked: list[str], tmp_path: Path
) -> None:
    one, other = run_of(tmp_path / "a" / "run"), run_of(tmp_path / "b" / "run")
    assert [system.name for system in opened([one, other, one])] == [str(one), str(other)]
    assert [system.name for system in opened([one, one])] == ["run"]


def test_of_sound_alone_and_of_a_still_picture_the_table_is_empty_and_a_warning_says_so(
    asked: list[str], tmp_path: Path
) -> None:
    import cv2

    cv2.imwrite(str(tmp_path / "still.png"), np.zeros((48, 64, 3), np.uint8))
    with wave.open(str(tmp_path / "talk.wav"), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(np.zeros(32_000, np.int16).tobytes())
    run = run_of(tmp_path / "run")
    for name in ("still.png", "talk.wav"):
        found = analyze(tmp_path / name, tmp_path / f"{name}.out", run)
        assert len(found.table("systems")) == 0
        assert systems.NOTHING_TO_ASK in found.warnings
    assert asked == []


def test_an_answer_of_another_shape_is_an_error_that_leaves_the_rest(
    asked: list[str], film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(tmp_path / "run")
    monkeypatch.setattr(catalogue.module("brightness"), "predict", lambda *given: np.zeros((1, 8), np.float32))
    with pytest.raises(EmotraceError, match=r"gave \(1, 8\), expected \(4, 7\)"):
        analyze(film, tmp_path / "out", run)
    assert not emotrace.load(tmp_path / "out").finished
    assert len(emotrace.load(tmp_path / "out").table("frames")) == 103


def test_the_export_to_csv_has_the_table_where_systems_were_asked(asked: list[str], film: Path, tmp_path: Path) -> None:
    found = analyze(film, tmp_path / "out", run_of(tmp_path / "run"))
    assert [file.name for file in export(found, "csv")][-1] == "systems.csv"
    rows = pd.read_csv(tmp_path / "out" / "export" / "systems.csv")
    assert rows.system_neutral.round(3).fillna(-1).tolist() == [-1, 0.7, 0.7, 0.05]
    plain = analyze(film, tmp_path / "plain")
    assert "systems.csv" not in [file.name for file in export(plain, "csv")]
