"""`evaluate`: what it counts, on a corpus made here and on the network as shipped."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from emotrace.corpora.table import VOTE_COLUMNS, table
from emotrace.errors import InputError
from emotrace.learn.evaluate import as_json, evaluate
from emotrace.learn.metrics import score
from emotrace.scheme import EXPRESSION_7, EXPRESSION_8, GAZE


def corpus(side: int = 48):
    """Eight flat pictures whose grey level is 10 times the label, the last contempt; votes say "neutral" of all."""
    pictures = [np.full((side, side), 10 * label, np.uint8) for label in range(8)]
    votes = np.zeros((8, len(VOTE_COLUMNS)), np.float32)
    votes[:, 6] = 9
    votes[0, 6], votes[0, 8] = 0, 9  # raters could not name the first
    return table("made", pictures, list(range(8)), [str(i) for i in range(8)], votes=votes)


def reads_grey(k):
    def predict(images):
        assert images.shape[1:] == (48, 48)
        return np.eye(k, dtype=np.float32)[np.clip(images[:, 24, 24] // 10, 0, k - 1)]

    return predict


def test_a_predictor_that_is_right_is_right_and_contempt_counts_only_among_eight():
    seven = evaluate(reads_grey(7), corpus(), EXPRESSION_7, 48, batch=3)
    eight = evaluate(reads_grey(8), corpus(), EXPRESSION_8, 48, batch=3)
    assert (seven.accuracy, seven.n, eight.accuracy, eight.n) == (1, 7, 1, 8)


def test_pictures_smaller_and_larger_than_the_input_are_brought_to_it():
    for side in (20, 100):
        assert evaluate(reads_grey(7), corpus(side), EXPRESSION_7, 48).accuracy == 1


def test_votes_can_be_the_truth_and_rows_without_majority_are_left_out():
    scores = evaluate(reads_grey(8), corpus(), EXPRESSION_8, 48, truth="votes")
    assert scores.n == 7
    assert scores.accuracy == pytest.approx(1 / 7)


def test_the_json_has_the_keys_that_are_promised_and_no_nan():
    text = json.dumps(as_json(evaluate(reads_grey(8), corpus(), EXPRESSION_8, 48, truth="votes")), allow_nan=False)
    assert {"accuracy", "uar", "per_class", "confusion", "ece", "n"} <= set(json.loads(text))
    assert json.loads(text)["per_class"]["fear"]["recall"] is None


def test_what_could_not_be_counted_is_null():
    silent = evaluate(lambda images: np.full((len(images), 7), np.nan, np.float32), corpus(), EXPRESSION_7, 48)
    found = json.loads(json.dumps(as_json(silent), allow_nan=False))
    assert (found["accuracy"], found["uar"], found["ece"], found["n"]) == (0, 0, None, 7)
    nothing = score(np.zeros((0, 7), np.float32), np.zeros(0, np.int64), EXPRESSION_7.labels)
    found = json.loads(json.dumps(as_json(nothing), allow_nan=False))
    assert (found["uar"], found["ece"], found["n"]) == (None, None, 0)


@pytest.mark.parametrize("batch", [2, 256])
def test_damaged_pictures_count_as_wrong_and_are_named_and_nothing_else_is_lost(tmp_path, batch):
    files = [tmp_path / f"{label}.png" for label in range(7)]
    for label, file in enumerate(files):
        cv2.imwrite(str(file), np.full((48, 48), 10 * label, np.uint8))
    for lost in files[2:4]:
        lost.write_bytes(b"cut off")
    damaged = table("made", files, list(range(7)), [file.name for file in files])
    scores = evaluate(reads_grey(7), damaged, EXPRESSION_7, 48, batch=batch)
    assert (scores.n, scores.accuracy, scores.confusion.sum()) == (7, 5 / 7, 5)
    assert scores.right.tolist() == [True, True, False, False, True, True, True]
    assert [line.split(" is no image")[0] for line in as_json(scores)["unreadable"]] == [str(lost) for lost in files[2:4]]
    assert scores.damage[0].startswith(f"2 of 7 cannot be read, and what is not answered counts as wrong: {files[2]} is no")


def test_of_much_that_cannot_be_read_five_are_named():
    assert score(np.ones((9, 1), np.float32), np.zeros(9, np.int64), ("a",)).damage == ()
    damage = score(np.ones((9, 1), np.float32), np.zeros(9, np.int64), ("a",), "bcdefgh").damage
    assert damage == ("7 of 9 cannot be read, and what is not answered counts as wrong: b; c; d; e; f; and 2 more",)


def test_no_picture_that_can_be_decoded_is_said(tmp_path):
    lost = table("made", [tmp_path / "a.png", b"x"], [0, 1], ["a", "b"])
    with pytest.raises(InputError, match=r"made: none of 2 pictures can be decoded; the first: .*a\.png: cannot be read"):
        evaluate(reads_grey(7), lost, EXPRESSION_7, 48)


def test_what_cannot_be_evaluated_says_why():
    with pytest.raises(InputError, match="not in gaze"):
        evaluate(reads_grey(7), corpus(), GAZE, 48)
    unlabelled = table("made", [np.zeros((48, 48), np.uint8)], [-1], ["a"])
    with pytest.raises(InputError, match="none of the 1 rows has a label in expression_7"):
        evaluate(reads_grey(7), unlabelled, EXPRESSION_7, 48)


def test_pictures_are_decoded_from_files_and_bytes(tmp_path):
    grey = np.arange(48 * 48, dtype=np.uint8).reshape(48, 48)
    cv2.imwrite(str(tmp_path / "a.png"), grey)
    rows = table("made", [tmp_path / "a.png", (tmp_path / "a.png").read_bytes(), grey], [0, 0, 0], ["a", "b", "c"])
    assert (rows.images() == grey).all()
