"""Recipes: one short module per system, reading from top to bottom as its paper does.

Each has `PUBLISHED`, `Config` (every constant of the paper) and `fit(corpus, folder, config)`, which continues a run that was
stopped and gives something with a `summary`. Beside these, what makes a run's folder usable by `evaluate`:

    of cropped faces   HEADS, trained(folder, config) -> network            fit gives learn.state.Progress
    of clips           HEADS, predict(clips, folder, config) -> (n, 7)      fit gives learn.scoreboard.Scoreboard
                       check(folder, config): raises InputError where `predict` would find what is not whole

A recipe whose line in the catalogue names `stills` takes them as `fit(..., stills=[Faces, ...])`. Recipes never import each
other.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Published:
    """What the paper says it reached.

    Args:
        score: of the metric; None where nothing is published.
        metric: "accuracy".
        split: part of the corpus it was measured on.
        paper: where it is written.
    """

    score: float | None
    metric: str
    split: str
    paper: str
