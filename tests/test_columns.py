"""Columns: one list, every one explained."""

from __future__ import annotations

import pytest

from emotrace import columns
from emotrace.analysis import Analysis
from emotrace.errors import UnknownNameError


@pytest.mark.parametrize("name", columns.TABLES)
def test_every_column_is_explained_and_named_once(name: str) -> None:
    known = columns.table(name)
    assert all(column.about for column in known)
    names = [column.name for column in known]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", columns.TABLES)
def test_a_real_table_has_the_columns_that_are_documented(name: str, woman_analysis: Analysis) -> None:
    table = woman_analysis.table(name)
    documented = {column.name: column for column in columns.table(name)}
    assert set(table.column_names) <= set(documented)
    field = table.schema.field(table.column_names[0])
    assert field.metadata[b"about"].decode() == documented[field.name].about
    assert table.schema.metadata[b"emotrace.schema"] == str(columns.SCHEMA_VERSION).encode()


def test_the_mesh_is_written_on_request_only() -> None:
    assert not any(column.name.startswith("mesh_") for column in columns.faces(["face.pose"]))
    assert [c.name for c in columns.faces(["face.pose"], mesh=True)][-3:] == ["mesh_x", "mesh_y", "mesh_z"]


def test_an_unknown_table_names_those_there_are() -> None:
    with pytest.raises(UnknownNameError, match="frames, faces, people, tracks"):
        columns.table("voices")
