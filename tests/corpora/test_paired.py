"""The constructed corpus: who is in which part, what a clip holds, and that making it again changes nothing."""

from __future__ import annotations

import csv
import shutil
import wave
from pathlib import Path

import cv2
import numpy as np
import pytest

from emotrace.corpora import moving_face, paired, ravdess
from emotrace.corpora.table import Faces, table
from emotrace.corpora.voices import Voices, decode
from emotrace.errors import FolderError, InputError
from emotrace.face.detect import Detector
from emotrace.scheme import EXPRESSION_7
from emotrace.video import Video

ACTORS = tuple(range(1, 11))
SMALL = paired.Config(train=2, val=1, test=1)


def say(file: Path, pitch: float, seconds: float = 0.5, silence: float = 0.7) -> None:
    """A tone with silence before and after, 16 kHz."""
    file.parent.mkdir(parents=True, exist_ok=True)
    quiet = np.zeros(int(silence * 16000))
    tone = 0.3 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * 16000)) / 16000)
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16000)
        out.writeframes((np.concatenate([quiet, tone, quiet]) * 32767).astype("<i2").tobytes())


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Voices:
    folder = tmp_path_factory.mktemp("ravdess")
    for actor in ACTORS:
        for emotion in range(1, 9):
            say(folder / f"Actor_{actor:02d}" / f"03-01-{emotion:02d}-01-01-01-{actor:02d}.wav", 100 + 10 * actor)
    return ravdess.read(folder)


@pytest.fixture(scope="module")
def faces() -> Faces:
    """Ten pictures of noise for each class in Training and in PublicTest; one PublicTest picture is a Training picture."""
    rng = np.random.default_rng(0)
    pictures = list(rng.integers(0, 256, (140, 48, 48), np.uint8))
    pictures[-1] = pictures[69]
    label = np.tile(np.repeat(np.arange(7), 10), 2).tolist()
    split = ["Training"] * 70 + ["PublicTest"] * 70
    return table("FER2013", pictures, label, [str(i) for i in range(140)], split=split)


@pytest.fixture(scope="module")
def corpus(faces: Faces, voices: Voices, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paired") / "corpus"
    paired.make(faces, voices, folder, SMALL)
    return folder


def listed(corpus: Path) -> list[dict[str, str]]:
    with (corpus / paired.LIST).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_every_part_has_as_many_clips_of_each_class_as_asked_for(corpus: Path) -> None:
    clips = paired.read(corpus)
    counts = {split: clips.of_split(split).counts(EXPRESSION_7) for split in ("Train", "Val", "Test")}
    assert counts == {
        split: dict.fromkeys(EXPRESSION_7.labels, n) for split, n in (("Train", 2), ("Val", 1), ("Test", 1))
    }
    assert clips.unreadable() == {}


def test_no_speaker_and_no_face_is_in_two_parts_and_the_labels_agree(corpus: Path, faces: Faces) -> None:
    clips, rows = paired.read(corpus), listed(corpus)
    where = {row["clip"]: row for row in rows}
    parts = {split: set(clips.of_split(split).subject) for split in ("Train", "Val", "Test")}
    assert sum(map(len, parts.values())) == len(set().union(*parts.values()))
    shown = [int(where[origin]["row"]) for origin in clips.origin]
    heard = [where[origin]["voice"] for origin in clips.origin]
    assert len(set(shown)) == len(set(heard)) == len(clips)
    assert (faces.label[shown] == clips.label).all()
    assert all((faces.split[face] == "Training") == (split == "Train") for face, split in zip(shown, clips.split, strict=True))
    code = {"03": "happiness", "04": "sadness", "05": "anger", "06": "fear", "07": "disgust", "08": "surprise", "01": "neutral"}
    spoken = [code[Path(voice).stem.split("-")[2]] for voice in heard]
    assert spoken == [EXPRESSION_7.labels[i] for i in clips.label]


def test_a_face_that_is_in_training_too_is_never_held_out(faces: Faces) -> None:
    parts = paired.share_faces(faces, np.random.default_rng(0))
    assert 139 not in set(parts["Val"]) | set(parts["Test"])
    assert 69 in set(parts["Train"])
    held_out = [np.bincount(faces.label[parts[split]]).tolist() for split in ("Val", "Test")]
    assert held_out == [[5] * 7, [5] * 6 + [4]]


def test_women_and_men_are_in_every_part(voices: Voices) -> None:
    parts = paired.share_voices(voices, np.random.default_rng(3))
    assert all(set(voices.gender[rows]) == {"female", "male"} for rows in parts.values())
    assert sorted(len(set(voices.speaker[rows])) for rows in parts.values()) == [2, 2, len(ACTORS) - 4]


def test_a_clip_has_pictures_at_25_a_second_and_its_voice_without_the_silence(corpus: Path) -> None:
    row = listed(corpus)[0]
    video = Video.open(corpus / row["clip"])
    images = np.concatenate([chunk.images for chunk in video.chunks()])
    sound = np.concatenate([block.samples for block in video.sound(16000)])
    assert (video.rate, video.width, video.height) == (25, moving_face.WIDTH, moving_face.HEIGHT)
    assert len(images) / 25 == pytest.approx(0.5 + 2 * 0.3, abs=0.08)  # of 1.9 s
    assert len(sound) / 16000 == pytest.approx(len(images) / 25, abs=0.1)
    pitch = np.abs(np.fft.rfft(sound)).argmax() * 16000 / len(sound)
    assert pitch == pytest.approx(100 + 10 * int(row["speaker"]), abs=2)


def test_the_pictures_of_a_clip_are_those_that_were_drawn(corpus: Path, faces: Faces, voices: Voices) -> None:
    row = listed(corpus)[0]
    face = faces.pictures[int(row["row"])]
    assert isinstance(face, np.ndarray)
    images = np.concatenate([chunk.images for chunk in Video.open(corpus / row["clip"]).chunks()])
    moved = moving_face.moved_by(moving_face.trimmed(decode(voices.recordings[int(row["spoken"])])))
    drawn = list(moving_face.pictures(face, moved, np.random.default_rng(int(row["seed"]))))
    for k in (0, len(images) - 1):
        assert np.abs(images[k].astype(float) - drawn[k][:, :, None]).mean() < 4  # grey levels, after H.264
        assert np.ptp(images[k], axis=2).max() <= 2  # grey stays grey


def test_the_face_moves_smoothly() -> None:
    path = moving_face.motion(np.zeros((2, 100)), np.random.default_rng(5))
    middle = path @ np.array([moving_face.SIDE / 2, moving_face.SIDE / 2, 1])
    steps = np.linalg.norm(np.diff(middle, axis=0), axis=1)
    assert np.abs(middle - [moving_face.WIDTH / 2, moving_face.HEIGHT / 2]).max() <= moving_face.SHIFT
    assert 0 < steps.max() < 5


def test_the_head_nods_with_the_loudness_and_sways_with_the_pitch() -> None:
    time = np.arange(16000) / 16000
    low, high = np.sin(2 * np.pi * 200 * time), np.sin(2 * np.pi * 400 * time)
    sound = np.concatenate([0.025 * low, 0.4 * low, 0.4 * low, 0.1 * high, 0 * low]) * np.sqrt(2)
    moved = moving_face.moved_by(sound.astype(np.float32))
    assert moved.shape == (2, 125)
    assert moved[0, [12, 37, 62]] == pytest.approx(0, abs=0.5)
    assert moved[0, 87] == pytest.approx(moving_face.SWAY, abs=0.5)        # an octave up
    assert moved[1, [12, 37, 87, 112]] == pytest.approx(moving_face.NOD * np.array([0.5, 1, 1, 0]), abs=0.5)
    still, moving = (moving_face.motion(each, np.random.default_rng(5))[:, :, 2] for each in (np.zeros((2, 125)), moved))
    assert pytest.approx(moved) == (moving - still).T
    assert not moving_face.moved_by(np.zeros(16000, np.float32)).any()


def test_making_it_again_gives_the_same_bytes_and_makes_only_what_is_missing(
    corpus: Path, faces: Faces, voices: Voices
) -> None:
    first, *others = sorted(corpus.rglob("*.mp4"))
    before, content = [file.stat().st_mtime_ns for file in others], first.read_bytes()
    first.unlink()
    paired.make(faces, voices, corpus, SMALL)
    assert first.read_bytes() == content
    assert [file.stat().st_mtime_ns for file in others] == before


def test_another_corpus_in_the_folder_is_not_mixed_with_this_one(corpus: Path, faces: Faces, voices: Voices) -> None:
    with pytest.raises(FolderError, match="holds a corpus made with other settings"):
        paired.make(faces, voices, corpus, paired.Config(train=2, val=1, test=1, seed=1))


def test_clips_that_were_made_another_way_are_not_gone_on_with(
    corpus: Path, faces: Faces, voices: Voices, tmp_path: Path
) -> None:
    older = shutil.copytree(corpus, tmp_path / "older")
    (older / "README.txt").write_text((older / "README.txt").read_text().replace("second way", "first way"))
    with pytest.raises(FolderError, match="another version made in another way"):
        paired.make(faces, voices, older, SMALL)


def test_more_clips_than_there_are_voices_are_refused(faces: Faces, voices: Voices, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Test/Angry: 5 clips wanted, there are 5 faces and 2 voices for it; ask for fewer"):
        paired.make(faces, voices, tmp_path / "much", paired.Config(train=1, val=1, test=5))
    assert not (tmp_path / "much").exists()


def test_a_folder_without_its_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no clips.csv; make the corpus with python -m emotrace.corpora.paired"):
        paired.read(tmp_path)


def test_names_with_commas_keep_the_columns_of_the_list_apart(faces: Faces, voices: Voices, tmp_path: Path) -> None:
    origin = np.array([f'é, "{i}"' for i in range(len(faces))])
    named = table("FER2013", faces.pictures, faces.label.tolist(), origin.tolist(), split=faces.split.tolist())
    pairs = paired.plan(named, voices, paired.Config(train=1, val=0, test=0))
    paired.begin(tmp_path, pairs)
    paired.begin(tmp_path, pairs)   # the same list again is no other one
    for pair in pairs:
        (tmp_path / pair.clip).touch()
    assert sorted(paired.read(tmp_path).subject) == sorted(pair.speaker for pair in pairs)
    assert len(paired.unshown(named, tmp_path)) == len(named) - len(pairs)
    assert [row["face"] for row in listed(tmp_path)] == [origin[pair.row] for pair in pairs]


@pytest.mark.parametrize("wrong", [{"train": -1}, {"seed": -1}, {"train": 0, "val": 0, "test": 0}])
def test_fewer_clips_than_none_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InputError, match=r"got train .*; expected numbers of 0 and above, and a clip in some part"):
        paired.Config(**wrong)


def test_a_list_that_is_damaged_names_its_row(faces: Faces, corpus: Path, tmp_path: Path) -> None:
    (tmp_path / paired.LIST).write_text("clip,row\na.mp4,3\nb.mp4,-1\n", encoding="utf-8-sig")
    with pytest.raises(InputError, match=r"clips.csv:3: row is '-1'; expected a row of FER2013"):
        paired.unshown(faces, tmp_path)
    broken = shutil.copytree(corpus, tmp_path / "broken")
    (broken / paired.LIST).write_text("clip,row\n")
    with pytest.raises(InputError, match=r"clips.csv: no column 'speaker'; expected clip, speaker; found clip, row"):
        paired.read(broken)


def test_two_speakers_of_a_gender_are_too_few(voices: Voices) -> None:
    few = voices[np.isin(voices.speaker, ["01", "02", "03", "04", "06"])]
    with pytest.raises(InputError, match="RAVDESS: 2 male speakers; 3 or more keep the parts apart"):
        paired.share_voices(few, np.random.default_rng(0))


def test_a_voice_that_cannot_be_decoded_leaves_no_half_clip(faces: Faces, tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_bytes(b"RIFF nothing")
    with pytest.raises(InputError, match=r"bad.wav: is no sound that can be decoded"):
        moving_face.film(faces.pictures[0], tmp_path / "bad.wav", tmp_path / "clip.mp4", 0)
    assert [file.name for file in tmp_path.iterdir()] == ["bad.wav"]


def test_silence_is_kept_as_it_is() -> None:
    assert len(moving_face.trimmed(np.zeros(32000, np.float32))) == 32000


def test_the_detector_finds_a_real_face_in_a_clip(five_people: Path) -> None:
    photo = next(Video.open(five_people).chunks()).images[0]
    x1, y1, x2, y2 = Detector().detect(photo).box[0].astype(int)
    face = cv2.resize(cv2.cvtColor(photo[y1:y2, x1:x2], cv2.COLOR_RGB2GRAY), (48, 48), interpolation=cv2.INTER_AREA)
    frames = list(moving_face.pictures(np.asarray(face, np.uint8), np.zeros((2, 50)), np.random.default_rng(1)))
    found = [Detector().detect(np.repeat(frame[:, :, None], 3, axis=2)) for frame in frames[::10]]
    assert [len(detections) for detections in found] == [1] * 5
    widths = np.array([box.box[0, 2] - box.box[0, 0] for box in found])
    assert (np.abs(widths / moving_face.SIDE - 0.85) < 0.3).all()
