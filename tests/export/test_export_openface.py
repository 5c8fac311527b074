"""OpenFace's columns: units and signs against its own formulas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from emotrace.export import export, openface, tables


def read(analysis) -> pd.DataFrame:
    return pd.read_csv(export(analysis, "openface")[0])


def rotation(rx: float, ry: float, rz: float) -> np.ndarray:
    """R = Rx Ry Rz for column vectors, x right, y down, z away from the camera, as OpenFace composes it."""
    def turn(angle: float, first: int, second: int) -> np.ndarray:
        matrix = np.eye(3)
        matrix[[first, second], [first, second]] = np.cos(angle)
        matrix[first, second], matrix[second, first] = -np.sin(angle), np.sin(angle)
        return matrix

    return turn(rx, 1, 2) @ turn(ry, 2, 0) @ turn(rz, 0, 1)


def test_the_header_is_that_of_openface(plant):
    header = export(plant({"P1": [("fear", 0.2)]}), "openface")[0].read_text().splitlines()[0].split(",")
    assert header[:5] == ["frame", "face_id", "timestamp", "confidence", "success"]
    assert header[5:16] == [
        "gaze_0_x", "gaze_0_y", "gaze_0_z", "gaze_1_x", "gaze_1_y", "gaze_1_z", "gaze_angle_x", "gaze_angle_y",
        "pose_Rx", "pose_Ry", "pose_Rz",
    ]  # fmt: skip
    assert header[16:152] == [f"{axis}_{i}" for axis in "xy" for i in range(68)]
    units = header[152:]
    assert units == sorted([u for u in units if u.endswith("_r")]) + sorted([u for u in units if u.endswith("_c")])


def test_what_emotrace_does_not_measure_is_absent(plant):
    table = read(plant({"P1": [("fear", 0.2)]}))
    assert not {"pose_Tx", "AU06_r", "AU06_c", "AU09_r", "AU09_c", "AU23_r", "AU28_r", "AU16_r"} & set(table.columns)
    assert {"AU12_r", "AU12_c", "AU45_r", "AU28_c"} <= set(table.columns)


@pytest.mark.parametrize(
    ("pitch", "yaw", "roll", "expected"),
    [
        (20.0, 0.0, 0.0, (-20.0, 0.0, 0.0)),   # up
        (0.0, 30.0, 0.0, (0.0, -30.0, 0.0)),   # towards the right edge of the picture
        (0.0, 0.0, 15.0, (0.0, 0.0, 15.0)),    # clockwise
    ],
)
def test_each_head_angle_has_openface_s_sign(pitch, yaw, roll, expected):
    found = openface.pose(np.array([[pitch, yaw, roll]]))
    assert [np.rad2deg(found[f"pose_R{axis}"][0]) for axis in "xyz"] == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("degrees", [(25.0, -40.0, 10.0), (-30.0, 35.0, -20.0), (5.0, 60.0, 0.0)])
def test_openface_s_rotation_turns_the_face_where_ours_does(degrees):
    pitch, yaw, roll = np.deg2rad(degrees)
    found = openface.pose(np.array([degrees]))
    turned = rotation(*(found[f"pose_R{axis}"][0] for axis in "xyz"))
    nose = np.array([np.cos(pitch) * np.sin(yaw), -np.sin(pitch), -np.cos(pitch) * np.cos(yaw)])
    assert turned @ [0, 0, -1] == pytest.approx(nose, abs=2e-3)
    level = np.cross([0.0, 1.0, 0.0], -nose)   # the line of the ears without roll
    ears = turned @ [1, 0, 0]
    down = np.cross(-nose, level / np.linalg.norm(level))
    assert np.arctan2(ears @ down, ears @ level / np.linalg.norm(level)) == pytest.approx(roll, abs=2e-3)


def test_gaze_is_a_unit_vector_with_openface_s_angles():
    found = openface.gaze(np.array([0.0, 20.0, -10.0]), np.array([0.0, 0.0, 30.0]))
    vector = np.stack([found[f"gaze_0_{axis}"] for axis in "xyz"], axis=1)
    assert vector[0].tolist() == [0.0, 0.0, -1.0]   # into the camera
    assert np.linalg.norm(vector, axis=1) == pytest.approx(np.ones(3), abs=1e-6)
    assert np.rad2deg(found["gaze_angle_x"]) == pytest.approx([0, 0, 30], abs=0.05)   # + right edge
    assert np.rad2deg(found["gaze_angle_y"][:2]) == pytest.approx([0, -20], abs=0.05)   # + down
    assert found["gaze_angle_y"] == pytest.approx(np.arctan2(vector[:, 1], -vector[:, 2]), abs=1e-3)
    assert np.array_equal(vector, np.stack([found[f"gaze_1_{axis}"] for axis in "xyz"], axis=1))


def test_action_units_are_on_the_scale_of_facs(plant):
    table = read(plant({"P1": [("happiness", 0.12)]}, measured={"AU12": np.array([1.0, 0.3995, 0.39]), "AU28": 0.5}))
    assert table["AU12_r"].tolist() == [5.0, 2.0, 1.95]
    assert table["AU12_c"].tolist() == [1, 1, 0]
    assert table["AU28_c"].tolist() == [1, 1, 1]
    assert table["AU01_r"].isna().all()
    assert table["AU01_c"].isna().all()


def test_frames_count_from_one_and_pixels_stay_pixels(plant):
    points = np.tile(np.arange(68, dtype=np.float32) + 0.25, (2, 1))
    table = read(plant({"P1": [("fear", 0.08)]}, measured={"landmarks_x": points, "landmarks_y": points + 100}))
    assert table["frame"].tolist() == [1, 2]
    assert table["timestamp"].tolist() == [0.0, 0.04]
    assert table["confidence"].tolist() == [0.75, 0.75]
    assert table["x_0"].tolist() == pytest.approx([0.25, 0.25], abs=0.051)
    assert table["y_67"].tolist() == pytest.approx([167.25, 167.25], abs=0.051)


def test_one_person_has_a_row_for_every_frame_and_fails_where_there_is_no_face(plant):
    runs = [("absent", 0.2), ("fear", 0.2), ("absent", 0.2), ("fear", 0.2), ("absent", 0.2)]
    table = read(plant({"P1": runs}))
    assert table["frame"].tolist() == list(range(1, 26))
    assert table["success"].tolist() == [0] * 5 + [1] * 5 + [0] * 5 + [1] * 5 + [0] * 5
    assert (table["confidence"] == np.where(table["success"] == 1, 0.75, 0)).all()
    failed = table[table["success"] == 0]
    assert failed.drop(columns=["frame", "face_id", "timestamp", "confidence", "success"]).isna().all().all()
    assert failed["timestamp"].iloc[0] == 0.0
    assert failed["timestamp"].iloc[-1] == 0.96


def test_a_video_without_faces_fails_in_every_frame(plant):
    table = read(plant({}, times=[0.0, 0.04, 0.08]))
    assert table["success"].tolist() == [0, 0, 0]
    assert table["face_id"].tolist() == [0, 0, 0]


def test_frames_that_were_not_analysed_have_no_row(plant):
    table = read(plant({}, times=[0.0, 0.04, 0.08], analysed=[True, False, True]))
    assert table["frame"].tolist() == [1, 3]


def test_several_people_have_rows_only_where_they_are_seen_and_strangers_numbers_behind_them(plant):
    analysis = plant([
        ("", [("absent", 0.04), ("fear", 0.04)]), ("P2", [("fear", 0.08)]), ("P1", [("fear", 0.04), ("absent", 0.08)]),
        ("", [("absent", 0.08), ("fear", 0.04)]),
    ])  # fmt: skip
    assert [person.name for person in analysis.people] == ["P2", "P1"]
    table = read(analysis)
    assert list(zip(table["frame"], table["face_id"], strict=True)) == [(1, 0), (1, 1), (2, 0), (2, 2), (3, 3)]
    assert table["success"].tolist() == [1] * 5


def test_of_two_faces_of_one_person_in_a_frame_the_surer_one_stays(plant):
    analysis = plant(
        [("P1", [("fear", 0.08)]), ("P1", [("fear", 0.08)])], measured={"score": np.array([0.9, 0.6, 0.5, 0.8])}
    )
    assert read(analysis)["confidence"].tolist() == [0.9, 0.8]


def test_a_component_that_was_not_measured_has_no_columns(plant):
    table = read(plant({"P1": [("fear", 0.2)]}, components=["face.expression"]))
    assert not any(name.startswith(("gaze", "AU")) for name in table.columns)   # quality, which gates it, brings the pose
    assert len(table) == 5


@pytest.mark.parametrize("rows", [1, 2, 5, 64])
def test_the_size_of_a_batch_changes_nothing(plant, monkeypatch, rows):
    shown = [("P1", [("fear", 0.4), ("absent", 0.4), ("anger", 0.4)]), ("", [("absent", 0.2), ("anger", 0.4)])]
    analysis = plant(shown)
    whole = export(analysis, "openface")[0].read_bytes()
    monkeypatch.setattr(tables, "ROWS", rows)
    assert export(analysis, "openface")[0].read_bytes() == whole
