"""Cuts: found where a person sees them, and not in pans, flashes or laughter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emotrace.shots import AHEAD, ShotDetector
from emotrace.video import Video


def seen(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Luma and times (s) of all frames."""
    chunks = list(Video.open(path).chunks(rate=0.5))
    return np.concatenate([chunk.luma[:-AHEAD] for chunk in chunks]), np.concatenate([chunk.time for chunk in chunks])


def cuts_of(pictures: np.ndarray, chunk: int = 7) -> np.ndarray:
    """Frames at which pictures (n, h, w) cut, found chunk by chunk."""
    detector, found = ShotDetector(), []
    padded = np.concatenate([pictures, np.repeat(pictures[-1:], AHEAD, 0)])
    for start in range(0, len(pictures), chunk):
        cuts, _ = detector.update(padded[start : min(start + chunk, len(pictures)) + AHEAD])
        found += (start + np.flatnonzero(cuts)).tolist()
    return np.array(found, int)


def cut_times(path: Path) -> list[float]:
    pictures, times = seen(path)
    return times[cuts_of(pictures)].tolist()


def luma(*levels: int) -> np.ndarray:
    return np.stack([np.full((36, 64), level, np.uint8) for level in levels])


def test_a_planted_cut_is_found_at_its_first_frame_and_starts_a_shot() -> None:
    cuts, shots = ShotDetector().update(luma(50, 51, 50, 120, 121, 120, 121, 121, 121, 121))
    assert np.flatnonzero(cuts).tolist() == [3]
    assert shots.tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("levels", "begin"),
    [
        ((50, 51, 50, 85, 120, 121, 120), 4),           # a frame in which both scenes are mixed
        ((50, 51, 50, 73, 96, 120, 121, 120), 5),       # two
        ((50, 51, 50, 0, 120, 121, 120), 4),            # a black frame
        ((50, 51, 50, 255, 50, 51, 120, 121, 120), 6),  # a flash, and two frames later a cut
        ((50, 50, 50, 50, 120, 120, 120, 120, 120), 4),
    ],
)
def test_a_cut_is_found_over_mixed_and_blank_frames_and_behind_a_flash(levels: tuple[int, ...], begin: int) -> None:
    for chunk in (1, 3, 20):
        assert cuts_of(luma(*levels), chunk).tolist() == [begin]


def test_a_flash_of_one_frame_is_no_cut() -> None:
    assert len(cuts_of(luma(50, 51, 50, 200, 50, 51, 50))) == 0


def test_a_fast_pan_is_no_cut() -> None:
    assert len(cuts_of(luma(50, 51, 50, 70, 92, 115, 140, 160))) == 0


def test_chunks_do_not_matter() -> None:
    levels = luma(50, 51, 50, 120, 121, 120, 30, 31, 30, 30, 31, 90, 150, 151, 150)
    for chunk in (1, 2, 3, 4, 20):
        assert cuts_of(levels, chunk).tolist() == [3, 6, 12]


def test_there_is_no_cut_in_a_single_take(woman: Path, obama: Path) -> None:
    assert cut_times(woman) == []
    assert cut_times(obama) == []


def test_the_debate_cuts_once_to_the_split_screen(data: Path) -> None:
    assert cut_times(data / "clips" / "debate_two_people_cuts.mp4") == pytest.approx([2.5417], abs=1e-3)


def test_the_stage_clip_cuts_three_times(data: Path) -> None:
    assert cut_times(data / "clips" / "stage_and_audience.mp4") == pytest.approx([1.519, 3.588, 7.892], abs=1e-3)


def at_rate(pictures: np.ndarray, times: np.ndarray, seen: float, stored: float) -> tuple[np.ndarray, np.ndarray]:
    """What a camera of so many pictures a second gives, stored in a film of more frames a second; frames are repeated."""
    ticks = np.arange(times[0], times[-1], 1 / stored)
    held = times[0] + np.floor((ticks - times[0]) * seen + 1e-6) / seen
    return pictures[np.searchsorted(times, held + 1e-6) - 1], ticks


@pytest.mark.parametrize(("rate", "stored"), [(12.0, 24.0), (15.0, 30.0), (10.0, 30.0), (12.0, 12.0)])
def test_repeated_frames_and_low_rates_hide_and_make_no_cuts(data: Path, woman: Path, rate: float, stored: float) -> None:
    pictures, times = at_rate(*seen(data / "clips" / "stage_and_audience.mp4"), rate, stored)
    found = times[cuts_of(pictures)]
    for cut in (1.519, 3.588, 7.892):
        assert np.abs(found - cut).min() < 1.01 / rate
    assert len(found) <= 5   # the first cut leads into a pan, whose steps at 12 a second are as large as it
    for single in (woman, data / "clips" / "strong_expressions_d9.mp4"):
        assert len(cuts_of(at_rate(*seen(single), rate, stored)[0])) == 0


def test_cuts_over_frames_that_were_mixed_are_found(data: Path) -> None:
    pictures, times = seen(data / "clips" / "stage_and_audience.mp4")
    mixed = ((pictures[1:].astype(int) + pictures[:-1]) // 2).astype(np.uint8)
    assert times[1:][cuts_of(mixed)] == pytest.approx([1.519, 3.588, 7.892], abs=0.04)


def test_a_black_frame_at_a_cut_does_not_hide_it(face_noface: Path) -> None:
    pictures, _ = seen(face_noface)
    assert cuts_of(pictures).tolist() == [73]
