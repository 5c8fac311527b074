"""The registry, and the conformance suite over all that is in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from emotrace import registry, weights
from emotrace.errors import InputError, MissingExtraError, UnknownNameError
from emotrace.registry import COMPONENTS, Spec
from emotrace.scheme import Scheme
from emotrace.testing import check_extractor
from emotrace.video import Video
from emotrace.views import FaceSamples, VoiceSamples
from recordings import samples_of

EXTRACTORS = [name for name, line in COMPONENTS.items() if line.scheme is not None]


@pytest.mark.parametrize("name", EXTRACTORS)
def test_every_extractor_keeps_to_the_contract(name: str, faces: FaceSamples, speech: VoiceSamples) -> None:
    if COMPONENTS[name].extra:
        pytest.importorskip(COMPONENTS[name].extra, reason="an optional library")
    check_extractor(name, speech if COMPONENTS[name].view == "voice" else faces)


class Halves:
    """An extractor as an extension brings it: it keeps to the contract."""

    scheme = Scheme("halves", ("a", "b"), exclusive=True, about=("x (not bounded by 1)",))

    def extract(self, samples: FaceSamples) -> NDArray[np.float32]:
        return np.full((len(samples), 2), 0.5, np.float32)


class Infinite(Halves):
    def extract(self, samples: FaceSamples) -> NDArray[np.float32]:
        return np.tile(np.array([np.inf, 0], np.float32), (len(samples), 1))


class HalfMeasured(Halves):
    def extract(self, samples: FaceSamples) -> NDArray[np.float32]:
        return np.tile(np.array([np.nan, 0.2], np.float32), (len(samples), 1))


class OtherTypeForNone(Halves):
    def extract(self, samples: FaceSamples) -> NDArray[np.float32]:
        return super().extract(samples) if len(samples) else np.zeros((0, 2))


class WritesWhatOthersMeasured(Halves):
    def extract(self, samples: FaceSamples) -> NDArray[np.float32]:
        samples.measured["face.pose"][:] = 0
        return super().extract(samples)


class WritesBoxes(Halves):
    def extract(self, samples: FaceSamples) -> NDArray[np.float32]:
        samples.tracks.box[:] = 0
        return super().extract(samples)


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (Halves, None),
        (Infinite, "not finite"),
        (HalfMeasured, "rows sum to"),
        (OtherTypeForNone, "got float64 for no samples"),
        (WritesWhatOthersMeasured, "writes to what it is given"),
        (WritesBoxes, "writes to what it is given"),
    ],
)
def test_the_contract_finds_what_breaks_it(
    kind: type[Halves], fault: str | None, five_people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = samples_of(next(Video.open(five_people).chunks()).images[0])   # not the fixture: some write to it
    line = Spec("face.own", f"{__name__}:{kind.__name__}", "", needs=("face.pose",), scheme=Halves.scheme)
    monkeypatch.setitem(registry.COMPONENTS, "face.own", line)
    if fault is None:
        check_extractor("face.own", own)
        return
    with pytest.raises(AssertionError, match=fault):
        check_extractor("face.own", own)


def test_samples_of_the_other_view_are_named(speech: VoiceSamples) -> None:
    with pytest.raises(AssertionError, match=r"face\.pose measures a face, got VoiceSamples"):
        check_extractor("face.pose", speech)


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
    assert names == ["face.pose", "face.quality", "face.expression", "face.valence_arousal", "face.gaze"]


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
