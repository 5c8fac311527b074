"""Readers of voice corpora on small copies of each published layout."""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from emotrace.corpora import catalogue, nemo, ravdess, savee, voices
from emotrace.corpora.voices import Voices
from emotrace.errors import InputError, UnknownNameError
from emotrace.scheme import VOICE_EXPRESSION

VOICE_CORPORA = list(catalogue.VOICES)
HEAD = "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage\n"


def tone(path: Path, seconds: float = 0.1, sample_rate: int = 16_000, channels: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    sound = 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * sample_rate)) / sample_rate)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(np.repeat(np.round(sound * 32767).astype("<i2"), channels).tobytes())
    return path


def encoded(path: Path, sample_rate: int, layout: str) -> Path:
    """A second of a tone as MP3."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libmp3lame", rate=sample_rate, layout=layout)
        wave_form = 0.5 * np.sin(2 * np.pi * 440 * np.arange(sample_rate) / sample_rate)
        channels = np.repeat(wave_form[None].astype(np.float32), stream.channels, axis=0)
        frame = av.AudioFrame.from_ndarray(channels, "fltp", layout)
        frame.sample_rate, frame.time_base, frame.pts = sample_rate, Fraction(1, sample_rate), 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def named(corpus: Voices) -> list[str]:
    return [VOICE_EXPRESSION.labels[i] for i in corpus.label]


def test_ravdess_has_all_in_its_file_names_with_or_without_the_actors_folders(tmp_path: Path) -> None:
    tone(tmp_path / "Actor_12" / "03-01-06-02-01-01-12.wav")
    tone(tmp_path / "03-01-02-01-02-01-07.wav")
    corpus = catalogue.read_voices("ravdess", tmp_path)
    assert corpus.origin.tolist() == ["03-01-02-01-02-01-07.wav", "Actor_12/03-01-06-02-01-01-12.wav"]
    assert named(corpus) == ["calm", "fear"]
    assert corpus.intensity.tolist() == [0.0, 1.0]
    assert corpus.speaker.tolist() == ["07", "12"]
    assert corpus.gender.tolist() == ["male", "female"]
    assert corpus.statement.tolist() == ["02", "01"]


def test_the_song_of_ravdess_is_not_mixed_with_its_speech(tmp_path: Path) -> None:
    tone(tmp_path / "03-01-05-01-01-01-01.wav")
    tone(tmp_path / "03-02-05-01-01-01-01.wav")
    assert ravdess.read(tmp_path).origin.tolist() == ["03-01-05-01-01-01-01.wav"]
    assert ravdess.read(tmp_path, "song").origin.tolist() == ["03-02-05-01-01-01-01.wav"]
    (tmp_path / "03-01-05-01-01-01-01.wav").unlink()
    with pytest.raises(InputError, match=r"expected speech, files named 03-01-.*found 1 others, as 03-02-05-01-01-01-01.wav"):
        ravdess.read(tmp_path)


def test_a_file_that_is_not_named_as_in_ravdess_is_named(tmp_path: Path) -> None:
    tone(tmp_path / "03-01-09-01-01-01-01.wav")   # there is no ninth emotion
    with pytest.raises(InputError, match=r"03-01-09-01-01-01-01.wav: expected a name of RAVDESS as 03-01-06-01-02-01-12.wav"):
        ravdess.read(tmp_path)


def test_nemo_finds_files_of_any_format_by_their_table(tmp_path: Path) -> None:
    first = "WR0_surprised_64.wav\tsurprised\tUcho.\tucho\t        WR0\tmale\t23\n"
    (tmp_path / "data.tsv").write_text(HEAD + first + "EB0_sadness_1.wav\tsadness\tLas.\tlas\tEB0\tfemale\t27\n")
    tone(tmp_path / "samples" / "WR0_surprised_64.wav")
    with pytest.raises(InputError, match=r"1 of 2 files that data.tsv lists are not there, as EB0_sadness_1.wav"):
        nemo.read(tmp_path)
    tone(tmp_path / "samples" / "EB0_sadness_1.wav").rename(tmp_path / "samples" / "EB0_sadness_1.opus")
    corpus = catalogue.read_voices("nemo", tmp_path)
    assert named(corpus) == ["surprise", "sadness"]
    assert corpus.speaker.tolist() == ["WR0", "EB0"]
    assert corpus.gender.tolist() == ["male", "female"]
    assert corpus.origin.tolist() == ["samples/WR0_surprised_64.wav", "samples/EB0_sadness_1.opus"]
    assert np.isnan(corpus.intensity).all()


def test_a_table_without_a_column_says_which(tmp_path: Path) -> None:
    (tmp_path / "data.tsv").write_text("file_id\temotion\n")
    with pytest.raises(InputError, match="no column 'normalized_text'"):
        nemo.read(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"WR0_surprised_64.wav\tsurprised\n", "data.tsv:2: expected 7 cells as in the head, found 2"),
        (b"a.wav\tsleepy\tUcho.\tucho\tWR0\tmale\t23\n", "data.tsv:2: 'sleepy' is no known expression"),
        (b"\xff\xfe\n", "data.tsv: is no table of text in UTF-8"),
    ],
)
def test_a_row_of_nemo_that_cannot_be_read_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "data.tsv").write_bytes(HEAD.encode() + content)
    tone(tmp_path / "samples" / "a.wav")
    with pytest.raises(InputError, match=words) as caught:
        nemo.read(tmp_path)
    assert "\n" not in str(caught.value)


def test_the_table_of_nemo_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "data.tsv").write_text(HEAD + "a.wav\tanger\tUcho.\tucho\tWR0\tmale\t23\n", encoding="utf-8-sig")
    tone(tmp_path / "samples" / "a.wav")
    assert named(nemo.read(tmp_path)) == ["anger"]


def test_savee_knows_the_speaker_from_the_name_or_from_the_folder(tmp_path: Path) -> None:
    tone(tmp_path / "DC_sa01.wav")
    tone(tmp_path / "JE" / "su15.wav")
    tone(tmp_path / "KL" / "a03.wav")
    corpus = catalogue.read_voices("savee", tmp_path)
    assert list(zip(corpus.speaker.tolist(), named(corpus), strict=True)) == [
        ("DC", "sadness"), ("JE", "surprise"), ("KL", "anger"),
    ]  # fmt: skip
    tone(tmp_path / "nobody" / "a01.wav")
    with pytest.raises(InputError, match=r"expected a name of SAVEE as DC_a01.wav or DC/a01.wav"):
        savee.read(tmp_path)


def test_sentences_that_lie_in_a_corpus_twice_are_read_once(tmp_path: Path) -> None:
    for folder in ("Actor_12", "audio_speech_actors_01-24/Actor_12"):   # as at Kaggle
        tone(tmp_path / "ravdess" / folder / "03-01-06-02-01-01-12.wav")
        tone(tmp_path / "ravdess" / folder / "03-01-06-02-01-02-12.wav")
    origin = ravdess.read(tmp_path / "ravdess").origin.tolist()
    assert origin == ["Actor_12/03-01-06-02-01-01-12.wav", "Actor_12/03-01-06-02-01-02-12.wav"]
    for folder in ("AudioData/AudioData/DC", "AudioData/DC", "AudioData/JE"):
        tone(tmp_path / "savee" / folder / "a01.wav")
    corpus = savee.read(tmp_path / "savee")
    assert (corpus.speaker.tolist(), corpus.statement.tolist()) == (["DC", "JE"], ["a01", "a01"])


def test_a_folder_a_class_with_and_without_splits(tmp_path: Path) -> None:
    tone(tmp_path / "test" / "Calm" / "a.wav")
    tone(tmp_path / "train" / "angry" / "b.wav")
    corpus = catalogue.read_voices("folder", tmp_path)
    assert named(corpus) == ["calm", "anger"]
    assert corpus.split.tolist() == ["test", "train"]
    assert len(corpus.of_split("test")) == 1
    with pytest.raises(InputError, match="has no split 'dev'; it has: test, train"):
        corpus.of_split("dev")


def test_folders_of_recordings_named_after_no_expression_are_named(tmp_path: Path) -> None:
    tone(tmp_path / "train" / "angry" / "a.wav")
    (tmp_path / "train" / "angry" / "folder.wav").mkdir()
    (tmp_path / "notes").mkdir()
    tone(tmp_path / "train" / "contempt" / "b.wav")   # of faces: the voice has none
    assert named(voices.read_classes(tmp_path)) == ["anger"]
    tone(tmp_path / "train" / "hapy" / "c.wav")
    with pytest.raises(InputError, match=r"no expression \(train/hapy\); expected folders named afraid, an, .*happy"):
        voices.read_classes(tmp_path)


def test_recordings_of_expressions_that_the_voice_has_not_are_refused(tmp_path: Path) -> None:
    tone(tmp_path / "contempt" / "a.wav")
    with pytest.raises(InputError, match=r"named after no expression \(contempt\); expected folders named afraid"):
        voices.read_classes(tmp_path)


@pytest.mark.parametrize("name", VOICE_CORPORA)
def test_every_voice_corpus_refuses_an_empty_folder_in_one_line_and_says_what_it_expects(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="expected") as caught:
        catalogue.read_voices(name, tmp_path)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_an_unknown_corpus_of_voices_lists_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="no corpus of voices 'fer'; there are: ravdess, nemo, savee, folder"):
        catalogue.read_voices("fer", tmp_path)


def test_any_sample_rate_and_channels_become_16_khz_mono(tmp_path: Path) -> None:
    sound = voices.decode(tone(tmp_path / "a.wav", 0.5, sample_rate=44_100, channels=2))
    assert sound.dtype == np.float32
    assert sound.ndim == 1
    assert len(sound) == pytest.approx(8000, abs=2)
    peak = np.abs(np.fft.rfft(sound[:8000])).argmax() * 2   # bins of 2 Hz
    assert peak == 440
    assert np.abs(sound[2000:6000]).max() == pytest.approx(0.5, abs=0.01)


def test_two_channels_that_cancel_each_other_are_heard_as_analyze_hears_them(tmp_path: Path) -> None:
    one = tone(tmp_path / "one.wav", 0.5)
    samples = np.frombuffer(one.read_bytes()[44:], "<i2")
    with wave.open(str(tmp_path / "two.wav"), "wb") as file:
        file.setparams((2, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.stack([samples, -samples], axis=1).tobytes())
    assert (voices.decode(tmp_path / "two.wav") == voices.decode(one)).all()


def test_a_recording_that_changes_its_rate_and_channels_or_has_a_damaged_packet_is_heard_all_the_same(tmp_path: Path) -> None:
    parts = [encoded(tmp_path / "a.mp3", 44_100, "mono"), encoded(tmp_path / "b.mp3", 22_050, "stereo")]
    (tmp_path / "joined.mp3").write_bytes(b"".join(part.read_bytes() for part in parts))
    assert len(voices.decode(tmp_path / "joined.mp3")) == pytest.approx(2 * 16_000, rel=0.1)
    content = bytearray(parts[0].read_bytes())
    content[len(content) // 2 : len(content) // 2 + 600] = bytes(600)
    (tmp_path / "damaged.mp3").write_bytes(content)
    sound = voices.decode(tmp_path / "damaged.mp3")
    assert np.abs(sound[1600:4800]).max() > 0.3
    assert np.abs(sound[-4800:-1600]).max() > 0.3


def test_sound_in_memory_is_taken_as_it_is_and_files_are_decoded_once(tmp_path: Path) -> None:
    corpus = voices.table("made", [tone(tmp_path / "a.wav"), np.zeros(3, np.float32)], [0, 1], ["a", "b"])
    decoded = corpus.decoded()
    (tmp_path / "a.wav").unlink()
    assert [len(sound) for sound in decoded.clips()] == [1600, 3]
    assert decoded[np.array([False, True])].clips()[0] is corpus.recordings[1]


def test_a_file_that_is_no_sound_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"no sound at all")
    with pytest.raises(InputError, match=r"a.wav: is no sound that can be decoded"):
        voices.decode(tmp_path / "a.wav")
    with av.open(str(tmp_path / "b.mkv"), "w") as container:
        stream = container.add_stream("mpeg4", 25)
        stream.width = stream.height = 32
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(InputError, match=r"b.mkv: holds no sound that can be decoded"):
        voices.decode(tmp_path / "b.mkv")


def test_columns_of_another_length_are_refused() -> None:
    with pytest.raises(InputError, match=r"column label must be \(1,\), got \(2,\)"):
        voices.table("made", [np.zeros(3, np.float32)], [0, 1], ["a"])


def test_the_real_corpora_are_as_their_papers_say(data: Path) -> None:
    spoken = ravdess.read(data / "ravdess")
    assert len(spoken) == 1200
    assert len(set(spoken.speaker)) == 20
    assert np.bincount(spoken.label).tolist() == [160, 160, 160, 160, 160, 160, 80, 160]   # half as many neutral
    assert {"03-01-01-01-01-01-01.flac"} <= {Path(origin).name for origin in spoken.origin[:60]}
    polish = nemo.read(data / "nemo")
    assert len(polish) == 3401
    assert len(set(polish.speaker)) == 7
    assert set(named(polish)) == {"anger", "fear", "happiness", "sadness", "surprise", "neutral"}
