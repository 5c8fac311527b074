"""The table of formats, and what holds for all of them."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emotrace.errors import FolderError, InputError, UnknownNameError
from emotrace.export import FORMATS, export, tables
from emotrace.export.writing import replacing

SHOWN = {"P1": [("happiness", 0.4)], "P2": [("fear", 0.4)]}
TIMED = ("elan", "emotionml", "webvtt")


def parts(folder: Path) -> list[Path]:
    return list(folder.rglob("*.part"))


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_has_a_function_and_a_sentence(format):
    line = FORMATS[format]
    module, _, name = line.target.partition(":")
    assert callable(getattr(import_module(module), name))
    assert line.name == format
    assert line.about


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_writes_into_the_export_folder_unless_told_otherwise(plant, format, tmp_path):
    analysis = plant(SHOWN)
    written = export(analysis, format)
    assert written
    assert {path.parent for path in written} == {analysis.folder / "export"}
    assert all(path.name.endswith(FORMATS[format].suffix) and path.stat().st_size for path in written)
    elsewhere = export(analysis, format, tmp_path / "deep" / "out")
    assert [path.name for path in elsewhere] == [path.name for path in written]
    assert parts(tmp_path) == []


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_analysis_gives_the_same_bytes(plant, format):
    analysis = plant(SHOWN)
    before = [path.read_bytes() for path in export(analysis, format)]
    assert [path.read_bytes() for path in export(analysis, format)] == before


@pytest.mark.parametrize("format", FORMATS)
def test_an_unfinished_analysis_is_refused(plant, format):
    with pytest.raises(FolderError, match="is unfinished; run 'emotrace analyze' again"):
        export(plant(SHOWN, finished=False), format)


def test_an_unknown_format_names_those_there_are(plant):
    with pytest.raises(UnknownNameError, match="no export format 'xlsx'; there are: csv, openface, elan, emotionml, webvtt"):
        export(plant(SHOWN), "xlsx")


@pytest.mark.parametrize("format", FORMATS)
def test_a_folder_that_cannot_be_written_is_one_line(plant, format, tmp_path):
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    with pytest.raises(FolderError, match=r"cannot be written \(.+\); choose another folder") as caught:
        export(plant(SHOWN), format, tmp_path / "taken")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("format", ["csv", "openface"])
def test_a_damaged_table_is_one_line_and_leaves_nothing_half_written(plant, format):
    analysis = plant(SHOWN)
    whole = (analysis.folder / "faces.parquet").read_bytes()
    (analysis.folder / "faces.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FolderError, match=r"faces\.parquet cannot be read") as caught:
        export(analysis, format)
    assert "\n" not in str(caught.value)
    assert parts(analysis.folder) == []


@pytest.mark.parametrize("format", TIMED)
def test_what_needs_time_refuses_a_still_picture(plant, format):
    analysis = plant({"P1": [("fear", 0.04)]}, video={"is_image": True, "rate": None, "duration": None})
    with pytest.raises(InputError, match="still picture"):
        export(analysis, format)
    assert export(analysis, "openface")[0].read_text(encoding="utf-8").count("\n") == 2


@pytest.mark.parametrize("format", TIMED)
def test_what_needs_expressions_says_so_when_they_were_not_measured(plant, format):
    with pytest.raises(UnknownNameError, match=r"no component in this analysis 'face\.expression'"):
        export(plant(SHOWN, components=["face.pose"]), format)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../etc/passwd.mp4", "passwd"),
        ("é" * 60 + "x" * 100 + ".mp4", "é" * 60 + "x" * 100),
        ("..", "video-"),
        ('a<b>:"c|d?*.mp4', "a_b___c_d__-"),
        ("line\nend\x07.mp4", "line_end_-"),
        ("bell\udc80.mp4", "bell_-"),
        ("", "video"),
    ],
)
def test_a_file_name_can_neither_leave_the_folder_nor_break_it(plant, tmp_path, name, expected):
    analysis = plant(SHOWN, video={"name": name})
    (elan,), fused = export(analysis, "elan", tmp_path / "out"), export(analysis, "webvtt", tmp_path / "out")[1]
    assert elan.parent == fused.parent == tmp_path / "out"
    assert re.fullmatch(re.escape(expected) + ("[0-9a-f]{8}" if expected.endswith("-") else ""), elan.stem)
    assert fused.name == f"{elan.stem}.fused.vtt"


@pytest.mark.parametrize(
    "names", [("é" * 124 + "1.mp4", "é" * 124 + "2.mp4"), ("a" * 253 + "b", "a" * 253 + "c"), ("a:b", "a?b"), (" a", "a")]
)
def test_two_videos_never_share_a_file_because_their_names_are_long_or_strange(plant, tmp_path, names):
    written = [export(plant(SHOWN, video={"name": name}), "emotionml", tmp_path / "out") for name in names]
    assert len({path for paths in written for path in paths}) == 4
    assert all(path.is_file() and len(path.name.encode()) <= 255 for paths in written for path in paths)


def test_reading_a_long_table_holds_only_a_part_of_it(plant):
    analysis = plant({"P1": [("fear", 0.2)]})
    path = analysis.folder / "faces.parquet"
    rows = pq.read_table(path)
    noise = np.random.default_rng(0).random((4000, 68), np.float32)   # does not compress
    points = pa.FixedSizeListArray.from_arrays(pa.array(noise.reshape(-1)), 68)
    long = rows.take(np.zeros(4000, int))
    for name in ("landmarks_x", "landmarks_y"):
        long = long.set_column(long.column_names.index(name), rows.schema.field(name), points)
    with pq.ParquetWriter(path, rows.schema) as writer:
        for _ in range(15):
            writer.write_table(long)
    del long, points
    before = pa.total_allocated_bytes()
    held = [pa.total_allocated_bytes() - before for _ in tables.batches(analysis, "faces", rows.column_names)]
    assert len(held) >= 15
    assert path.stat().st_size > 25e6
    assert max(held) < min(held) + 3e6


def write_half(target: Path, failure: BaseException) -> None:
    with replacing(target) as stream:
        stream.write(b"half")
        raise failure


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path):
    target = tmp_path / "table.csv"
    target.write_text("old", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        write_half(target, KeyboardInterrupt())
    assert target.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_one_line(tmp_path):
    with pytest.raises(FolderError, match="No space left on device"):
        write_half(tmp_path / "table.csv", OSError(28, "No space left on device"))
    assert list(tmp_path.iterdir()) == []


PAGE = Path(__file__).parents[2] / "docs" / "export.md"


def test_the_page_explains_every_format():
    headings = re.findall(r"^## `(\w+)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == list(FORMATS)


def test_the_code_of_the_page_runs(plant, monkeypatch):
    analysis = plant(SHOWN)
    monkeypatch.chdir(analysis.folder.parent)
    snippets = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert snippets
    for snippet in snippets:
        exec(compile(snippet, str(PAGE), "exec"), {})
    assert (analysis.folder / "export" / "clip.vtt").is_file()


HEARD = {"turns": [("silence", 1.0), ("", 4.0)], "said": {"": [("anger", "voice")] * 4}}
RECORDING = {"name": "clip.wav", "path": "/recordings/clip.wav", "width": 0, "height": 0, "has_pictures": False, "rate": None}


@pytest.mark.parametrize("format", FORMATS)
def test_a_recording_without_pictures_is_exported(plant, format):
    written = export(plant({}, times=[], video=RECORDING, **HEARD), format)
    assert written
    assert ("anger" in written[-1].read_text(encoding="utf-8")) == (format != "openface")


@pytest.mark.parametrize("format", FORMATS)
def test_a_folder_from_before_sound_was_analysed_is_exported(plant, format):
    analysis = plant(SHOWN)
    analysis.provenance["schema"] = 1
    for table in ("sound", "voice", "emotions"):
        (analysis.folder / f"{table}.parquet").unlink()
    assert all(path.stat().st_size for path in export(analysis, format))


@pytest.mark.parametrize(("format", "told"), [
    ("elan", 'TIER_ID="{} speech"'), ("webvtt", "{} speaks: anger"), ("emotionml", "<info>{}</info>"),
])  # fmt: skip
@pytest.mark.parametrize(("rate", "who"), [(25.0, "unseen"), (1.0, "somebody")])
def test_a_speaker_who_was_not_looked_for_is_not_said_to_be_unseen(plant, format, told, rate, who):
    shown, said = {"P1": [("fear", 5.12)]}, {"": [("anger", "voice")] * 4}
    analysis = plant(shown, turns=[("", 5.12)], said=said, video={"rate": rate})
    text = "".join(path.read_text(encoding="utf-8") for path in export(analysis, format))
    assert told.format(who) in text
    assert ("unseen" in text) == (who == "unseen")


@pytest.mark.parametrize("format", TIMED)
@pytest.mark.parametrize("table", ["emotions", "sound", "voice", "systems"])
def test_a_table_that_is_missing_is_said_and_not_taken_for_silence(plant, say, format, table):
    analysis = plant({"P1": [("fear", 5.12)]}, turns=[("", 5.12)], said={"": [("anger", "voice")] * 4})
    say(analysis, [("emonets", 0.0, 5.12, "fear")])
    (analysis.folder / f"{table}.parquet").unlink()
    with pytest.raises(FolderError, match=f"has no table '{table}'; measure anew"):
        export(analysis, format)


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "csv"])
def test_two_videos_that_differ_in_their_ending_only_do_not_write_one_file(plant, format, tmp_path):
    shown = {"P1": [("fear", 1.0)]}
    names = {"clip.emotrace": "clip.mp4", "clip.mkv.emotrace": "clip.mkv"}
    folders = [plant(shown, folder=tmp_path / folder, video={"name": name}) for folder, name in names.items()]
    files = [{file.name for file in export(analysis, format, tmp_path / "out")} for analysis in folders]
    assert not files[0] & files[1]
    assert all(name.startswith("clip.mkv.") for name in files[1])
