"""The wide CSVs, read back by the standard library and by pandas."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from emotrace import columns
from emotrace.export import delimited, export, tables


def test_every_table_reads_back_as_it_is(plant):
    points = np.arange(50 * 68, dtype=np.float32).reshape(50, 68) / 7
    analysis = plant(
        {"P1": [("happiness", 1.0), ("unmeasured", 1.0)]},
        measured={"landmarks_x": points, "valence": np.linspace(-1, 1, 50), "pose_yaw": -12.5},
    )
    written = export(analysis, "csv")
    assert [path.stem for path in written] == ["frames", "faces", "people", "tracks", "sound", "voice", "emotions"]
    faces = pd.read_csv(analysis.folder / "export" / "faces.csv")
    assert np.array_equal(faces.filter(regex=r"^landmarks_x_\d+$").to_numpy(np.float32), points)
    assert np.array_equal(faces["valence"].astype(np.float32), np.linspace(-1, 1, 50, dtype=np.float32))
    assert set(faces["pose_yaw"]) == {-12.5}
    assert faces["expression_happiness"].isna().tolist() == [False] * 25 + [True] * 25
    frames = pd.read_csv(analysis.folder / "export" / "frames.csv")
    assert np.allclose(frames["time"], np.arange(50) / 25, atol=1e-12)
    assert frames["analysed"].all()


def test_columns_are_those_of_the_tables_with_lists_taken_apart(plant):
    analysis = plant({"P1": [("fear", 0.2)]})
    export(analysis, "csv")
    with (analysis.folder / "export" / "faces.csv").open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    plain = [column.name for column in columns.faces(["face.expression"])[: len(columns.FACES)]]
    assert header[: len(plain)] == plain
    assert header[-136:] == [f"landmarks_{axis}_{i}" for axis in "xy" for i in range(68)]
    assert len(rows) == 5
    assert {len(row) for row in rows} == {len(header)}


def test_what_was_not_measured_is_an_empty_cell(plant):
    analysis = plant({"P1": [("unmeasured", 0.04)]})
    export(analysis, "csv")
    with (analysis.folder / "export" / "faces.csv").open(encoding="utf-8") as stream:
        row = next(csv.DictReader(stream))
    assert row["expression_fear"] == ""
    assert row["landmarks_y_67"] == ""
    assert row["score"] == "0.75"
    assert "nan" not in (analysis.folder / "export" / "people.csv").read_text(encoding="utf-8")


def test_people_have_their_tracks_as_text_and_no_embedding(plant):
    analysis = plant([("P1", [("fear", 1.0)]), ("P2", [("fear", 1.0)]), ("P1", [("absent", 1.0), ("fear", 1.0)])])
    export(analysis, "csv")
    people = pd.read_csv(analysis.folder / "export" / "people.csv")
    assert people["tracks"].astype(str).tolist() == ["0 2", "1"]
    assert "embedding" not in people.columns
    assert people["age"].tolist() == [30.5, 30.5]
    assert people["age_spread"].isna().all()


def test_a_video_without_faces_gives_headers_alone(plant):
    analysis = plant({}, times=[0.0, 0.04])
    export(analysis, "csv")
    assert len(pd.read_csv(analysis.folder / "export" / "frames.csv")) == 2
    for table in ("faces", "people", "tracks", "sound", "voice", "emotions"):
        lines = (analysis.folder / "export" / f"{table}.csv").read_text(encoding="utf-8").splitlines()
        assert len(lines) == 1
        assert lines[0].split(",")[0] in {"frame", "person", "track", "time", "start"}


def test_voice_and_emotions_are_tables_too_with_empty_cells_where_fusion_abstains(plant):
    said = {"P1": [("happiness", "face+voice"), ("", ""), None], "": [None, ("sadness", "voice"), None]}
    analysis = plant({"P1": [("happiness", 4.0)]}, turns=[("P1", 1.6), ("silence", 2.0), ("", 1.4)], said=said)
    export(analysis, "csv")
    with (analysis.folder / "export" / "emotions.csv").open(encoding="utf-8", newline="") as stream:
        shown = ("start", "person", "expression", "rests_on", "confidence")
        rows = [tuple(row[key] for key in shown) for row in csv.DictReader(stream)]
    assert rows == [
        ("0", "P1", "happiness", "face+voice", "0.6"), ("1", "", "sadness", "voice", "0.6"), ("1", "P1", "", "", ""),
    ]  # fmt: skip
    voice = pd.read_csv(analysis.folder / "export" / "voice.csv")
    assert voice["speaker"].fillna("").tolist() == ["P1", "P1", "", ""]
    assert voice["pitch"].fillna(0).tolist() == [210, 210, 0, 160]   # there is too little speech in the third window
    sound = pd.read_csv(analysis.folder / "export" / "sound.csv")
    assert np.allclose(sound["time"], np.arange(len(sound)) * 0.032, atol=1e-12)


def test_a_folder_from_before_sound_was_analysed_gives_the_tables_it_has(plant):
    analysis = plant({"P1": [("fear", 0.2)]})
    analysis.provenance["schema"] = 1
    for table in ("sound", "voice", "emotions"):
        (analysis.folder / f"{table}.parquet").unlink()
    assert [path.stem for path in export(analysis, "csv")] == ["frames", "faces", "people", "tracks"]


@pytest.mark.parametrize("rows", [1, 7, 8192])
def test_the_size_of_a_batch_changes_nothing(plant, monkeypatch, rows):
    analysis = plant({"P1": [("fear", 1.0)], "P2": [("absent", 0.4), ("anger", 1.0)]})
    export(analysis, "csv")
    whole = (analysis.folder / "export" / "faces.csv").read_bytes()
    monkeypatch.setattr(tables, "ROWS", rows)
    export(analysis, "csv")
    assert (analysis.folder / "export" / "faces.csv").read_bytes() == whole


@pytest.mark.parametrize("text", ["=1+2", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_a_spreadsheet_would_run_is_text(text):
    line = delimited.rows(pa.table({"name": [text]})).decode()
    assert next(csv.reader([line]))[0].rstrip("\n").startswith("'")


def test_quotes_commas_and_lines_in_text_stay_in_their_cell():
    text = 'a "b", c\nd'
    line = delimited.rows(pa.table({"name": [text, None], "n": [1, -2]})).decode()
    assert list(csv.reader(io.StringIO(line))) == [[text, "1"], ["", "-2"]]


def test_a_missing_list_gives_missing_numbers():
    column = pa.array([[1.0, 2.0], None], pa.list_(pa.float32(), 2))
    assert [part.to_pylist() for part in delimited.elements(column, 2)] == [[1.0, None], [2.0, None]]
