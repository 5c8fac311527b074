"""The recipes there are: one table for the command line, the docs and the tests."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

from emotrace.errors import unknown
from emotrace.learn.command import imported


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe of the package.

    Args:
        name: module in emotrace.recipes.
        about: one sentence.
        corpus: name in the catalogue of corpora; several, in one folder, are joined by +.
        paper: source.
        stills: corpora of pictures that it learns from beside a corpus of clips, joined by +; "" = none.
    """

    name: str
    about: str
    corpus: str
    paper: str
    stills: str = ""


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe("expression_mobilenet", "a network that knows faces, taught expressions, shipped", "fer2013", "our own"),
        Recipe("expression_compact", "a small network that learns from nothing but FER2013", "fer2013", "our own"),
        Recipe("expression_convnet1", "ConvNet 1 of EmoNets", "fer2013", "Kahou et al. 2015"),
        Recipe("expression_mixed_emotions", "the MixedEmotions expression CNN", "fer2013", "MixedEmotions D4.6, 2016"),
        Recipe("ntechlab", "face networks, statistics over time, linear machines", "afew", "Knyazev et al. 2017", "fer2013"),
        Recipe("upc_bimodal", "a face network's head, a machine on sound features, fused", "afew", "UPC thesis, 2017"),
        Recipe("emonets", "EmoNets: four models of a clip, combined", "afew", "Kahou et al. 2016", stills="fer2013+tfd"),
        Recipe("voice_emotion", "the network that analyze hears expressions with", "ravdess+nemo", "our own"),
        Recipe("voice_prosody", "what pitch and quality of a voice say beside it, measured", "ravdess+nemo", "our own"),
    )
}


def module(name: str) -> ModuleType:
    """The module of a recipe, imported now; it has `PUBLISHED`, `Config` and `fit(corpus, folder, config)`.

    Raises:
        UnknownNameError: there is no such recipe.
        MissingExtraError: torch is not installed.
    """
    if name not in RECIPES:
        raise unknown("recipe", name, list(RECIPES))
    return imported(f"emotrace.recipes.{name}")
