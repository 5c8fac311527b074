"""Evaluating a component as it is shipped: the same weights, engine and feeding that `analyze` uses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace import registry
from emotrace.corpora import catalogue
from emotrace.corpora.table import Faces
from emotrace.errors import InputError
from emotrace.learn.evaluate import Predict, Truth, as_json, evaluate
from emotrace.learn.metrics import Scores
from emotrace.learn.plots import confusion_svg, reliability_svg
from emotrace.scheme import EXPRESSION_7, EXPRESSION_8, Scheme

CONFUSION, RELIABILITY = "confusion.svg", "reliability.svg"


@dataclass(frozen=True, slots=True)
class Classifier:
    """What names expressions in cropped faces: `predict` takes (n, size, size) grey uint8 and gives (n, k)."""

    predict: Predict
    scheme: Scheme
    size: int


def component(name: str, truth: Truth = "label") -> Classifier:
    """A component of the registry that can be fed with cropped faces.

    Args:
        name: "face.expression".
        truth: "votes" takes the eight-way head of a component that has one.

    Raises:
        UnknownNameError: there is no such component.
        InputError: it takes no cropped faces.
    """
    kind = registry.target(name)
    if not hasattr(kind, "of_crops"):
        able = [line for line in registry.COMPONENTS if hasattr(registry.target(line), "of_crops")]
        raise InputError(f"{name} cannot be evaluated on cropped faces; these can: {', '.join(able)}")
    extractor = kind()
    eight = truth == "votes" and hasattr(extractor, "votes_of_crops")
    of_crops: Callable[[NDArray[np.uint8]], NDArray[np.float32]] = (
        extractor.votes_of_crops if eight else extractor.of_crops
    )

    def predict(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        return of_crops(np.repeat(grey[..., None], 3, axis=3))

    labels = extractor.scheme.labels
    scheme = next(known for known in (EXPRESSION_7, EXPRESSION_8) if known.labels == labels)
    return Classifier(predict, EXPRESSION_8 if eight else scheme, extractor.size)


def corpus(given: str, split: str | None) -> Faces:
    """The corpus of "NAME=PATH", or one split of it.

    Raises:
        InputError: it is not of that form or of another kind, the path has another layout, or there is no such split.
        UnknownNameError: there is no such corpus.
    """
    faces = catalogue.read(*name_and_path(given, "fer2013=fer2013.parquet"))
    return faces if split is None else faces.of_split(split)


def name_and_path(given: str, example: str, option: str = "--corpus") -> tuple[str, Path]:
    """The two parts of "NAME=PATH", the value of an option.

    Raises:
        InputError: it is not of that form; the message shows the example.
    """
    name, equals, path = given.partition("=")
    if not equals or not path:
        raise InputError(f"{option} must be NAME=PATH, as in {example}; got {given!r}")
    return name, Path(path)


def measure(model: Classifier, faces: Faces, truth: Truth = "label", find: bool = False) -> Scores:
    """Scores of a model on a corpus's own labels, or on what most raters voted for; `find` as of `evaluate`."""
    return evaluate(model.predict, faces, model.scheme, model.size, truth, find=find)


def check_places(json_file: Path | None, plots: Path | None) -> None:
    """See that `write` can write there, before anything is measured; folders that are missing are made.

    Raises:
        InputError: a file cannot be written.
    """
    for file in (json_file, plots and plots / CONFUSION, plots and plots / RELIABILITY):
        if file is None:
            continue
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            before = file.exists()
            file.open("ab").close()
            if not before:
                file.unlink()
        except OSError as error:
            raise _unwritable(file, error) from error


def _unwritable(file: Path, error: OSError) -> InputError:
    return InputError(f"{file}: cannot be written ({error.strerror}); give another place")


def write(scores: Scores, labels: tuple[str, ...], json_file: Path | None, plots: Path | None) -> list[Path]:
    """Write scores as JSON, and the confusion matrix and reliability diagram as SVG into a folder; the files written.

    Raises:
        InputError: a file cannot be written.
    """
    files: dict[Path, str] = {}
    if json_file is not None:
        files[json_file] = json.dumps(as_json(scores), indent=1)
    if plots is not None:
        files[plots / CONFUSION] = confusion_svg(scores.confusion, labels)
        files[plots / RELIABILITY] = reliability_svg(scores.confidence, scores.right)
    for file, text in files.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise _unwritable(file, error) from error
    return list(files)
