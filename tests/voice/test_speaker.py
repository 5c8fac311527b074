"""Who speaks: on planted mouths, and on real talkers with the sound of one of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emotrace.api import analyze
from emotrace.settings import Settings
from emotrace.voice.speaker import Loudness, Mouths, Pictures, often_enough, opening, speakers

RATE, HOP = 25, 0.032


def syllables(seed: int, seconds: float = 6.0) -> tuple[np.ndarray, np.ndarray]:
    """Times every 10 ms, and an envelope 0..1 of syllables at random moments, about four a second."""
    random = np.random.default_rng(seed)
    time = np.arange(0, seconds, 0.01)
    moments = np.cumsum(random.uniform(0.15, 0.4, int(seconds * 5)))
    return time, np.exp(-0.5 * ((time[:, None] - moments) / 0.05) ** 2).max(axis=1)


def mouth(envelope: np.ndarray, height: float, person: int, shot: int = 0, noise: int = 0) -> Mouths:
    frames = np.arange(0, 6, 1 / RATE)
    gap = 0.01 + height * np.interp(frames, np.arange(0, 6, 0.01), envelope)
    gap = gap + np.random.default_rng(noise).normal(0, 0.001, len(gap))
    return Mouths(frames, np.full(len(frames), person), np.full(len(frames), shot, np.int32), gap.astype(np.float32))


def together(*mouths: Mouths) -> Mouths:
    parts = [np.concatenate(column) for column in zip(*((m.time, m.person, m.shot, m.opening) for m in mouths), strict=True)]
    order = np.argsort(parts[0], kind="stable")
    return Mouths(*(part[order] for part in parts))


def shown(cut: float = 6.0) -> Pictures:
    """Six seconds of pictures, with another shot from the cut on."""
    frames = np.arange(0, 6, 1 / RATE)
    return Pictures(frames, (frames >= cut).astype(np.int32))


def loudness(envelope: np.ndarray) -> Loudness:
    time = np.arange(0, 6, HOP)
    return Loudness(time, (-60 + 45 * np.interp(time, np.arange(0, 6, 0.01), envelope)).astype(np.float32))


def test_the_mouth_that_follows_the_sound_is_the_speakers() -> None:
    _, spoken = syllables(1)
    _, other = syllables(2)
    faces = together(mouth(other, 0.1, 0), mouth(spoken, 0.1, 1))
    who, score = speakers(faces, shown(), loudness(spoken), np.array([1.0, 2.0, 3.0]), 2.0)
    assert who.tolist() == [1, 1, 1]
    assert (score > 0.5).all()


def test_a_still_mouth_does_not_speak_and_an_off_screen_voice_is_nobodys() -> None:
    _, spoken = syllables(1)
    who, score = speakers(mouth(np.zeros(600), 0.0, 0), shown(), loudness(spoken), np.array([2.0]), 2.0)
    assert who.tolist() == [-1]
    assert np.isnan(score[0])


def test_a_face_of_another_shot_is_not_asked() -> None:
    _, spoken = syllables(1)
    late = mouth(spoken, 0.1, 1, shot=1)
    early = mouth(syllables(3)[1], 0.1, 0)
    faces = together(early[early.time < 3.6], late[late.time >= 3.6])
    assert speakers(faces, shown(3.6), loudness(spoken), np.array([2.0]), 2.0)[0][0] == 0   # most of it is the first shot
    assert speakers(faces, shown(3.6), loudness(spoken), np.array([3.5]), 2.0)[0][0] == 1


def test_the_shot_of_a_window_is_that_of_most_pictures_and_not_of_most_faces() -> None:
    _, spoken = syllables(1)
    early = mouth(spoken, 0.1, 0)
    faces = early[early.time < 3.0]
    assert speakers(faces, shown(3.0), loudness(spoken), np.array([1.5]), 2.0)[0].tolist() == [0]
    assert speakers(faces, shown(3.0), loudness(spoken), np.array([2.5]), 2.0)[0].tolist() == [-1]


def test_ten_pictures_a_second_show_who_speaks_and_three_do_not() -> None:
    assert often_enough(None, 25.0, 2.0)
    assert often_enough(10.0, 25.0, 2.0)
    assert often_enough(None, None, 2.0)
    assert not often_enough(3.0, 25.0, 2.0)
    assert not often_enough(None, 3.0, 2.0)


def test_too_few_frames_to_follow_a_syllable_name_nobody() -> None:
    _, spoken = syllables(1)
    seldom = mouth(spoken, 0.1, 0)[slice(None, None, 12)]
    assert speakers(seldom, shown(), loudness(spoken), np.array([2.0]), 2.0)[0].tolist() == [-1]


def test_opening_is_a_share_of_the_face() -> None:
    x, y = np.zeros((1, 68), np.float32), np.zeros((1, 68), np.float32)
    y[0, 8], y[0, [65, 66, 67]] = 100, 12   # chin 100 px below the bridge of the nose, lips 12 px apart
    assert opening(x, y) == pytest.approx(0.12)


# Who is heard in the debate (s from, s to, who): times by an automatic transcript, given by hand to the man who is known to
# have said the words; good to a few tenths of a second. P1 is the man of the first shot.
TURNS = (
    (0.0, 1.64, "P1"), (1.64, 7.36, "P2"), (7.36, 8.52, "P1"), (8.52, 9.36, "P2"), (9.36, 9.88, "P1"), (9.88, 11.7, "P2"),
    (11.7, 13.0, "P1"), (13.0, 17.0, "P2"),
)  # fmt: skip


def test_in_the_debate_most_windows_name_who_is_heard(data: Path, tmp_path: Path) -> None:
    clip = data / "clips" / "debate_two_people_cuts.mp4"
    analysis = analyze(clip, tmp_path / "debate", settings=Settings(components=("voice.activity", "face.identity")))
    voice = analysis.table("voice")
    right = asked = 0
    for start, named in zip(voice["start"].to_pylist(), voice["speaker"].to_pylist(), strict=True):
        heard = {who: sum(max(0.0, min(start + 2, b) - max(start, a)) for a, b, k in TURNS if k == who) for who in ("P1", "P2")}
        best = max(heard, key=heard.__getitem__)
        if heard[best] >= 0.7 * sum(heard.values()):   # elsewhere both are heard
            asked, right = asked + 1, right + (named == best)
    assert asked >= 10
    assert right / asked >= 0.8
