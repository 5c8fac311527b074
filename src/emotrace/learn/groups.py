"""How well expressions are named in faces of different apparent age and gender.

    corpus ─▶ evaluate's answers ─┐
          └─mesh of small faces─▶ age and gender networks ─▶ groups ─▶ accuracy and recall of each

Corpora as FER2013 do not say who is seen, so the groups are what our own networks make of pictures of 48 px: a coarse
estimate, wrong for many single faces, and no statement about anyone. It shows whether accuracy differs widely, not by how much.

    python -m emotrace.learn.groups MODEL --corpus fer2013=fer2013.parquet --split PublicTest
"""

from __future__ import annotations

if __name__ == "__main__":
    from emotrace.learn.command import run

    run("emotrace.learn.groups")

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.table import NO_LABEL, Faces
from emotrace.errors import InputError
from emotrace.face.age_gender import AgeGender
from emotrace.learn import shipped
from emotrace.learn.metrics import score
from emotrace.learn.small_faces import SmallFaces

SURE = 0.7                       # probability from which a gender counts as apparent
AGES = (0.0, 18.0, 35.0, 55.0)   # years, from each to the next


@dataclass(frozen=True, slots=True)
class Group:
    """A part of a corpus by estimate, and how well its expressions are named.

    Args:
        name: "apparent age 18 to 35".
        n: pictures with a label.
        accuracy: share named right.
        error: standard error of the accuracy.
        uar: unweighted mean of the recalls of the expressions that occur.
    """

    name: str
    n: int
    accuracy: float
    error: float
    uar: float


def estimated(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Apparent age in years and probability of being labelled female, (n, h, w) -> (n, 2); NaN where no face is found."""
    network = AgeGender("cpu")
    found = np.full((len(images), 2), np.nan, np.float32)
    for rows, samples in SmallFaces().samples(images):
        if len(rows):
            found[rows] = network.extract(samples)
    return found


def members(age_gender: NDArray[np.float32]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """The groups by name, and who is in each, (n,)."""
    age, female = age_gender.T
    yield "all", np.ones(len(age), np.bool_)
    yield f"apparently female ({SURE:g} or surer)", female >= SURE
    yield f"apparently male ({SURE:g} or surer)", female <= 1 - SURE
    yield "neither is sure", (female > 1 - SURE) & (female < SURE)
    for low, high in pairwise(AGES):
        yield f"apparent age {low:g} to {high:g}", (age >= low) & (age < high)
    yield f"apparent age {AGES[-1]:g} and more", age >= AGES[-1]
    yield "no face found for an estimate", np.isnan(age)


def measure(model: shipped.Classifier, faces: Faces, age_gender: NDArray[np.float32], batch: int = 256) -> list[Group]:
    """Scores by group; groups without a labelled picture are left out.

    Args:
        model: what names expressions.
        faces: corpus with labels.
        age_gender: (n, 2) of `estimated`, for the same rows.
        batch: pictures at a time.

    Raises:
        InputError: no row has a label.
    """
    rows = np.flatnonzero((faces.label != NO_LABEL) & (faces.label < len(model.scheme)))
    if not len(rows):
        raise InputError(f"{faces.corpus}: none of the {len(faces)} rows has a label in {model.scheme.name}")
    parts = np.split(rows, range(batch, len(rows), batch))
    said = np.concatenate([model.predict(faces[part].images(model.size)) for part in parts])
    groups = []
    for name, within in members(age_gender[rows]):
        if within.any():
            scores = score(said[within], faces.label[rows][within], model.scheme.labels)
            error = float(np.sqrt(scores.accuracy * (1 - scores.accuracy) / scores.n))
            groups.append(Group(name, scores.n, scores.accuracy, error, scores.uar))
    return groups


def main() -> None:
    """Print the table of groups."""
    parser = argparse.ArgumentParser(prog="python -m emotrace.learn.groups", description="Accuracy by apparent age and gender.")
    parser.add_argument("model", help="component, as in face.expression")
    parser.add_argument("--corpus", required=True, help="NAME=PATH, see 'emotrace corpora'")
    parser.add_argument("--split", help="part of the corpus")
    parser.add_argument("--sample", type=int, help="so many pictures, evenly spread  [default: all]")
    given = parser.parse_args()
    faces = shipped.corpus(given.corpus, given.split)
    if given.sample:
        faces = faces[np.linspace(0, len(faces) - 1, min(given.sample, len(faces))).astype(np.int64)]
    found = measure(shipped.component(given.model), faces, estimated(faces.images()))
    print("| group, by our own estimate | pictures | accuracy | unweighted recall |\n|---|---|---|---|")
    for group in found:
        print(f"| {group.name} | {group.n} | {group.accuracy:.1%} ± {group.error:.1%} | {group.uar:.1%} |")
