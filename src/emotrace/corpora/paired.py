"""The constructed audio-visual corpus: face pictures of one label, moved smoothly, with a voice of the same label.

    FER2013 picture ─motion─▶ frames ─┐
                                       ├─▶ OUT/Train|Val|Test/<Class>/<clip>.mp4, as AFEW is laid out; OUT/clips.csv, README.txt
    RAVDESS voice  ─trimmed─▶ sound  ─┘

No labelled audio-visual corpus may be redistributed; this one can be made by whoever has the two that it is made of, so that
recipes run from end to end on real pixels and real voices. The face and the voice of a clip are two different people. No face
and no speaker is in two parts, and none is used twice. `python -m emotrace.corpora.paired FER2013 RAVDESS OUT` makes it.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora import afew, delimited, fer2013, ravdess
from emotrace.corpora.clips import Clips
from emotrace.corpora.labels import POSITION
from emotrace.corpora.moving_face import film
from emotrace.corpora.table import Faces
from emotrace.corpora.voices import Voices
from emotrace.ending import in_one_line
from emotrace.errors import FolderError, InputError

NAME = "paired"
LIST = "clips.csv"
EVERY = 50   # clips between two lines of progress
SHARE = 0.2  # of the speakers of each gender that go to Val, and as many to Test
ABOUT = "README.txt"   # also says how clips are made, so that those made two ways are not mixed
README = """\
This corpus is constructed. In each clip a grey picture of a face from FER2013 (48 x 48 px, enlarged) is moved, turned and lit
smoothly, and a sentence from RAVDESS is heard that was spoken with the same expression. The face and the voice belong to two
different people, the lips do not follow the words, and the expression does not change; the head nods with the loudness and
sways with the pitch. Face and voice err independently here, which helps fusion more than real clips do. Use it to run and
compare recipes, never as a measure of how well people are read.

Train, Val and Test share no speaker and no face picture: Train has pictures of FER2013's Training part, Val and Test of its
PublicTest part. clips.csv says what each clip is made of. FER2013 is for research use; RAVDESS is CC BY-NC-SA 4.0
(Livingstone & Russo 2018). Do not pass the clips on.

Clips are made the second way: heads nod with the loudness and sway with the pitch of the voice.
"""


@dataclass(frozen=True, slots=True)
class Config:
    """What the corpus is like.

    Args:
        train: clips of each of the seven classes in Train.
        val: in Val.
        test: in Test.
        seed: decides who and what is paired, and every motion.

    Raises:
        InputError: one of them is below 0, or there would be no clip.
    """

    train: int = 24
    val: int = 16
    test: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        given = ", ".join(f"{field.name} {getattr(self, field.name)}" for field in fields(self))
        if min(astuple(self)) < 0 or self.train + self.val + self.test == 0:
            raise InputError(f"got {given}; expected numbers of 0 and above, and a clip in some part")


@dataclass(frozen=True, slots=True)
class Pair:
    """One clip to be made.

    Args:
        clip: where it goes, "Train/Happy/000072.mp4".
        face: origin of the picture it shows, "fer2013.parquet:17".
        voice: origin of the sentence, "Actor_01/03-01-03-01-01-01-01.flac".
        speaker: who speaks, "01".
        row: of the table of faces.
        spoken: row of the table of voices.
        seed: of its motion.
    """

    clip: str
    face: str
    voice: str
    speaker: str
    row: int
    spoken: int
    seed: int


def read(path: Path) -> Clips:
    """The constructed corpus; `subject` is the speaker.

    Raises:
        InputError: it is no such folder, or its list is damaged.
    """
    if not (path / LIST).is_file():
        raise InputError(f"{path}: no {LIST}; make the corpus with python -m emotrace.corpora.paired FER2013 RAVDESS {path}")
    clips = afew.read(path, NAME)
    speakers = {row["clip"]: row["speaker"] for _, row in delimited.rows(path / LIST, ("clip", "speaker"))}
    if strangers := [origin for origin in clips.origin if origin not in speakers]:
        raise InputError(f"{path}: {strangers[0]} is not in {LIST}; take it out, or make the corpus again")
    subject = np.array([speakers[origin] for origin in clips.origin], np.str_)
    return Clips(clips.corpus, clips.paths, clips.label, subject, clips.split, clips.origin, clips.faces)


def unshown(faces: Faces, path: Path) -> Faces:
    """Pictures that no clip of a corpus shows, so that what learns from them has not seen the clips.

    Args:
        faces: FER2013, all of it, in its own order; any other corpus is given back as it is.
        path: folder of a corpus of clips; where it is not the constructed one, the pictures are given back as they are.

    Raises:
        InputError: the corpus shows a row that the table does not have, or its list is damaged.
    """
    if faces.corpus != fer2013.NAME or not (path / LIST).is_file():
        return faces
    rows = delimited.rows(path / LIST, ("row",))
    if broken := [(where, row["row"]) for where, row in rows if not row["row"].isdecimal()]:
        where, got = broken[0]
        raise InputError(f"{where}: row is {got!r}; expected a row of FER2013, 0 or above; make the corpus again")
    shown = np.array([int(row["row"]) for _, row in rows], np.int64)
    if shown.max(initial=-1) >= len(faces):
        there = f"the table given has {len(faces)}; give the one it was made of"
        raise InputError(f"{path}: shows row {shown.max()} of FER2013, {there}")
    return faces[~np.isin(np.arange(len(faces)), shown)]


def make(
    faces: Faces,
    voices: Voices,
    out: Path,
    config: Config | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> Clips:
    """Make the corpus, or go on with one that was begun with the same settings.

    Args:
        faces: FER2013.
        voices: RAVDESS; sentences that are labelled calm are left out.
        out: where to.
        config: how much of it.
        report: told how far it is, in a line now and then.

    Raises:
        FolderError: another corpus lies in `out`, or it cannot be written.
        InputError: there are too few faces, voices or speakers, or one cannot be decoded.
    """
    pairs = plan(faces, voices, config or Config())
    begin(out, pairs)
    for done, pair in enumerate(pairs, start=1):
        if not (out / pair.clip).is_file():
            film(faces.pictures[pair.row], voices.recordings[pair.spoken], out / pair.clip, pair.seed)
        if done % EVERY == 0:
            report(f"{done} of {len(pairs)} clips made")
    return read(out)


def plan(faces: Faces, voices: Voices, config: Config) -> list[Pair]:
    """Who goes with whom, (train + val + test) x 7 pairs.

    Raises:
        InputError: a part has too few faces or voices of a class, or there are too few speakers to keep the parts apart.
    """
    rng = np.random.default_rng(config.seed)
    spoken, shown = share_voices(voices, rng), share_faces(faces, rng)
    pairs: list[Pair] = []
    for split, wanted in zip(afew.SPLITS, (config.train, config.val, config.test), strict=True):
        for word in afew.CLASSES:
            label = POSITION[word.lower()]
            looks = rng.permutation(shown[split][faces.label[shown[split]] == label])
            sounds = rng.permutation(spoken[split][voices.label[spoken[split]] == label])
            if wanted > min(len(looks), len(sounds)):
                there = f"{len(looks)} faces and {len(sounds)} voices"
                raise InputError(f"{split}/{word}: {wanted} clips wanted, there are {there} for it; ask for fewer")
            for look, sound in zip(looks[:wanted].tolist(), sounds[:wanted].tolist(), strict=True):
                pairs.append(
                    Pair(
                        clip=f"{split}/{word}/{len(pairs):06d}.mp4",
                        face=str(faces.origin[look]),
                        voice=str(voices.origin[sound]),
                        speaker=str(voices.speaker[sound]),
                        row=look,
                        spoken=sound,
                        seed=config.seed * 1_000_000 + len(pairs),
                    )
                )
    return pairs


def share_voices(voices: Voices, rng: np.random.Generator) -> dict[str, NDArray[np.int64]]:
    """Rows of each part: of every gender a fifth of the speakers go to Val and a fifth to Test.

    Raises:
        InputError: there are fewer than three speakers of a gender.
    """
    part = np.full(len(voices), "Train", "<U5")
    for gender in sorted(set(voices.gender)):
        speakers = rng.permutation(sorted(set(voices.speaker[voices.gender == gender])))
        if len(speakers) < 3:
            raise InputError(f"{voices.corpus}: {len(speakers)} {gender} speakers; 3 or more keep the parts apart")
        held_out = max(1, round(SHARE * len(speakers)))
        part[np.isin(voices.speaker, speakers[:held_out])] = "Val"
        part[np.isin(voices.speaker, speakers[held_out : 2 * held_out])] = "Test"
    return {split: np.flatnonzero(part == split) for split in afew.SPLITS}


def share_faces(faces: Faces, rng: np.random.Generator) -> dict[str, NDArray[np.int64]]:
    """Rows of each part: Training; PublicTest in two halves of each class.

    Left out is what raters called no face, and all but one of equal pictures (a few of PublicTest are in Training, too).
    """
    digests = np.array([hashlib.sha256(image.tobytes()).hexdigest() for image in faces.images(fer2013.SIDE)])
    order = np.argsort(faces.split != "Training", kind="stable")  # so that the one that is kept is the Training row
    usable = np.zeros(len(faces), bool)
    usable[order[np.unique(digests[order], return_index=True)[1]]] = True
    usable &= fer2013.shows_a_face(faces)
    held_out = rng.permutation(np.flatnonzero(usable & (faces.split == "PublicTest")))
    held_out = held_out[np.argsort(faces.label[held_out], kind="stable")]
    return {"Train": np.flatnonzero(usable & (faces.split == "Training")), "Val": held_out[::2], "Test": held_out[1::2]}


def begin(out: Path, pairs: list[Pair]) -> None:
    """Write the list and the folders, or check that those there are the same.

    Raises:
        FolderError: the list that lies there is another, clips there were made another way, or the folder cannot be written.
    """
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows([[field.name for field in fields(Pair)], *map(astuple, pairs)])
    text = lines.getvalue()
    if (out / LIST).is_file() and (out / LIST).read_text(encoding="utf-8") != text:
        raise FolderError(f"{out}: holds a corpus made with other settings or data; give another folder, or remove it")
    if (out / ABOUT).is_file() and (out / ABOUT).read_text(encoding="utf-8") != README:
        raise FolderError(f"{out}: holds clips that another version made in another way; give another folder, or remove it")
    try:
        for split in afew.SPLITS:
            for word in afew.CLASSES:
                (out / split / word).mkdir(parents=True, exist_ok=True)
        (out / ABOUT).write_text(README, encoding="utf-8")
        (out / LIST).write_text(text, encoding="utf-8")
    except OSError as error:
        raise FolderError(f"{out}: cannot be written ({error.strerror}); give another folder") from error


def main() -> None:
    """Make the corpus, and say what went wrong in one line with status 2."""
    parser = argparse.ArgumentParser(prog="python -m emotrace.corpora.paired", description="Make the constructed corpus.")
    parser.add_argument("fer2013", type=Path, help="fer2013.csv or .parquet")
    parser.add_argument("ravdess", type=Path, help="folder with Actor_01, ...")
    parser.add_argument("out", type=Path, help="folder to make; one that was begun is gone on with")
    for name in ("train", "val", "test", "seed"):
        default = getattr(Config(), name)
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default {default}")
    given = parser.parse_args()
    with in_one_line("interrupted; the same command goes on from there"):
        config = Config(given.train, given.val, given.test, given.seed)
        clips = make(fer2013.read(given.fer2013), ravdess.read(given.ravdess), given.out, config, print)
    print(f"{given.out}: {len(clips)} clips of {len(set(clips.subject))} speakers")


if __name__ == "__main__":
    main()
