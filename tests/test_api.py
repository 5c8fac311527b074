"""The whole path on real clips: what a person sees in them is in the tables."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import emotrace
from emotrace.analysis import Analysis
from emotrace.errors import FolderError, InputError, UnknownNameError, VideoError
from emotrace.export import export
from emotrace.settings import Settings, chosen_components


def test_all_names_are_listed_before_they_are_used() -> None:
    code = "import emotrace; print(set(emotrace.__all__) <= set(dir(emotrace)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"


def test_there_is_a_row_for_every_frame_and_it_has_its_time(woman_analysis: Analysis) -> None:
    frames = woman_analysis.table("frames")
    assert frames["frame"].to_pylist() == list(range(472))
    np.testing.assert_allclose(frames["time"].to_numpy(), np.arange(472) * 1001 / 24000, atol=1e-5)
    assert set(frames["faces"].to_pylist()) == {1}


def test_her_valence_is_clearly_lower_while_she_cries_than_while_she_laughs(woman_analysis: Analysis) -> None:
    valence = woman_analysis.timeline("face.valence_arousal", person="P1")
    crying, laughing = (np.nanmean(valence.crop(*span)["valence"]) for span in ((0, 10), (15, 20)))
    assert crying < -0.2 < 0.3 < laughing


def test_her_head_tilts_when_she_laughs_at_the_end(woman_analysis: Analysis) -> None:
    pose = woman_analysis.timeline("face.pose")
    assert np.nanmean(pose.crop(17.9, 18.2)["roll"]) == pytest.approx(-23, abs=4)   # counter-clockwise in the picture
    assert abs(np.nanmean(pose.crop(0, 1)["roll"])) < 10


def test_she_looks_to_the_left_edge_at_seven_seconds_and_to_the_right_at_ten(woman_analysis: Analysis) -> None:
    gaze = woman_analysis.timeline("face.gaze")
    assert np.nanmean(gaze.crop(6.9, 7.1)["yaw"]) < -15
    assert np.nanmean(gaze.crop(9.9, 10.1)["yaw"]) > 10


def test_where_there_is_no_face_there_is_nan_and_never_zero(face_noface: Path, tmp_path: Path) -> None:
    found = emotrace.analyze(face_noface, tmp_path / "out.emotrace", report=False)
    assert found.table("frames").num_rows == 169
    expression = found.timeline("face.expression")
    assert len(expression) == 169
    before, after = expression.crop(0, 2.3), expression.crop(2.5, 7)
    assert np.isfinite(before.values).mean() > 0.95
    assert np.isnan(after.values).all()
    assert len(after) > 50


def test_the_photo_has_five_people(five_people: Path, tmp_path: Path) -> None:
    found = emotrace.analyze(five_people, tmp_path / "out.emotrace")
    assert all(math.isfinite(person.age) and math.isnan(person.age_spread) for person in found.people)
    assert [person.name for person in found.people] == ["P1", "P2", "P3", "P4", "P5"]
    assert found.table("frames").num_rows == 1
    assert found.table("faces").num_rows == 5


def test_the_debate_has_two_people_who_keep_their_names_over_the_cut(data: Path, tmp_path: Path) -> None:
    found = emotrace.analyze(data / "clips" / "debate_two_people_cuts.mp4", tmp_path / "out.emotrace", report=False)
    faces = found.table("faces", ["time", "person", "x1"]).to_pandas()
    assert set(faces.person) == {"P1", "P2"}
    split = faces[faces.time > 2.6]
    assert split[split.person == "P1"].x1.min() > 320 > split[split.person == "P2"].x1.max()   # right and left half
    assert set(faces[faces.time < 2.5].person) == {"P1"}                                       # alone before the cut


def test_a_device_that_does_not_exist_is_refused_and_leaves_nothing(woman: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the device must be"):
        emotrace.analyze(woman, tmp_path / "out.emotrace", device="gpu")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("method", ["cluster", "greedy"])
def test_both_methods_of_identity_name_the_two_men(method: str, obama: Path, tmp_path: Path) -> None:
    settings = Settings(components=("face.identity",), identity=method)  # type: ignore[arg-type]
    assert len(emotrace.analyze(obama, tmp_path / "out.emotrace", settings=settings, report=False).people) == 2


def test_a_mirrored_clip_mirrors_yaw_gaze_and_roll(woman: Path, tmp_path: Path) -> None:
    import cv2

    from emotrace.testing import measured
    from emotrace.video import Video
    from recordings import samples_of

    image = next(Video.open(woman).chunks(start=16.0)).images[0]
    plain = measured(samples_of(image), ["face.pose", "face.gaze"])
    mirrored = measured(samples_of(np.ascontiguousarray(cv2.flip(image, 1))), ["face.pose", "face.gaze"])
    np.testing.assert_allclose(mirrored["face.pose"][0], plain["face.pose"][0] * [1, -1, -1], atol=3)
    np.testing.assert_allclose(mirrored["face.gaze"][0], plain["face.gaze"][0] * [1, -1], atol=5)


def test_a_rate_keeps_all_frames_and_measures_some(single_face: Path, tmp_path: Path) -> None:
    found = emotrace.analyze(single_face, tmp_path / "out.emotrace", settings=Settings(rate=10), report=False)
    frames = found.table("frames")
    assert frames.num_rows == 72
    assert sum(frames["analysed"].to_pylist()) == 24
    assert len(found.timeline("face.pose")) == 24


def test_who_is_in_the_only_frame_that_a_rate_leaves_is_seen_as_long_as_it_stands(single_face: Path, tmp_path: Path) -> None:
    found = emotrace.analyze(single_face, tmp_path / "out.emotrace", settings=Settings(rate=0.01), report=False)
    time = found.table("frames")["time"].to_numpy()
    assert found.provenance["counts"]["analysed"] == 1
    assert found.people[0].seconds == pytest.approx(time[-1] + np.median(np.diff(time)) - time[0])


def test_the_mesh_is_written_on_request(single_face: Path, tmp_path: Path) -> None:
    found = emotrace.analyze(single_face, tmp_path / "out.emotrace", settings=Settings(mesh=True, end=0.3), report=False)
    row = found.table("faces").slice(0, 1).to_pylist()[0]
    assert len(row["mesh_x"]) == len(row["mesh_z"]) == 478
    assert row["x1"] == pytest.approx(min(row["mesh_x"]), abs=1e-3)


def test_low_quality_is_nan_but_keeps_its_place(obama: Path, tmp_path: Path) -> None:
    found = emotrace.analyze(obama, tmp_path / "out.emotrace", settings=Settings(min_quality=0.9, end=0.5), report=False)
    faces = found.table("faces").to_pandas()
    worse = faces[faces.quality < 0.9]   # heads of 34 to 43 px
    assert len(worse) > 5
    assert worse.filter(regex="^(expression_|AU|valence|arousal|gaze_|bs_)").isna().all().all()
    assert worse.filter(regex="^(pose_|x1|score|quality)").notna().all().all()


def test_the_second_pose_agrees_with_the_first(single_face: Path, tmp_path: Path) -> None:
    settings = Settings(components=("face.pose", "face.pose_pnp"), end=1.0)
    found = emotrace.analyze(single_face, tmp_path / "out.emotrace", settings=settings, report=False)
    first, second = found.timeline("face.pose"), found.timeline("face.pose_pnp")
    assert np.nanmedian(np.abs(first["yaw"] - second["yaw"])) < 8
    assert np.nanmedian(np.abs(first["roll"] - second["roll"])) < 3


@pytest.mark.parametrize(
    ("clip", "words"),
    [("truncated", "truncated"), ("corrupted", "damaged|could not be decoded")],
)
def test_a_broken_file_is_analysed_and_says_so(
    clip: str, words: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    import re

    found = emotrace.analyze(request.getfixturevalue(clip), tmp_path / "out.emotrace", report=False)
    assert found.finished
    assert any(re.search(words, warning) for warning in found.warnings)
    assert found.table("frames").num_rows == found.provenance["counts"]["frames"] > 5


def test_a_good_file_warns_of_nothing(obama_analysis: Analysis) -> None:
    assert obama_analysis.warnings == []


def test_provenance_names_file_weights_settings_and_versions(woman_analysis: Analysis) -> None:
    facts = woman_analysis.provenance
    assert facts["video"]["name"] == "WolfgangLanger_Pexels.mp4"
    assert facts["weights"]["yunet"].startswith("8f2383e4")
    assert facts["settings"]["min_quality"] == 0.2
    assert facts["emotrace"] == emotrace.__version__
    assert {"av", "onnxruntime"} <= set(facts["libraries"])


def test_a_finished_folder_is_not_computed_again(single_face: Path, tmp_path: Path) -> None:
    first = emotrace.analyze(single_face, tmp_path / "out.emotrace", report=False)
    stamp = (first.folder / "faces.parquet").stat().st_mtime_ns
    again = emotrace.analyze(single_face, tmp_path / "out.emotrace", report=False)
    assert (again.folder / "faces.parquet").stat().st_mtime_ns == stamp


def test_other_settings_or_another_file_never_replace_an_analysis_silently(
    single_face: Path, obama: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.emotrace"
    emotrace.analyze(single_face, out, settings=Settings(end=0.3), report=False)
    with pytest.raises(FolderError, match=r"other settings \(end 0\.3, now 0\.4\)"):
        emotrace.analyze(single_face, out, settings=Settings(end=0.4), report=False)
    with pytest.raises(FolderError, match="another file"):
        emotrace.analyze(obama, out, settings=Settings(end=0.3), report=False)
    assert emotrace.analyze(single_face, out, settings=Settings(end=0.4), overwrite=True, report=False).finished


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text there")
def test_a_name_that_is_not_utf8_is_a_name(single_face: Path, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    shutil.copyfile(single_face, path)
    done = subprocess.run([sys.executable, "-m", "emotrace", "analyze", path, "--end", "0.2"], capture_output=True, check=False,
                          env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"})  # fmt: skip
    assert done.returncode == 0, done.stderr
    folder = tmp_path / os.fsdecode(b"caf\xe9.emotrace")
    assert len(emotrace.load(folder).table("faces")) == 6
    for name in ("csv", "openface", "elan"):
        assert export(emotrace.load(folder), name)


def test_faces_count_as_measured_without_their_expression(single_face: Path, tmp_path: Path) -> None:
    components = chosen_components([], ["face.expression", "face.valence_arousal"])
    (person,) = emotrace.analyze(single_face, tmp_path / "out", settings=Settings(components=components, end=0.5)).people
    assert person.measured == person.frames == 15
    assert "never good enough" not in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("only", ["time", ["time", "time"]])
def test_columns_to_read_are_a_list_of_different_ones(woman_analysis: Analysis, only: Any) -> None:
    with pytest.raises(InputError, match="a list of columns, each once, got"):
        woman_analysis.table("faces", only)


def test_faces_of_low_quality_are_left_out_whatever_was_chosen(obama: Path, tmp_path: Path) -> None:
    settings = Settings(components=("face.expression",), end=1.0, min_quality=0.6)
    faces = emotrace.analyze(obama, tmp_path / "out", settings=settings, report=False).table("faces")
    bad = faces["quality"].to_numpy() < 0.6
    assert 0 < bad.sum() < len(bad)
    np.testing.assert_array_equal(np.isnan(faces["expression_anger"].to_numpy()), bad)


def test_a_folder_of_something_else_is_left_alone(single_face: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(FolderError, match="no output folder of emotrace"):
        emotrace.analyze(single_face, tmp_path, overwrite=True)
    assert (tmp_path / "thesis.docx").read_text() == "years of work"


def test_an_output_that_cannot_be_written_is_refused(single_face: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match="cannot be written"):
        emotrace.analyze(single_face, tmp_path / "file" / "out.emotrace")


def test_a_video_that_is_none_makes_no_folder(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("text")
    with pytest.raises(VideoError):
        emotrace.analyze(tmp_path / "text.mp4")
    assert not (tmp_path / "text.emotrace").exists()


def test_a_folder_that_was_written_by_something_else_is_not_loaded(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"no analysis\.json"):
        emotrace.load(tmp_path)
    for content in ("[1, 2]", "{", '{"schema": "x"}', "[" * 100_000):
        (tmp_path / "analysis.json").write_text(content)
        with pytest.raises(FolderError):
            emotrace.load(tmp_path)
    (tmp_path / "analysis.json").write_text(json.dumps({"schema": 999}))
    with pytest.raises(FolderError, match="update emotrace"):
        emotrace.load(tmp_path)


def test_timelines_ask_for_what_there_is(woman_analysis: Analysis, obama_analysis: Analysis) -> None:
    with pytest.raises(UnknownNameError, match="P1"):
        woman_analysis.timeline("face.expression", "P7")
    with pytest.raises(InputError, match="say which person"):
        obama_analysis.timeline("face.expression")
    with pytest.raises(UnknownNameError, match="in this analysis"):
        woman_analysis.timeline("face.pose_pnp")
    with pytest.raises(InputError, match="gives no timeline"):
        woman_analysis.timeline("face.identity")


def test_a_table_is_a_data_frame_on_request(woman_analysis: Analysis) -> None:
    frame = woman_analysis.to_pandas("faces")
    assert len(frame) == 472
    assert frame.expression_happiness.between(0, 1).all()


def test_an_analysis_moves_with_its_folder(woman_analysis: Analysis, tmp_path: Path) -> None:
    shutil.copytree(woman_analysis.folder, tmp_path / "moved.emotrace")
    moved = emotrace.load(tmp_path / "moved.emotrace")
    assert moved.people == woman_analysis.people
