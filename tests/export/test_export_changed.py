"""Tables that another program has written anew: what no longer fits is named, in whatever is made of them."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from emotrace import columns, load
from emotrace.errors import FolderError, UnknownNameError
from emotrace.export import FORMATS, export
from emotrace.report.build import write

SHOWN = {"P1": [("happiness", 0.4)], "P2": [("fear", 0.4)]}
OUTCOMES = (*FORMATS, "report")


def of_type(name: str, kind: pa.DataType) -> Callable[[pa.Table], pa.Table]:
    """The table with a column in another type."""
    return lambda table: table.set_column(table.column_names.index(name), name, table[name].cast(kind))


def first_is(name: str, value: object) -> Callable[[pa.Table], pa.Table]:
    """The table with another value in the first row of a column."""

    def changed(table: pa.Table) -> pa.Table:
        values = pa.array([value, *table[name].to_pylist()[1:]], table.schema.field(name).type)
        return table.set_column(table.column_names.index(name), name, values)

    return changed


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("faces", of_type("frame", pa.string()), "its column frame holds string, expected int64"),
        ("frames", of_type("frame", pa.float64()), "its column frame holds double, expected int64"),
        ("frames", of_type("time", pa.string()), "its column time holds string, expected double"),
        ("faces", first_is("frame", None), "its column frame has empty rows"),
        ("frames", first_is("analysed", None), "its column analysed has empty rows"),
        ("frames", first_is("time", float("nan")), "its column time has rows that are no time"),
    ],
)
def test_a_column_of_another_type_or_without_its_values_is_named(plant, table, change, said, outcome) -> None:
    analysis = plant(SHOWN)
    file = analysis.folder / f"{table}.parquet"
    pq.write_table(change(pq.read_table(file)), file)
    with pytest.raises(FolderError, match=f"{table}.parquet is damaged or was changed \\({said}\\); measure anew"):
        write(analysis) if outcome == "report" else export(analysis, outcome)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (of_type("seconds", pa.string()), "its column seconds holds string, expected double"),
        (first_is("tracks", None), "its column tracks has empty rows"),
        (first_is("person", None), "its column person has empty rows"),
    ],
)
def test_people_are_looked_at_when_the_folder_is_read(plant, change, said) -> None:
    folder = plant(SHOWN).folder
    pq.write_table(change(pq.read_table(folder / "people.parquet")), folder / "people.parquet")
    with pytest.raises(FolderError, match=f"people.parquet is damaged or was changed \\({said}\\); measure anew"):
        load(folder)


@pytest.mark.parametrize("outcome", ["elan", "emotionml", "webvtt", "report"])
def test_faces_in_frames_that_are_not_there_are_said(plant, outcome) -> None:
    analysis = plant(SHOWN)
    file = analysis.folder / "frames.parquet"
    pq.write_table(pq.read_table(file).slice(0, 5), file)
    with pytest.raises(FolderError, match="faces in frames that frames"):
        write(analysis) if outcome == "report" else export(analysis, outcome)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_column_that_is_gone_is_named(plant, outcome) -> None:
    analysis = plant(SHOWN)
    file = analysis.folder / "faces.parquet"
    pq.write_table(pq.read_table(file).drop_columns(["person"]), file)
    if outcome == "csv":   # it writes what there is
        faces = next(path for path in export(analysis, "csv") if path.name == "faces.csv")
        assert "person" not in faces.read_text().partition("\n")[0]
        return
    with pytest.raises(UnknownNameError, match=r"no column in faces.parquet 'person'; there are: frame, time"):
        write(analysis) if outcome == "report" else export(analysis, outcome)


def test_columns_of_others_are_left_alone(plant) -> None:
    analysis = plant(SHOWN)
    file = analysis.folder / "faces.parquet"
    table = pq.read_table(file)
    pq.write_table(table.append_column("rated", pa.array(["happy"] * len(table))), file)
    assert columns.fault("faces", analysis.table("faces")) is None
    assert "rated" in next(path for path in export(analysis, "csv") if path.name == "faces.csv").read_text()


def test_faces_that_were_taken_out_are_simply_not_seen(plant) -> None:
    analysis = plant(SHOWN)
    file = analysis.folder / "faces.parquet"
    table = pq.read_table(file)
    pq.write_table(table.filter(pc.equal(table["person"], "P1")), file)
    for format in FORMATS:
        assert export(analysis, format)
    write(analysis)


@pytest.mark.parametrize("outcome", ["elan", "emotionml", "webvtt", "report"])
@pytest.mark.parametrize(("table", "column"), [("voice", "speaker"), ("emotions", "speaking"), ("sound", "speech")])
def test_a_column_of_what_was_heard_that_is_gone_is_named(plant, table, column, outcome) -> None:
    said = {"P1": [("happiness", "face+voice")] * 5}
    analysis = plant({"P1": [("happiness", 6.0)]}, turns=[("P1", 6.0)], said=said)
    file = analysis.folder / f"{table}.parquet"
    pq.write_table(pq.read_table(file).drop_columns([column]), file)
    with pytest.raises(FolderError, match=f"{table}.parquet is damaged or was changed \\(it has no column {column}\\)"):
        write(analysis) if outcome == "report" else export(analysis, outcome)
