"""Cuts: found where a person sees them, and not in pans, flashes or laughter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emotrace.shots import ShotDetector
from emotrace.video import Video


def cut_times(path: Path) -> list[float]:
    detector, found = ShotDetector(), []
    for chunk in Video.open(path).chunks(rate=0.5):
        found += chunk.time[detector.update(chunk.luma)[0]].tolist()
    return found


def luma(*levels: int) -> np.ndarray:
    return np.stack([np.full((36, 64), level, np.uint8) for level in levels])


def test_a_planted_cut_is_found_at_its_first_frame_and_starts_a_shot() -> None:
    cuts, shots = ShotDetector().update(luma(50, 51, 50, 120, 121, 120, 121))
    assert np.flatnonzero(cuts).tolist() == [3]
    assert shots.tolist() == [0, 0, 0, 1, 1, 1]


def test_a_flash_of_one_frame_is_no_cut() -> None:
    cuts, _ = ShotDetector().update(luma(50, 51, 50, 200, 50, 51, 50))
    assert not cuts.any()


def test_a_fast_pan_is_no_cut() -> None:
    cuts, _ = ShotDetector().update(luma(50, 51, 50, 70, 92, 115, 140, 160))
    assert not cuts.any()


def test_chunks_do_not_matter() -> None:
    levels = [50, 51, 50, 120, 121, 120, 30, 31, 30, 30, 31, 30]
    whole, _ = ShotDetector().update(luma(*levels, 30))
    detector = ShotDetector()
    parts = [detector.update(luma(*levels, 30)[i : i + 4])[0] for i in range(0, 12, 3)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert np.flatnonzero(whole).tolist() == [3, 6]


def test_there_is_no_cut_in_a_single_take(woman: Path, obama: Path) -> None:
    assert cut_times(woman) == []
    assert cut_times(obama) == []


def test_the_debate_cuts_once_to_the_split_screen(data: Path) -> None:
    assert cut_times(data / "clips" / "debate_two_people_cuts.mp4") == pytest.approx([2.5417], abs=1e-3)


def test_the_stage_clip_cuts_three_times(data: Path) -> None:
    assert cut_times(data / "clips" / "stage_and_audience.mp4") == pytest.approx([1.519, 3.588, 7.892], abs=1e-3)
