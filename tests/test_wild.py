"""The expression components on whole pictures and clips, where our own detector finds the faces."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import wild

from emotrace.scheme import EXPRESSION_7

COMPONENTS = ("face.expression", "face.expression_mini_xception")
read = cache(wild.read)


@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize("word", ["angry", "happy", "surprised", "neutral"])
def test_an_unmistakable_portrait_is_named(component: str, word: str, data: Path) -> None:
    found = wild.read(component, data / "portraits" / f"stable_diffusion_{word}.png", None)
    assert found.share(wild.PORTRAITS[word]) == 1


@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize("clip", wild.NEUTRAL)
def test_who_talks_unmoved_reads_as_neutral_and_not_as_sad_or_angry(component: str, clip: str, data: Path) -> None:
    found = read(component, data / "clips" / clip, 4.0)
    assert len(found.times) >= 12
    assert found.share("sadness", "anger") <= 0.15
    assert found.share("neutral") > 0.5


@pytest.mark.parametrize("component", COMPONENTS)
def test_the_woman_turns_happy_when_she_laughs(component: str, data: Path) -> None:
    found = read(component, data / "clips" / wild.WOMAN, 2.0)
    assert found.share("happiness", end=wild.CRIES_UNTIL) < 0.2
    assert found.share("sadness", "fear", "disgust", "anger", end=wild.CRIES_UNTIL) > 0.7
    assert found.share("happiness", start=wild.LAUGHS_FROM) > 0.9
    assert found.values.shape[1] == len(EXPRESSION_7)
