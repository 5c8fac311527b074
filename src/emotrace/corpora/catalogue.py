"""The corpora that can be read, of pictures, clips and voices: one table each for the command line, the docs and the tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from emotrace.corpora import afew, paired
from emotrace.corpora.clips import Clips
from emotrace.corpora.table import Faces
from emotrace.corpora.voices import Voices
from emotrace.errors import InputError, unknown


@dataclass(frozen=True, slots=True)
class Corpus:
    """How to read a corpus, and where a user gets it.

    Args:
        name: as on the command line.
        target: "module:function" that takes a path and gives `Faces`; in CLIPS `Clips`, in VOICES `Voices`.
        about: one sentence.
        layout: what the path has to be.
        where: where to get it.
        terms: terms of use.
        paper: to be cited.
    """

    name: str
    target: str
    about: str
    layout: str
    where: str
    terms: str
    paper: str


WHOLE = "whole pictures: evaluate with --find-faces"

CORPORA: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        Corpus(
            "fer2013", "emotrace.corpora.fer2013:read", "35,887 web faces of 48 x 48 px, seven expressions, FER+ votes",
            "fer2013.csv or icml_face_data.csv (fer2013new.csv of FER+ beside it) or a .parquet, or its folder",
            "kaggle.com/competitions/challenges-in-representation-learning-facial-expression-recognition-challenge; "
            "votes: github.com/microsoft/FERPlus",
            "research use; votes MIT", "Goodfellow et al. 2013; Barsoum et al. 2016",
        ),
        Corpus(
            "jaffe", "emotrace.corpora.folders:read_jaffe", "213 pictures of ten Japanese women, seven expressions",
            f"folder of KA.AN1.39.tiff ...; {WHOLE}", "zenodo.org/records/3451524",
            "non-commercial research, no redistribution", "Lyons et al. 1998",
        ),
        Corpus(
            "radboud", "emotrace.corpora.folders:read_radboud", "67 models, eight expressions, five cameras",
            f"folder of Rafd090_01_Caucasian_female_angry_frontal.jpg ...; {WHOLE}", "rafd.socsci.ru.nl, on request",
            "non-commercial research, by agreement", "Langner et al. 2010",
        ),
        Corpus(
            "tfd", "emotrace.corpora.tfd:read", "112,234 faces of which 4,178 are labelled, seven expressions",
            "TFD_48x48.mat", "from its authors, University of Toronto", "research, by agreement", "Susskind et al. 2010",
        ),
        Corpus(
            "ck+", "emotrace.corpora.folders:read_ck_plus", "981 posed faces of 118 subjects cut to 48 x 48 px, with contempt",
            "folder a class of S010_004_00000017.png ...",
            "kaggle.com/datasets/shawon10/ckplus; the sequences that it was cut from: jeffcohn.net/Resources, on request",
            "research, by agreement", "Lucey et al. 2010",
        ),
        Corpus(
            "sfew", "emotrace.corpora.folders:read_sfew", "1,766 film stills, seven expressions",
            f"folder with Train, Val, Test ({WHOLE}), or with Train_Aligned_Faces, ... alone",
            "cs.anu.edu.au/few, on request", "research, by agreement", "Dhall et al. 2011",
        ),
        Corpus(
            "affectnet", "emotrace.corpora.affectnet:read", "about 440,000 web faces, eight expressions, valence and arousal",
            f"folder with Manually_Annotated_file_lists and Manually_Annotated_Images ({WHOLE}), or with train_set and val_set",
            "mohammadmahoor.com/affectnet, on request", "research, by agreement", "Mollahosseini et al. 2019",
        ),
        Corpus(
            "folder", "emotrace.corpora.folders:read_classes", "any pictures sorted into folders named after expressions",
            "[split/]class/picture", "your own", "yours", "",
        ),
    )
}  # fmt: skip

CLIPS: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        Corpus(
            "afew", "emotrace.corpora.afew:read", "about 1,800 clips from films, seven expressions, with sound",
            "folder with Train, Val and Test, a folder a class in each, clips .avi or .mp4; face crops are found, too",
            "cs.anu.edu.au/few, on request", "research, by agreement with the institution", "Dhall et al. 2012",
        ),
        Corpus(
            "paired", "emotrace.corpora.paired:read", "constructed: moving FER2013 faces with RAVDESS voices, 392 clips",
            "folder made by python -m emotrace.corpora.paired FER2013 RAVDESS FOLDER", "made from the two corpora you have",
            "those of FER2013 and RAVDESS (CC BY-NC-SA 4.0); not to be passed on", "Goodfellow et al. 2013; Livingstone 2018",
        ),
    )
}  # fmt: skip

VOICES: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        Corpus(
            "ravdess", "emotrace.corpora.ravdess:read", "1,440 sentences spoken by 24 actors, eight expressions of the voice",
            "folder of 03-01-06-01-02-01-12.wav ..., with or without Actor_01 ...; any sound format",
            "zenodo.org/records/1188976", "CC BY-NC-SA 4.0", "Livingstone & Russo 2018",
        ),
        Corpus(
            "nemo", "emotrace.corpora.nemo:read", "4,481 Polish sentences by nine speakers, six expressions of the voice",
            "folder with data.tsv and samples; any sound format", "huggingface.co/datasets/amu-cai/nEMO", "CC BY-NC-SA 4.0",
            "Christop 2024",
        ),
        Corpus(
            "savee", "emotrace.corpora.savee:read", "480 British sentences by four men, seven expressions of the voice",
            "folder of DC_a01.wav ..., or of DC/a01.wav ...", "kahlan.eps.surrey.ac.uk/savee, on request",
            "research, by agreement", "Haq & Jackson 2010",
        ),
        Corpus(
            "folder", "emotrace.corpora.voices:read_classes", "any recordings sorted into folders named after expressions",
            "[split/]class/recording", "your own", "yours", "",
        ),
    )
}  # fmt: skip

KINDS: dict[str, tuple[dict[str, Corpus], str]] = {  # what there is of each kind, and what is measured on it
    "pictures": (CORPORA, "face.expression"),
    "clips": (CLIPS, "the folder of a trained recipe of clips, as emonets"),
    "voices": (VOICES, "voice.emotion"),
}


def read(name: str, path: str | Path) -> Faces:
    """Read a corpus by name.

    Raises:
        UnknownNameError: there is no such corpus.
        InputError: it is a corpus of another kind, or what lies at the path has another layout.
    """
    faces: Faces = _reader("pictures", name)(Path(path))
    return faces


def read_clips(name: str, path: str | Path) -> Clips:
    """Read a corpus of clips by name.

    Raises:
        UnknownNameError: there is no such corpus.
        InputError: it is a corpus of another kind, or what lies at the path has another layout.
    """
    clips: Clips = _reader("clips", name)(Path(path))
    return clips


def clips_at(path: Path) -> Clips:
    """The clips of a folder in AFEW's layout; speakers are known where it is the constructed corpus.

    Raises:
        InputError: what lies at the path has another layout.
    """
    return paired.read(path) if (path / paired.LIST).is_file() else afew.read(path)


def read_voices(name: str, path: str | Path) -> Voices:
    """Read a corpus of voices by name.

    Raises:
        UnknownNameError: there is no such corpus.
        InputError: it is a corpus of another kind, or what lies at the path has another layout.
    """
    voices: Voices = _reader("voices", name)(Path(path))
    return voices


def _reader(kind: str, name: str) -> Callable[[Path], Any]:
    table, _ = KINDS[kind]
    if name not in table:
        for other, (there, taker) in KINDS.items():
            if name in there:
                use = f"it goes with {taker}, or give one of {', '.join(table)}"
                raise InputError(f"{name!r} is a corpus of {other}, expected one of {kind}; {use}")
        raise unknown("corpus" if kind == "pictures" else f"corpus of {kind}", name, list(table))
    module, _, function = table[name].target.partition(":")
    reader: Callable[[Path], Any] = getattr(import_module(module), function)
    return reader
