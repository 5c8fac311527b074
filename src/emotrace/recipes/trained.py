"""What `evaluate` measures: a component as shipped, or the network in a folder that was trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.errors import InputError
from emotrace.learn.evaluate import Truth
from emotrace.learn.metrics import softmax
from emotrace.learn.shipped import Shipped, component
from emotrace.recipes import record
from emotrace.scheme import EXPRESSION_8, Scheme

SIDE = 48


def model(name: str, truth: Truth = "label") -> Shipped:
    """A component by its name, or the best network of a run by its folder.

    Args:
        name: "face.expression", or a path.
        truth: "votes" takes the eight-way head where there is one.

    Raises:
        UnknownNameError: there is no such component.
        InputError: there is no such folder, it holds no run, or the component takes no cropped faces.
        MissingExtraError: a folder is given, and torch is not installed.
    """
    folder = Path(name)
    if len(folder.parts) > 1 and not folder.is_dir():
        raise InputError(f"{name}: no such folder; expected a component, or the folder of a run of 'emotrace train'")
    return trained(folder, truth) if folder.is_dir() else component(name, truth)


def trained(folder: Path, truth: Truth = "label") -> Shipped:
    """The best network of a run, fed as its recipe feeds it; its probabilities are not calibrated.

    Raises:
        InputError: the folder holds no run of a recipe that names expressions.
        MissingExtraError: torch is not installed.
    """
    recipe, config = record.read(folder)
    if not hasattr(recipe, "HEADS"):
        raise InputError(f"{folder}: its recipe names no expressions in faces, so it cannot be evaluated on cropped faces")
    network = recipe.trained(folder, config)
    columns, scheme = _head(recipe.HEADS, truth)

    def predict(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        from emotrace.learn.predict import outputs_of

        return softmax(outputs_of(network, grey)[:, columns])

    return Shipped(predict, scheme, SIDE)


def _head(heads: tuple[Scheme, ...], truth: Truth) -> tuple[slice, Scheme]:
    """The columns of the head that is asked for; heads lie side by side."""
    chosen = EXPRESSION_8 if truth == "votes" and EXPRESSION_8 in heads else heads[0]
    start = sum(len(head) for head in heads[: heads.index(chosen)])
    return slice(start, start + len(chosen)), chosen
