"""Classical classifiers on features of clips, and how the UPC thesis chooses their one parameter.

    (n, d) ─[normalised per speaker]─▶ 100 shuffles 90/10 for each value of the parameter ─best mean accuracy─▶ fitted pipeline

Features are standardised inside the pipeline, on its training rows only. Where speakers are given none is on both sides of a
shuffle; the thesis splits at random, which lets a classifier recognise the speaker.

Source: a UPC thesis (2017) on bimodal emotion recognition, for the shuffles; Giannakopoulos 2015, pyAudioAnalysis, PLOS ONE 10,
for the lists of parameters (audioTrainTest.evaluate_classifier).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.ensemble import ExtraTreesClassifier, GradientBoostingClassifier, RandomForestClassifier
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from emotrace.errors import InputError, unknown

COSTS = (0.001, 0.01, 0.5, 1.0, 5.0, 10.0, 20.0)
NEIGHBOURS = (1, 3, 5, 7, 9, 11, 13, 15)
TREES = (10, 25, 50, 100, 200, 500)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of classifier.

    Args:
        name: "svm_rbf".
        parameter: what is chosen: "C", "neighbours", "trees".
        values: those that are tried.
        make: the classifier of a value and a seed.
    """

    name: str
    parameter: str
    values: tuple[float, ...]
    make: Callable[[float, int], ClassifierMixin]


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("svm_linear", "C", COSTS, lambda c, seed: SVC(C=c, kernel="linear")),
        Kind("svm_rbf", "C", COSTS, lambda c, seed: SVC(C=c, kernel="rbf")),
        Kind("knn", "neighbours", NEIGHBOURS, lambda k, seed: KNeighborsClassifier(int(k))),
        Kind("random_forest", "trees", TREES, lambda n, seed: RandomForestClassifier(int(n), random_state=seed)),
        Kind("extra_trees", "trees", TREES, lambda n, seed: ExtraTreesClassifier(int(n), random_state=seed)),
        Kind(
            "gradient_boosting", "trees", TREES,
            lambda n, seed: GradientBoostingClassifier(n_estimators=int(n), random_state=seed),
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """What the shuffles say.

    Args:
        value: of the parameter, that has the best mean accuracy; the first of equals.
        accuracy: mean accuracy of each value, 0..1.
        deviation: standard deviation of each over the shuffles.
    """

    value: float
    accuracy: dict[float, float]
    deviation: dict[float, float]


def kind_of(name: str) -> Kind:
    """A kind of classifier by name.

    Raises:
        UnknownNameError: there is no such kind.
    """
    if name not in KINDS:
        raise unknown("classifier", name, list(KINDS))
    return KINDS[name]


def build(name: str, value: float, seed: int = 0, standardised: bool = True) -> Pipeline:
    """A classifier with standardisation before it, to be fitted; without, where features have scales that mean something.

    Raises:
        UnknownNameError: there is no such kind.
    """
    return make_pipeline(StandardScaler() if standardised else "passthrough", kind_of(name).make(value, seed))


def choose(
    name: str,
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    speakers: NDArray[np.str_] | None = None,
    *,
    values: tuple[float, ...] | None = None,
    shuffles: int = 100,
    held_out: float = 0.1,
    seed: int = 0,
    standardised: bool = True,
) -> Choice:
    """The parameter with the best mean accuracy over random shuffles, the same shuffles for every value.

    Args:
        name: kind of classifier.
        features: (n, d), finite.
        labels: (n,).
        speakers: (n,); a tenth of the speakers is held out, at least one. None: a tenth of the rows.
        values: to be tried; None: the kind's own.
        shuffles: how many.
        held_out: share of speakers or rows that is held out.
        seed: of shuffles and classifiers.
        standardised: see `build`.

    Raises:
        UnknownNameError: there is no such kind.
        InputError: there are fewer than two speakers, features are not finite, or a shuffle keeps fewer than two classes.
    """
    if strange := int((~np.isfinite(features)).any(axis=1).sum()):
        raise InputError(f"{name}: {strange} rows have NaN or infinite features; leave them out")
    tried = values or kind_of(name).values
    splits = list(shuffled(len(labels), speakers, shuffles, held_out, seed))
    if min(len(np.unique(labels[kept])) for kept, _ in splits) < 2:
        raise InputError(f"{name}: a shuffle of {len(labels)} rows keeps a single class; two or more are needed in each")
    accuracies = {
        value: [_accuracy(build(name, value, seed, standardised), features, labels, split) for split in splits]
        for value in tried
    }
    means = {value: float(np.mean(of)) for value, of in accuracies.items()}
    return Choice(max(means, key=lambda value: means[value]), means, {v: float(np.std(of)) for v, of in accuracies.items()})


Split = tuple[NDArray[np.int64], NDArray[np.int64]]


def shuffled(n: int, speakers: NDArray[np.str_] | None, shuffles: int, held_out: float, seed: int) -> Iterator[Split]:
    """Rows kept and rows held out, shuffle by shuffle; whole speakers where these are given.

    Raises:
        InputError: there are fewer than two speakers.
    """
    rows = np.zeros((n, 1))
    if speakers is None:
        yield from ShuffleSplit(shuffles, test_size=held_out, random_state=seed).split(rows)
        return
    count = len(np.unique(speakers))
    if count < 2:
        raise InputError(f"{count} speaker; to hold one out, two or more are needed (or none given)")
    left = max(1, round(held_out * count))
    yield from GroupShuffleSplit(shuffles, test_size=left, random_state=seed).split(rows, groups=speakers)


def _accuracy(pipeline: Pipeline, features: NDArray[np.float32], labels: NDArray[np.int64], split: Split) -> float:
    kept, left = split
    pipeline.fit(features[kept], labels[kept])
    return float((pipeline.predict(features[left]) == labels[left]).mean())


def normalised_by_speaker(features: NDArray[np.float32], speakers: NDArray[np.str_]) -> NDArray[np.float32]:
    """Features less their speaker's mean, over their speaker's deviation, (n, d); NaN rows stay and do not count.

    All of a speaker's clips are used, without their labels: an option for where they are at hand before anything is asked.
    """
    who = np.unique(speakers, return_inverse=True)[1].reshape(-1)
    member = (who[:, None] == np.arange(who.max(initial=-1) + 1)).astype(np.float64)  # (n, speakers)
    known = np.asarray(~np.isnan(features).any(axis=1), np.bool_)
    filled = np.where(known[:, None], features, 0).astype(np.float64)
    count = np.maximum(member.T @ known, 1)[:, None]
    mean = member.T @ filled / count
    centred = np.where(known[:, None], filled - mean[who], 0)
    deviation = np.sqrt(member.T @ centred**2 / count)
    return np.asarray(np.where(known[:, None], centred / np.where(deviation > 0, deviation, 1)[who], np.nan), np.float32)


def posteriors(classifier: Pipeline, features: NDArray[np.float32], classes: int) -> NDArray[np.float32]:
    """Posteriors of a fitted classifier with probabilities, (n, d) -> (n, classes); NaN rows stay NaN, unseen classes are 0."""
    known = ~np.isnan(features).any(axis=1)
    found = np.full((len(features), classes), np.nan, np.float32)
    if known.any():
        found[known] = 0
        found[np.ix_(np.flatnonzero(known), classifier.classes_)] = classifier.predict_proba(features[known])
    return found
