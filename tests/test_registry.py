"""The registry, and the conformance suite over all that is in it."""

from __future__ import annotations

import pytest

from emotrace import registry, weights
from emotrace.errors import InputError, MissingExtraError, UnknownNameError
from emotrace.registry import COMPONENTS, Spec
from emotrace.testing import check_extractor
from emotrace.views import FaceSamples, VoiceSamples

EXTRACTORS = [name for name, line in COMPONENTS.items() if line.scheme is not None]


@pytest.mark.parametrize("name", EXTRACTORS)
def test_every_extractor_keeps_to_the_contract(name: str, faces: FaceSamples, speech: VoiceSamples) -> None:
    if COMPONENTS[name].extra:
        pytest.importorskip(COMPONENTS[name].extra, reason="an optional library")
    check_extractor(name, speech if COMPONENTS[name].view == "voice" else faces)


@pytest.mark.parametrize("name", list(COMPONENTS))
def test_every_line_of_the_table_is_true(name: str) -> None:
    line = COMPONENTS[name]
    assert registry.target(name).__doc__
    assert line.about
    assert line.paper
    assert line.name.split(".")[0] == line.view
    assert all(weights.entry(file).licence for file in line.weights)
    assert all(need in COMPONENTS for need in line.needs)


def test_needs_come_before_what_needs_them() -> None:
    names = [line.name for line in registry.with_needs(["face.valence_arousal", "face.gaze"])]
    assert names == ["face.expression", "face.valence_arousal", "face.pose", "face.gaze"]


def test_an_unknown_component_names_those_there_are() -> None:
    with pytest.raises(UnknownNameError, match=r"no component 'face\.smell'.*face\.expression"):
        registry.spec("face.smell")


def test_a_ring_of_needs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = {"a": Spec("a", "x:A", "", needs=("b",)), "b": Spec("b", "x:B", "", needs=("a",))}
    monkeypatch.setattr(registry, "COMPONENTS", ring)
    with pytest.raises(InputError, match="a -> b -> a"):
        registry.with_needs(["a"])


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Spec("voice.x", "no_such_library:Thing", "", view="voice", extra="opensmile")
    monkeypatch.setattr(registry, "COMPONENTS", {"voice.x": line})
    with pytest.raises(MissingExtraError, match=r"pip install 'emotrace\[opensmile\]'"):
        registry.target("voice.x")


def test_a_mistake_of_our_own_is_not_taken_for_a_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "COMPONENTS", {"voice.x": Spec("voice.x", "emotrace.no_such:Thing", "", extra="opensmile")})
    with pytest.raises(ModuleNotFoundError):
        registry.target("voice.x")
