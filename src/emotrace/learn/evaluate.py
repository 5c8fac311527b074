"""`evaluate`: scores of anything that names expressions, on a corpus of cropped faces.

Pictures of a corpus are taken as the crop: no face is looked for in them. Where they are smaller or larger than the network's
input they are resized to it (cubic up, area-averaged down), which is also what `analyze` does with a small face. In whole
pictures `learn.whole_pictures` finds the face.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.fer2013 import majority
from emotrace.corpora.table import NO_LABEL, Faces
from emotrace.errors import InputError
from emotrace.learn.metrics import Scores, score
from emotrace.learn.whole_pictures import WholePictures
from emotrace.scheme import EXPRESSION_7, EXPRESSION_8, Scheme

Predict = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
Truth = Literal["label", "votes"]


class Evaluation(TypedDict):
    """What `emotrace evaluate --json` writes."""

    accuracy: float
    uar: float | None
    per_class: dict[str, dict[str, float | None]]
    confusion: list[list[int]]
    ece: float | None
    n: int
    labels: list[str]
    unreadable: list[str]


def evaluate(
    predict: Predict, faces: Faces, scheme: Scheme, size: int, truth: Truth = "label", batch: int = 256, find: bool = False
) -> Scores:
    """Scores of a predictor; a picture that cannot be decoded is not answered, which counts as wrong.

    Args:
        predict: (n, size, size) uint8 grey -> (n, k) float32 probabilities in the scheme's order.
        faces: corpus, or a part of it.
        scheme: EXPRESSION_7 or EXPRESSION_8; rows labelled otherwise are left out.
        size: side of the network's input, px.
        truth: "label" = the corpus's own; "votes" = the expression with strictly most votes.
        batch: pictures at a time.
        find: the face is looked for in each picture; one in which none is found is not answered, which counts as wrong.

    Raises:
        InputError: no row has a label, or none of the pictures can be decoded.
    """
    if scheme not in (EXPRESSION_7, EXPRESSION_8):
        raise InputError(f"expressions are evaluated in expression_7 or expression_8, not in {scheme.name}")
    labels = majority(faces) if truth == "votes" else faces.label
    rows = np.flatnonzero((labels != NO_LABEL) & (labels < len(scheme)))
    if not len(rows):
        what = "majority of votes" if truth == "votes" else "label"
        raise InputError(f"{faces.corpus}: none of the {len(faces)} rows has a {what} in {scheme.name}")
    whole = WholePictures() if find else None
    said, unreadable = np.full((len(rows), len(scheme)), np.nan, np.float32), list[str]()
    for part in np.split(np.arange(len(rows)), range(batch, len(rows), batch)):
        crops = _crops(faces[rows[part]], size, whole, unreadable)
        if crops:
            said[part[list(crops)]] = predict(np.stack(list(crops.values())))
    if len(unreadable) == len(rows):
        raise InputError(f"{faces.corpus}: none of {len(rows)} pictures can be decoded; the first: {unreadable[0]}")
    return score(said, labels[rows], scheme.labels, unreadable)


def _crops(faces: Faces, size: int, whole: WholePictures | None, unreadable: list[str]) -> dict[int, NDArray[np.uint8]]:
    """The crops there are, by row; why a picture cannot be decoded is added to `unreadable`."""
    crops: dict[int, NDArray[np.uint8]] = {}
    for row in range(len(faces)):
        try:
            picture = faces[np.array([row])].images(0 if whole else size)[0]
        except InputError as error:
            unreadable.append(str(error))
            continue
        crop = whole.crop(picture, size) if whole else picture
        if crop is not None:
            crops[row] = crop
    return crops


def as_json(scores: Scores) -> Evaluation:
    """Scores as plain numbers and lists; what could not be counted is null."""
    return Evaluation(
        accuracy=scores.accuracy,
        uar=_counted(scores.uar),
        per_class={
            label: {name: _counted(value) for name, value in values.items()}
            for label, values in scores.per_class.items()
        },
        confusion=scores.confusion.tolist(),
        ece=_counted(scores.ece),
        n=scores.n,
        labels=list(scores.labels),
        unreadable=list(scores.unreadable),
    )


def _counted(value: float) -> float | None:
    return None if np.isnan(value) else value
