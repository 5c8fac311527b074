"""The video that an export speaks of: where it lies, and what its files are called.

Names and paths come from whoever named the file; nothing here trusts them.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from contextlib import suppress
from pathlib import Path

from emotrace.analysis import Analysis
from emotrace.errors import InputError
from emotrace.spoken import speakers_sought

# All but the characters XML 1.0 allows (section 2.2): control characters, lone surrogates of undecodable names, U+FFFE, U+FFFF.
NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
NOT_NAME = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\ud800-\udfff]')
UNSEEN, SOMEBODY = "unseen", "somebody"
LONGEST = 255   # bytes of a file's name, of most file systems


def xml_text(text: str) -> str:
    """Text with every character that XML cannot hold replaced; escaping is the writer's."""
    return NOT_XML.sub("\ufffd", text)


def file(analysis: Analysis) -> Path:
    """Absolute path of the video: where it lies beside the folder if it is there, else where it was when analysed."""
    beside = analysis.video.get("relative")
    if beside:
        with suppress(ValueError):   # file names of this system cannot hold it, as é where only ASCII is spoken
            near = (analysis.folder / str(beside)).resolve()
            if near.is_file():
                return near
    return Path(analysis.video.get("path") or name(analysis)).absolute()


def name(analysis: Analysis) -> str:
    """The video's file name."""
    return Path(str(analysis.video.get("name") or "video")).name


def kind(analysis: Analysis) -> str:
    """Media type by the name, "video/mp4"."""
    unknown = "video/*" if analysis.video.get("has_pictures", True) else "audio/*"
    return mimetypes.guess_type(name(analysis))[0] or unknown


def called(analysis: Analysis, person: str) -> str:
    """What a person is called; "" is a speaker who is not in the pictures, or anybody where speakers were not looked for."""
    return xml_text(person) or (UNSEEN if speakers_sought(analysis) else SOMEBODY)


def named(analysis: Analysis, folder: Path, suffix: str) -> Path:
    """Path of an export: the video's name with another suffix, as players look for it.

    Where the folder has the video's whole name, as that of a.mkv beside an a.mp4 has, so has the export, which keeps the two
    apart. Where the name can be no file's, or is too long for one, a mark of the whole name keeps two such videos apart.
    """
    own = analysis.folder.absolute().name.removesuffix(".emotrace")
    stem = own if own == name(analysis) else Path(name(analysis)).stem
    possible = NOT_NAME.sub("_", stem).strip(" .") or "video"
    if possible == stem and len((stem + suffix).encode()) <= LONGEST:
        return folder / f"{stem}{suffix}"
    mark = "-" + hashlib.sha256(stem.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    room = LONGEST - len((mark + suffix).encode())
    return folder / f"{possible.encode()[:room].decode(errors='ignore').strip(' .')}{mark}{suffix}"


def check_moves(analysis: Analysis, format: str) -> None:
    """Refuse a still picture.

    Raises:
        InputError: it is one.
    """
    if analysis.video.get("is_image"):
        raise InputError(f"{analysis.folder}: is of a still picture, and {format} needs a video; use csv or openface")
