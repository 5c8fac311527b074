"""What `evaluate` measures: a component as shipped, or what lies in a folder that was trained, on the corpus that suits it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora import catalogue
from emotrace.corpora.clips import Clips
from emotrace.errors import InputError
from emotrace.learn import heard, shipped
from emotrace.learn.evaluate import Truth
from emotrace.learn.metrics import Scores, score, softmax
from emotrace.learn.shipped import Classifier, component
from emotrace.recipes import record
from emotrace.scheme import EXPRESSION_8, Scheme

SIDE = 48


def measure(
    name: str, corpus: str, split: str | None = None, truth: Truth = "label", by_speaker: bool = False, find: bool = False
) -> Scores:
    """Scores of a component or of a run's folder on a corpus of faces, voices or clips, whichever it takes.

    Args:
        name: "face.expression", or the path of a folder.
        corpus: "NAME=PATH".
        split: part of the corpus; None: all of it.
        truth: of cropped faces, the corpus's own label or what most raters voted for.
        by_speaker: of voices, every answer is taken relative to those about the same speaker.
        find: of pictures, the face is looked for in each; else they are the crop.

    Raises:
        UnknownNameError: there is no such component or corpus.
        InputError: it cannot be measured on this corpus, or one of them cannot be read.
        MissingExtraError: a folder is given, and torch is not installed.
    """
    hears, names_clips = heard.hears(name), _names_clips(name)
    if find and (hears or names_clips):
        raise InputError(f"--find-faces is for pictures; {name} takes {'recordings' if hears else 'clips'}, leave it out")
    if hears:
        if truth == "votes":
            raise InputError(f"--truth votes is for faces that raters voted on; {name} hears recordings, give --truth label")
        return heard.measure(name, heard.corpus(corpus, split), by_speaker)
    if by_speaker:
        raise InputError(f"--by-speaker is for voices, as in 'evaluate voice.emotion'; {name} hears none")
    if names_clips:
        clips = catalogue.read_clips(*shipped.name_and_path(corpus, "afew=FOLDER"))
        return of_clips(Path(name), clips if split is None else clips.of_split(split), truth)
    return shipped.measure(model(name, truth), shipped.corpus(corpus, split), truth, find)


def of_clips(folder: Path, clips: Clips, truth: Truth = "label") -> Scores:
    """Scores of a run's system on clips; one of which it says nothing counts as wrong.

    Raises:
        InputError: the folder holds no whole run of a recipe for clips, no clip has a label it knows, or votes are asked for.
        MissingExtraError: torch is not installed.
    """
    recipe, config = record.read(folder)
    (scheme,) = recipe.HEADS
    record.finished(folder)
    recipe.check(folder, config)
    labelled = clips[(clips.label >= 0) & (clips.label < len(scheme))]
    if truth == "votes" or not len(labelled):
        raise InputError(f"{clips.corpus}: none of the {len(clips)} clips has a {truth.rstrip('s')} in {scheme.name}")
    return score(recipe.predict(labelled, folder, config), labelled.label, scheme.labels, labelled.unreadable().values())


def _names_clips(name: str) -> bool:
    return (Path(name) / record.FILE).is_file() and hasattr(record.read(Path(name))[0], "predict")


def model(name: str, truth: Truth = "label") -> Classifier:
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


def trained(folder: Path, truth: Truth = "label") -> Classifier:
    """The best network of a run, fed as its recipe feeds it; its probabilities are not calibrated.

    Raises:
        InputError: the folder holds no run of a recipe that names expressions.
        MissingExtraError: torch is not installed.
    """
    recipe, config = record.read(folder)
    if not hasattr(recipe, "HEADS"):
        raise InputError(f"{folder}: its recipe names no expressions in faces, so it cannot be evaluated on cropped faces")
    try:
        network = recipe.trained(folder, config)
    except (RuntimeError, MemoryError) as error:  # sizes that no layer can have, or no memory holds
        reason = str(error).partition("\n")[0]
        raise InputError(f"{folder / record.FILE}: makes no network of {recipe.__name__.split('.')[-1]} ({reason})") from error
    columns, scheme = _head(recipe.HEADS, truth)

    def predict(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        from emotrace.learn.predict import outputs_of

        return softmax(outputs_of(network, grey)[:, columns])

    return Classifier(predict, scheme, SIDE)


def _head(heads: tuple[Scheme, ...], truth: Truth) -> tuple[slice, Scheme]:
    """The columns of the head that is asked for; heads lie side by side."""
    chosen = EXPRESSION_8 if truth == "votes" and EXPRESSION_8 in heads else heads[0]
    start = sum(len(head) for head in heads[: heads.index(chosen)])
    return slice(start, start + len(chosen)), chosen
