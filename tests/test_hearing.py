"""Hearing: stretches on a grid, windows, and sound that is difficult in one way each."""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from emotrace import hearing
from emotrace.analysis import Analysis
from emotrace.api import analyze
from emotrace.errors import VideoError
from emotrace.hearing import LEAD, SAMPLE_RATE, STRETCH, TAIL, starts, stretches
from emotrace.scheme import PROSODY
from emotrace.settings import Settings
from emotrace.sound import Sound
from emotrace.store import Store
from emotrace.video import Video
from emotrace.views import VoiceSamples
from emotrace.voice.prosody import Prosody

VOICE_ONLY = Settings(components=("voice.prosody",))


def blocks(times: list[float], length: int) -> list[Sound]:
    """Blocks whose samples tell their own time in s."""
    return [Sound(t, (t + np.arange(length) / SAMPLE_RATE).astype(np.float32)) for t in times]


def write(path: Path, sound: np.ndarray, rate: int) -> Path:
    """A wav file of (n,) or (n, channels) -1..1."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if sound.ndim == 1 else sound.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((sound.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="module")
def spoken(obama: Path) -> np.ndarray:
    """Speech at 16 kHz."""
    return np.concatenate([block.samples for block in Video.open(obama).sound(SAMPLE_RATE)])


def heard(path: Path, out: Path, settings: Settings = VOICE_ONLY) -> Analysis:
    return analyze(path, out, settings=settings, report=False)


def test_stretches_hold_every_sample_at_its_time_with_what_surrounds_it() -> None:
    length = 4000
    given = blocks([0.5 + i * length / SAMPLE_RATE for i in range(600)], length)   # 150 s from 0.5 s on
    found = list(stretches(iter(given), 0.0, np.inf))
    assert [stretch.begin for stretch in found] == [0.0, 60.0, 120.0]
    assert [stretch.own for stretch in found] == [STRETCH, STRETCH, round(30.5 * SAMPLE_RATE)]
    for stretch in found:
        time = stretch.begin + (np.arange(len(stretch.sound)) - LEAD) / SAMPLE_RATE
        there = np.isfinite(stretch.sound)
        assert (there == ((time >= 0.5 - 1e-6) & (time < 150.5 - 1e-6))).all()
        np.testing.assert_allclose(stretch.sound[there], time[there], atol=1e-4)
    assert len(found[0].sound) == LEAD + STRETCH + TAIL


def test_a_hole_in_the_sound_stays_a_hole_and_start_and_end_cut() -> None:
    given = blocks([0.0, 1.0, 3.0, 4.0], SAMPLE_RATE)
    (stretch,) = stretches(iter(given), 0.5, 4.25)
    time = (np.arange(len(stretch.sound)) - LEAD) / SAMPLE_RATE
    expected = ((time >= 0.5) & (time < 2)) | ((time >= 3) & (time < 4.25))
    assert (np.isfinite(stretch.sound) == expected).all()


def test_every_second_lies_in_a_window() -> None:
    assert starts(0.3).tolist() == [0]
    assert starts(2.0).tolist() == [0]
    assert starts(2.4).tolist() == [0, 1]
    assert starts(5.0).tolist() == [0, 1, 2, 3]


def test_speech_is_measured_and_silence_is_not(spoken: np.ndarray, tmp_path: Path) -> None:
    sound = np.concatenate([np.zeros(4 * SAMPLE_RATE, np.float32), spoken])
    table = heard(write(tmp_path / "late.wav", sound, SAMPLE_RATE), tmp_path / "out").to_pandas("voice")
    before, after = table[table.end <= 4], table[(table.start >= 5) & (table.end <= 11)]
    assert (before.speech < 0.05).all()
    assert before[["pitch", "loudness", "hnr"]].isna().all(axis=None)
    assert (after.speech > 0.5).all()
    assert after.pitch.between(80, 300).all()   # a man's voice
    assert table.speaker.isna().all()           # nobody is visible


@pytest.mark.parametrize(("seconds", "begin"), [(0.9, 0), (3.3, 2)])
def test_behind_the_end_of_a_sound_is_no_silence(spoken: np.ndarray, tmp_path: Path, seconds: float, begin: int) -> None:
    speech = np.tile(spoken[2 * SAMPLE_RATE : 4 * SAMPLE_RATE], 2)[: round(seconds * SAMPLE_RATE)]
    table = heard(write(tmp_path / "short.wav", speech, SAMPLE_RATE), tmp_path / "out").to_pandas("voice")
    assert table.start.tolist() == list(range(begin + 1))
    clip = Video.open(tmp_path / "short.wav").sound(SAMPLE_RATE)
    known = np.concatenate([block.samples for block in clip])[begin * SAMPLE_RATE :]
    expected = Prosody().extract(VoiceSamples.whole(known, SAMPLE_RATE))[0]
    np.testing.assert_allclose(table[list(PROSODY.columns)].to_numpy()[-1], expected, rtol=1e-5)


def test_a_window_with_a_hole_is_measured_where_it_has_sound(spoken: np.ndarray) -> None:
    known = spoken[5 * SAMPLE_RATE : 7 * SAMPLE_RATE]
    cut = [Sound(0.0, known[: SAMPLE_RATE // 4]), Sound(0.5, known[SAMPLE_RATE // 2 :])]
    (stretch,) = stretches(iter(cut), 0.0, np.inf)
    table = hearing.Listener(VOICE_ONLY, "cpu").tables(stretch, last=True)["voice"].to_pandas()
    expected = Prosody().extract(VoiceSamples.whole(known[SAMPLE_RATE // 2 :], SAMPLE_RATE))[0]
    np.testing.assert_allclose(table[list(PROSODY.columns)].to_numpy()[0], expected, rtol=1e-5)


def test_where_the_file_has_no_sound_nothing_is_known_of_speech(spoken: np.ndarray) -> None:
    known = spoken[2 * SAMPLE_RATE : 4 * SAMPLE_RATE]
    (stretch,) = stretches(iter([Sound(0.0, known), Sound(6.5, known)]), 0.0, np.inf)
    tables = hearing.Listener(VOICE_ONLY, "cpu").tables(stretch, last=True)
    voice, sound = tables["voice"].to_pandas(), tables["sound"].to_pandas()
    assert voice.start[voice.speech.isna()].tolist() == [2.0, 3.0, 4.0]
    assert (voice.speech.dropna() > 0).all()
    assert sound.time[sound.speech.isna()].tolist() == pytest.approx(np.arange(63, 203) * 0.032)   # 2.016 to 6.496 s


def test_an_encoders_lead_before_0_is_no_second_of_its_own() -> None:
    begins = [next(stretches(iter(blocks([time], SAMPLE_RATE)), 0.0, np.inf)).begin for time in (-0.023, -0.5, 3.99, 4.0)]
    assert begins == [0.0, -1.0, 4.0, 4.0]


def test_a_recording_without_pictures_is_analysed_as_voice_alone(spoken: np.ndarray, tmp_path: Path) -> None:
    path = write(tmp_path / "voice.wav", spoken, SAMPLE_RATE)
    video = Video.open(path)
    assert (video.has_pictures, video.has_sound, video.sound_rate, video.width) == (False, True, SAMPLE_RATE, 0)
    analysis = heard(path, tmp_path / "out")
    assert analysis.finished
    assert analysis.people == ()
    assert [len(analysis.table(name)) for name in ("frames", "faces")] == [0, 0]
    assert len(analysis.table("voice")) == 8   # 8.7 s
    assert analysis.warnings == []
    assert analysis.timeline("voice.prosody").times[0] == pytest.approx(1.0)


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (96000, 1), (48000, 6)])
def test_any_rate_and_number_of_channels_is_heard_alike(spoken: np.ndarray, tmp_path: Path, rate: int, channels: int) -> None:
    time = np.arange(int(len(spoken) * rate / SAMPLE_RATE)) / rate
    again = np.interp(time, np.arange(len(spoken)) / SAMPLE_RATE, spoken)
    sound = again if channels == 1 else np.repeat(again[:, None], channels, axis=1) / 2
    analysis = heard(write(tmp_path / "sound.wav", sound, rate), tmp_path / "out")
    plain = heard(write(tmp_path / "plain.wav", spoken, SAMPLE_RATE), tmp_path / "plain")
    pitch, expected = (a.to_pandas("voice").pitch.to_numpy() for a in (analysis, plain))
    assert np.nanmedian(np.abs(pitch - expected) / expected) < 0.1
    assert bool(analysis.warnings) == (rate < SAMPLE_RATE)
    if analysis.warnings:
        assert "sampled at 8000 Hz: what a voice has above 4000 Hz is missing" in analysis.warnings[0]


def test_channels_that_are_alike_are_as_loud_as_one(spoken: np.ndarray, tmp_path: Path) -> None:
    both = write(tmp_path / "both.wav", np.repeat(spoken[:, None], 2, axis=1), SAMPLE_RATE)
    sound = np.concatenate([block.samples for block in Video.open(both).sound(SAMPLE_RATE)])
    np.testing.assert_allclose(sound, spoken.clip(-1, 1), atol=2**-14)


def test_channels_of_opposite_phase_are_heard_and_told(spoken: np.ndarray, tmp_path: Path) -> None:
    turned = write(tmp_path / "turned.wav", np.stack([spoken, -0.8 * spoken], axis=1), SAMPLE_RATE)
    analysis = heard(turned, tmp_path / "out")
    plain = heard(write(tmp_path / "plain.wav", spoken, SAMPLE_RATE), tmp_path / "plain")
    assert analysis.to_pandas("voice").equals(plain.to_pandas("voice"))
    assert plain.warnings == []
    (warning,) = analysis.warnings
    assert "cancel each other when they are mixed in 9 s of it" in warning
    assert "the left one is heard alone" in warning


def test_channels_are_mixed_but_where_they_cancel_each_other(spoken: np.ndarray, tmp_path: Path) -> None:
    part = 10 * SAMPLE_RATE
    left = np.tile(spoken, 4)[: 3 * part].clip(-1, 1)
    right = np.concatenate([np.roll(left, 4000)[:part], -left[part : 2 * part], np.zeros(part)])
    both = write(tmp_path / "both.wav", np.stack([left, right], axis=1), SAMPLE_RATE)
    blocks = list(Video.open(both).sound(SAMPLE_RATE))
    sound = np.concatenate([block.samples for block in blocks])
    turned = slice(11 * SAMPLE_RATE, 15 * SAMPLE_RATE)
    np.testing.assert_allclose(sound[turned], left[turned], atol=2**-14)
    for mixed in (slice(0, 9 * SAMPLE_RATE), slice(26 * SAMPLE_RATE, 30 * SAMPLE_RATE)):
        np.testing.assert_allclose(sound[mixed], (left + right)[mixed] / 2, atol=2**-14)
    assert 5 < sum(len(block.samples) for block in blocks if block.alone) / SAMPLE_RATE < 10.5


@pytest.mark.parametrize("channels", [3, 4, 6, 8, 9])
def test_every_one_of_channels_without_a_place_is_heard(spoken: np.ndarray, tmp_path: Path, channels: int) -> None:
    """As of microphones side by side: nothing says that the fourth of six is a subwoofer's."""
    alone = spoken[:SAMPLE_RATE].clip(-1, 1)
    for k in range(channels):
        several = np.zeros((len(alone), channels))
        several[:, k] = alone
        path = write(tmp_path / f"microphone{k}.wav", several, SAMPLE_RATE)
        sound = np.concatenate([block.samples for block in Video.open(path).sound(SAMPLE_RATE)])
        np.testing.assert_allclose(sound, alone / channels, atol=2**-15)


def test_a_channel_that_has_a_place_counts_as_it_is_mixed_for_listening(tmp_path: Path) -> None:
    path = tmp_path / "surround.flac"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("flac", rate=SAMPLE_RATE, layout="5.1(side)")
        values = np.zeros((SAMPLE_RATE, 6), np.int16)
        values[:, 2], values[:, 3] = 10_000, 20_000   # centre, subwoofer
        frame = av.AudioFrame.from_ndarray(values.reshape(1, -1), "s16", "5.1(side)")
        frame.sample_rate = SAMPLE_RATE
        file.mux([*stream.encode(frame), *stream.encode(None)])
    sound = np.concatenate([block.samples for block in Video.open(path).sound(SAMPLE_RATE)])
    np.testing.assert_allclose(sound, 10_000 / 2**15 / (1 + 2 * 0.5**0.5 + 2 * 0.5), rtol=1e-3)


def test_silence_and_clipping_are_told(spoken: np.ndarray, tmp_path: Path) -> None:
    silent = heard(write(tmp_path / "silent.wav", np.zeros(3 * SAMPLE_RATE), SAMPLE_RATE), tmp_path / "silent")
    assert "silent throughout" in silent.warnings[0]
    assert silent.to_pandas("voice").pitch.isna().all()
    clipped = heard(write(tmp_path / "clipped.wav", spoken * 50, SAMPLE_RATE), tmp_path / "clipped")
    assert "clipped in" in clipped.warnings[0]


def test_a_faint_sound_is_told_with_what_to_do(spoken: np.ndarray, tmp_path: Path) -> None:
    faint = heard(write(tmp_path / "faint.wav", spoken * 0.01, SAMPLE_RATE), tmp_path / "faint")
    loudest = faint.to_pandas("sound").level.max()
    assert -60 < loudest < -40
    assert faint.warnings == [
        f"the sound is faint, {loudest:.0f} dB where it is loudest, and speech in it may be missed; give what "
        f"`ffmpeg -i IN -c:v copy -af volume={-20 - loudest:.0f}dB OUT` makes"
    ]
    room = np.random.default_rng(0).normal(0, 0.001, 4 * SAMPLE_RATE)   # in which nobody speaks
    assert heard(write(tmp_path / "room.wav", room, SAMPLE_RATE), tmp_path / "room").warnings == []


def test_which_of_several_sound_tracks_is_heard_is_told(spoken: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as file:
        sounds = np.zeros_like(spoken), spoken   # a screen recorder's: of the computer, then of the microphone
        streams = [file.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="mono") for _ in sounds]
        for stream, sound in zip(streams, sounds, strict=True):
            frame = av.AudioFrame.from_ndarray((sound[None].clip(-1, 1) * 32767).astype(np.int16), "s16", "mono")
            frame.sample_rate, frame.time_base, frame.pts = SAMPLE_RATE, Fraction(1, SAMPLE_RATE), 0
            file.mux([*stream.encode(frame), *stream.encode(None)])
    several, silent = heard(path, tmp_path / "out").warnings
    assert several == ("the file has 2 sound tracks, of which the first is heard; for the second give what "
                       "`ffmpeg -i IN -map 0:a:1 -c copy OUT` makes")  # fmt: skip
    assert "silent throughout" in silent


def test_a_sound_that_was_not_to_be_heard_is_not_called_broken(face_noface: Path, tmp_path: Path) -> None:
    assert Video.open(face_noface).has_sound
    found = analyze(face_noface, tmp_path / "out", settings=Settings(components=("face.quality",), end=0.5), report=False)
    assert not any("decoded" in line for line in found.provenance["warnings"])


def test_music_is_no_speech(tmp_path: Path) -> None:
    time = np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE
    notes = np.array([262, 330, 392, 523])[(time * 2).astype(int) % 4]
    tune = 0.2 * sum(np.sin(2 * np.pi * k * notes * time) / k for k in (1, 2, 3)) * np.exp(-4 * (time * 2 % 1))
    table = heard(write(tmp_path / "tune.wav", tune, SAMPLE_RATE), tmp_path / "out").to_pandas("voice")
    assert (table.speech < hearing.MIN_SPEECH).all()
    assert table.pitch.isna().all()


def test_a_silent_track_and_no_track_at_all(woman_analysis: Analysis, steady: Path, tmp_path: Path) -> None:
    assert any("silent throughout" in warning for warning in woman_analysis.warnings)
    assert woman_analysis.to_pandas("emotions").rests_on.isin(["face", ""]).all()
    mute = heard(steady, tmp_path / "mute")
    assert not mute.video["has_sound"]
    assert len(mute.table("sound")) == len(mute.table("voice")) == 0


def test_sound_that_ends_long_after_the_pictures_is_told(steady: Path, spoken: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "long.mkv"
    with av.open(str(steady)) as reader, av.open(str(path), "w") as writer:
        picture = writer.add_stream_from_template(reader.streams.video[0])
        sound = writer.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="mono")
        for packet in reader.demux(video=0):
            if packet.dts is not None:
                packet.stream = picture
                writer.mux(packet)
        frame = av.AudioFrame.from_ndarray((spoken[None] * 32767).astype(np.int16), "s16", "mono")
        frame.sample_rate, frame.time_base, frame.pts = SAMPLE_RATE, Fraction(1, SAMPLE_RATE), 0
        writer.mux([*sound.encode(frame), *sound.encode(None)])
    analysis = heard(path, tmp_path / "out")
    assert any("the sound ends at 8." in warning and "pictures at 1.9" in warning for warning in analysis.warnings)
    assert analysis.table("voice")["end"].to_pylist()[-1] > 8


def test_sound_outside_of_start_and_end_is_not_called_damaged(obama: Path, tmp_path: Path) -> None:
    settings = Settings(components=("voice.prosody",), start=100.0)
    analysis = analyze(obama, tmp_path / "late", settings=settings, report=False)
    (pictures, sound) = analysis.warnings
    assert pictures == "no frame lies between start and end; the file goes from 0.00 to 8.71 s"
    assert sound == "no sound lies between start and end; it begins at 0.00 s"
    assert not any("decoded" in warning for warning in analysis.warnings)


def test_too_few_pictures_to_see_who_speaks_are_told(obama: Path, tmp_path: Path) -> None:
    seldom = analyze(obama, tmp_path / "seldom", settings=Settings(rate=2.0))
    assert any("too few pictures" in warning for warning in seldom.warnings)
    assert "never speaks" not in (seldom.folder / "report.html").read_text(encoding="utf-8")
    assert all(person.seconds <= 8.76 for person in seldom.people)


def test_a_file_of_neither_pictures_nor_sound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "words.srt"
    path.write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n", encoding="utf-8")
    with pytest.raises(VideoError, match="neither pictures nor sound"):
        Video.open(path)


def test_hearing_goes_on_at_a_stretch_with_the_same_numbers(spoken: np.ndarray, tmp_path: Path, monkeypatch) -> None:
    path = write(tmp_path / "long.wav", np.tile(spoken, 16)[: 130 * SAMPLE_RATE], SAMPLE_RATE)
    whole = heard(path, tmp_path / "whole")
    kept = Store.add_heard

    def fails_at_the_third(self: Store, part: int, *rest: object) -> None:
        if part == 2:
            raise KeyboardInterrupt
        kept(self, part, *rest)

    with monkeypatch.context() as broken:
        broken.setattr(Store, "add_heard", fails_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            heard(path, tmp_path / "again")
    assert len(list((tmp_path / "again" / "parts").glob("voice-*.parquet"))) == 2
    again = heard(path, tmp_path / "again")
    for name in ("sound", "voice"):
        assert again.to_pandas(name).equals(whole.to_pandas(name))
        assert len(again.table(name)) == {"sound": 4063, "voice": 129}[name]
