"""Which clips are learnt from, and what is refused before anything is computed."""

from pathlib import Path

import numpy as np
import pytest

from emotrace.errors import InputError
from emotrace.learn.labelled import described, labelled, read


def corpus(folder: Path, *clips: str) -> Path:
    for clip in clips:
        file = folder / f"{clip}.avi"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(clip)
    return folder


def test_clips_with_one_of_the_seven_labels_are_given_part_after_part(tmp_path: Path) -> None:
    clips = read(corpus(tmp_path, "Train/Sad/a", "Train/Happy/b", "Val/Fear/c", "Test/d"))
    assert [clips.paths[row].stem for row in labelled(clips, "Val", "Train")] == ["c", "b", "a"]
    assert not len(labelled(clips, "Test"))


def test_rows_whose_features_are_not_there_are_left_out() -> None:
    features = np.array([[0, 1], [np.nan, 1], [2, 3]], np.float32)
    assert described(np.array([2, 1, 0]), features).tolist() == [2, 0]


@pytest.mark.parametrize(
    ("clips", "fitted", "said"),
    [
        (["Val/Sad/a"], ["Train"], "no labelled clips in Train; expected some in Train and in Val"),
        (["Train/Sad/a"], ["Train"], "no labelled clips in Val; expected some in Train and in Val"),
        (["Train/Sad/a", "Train/Sad/b", "Val/Sad/c", "Val/Fear/d"], ["Train"], "clips in Train are all of one class"),
        (["Train/Sad/a", "Train/Fear/b", "Val/Sad/c"], ["Train", "Val"], "clips in Val are all of one class"),
    ],
)
def test_a_corpus_with_nothing_to_learn_is_refused(clips: list[str], fitted: list[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said) as caught:
        read(corpus(tmp_path, *clips), fitted)
    assert str(tmp_path) in str(caught.value)
