"""Scoreboards: what is counted, what is chosen, what is written; parts that are timed and kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emotrace.corpora.clips import Clips
from emotrace.errors import InputError
from emotrace.learn.kept import Kept
from emotrace.learn.scoreboard import Scoreboard, begin, beside_best, best, published, row, silent
from emotrace.learn.stopwatch import Stopwatch


def clips_of(label: list[int], split: list[str], folder: Path = Path()) -> Clips:
    words = np.array([""] * len(label))
    paths = [folder / f"{i}.mp4" for i in range(len(label))]
    return Clips("any", paths, np.array(label, np.int64), words, np.array(split), words, [None] * len(label))


def one_hot(answers: list[int]) -> np.ndarray:
    return np.where(np.array(answers)[:, None] < 0, np.nan, np.eye(7, dtype=np.float32)[answers])


CLIPS = clips_of([0, 1, 1, 3, 3, -1, 7], ["Train", "Val", "Val", "Val", "Test", "Test", "Test"])


def test_a_row_counts_each_split_and_a_clip_without_answer_is_wrong() -> None:
    line = row("any", one_hot([0, 1, 0, -1, 3, 2, 2]), CLIPS)
    assert (line.scores["Train"].accuracy, line.scores["Test"].accuracy) == (1, 1)  # no label, contempt: left out
    val = line.scores["Val"]
    assert (val.accuracy, val.uar, val.answered) == (pytest.approx(1 / 3), 0.25, pytest.approx(2 / 3))
    assert line.confusion["Val"][1].tolist() == [1, 1, 0, 0, 0, 0, 0]
    assert line.confusion["Val"].sum() == 2


def test_a_split_without_labels_is_not_in_the_table() -> None:
    line = row("any", one_hot([0, 1]), clips_of([1, -1], ["Val", "Test"]))
    assert set(line.scores) == {"Val"}
    assert "Test" not in Scoreboard("any", (line,), "any").markdown()


def test_posteriors_of_other_clips_are_refused() -> None:
    with pytest.raises(InputError, match=r"\(2, 7\); expected \(7, 7\)"):
        row("any", one_hot([0, 1]), CLIPS)


def test_the_best_is_taken_on_val_and_not_on_test() -> None:
    good = row("good on Val", one_hot([1, 1, 1, 3, 0, 0, 0]), CLIPS)
    lucky = row("good on Test", one_hot([0, 1, 0, 0, 3, 0, 0]), CLIPS)
    assert best((lucky, good)) == "good on Val"
    with pytest.raises(InputError, match="no row was measured on Val"):
        best([row("any", one_hot([0]), clips_of([0], ["Test"]))])


def test_the_answer_stands_beside_the_single_model_that_val_would_choose() -> None:
    good = row("good on Val", one_hot([1, 1, 1, 3, 0, 0, 0]), CLIPS)
    lucky = row("good on Test", one_hot([0, 1, 0, 0, 3, 0, 0]), CLIPS)
    assert beside_best((lucky, good), lucky) == (
        "The best single model on Val, good on Val, names 0.0 % of Test, the system's answer 100.0 %."
    )
    blind = row("no Test", one_hot([1, 1]), clips_of([1, -1], ["Val", "Test"]))
    assert beside_best((blind,), blind) == "The best single model on Val is no Test."


def test_a_scoreboard_writes_its_tables_and_confusion_matrices(tmp_path: Path) -> None:
    (first,) = published([row("one", one_hot([0, 1, 0, 3, 0, 0, 0]), CLIPS, "Single models", 12.4)], {"one": {"Test": 0.3538}})
    second = row("two, better", one_hot([0, 1, 1, 3, 3, 0, 0]), CLIPS, "Combinations")
    board = Scoreboard("System", (first, second), best((first, second)), ("A note.",))
    files = board.write(tmp_path, pictured=["one"])
    assert {file.relative_to(tmp_path).as_posix() for file in files} == {
        "scores.json", "scores.md", "confusion/one-Val.svg", "confusion/one-Test.svg",
        "confusion/two-better-Val.svg", "confusion/two-better-Test.svg",
    }  # fmt: skip
    lines = (tmp_path / "scores.md").read_text().splitlines()
    assert "## Single models" in lines
    assert "| one | 100.0 % (100.0 %) | 66.7 % (75.0 %) | 0.0 % (0.0 %) | 12 | 35.38 % |" in lines
    assert "| **two, better** (chosen) | 100.0 % (100.0 %) | 100.0 % (100.0 %) | 100.0 % (100.0 %) |" in lines
    kept = json.loads((tmp_path / "scores.json").read_text())
    assert [line["chosen"] for line in kept["rows"]] == [False, True]
    assert kept["rows"][0]["seconds"] == 12.4
    assert kept["rows"][1]["seconds"] is None
    assert board.summary.startswith("System, two, better: Train accuracy 1.0000 uar 1.0000; Val")


def test_the_scores_come_last_and_go_first(tmp_path: Path) -> None:
    board = Scoreboard("System", (row("one", one_hot([0] * 7), CLIPS),), "one")
    assert board.write(tmp_path)[-1] == tmp_path / "scores.json"
    said: list[str] = []
    assert begin(tmp_path, CLIPS[np.array([], np.int64)], said.append) == ()
    assert not (tmp_path / "scores.json").exists()
    notes = begin(tmp_path, CLIPS, said.append)   # of files that there are not
    assert notes == tuple(said)
    assert said[0].startswith("7 of 7 clips cannot be opened, nothing is known of them but face crops")
    assert said[0].endswith("; and 2 more.")


def test_what_got_no_answer_has_its_column_and_who_never_answers_is_named() -> None:
    partly, never = row("partly", one_hot([0, 1, -1, 3, 3, 0, 0]), CLIPS, "A"), row("never", one_hot([-1] * 7), CLIPS, "A")
    board = Scoreboard("System", (partly, never), "partly", silent((partly, never)))
    lines = board.markdown().splitlines()
    assert "| Train accuracy (UAR) | Val accuracy (UAR) | Test accuracy (UAR) | answered, Train, Val, Test |" in lines[2]
    assert "| **partly** (chosen) | 100.0 % (100.0 %) | 66.7 % (75.0 %) | 100.0 % (100.0 %) |" in lines[4]
    assert lines[4].endswith("| 100.0 %, 66.7 %, 100.0 % |")
    assert "| never | – | – | – | 0.0 %, 0.0 %, 0.0 % |" in lines
    assert lines[-1] == "Left out, as there was nothing to learn from: never."
    assert silent((partly,)) == ()


def test_names_are_one_row_each() -> None:
    line = row("one", one_hot([0] * 7), CLIPS)
    with pytest.raises(InputError, match="two rows are named 'one'"):
        Scoreboard("System", (line, line), "one")
    with pytest.raises(InputError, match="no row is named 'two'; there are: one"):
        Scoreboard("System", (line,), "two")


def test_a_part_that_ended_keeps_its_seconds_and_one_broken_off_adds_up(tmp_path: Path) -> None:
    (tmp_path / "seconds.json").write_text('{"done": [5.0, true], "broken": [3.0, false]}')
    said: list[str] = []
    watch = Stopwatch(tmp_path, said.append)
    with watch.time("done"):
        pass
    with pytest.raises(KeyError), watch.time("broken"):
        raise KeyError
    assert np.isnan(watch.seconds("broken"))
    with watch.time("broken"):
        pass
    assert watch.seconds("done") == 5
    assert 3 < watch.seconds("broken") < 4
    assert said == ["done: 0 s (kept from before)", "broken: 0 s"]
    assert Stopwatch(tmp_path).seconds("done", "broken", "never") == pytest.approx(watch.total)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"part": 5}', '{"part": ["soon", true]}'])
def test_seconds_that_are_damaged_are_said_in_a_line_with_what_to_do(content: str, tmp_path: Path) -> None:
    (tmp_path / "seconds.json").write_text(content)
    with pytest.raises(InputError, match=r"seconds\.json of emotrace \(.*\); delete it, and the same training") as caught:
        Stopwatch(tmp_path).seconds("part")
    assert "\n" not in str(caught.value)


def test_what_was_fitted_is_fitted_once_for_each_setting_and_labelling(tmp_path: Path) -> None:
    clips, calls = clips_of([0, 1], ["Train", "Val"], tmp_path), []

    def make() -> np.ndarray:
        calls.append(1)
        return one_hot([0, -1])

    first = Kept(tmp_path, clips).posteriors("a model", (1, "x"), make)
    again = Kept(tmp_path, clips).posteriors("a model", (1, "x"), make)
    assert len(calls) == 1
    assert np.array_equal(first, again, equal_nan=True)
    Kept(tmp_path, clips).posteriors("a model", (2, "x"), make)
    Kept(tmp_path, clips_of([0, 2], ["Train", "Val"], tmp_path)).posteriors("a model", (1, "x"), make)
    assert len(calls) == 3
    (tmp_path / "crops").mkdir()
    (tmp_path / "crops" / "0.png").write_bytes(b"a face")
    Kept(tmp_path, replace(clips, faces=[tmp_path / "crops", None])).posteriors("a model", (1, "x"), make)
    Kept(tmp_path, replace(clips, subject=np.array(["a", "b"]))).posteriors("a model", (1, "x"), make)
    assert len(calls) == 5
    with pytest.raises(InputError, match="expected a row for each of 2 clips"):
        Kept(tmp_path, clips).posteriors("another", (), lambda: one_hot([0]))
