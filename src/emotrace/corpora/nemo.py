"""nEMO: 90 Polish sentences acted by nine speakers in six emotions.

    data.tsv                      file_id, emotion, raw_text, normalized_text, speaker_id, gender, age
    samples/WR0_surprised_64.wav

The files may be of any sound format, whatever the table calls them. nEMO has no disgust and no calm.

Source: Christop 2024, nEMO: Dataset of Emotional Speech in Polish, LREC-COLING.
"""

from __future__ import annotations

from pathlib import Path

from emotrace.corpora import delimited
from emotrace.corpora.files import recordings
from emotrace.corpora.voices import Voices, position, table
from emotrace.errors import InputError

NAME = "nEMO"
TABLE = "data.tsv"
COLUMNS = ("file_id", "emotion", "normalized_text", "speaker_id", "gender")


def read(path: Path) -> Voices:
    """nEMO from its folder.

    Raises:
        InputError: there is no data.tsv, it is no whole table, or a file that it lists is not there.
    """
    file = path / TABLE
    if not file.is_file():
        found = ", ".join(sorted(p.name for p in path.glob("*"))[:8]) or "nothing"
        raise InputError(f"{path}: expected {TABLE} and samples/ of nEMO; found {found}")
    rows = delimited.rows(file, COLUMNS, delimiter="\t")
    files = {sound.stem: sound for sound in recordings(path)}
    if missing := [row["file_id"] for _, row in rows if Path(row["file_id"]).stem not in files]:
        raise InputError(f"{path}: {len(missing)} of {len(rows)} files that {TABLE} lists are not there, as {missing[0]}")
    found_files = [files[Path(row["file_id"]).stem] for _, row in rows]
    return table(
        NAME,
        found_files,
        [position(row["emotion"], where) for where, row in rows],
        [sound.relative_to(path).as_posix() for sound in found_files],
        speaker=[row["speaker_id"] for _, row in rows],
        gender=[row["gender"] for _, row in rows],
        statement=[row["normalized_text"] for _, row in rows],
    )
