"""Settings: out of range is refused in one line."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from emotrace.errors import InputError, UnknownNameError
from emotrace.settings import Settings, chosen_components


@pytest.mark.parametrize(
    "choice",
    [{"start": -1.0}, {"start": 5.0, "end": 5.0}, {"rate": 0.0}, {"rate": math.inf}, {"min_face": -3.0}, {"min_quality": 1.5},
     {"detect_every": -0.1}, {"identity": "magic"}, {"identity_threshold": 2.0}, {"start": math.nan}],
)  # fmt: skip
def test_what_is_out_of_range_is_refused(choice: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        Settings(**choice)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("choice", [{"components": "face.expression"}, {"systems": "runs/emonets"}, {"systems": Path("runs")}])
def test_one_name_where_several_are_expected_is_not_taken_apart(choice: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"must be several in a tuple, got one: '.*'; write \('.*',\)"):
        Settings(**choice)


def test_an_unknown_component_is_refused() -> None:
    with pytest.raises(UnknownNameError):
        Settings(components=("face.smell",))


def test_what_components_need_is_recorded_with_them() -> None:
    names = Settings(components=("voice.emotion", "face.pose")).as_json()["components"]
    assert names == ["voice.activity", "voice.network", "voice.emotion", "face.pose"]


def test_quality_comes_with_all_that_it_gates() -> None:
    names = Settings(components=("face.valence_arousal",)).as_json()["components"]
    assert names == ["face.pose", "face.quality", "face.expression", "face.valence_arousal"]
    with pytest.raises(InputError, match=r"face\.quality is needed by face\.gaze, face\.blendshapes, .*face\.identity"):
        chosen_components([], ["face.quality"])


def test_more_and_fewer_components_than_the_default() -> None:
    assert "face.pose_pnp" in chosen_components(["face.pose_pnp"], [])
    assert "face.gaze" not in chosen_components([], ["face.gaze"])
    with pytest.raises(InputError, match=r"face\.expression is needed by face\.valence_arousal"):
        chosen_components([], ["face.expression"])


def test_without_what_the_voice_expresses_its_network_is_not_run() -> None:
    chosen = chosen_components((), ("voice.emotion", "voice.valence_arousal"))
    assert "voice.network" not in Settings(components=chosen).as_json()["components"]
    assert "voice.network" in Settings().as_json()["components"]
