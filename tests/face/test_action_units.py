"""Blendshapes against MediaPipe's, and action units against what can be seen in the clip."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emotrace import columns
from emotrace.analysis import Analysis
from emotrace.api import analyze
from emotrace.face.action_units import CARRIERS, POINTS, ActionUnits, Blendshapes
from emotrace.scheme import ACTION_UNITS, BLENDSHAPES
from emotrace.tracks import Tracks
from emotrace.views import FaceSamples

REFERENCE = json.loads((Path(__file__).parent / "mediapipe_reference.json").read_text())["frames"]


def samples_of(reference: dict[str, Any]) -> FaceSamples:
    mesh = np.array([reference["points"]], np.float32)
    number, box = np.zeros(1, np.int64), np.zeros((1, 4), np.float32)
    one = Tracks(number, np.zeros(1), number, box, np.ones(1, np.float32), mesh)
    width, height = reference["size"]
    return FaceSamples(one, np.zeros((1, height, width, 3), np.uint8), np.zeros(1, np.int64))


@pytest.mark.parametrize("reference", REFERENCE, ids=lambda reference: f"frame {reference['frame']}")
def test_blendshapes_are_those_of_mediapipe(reference: dict[str, Any]) -> None:
    found = Blendshapes().extract(samples_of(reference))[0]
    assert list(reference["blendshapes"]) == list(BLENDSHAPES.labels)
    np.testing.assert_allclose(found, list(reference["blendshapes"].values()), atol=1e-4)


def test_the_network_reads_146_different_points() -> None:
    assert len(POINTS) == len(set(POINTS.tolist())) == 146


def test_every_action_unit_has_its_carriers_and_only_living_ones() -> None:
    assert set(CARRIERS) | {"AU25"} == set(ACTION_UNITS.labels)
    carriers = {name for names in CARRIERS.values() for name in names}
    assert carriers <= set(BLENDSHAPES.labels)
    assert not any(name.startswith(("cheekSquint", "noseSneer")) for name in carriers)
    assert not {"AU06", "AU09"} & set(ACTION_UNITS.labels)


def test_the_columns_say_what_each_action_unit_is_made_of() -> None:
    about = {column.name: column.about for column in columns.table("faces")}
    for unit, carriers in CARRIERS.items():
        named = [word for word in re.findall(r"\w+", about[unit]) if word in BLENDSHAPES.labels]
        assert tuple(named) == carriers
        assert ("mean" in about[unit]) == (len(carriers) > 1)
    assert "largest of AU10, AU16 and the blendshape jawOpen less mouthClose" in about["AU25"]


def test_an_action_unit_is_the_mean_of_left_and_right() -> None:
    shapes = np.zeros((1, 52), np.float32)
    shapes[0, BLENDSHAPES.labels.index("mouthSmileLeft")] = 0.8
    shapes[0, BLENDSHAPES.labels.index("mouthSmileRight")] = 0.4
    shapes[0, BLENDSHAPES.labels.index("jawOpen")] = 0.7
    shapes[0, BLENDSHAPES.labels.index("mouthClose")] = 0.2
    found = ActionUnits().extract(samples_of(REFERENCE[0]).having({"face.blendshapes": shapes}))[0]
    named = dict(zip(ACTION_UNITS.labels, found.tolist(), strict=True))
    assert named["AU12"] == pytest.approx(0.6)
    assert named["AU26"] == pytest.approx(0.7)
    assert named["AU25"] == pytest.approx(0.5)
    assert named["AU01"] == 0


def test_she_pulls_her_lip_corners_when_she_laughs_and_lifts_her_brows_when_she_pleads(woman_analysis: Analysis) -> None:
    units = woman_analysis.timeline("face.action_units")
    laughing, pleading = units.crop(15.5, 18.5), units.crop(7.5, 9.0)
    assert np.nanmean(laughing["AU12"]) > 0.6 > 0.2 > np.nanmean(pleading["AU12"])
    assert np.nanmax(pleading["AU01"]) > 0.35 > np.nanmean(laughing["AU01"]) + 0.2


def test_closed_eyes_are_au45(woman_analysis: Analysis) -> None:
    units = woman_analysis.timeline("face.action_units")
    assert np.nanmean(units.crop(1.9, 2.3)["AU45"]) > 0.5      # she presses her eyes shut
    assert np.nanmean(units.crop(7.9, 8.1)["AU45"]) < 0.25     # she looks up, eyes wide open


@pytest.mark.parametrize("unit", ["AU01", "AU02", "AU07", "AU10", "AU12", "AU16", "AU17", "AU25", "AU45"])
def test_an_action_unit_moves_in_the_womans_face(unit: str, woman_analysis: Analysis) -> None:
    low, high = np.nanpercentile(woman_analysis.timeline("face.action_units")[unit], [5, 95])
    assert high - low > 0.1


@pytest.mark.parametrize("unit", ["AU04", "AU14", "AU24", "AU26", "AU28"])
def test_an_action_unit_moves_in_the_speakers_face(unit: str, obama_analysis: Analysis) -> None:
    low, high = np.nanpercentile(obama_analysis.timeline("face.action_units", "P1")[unit], [2, 98])
    assert high - low > 0.1


@pytest.mark.parametrize(
    ("portrait", "unit", "least"),
    [("surprised", "AU05", 0.25), ("surprised", "AU18", 0.5), ("surprised", "AU22", 0.15), ("surprised", "AU26", 0.3),
     ("disgusted", "AU15", 0.15), ("happy", "AU12", 0.9), ("happy", "AU20", 0.1), ("angry", "AU04", 0.5),
     ("fearful", "AU02", 0.2)],
)  # fmt: skip
def test_an_action_unit_shows_in_the_portrait_that_makes_it(
    portrait: str, unit: str, least: float, data: Path, tmp_path: Path
) -> None:
    found = analyze(data / "portraits" / f"stable_diffusion_{portrait}.png", tmp_path / "portrait.emotrace", report=False)
    assert found.timeline("face.action_units")[unit][0] > least
