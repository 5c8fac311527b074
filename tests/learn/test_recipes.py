"""The expression recipes on a small made-up FER2013: they run, they go on, and what they ship is what they learnt."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from safetensors.torch import load_file  # noqa: E402

from emotrace import weights  # noqa: E402
from emotrace.corpora import fer2013  # noqa: E402
from emotrace.corpora.catalogue import CLIPS, CORPORA, VOICES  # noqa: E402
from emotrace.errors import FolderError, InputError, UnknownNameError  # noqa: E402
from emotrace.learn import fer, two_heads  # noqa: E402
from emotrace.learn.augment import crop_and_flip  # noqa: E402
from emotrace.learn.export import run  # noqa: E402
from emotrace.learn.plan import Plan, optimiser  # noqa: E402
from emotrace.learn.predict import outputs_of  # noqa: E402
from emotrace.recipes import catalogue, expression_compact, expression_convnet1, expression_mobilenet  # noqa: E402
from emotrace.recipes.__main__ import run as run_recipe  # noqa: E402
from emotrace.recipes.__main__ import writing  # noqa: E402

WORDS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
FERPLUS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral", "contempt", "unknown", "nf")
PLAN = Plan(epochs=1, batch=16, seed=1, device="cpu")
face_recognition = pytest.mark.skipif(
    not weights.is_here(weights.entry("face_mobilenet")) and shutil.which("npm") is None,
    reason="the weights to start from come with npm, which is not here",
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    random = np.random.default_rng(0)
    labels = np.arange(56) % 7
    images = [cv2.imencode(".png", random.integers(0, 256, (48, 48)).astype(np.uint8))[1].tobytes() for _ in labels]
    votes = np.eye(10, dtype=np.int8)[labels] * 8 + np.eye(10, dtype=np.int8)[7] * 2
    votes[3] = np.eye(10)[9] * 10  # the fourth row shows no face
    path = tmp_path_factory.mktemp("fer") / "fer2013.parquet"
    usage = ["Training"] * 42 + ["PublicTest"] * 14
    columns = {f"ferplus_{word}": votes[:, i] for i, word in enumerate(FERPLUS)}
    pq.write_table(pa.table({"image": images, "label": [WORDS[i] for i in labels], "usage": usage, **columns}), path)
    return path


def test_training_rows_are_faces_with_both_targets(corpus):
    examples = two_heads.examples(fer2013.read(corpus).of_split("Training"), 0.7)
    assert len(examples) == 41
    assert examples.targets.shape == (41, 15)
    assert examples.targets[:, :7].sum(1).numpy() == pytest.approx(np.ones(41), abs=1e-5)
    assert examples.targets[0, 7:].tolist() == pytest.approx([0.8, 0, 0, 0, 0, 0, 0, 0.2])
    assert examples.targets[0, 0] > 0.95  # these votes always go with anger


@pytest.fixture(scope="module")
def gaps(corpus, tmp_path_factory):
    """The same pictures with no label on the first of Training and of PublicTest, contempt on their second, and no votes."""
    known = pq.read_table(corpus).select(["image", "label", "usage"]).to_pydict()
    for row in (0, 42):
        known["label"][row : row + 2] = [None, "contempt"]
    path = tmp_path_factory.mktemp("gaps") / "fer2013.parquet"
    pq.write_table(pa.table(known), path)
    return path


def test_rows_without_one_of_the_seven_labels_are_not_learnt_from(gaps):
    examples = two_heads.examples(fer2013.read(gaps).of_split("Training"), 1.0)
    assert examples.targets[:, :7].argmax(1).tolist() == (np.arange(2, 42) % 7).tolist()
    lessons = fer.read(gaps)
    assert lessons.label.tolist() == (np.arange(2, 42) % 7).tolist()
    assert lessons.held_out_label.tolist() == (np.arange(44, 56) % 7).tolist()


def test_what_is_held_out_has_labels_and_without_votes_their_accuracy_is_left_out(gaps, tmp_path):
    config = expression_compact.Config(widths=(8, 16, 16), blocks=(1, 1, 1), plan=PLAN)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        (numbers,) = expression_compact.fit(gaps, tmp_path, config).history
    assert "accuracy_votes" not in numbers
    faces = fer2013.read(gaps)[np.arange(44, 56)]
    named = outputs_of(expression_compact.trained(tmp_path, config), faces.images())[:, :7].argmax(1)
    assert numbers["accuracy"] == (named == faces.label).mean()


def test_votes_are_turned_into_the_labels_they_go_with():
    votes = np.repeat(np.eye(8, dtype=np.float32)[[6, 3]], [400, 100], axis=0)
    label = np.repeat([6, 4, 3], [300, 100, 100])  # raters say neutral; the label is neutral three times of four
    given = two_heads.hard_given_votes(votes, label)
    assert given[0, [6, 4]] == pytest.approx([0.75, 0.25], abs=0.02)
    assert given[450, 3] > 0.95


@pytest.mark.parametrize(
    "run", [expression_compact.Config(), expression_mobilenet.Config()]
)
def test_the_stages_follow_each_other(run):
    stages = run.stages
    assert [two_heads.stage_of(stages, stage.first) for stage in stages] == list(stages)
    assert [two_heads.stage_of(stages, stage.first - 1) for stage in stages[1:]] == list(stages[:-1])
    assert stages[-1].first < run.plan.epochs


def check_shipped(recipe, corpus, folder, config, gap=1e-4):
    """What is shipped gives what was learnt, made into probabilities."""
    temperatures = recipe.ship(corpus, folder, folder / "net.onnx", config)
    images = fer2013.read(corpus).images()[:5]
    seven, eight = run(folder / "net.onnx", images[:, None].astype(np.float32))
    assert (seven.shape, eight.shape) == ((5, 7), (5, 8))
    assert seven.sum(1) == pytest.approx(np.ones(5), abs=1e-5)
    logits = outputs_of(recipe.trained(folder, config), images)
    for given, expected, temperature in zip((seven, eight), (logits[:, :7], logits[:, 7:]), temperatures, strict=True):
        powers = np.exp((expected - expected.max(1, keepdims=True)) / temperature)
        assert given == pytest.approx(powers / powers.sum(1, keepdims=True), abs=gap)


TINY = ["stem=4", "widths=[8, 16, 16]", "blocks=[1, 1, 1]", "plan.batch=16", "plan.device=cpu"]


def test_a_full_disk_is_said_in_a_line_and_the_same_command_goes_on(corpus, tmp_path):
    resource = pytest.importorskip("resource", reason="there are no limits of file sizes to be set here")
    changes, limits = [*TINY, "plan.epochs=2"], resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(FolderError, match=r"run: .*; make room, and the same command goes on from there") as caught:
            run_recipe("expression_compact", corpus, tmp_path / "run", changes=changes)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "\n" not in str(caught.value)
    run_recipe("expression_compact", corpus, tmp_path / "run", changes=changes)
    assert (tmp_path / "run" / "best" / "scores.json").is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is no signal that is sent there")
def test_ctrl_c_says_that_the_training_goes_on(corpus, tmp_path):
    command = [sys.executable, "-m", "emotrace", "train", "expression_compact", "--corpus", str(corpus)]
    command += ["--out", str(tmp_path / "run")]
    command += [word for change in (*TINY, "plan.epochs=100000") for word in ("--set", change)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # which a shell's background takes from it
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline().startswith("epoch   1")
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error == "emotrace: interrupted; what was learnt is kept, the same command goes on from there\n"
    assert (tmp_path / "run" / "last").exists() or (tmp_path / "run" / "last.old").exists()


def test_two_trainings_do_not_write_into_one_folder(corpus, tmp_path):
    command = [sys.executable, "-m", "emotrace", "train", "expression_compact", "--corpus", str(corpus)]
    command += ["--out", str(tmp_path / "run")]
    command += [word for change in (*TINY, "plan.epochs=100000") for word in ("--set", change)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline().startswith("epoch   1")
            with pytest.raises(FolderError, match="run: another training is writing there; wait for it, or use another folder"):
                run_recipe("expression_compact", corpus, tmp_path / "run", changes=[*TINY, "plan.epochs=1"])
        finally:
            process.kill()
    with writing(tmp_path / "run"):   # what is killed holds nothing
        assert (tmp_path / "run" / "recipe.json").is_file()


def test_what_compact_ships_is_what_was_learnt(corpus, tmp_path):
    config = expression_compact.Config(widths=(8, 16, 16), blocks=(1, 1, 1), plan=PLAN)
    expression_compact.fit(corpus, tmp_path, config)
    check_shipped(expression_compact, corpus, tmp_path, config)


@face_recognition
def test_what_the_face_network_ships_is_what_was_learnt(corpus, tmp_path):
    config = expression_mobilenet.Config()
    config = replace(config, stages=(two_heads.Stage(0, 32, expression_mobilenet.LIGHT),), plan=PLAN)
    expression_mobilenet.fit(corpus, tmp_path, config)
    check_shipped(expression_mobilenet, corpus, tmp_path, config, gap=0.1)  # 8 bits


@face_recognition
def test_a_further_round_begins_with_the_average_of_the_one_before(corpus, tmp_path):
    config = expression_mobilenet.Config()
    small = (two_heads.Stage(0, 32, expression_mobilenet.LIGHT),)
    still = replace(PLAN, seed=2, rate=0.0, warmup=0.0)
    config = replace(config, stages=small, plan=replace(PLAN, epochs=2), further=(still,))
    expression_mobilenet.fit(corpus, tmp_path, config)
    first, last = (load_file(place / "average.safetensors") for place in (tmp_path / "round1" / "last", tmp_path / "last"))
    assert all(torch.equal(first[name], last[name]) for name in first)
    assert torch.equal(first["heads.weight"], expression_mobilenet.trained(tmp_path, config).network.heads.weight)


def test_answers_of_a_teacher_are_kept_apart_for_other_pictures():
    plan, stages = expression_mobilenet.TAUGHT.plan, expression_mobilenet.TAUGHT.stages
    pictures = np.zeros((100, 1, 8, 8), np.uint8)
    other = pictures.copy()   # as many of another corpus
    other[50] = 1
    folder = expression_mobilenet.answers_folder(stages, plan, pictures)
    assert folder == expression_mobilenet.answers_folder(stages, replace(plan, rate=1e-5), pictures)
    lighter = (replace(stages[0], augmentation=expression_mobilenet.LIGHT),)
    others = {
        expression_mobilenet.answers_folder(lighter, plan, pictures),
        expression_mobilenet.answers_folder(stages, replace(plan, seed=1), pictures),
        expression_mobilenet.answers_folder(stages, plan, pictures[1:]),
        expression_mobilenet.answers_folder(stages, plan, other),
    }
    assert len(others | {folder}) == 5


def test_a_teachers_views_do_not_come_again_in_another_stage():
    own, taught = expression_mobilenet.Config(), expression_mobilenet.TAUGHT
    assert len(own.stages) > 1
    with pytest.raises(InputError, match="come again after 8 epochs, but 2 stages show them differently"):
        replace(taught, stages=own.stages)
    once = replace(taught.plan, epochs=taught.plan.cycle)
    for harmless in ({"plan": own.plan, "further": ()}, {"teaching": None}, {"plan": once, "further": ()}):
        assert replace(taught, stages=own.stages, **harmless).stages == own.stages


@pytest.mark.parametrize("teaching", [None, expression_mobilenet.TAUGHT.teaching])
def test_rates_of_every_round_are_of_parameters_there_are(teaching):
    config = replace(expression_mobilenet.TAUGHT, teaching=teaching)
    learner = config.learner(config.network())
    for plan, _ in expression_mobilenet.rounds(config, Path("run")):
        assert {group["rate_factor"] for group in optimiser(learner, plan).param_groups} == {1.0, 5.0}


def relabelled(corpus, folder, usage):
    """The corpus with other labels in one of its parts."""
    known = pq.read_table(corpus).to_pydict()
    turned = [WORDS[(WORDS.index(word) + 1) % 7] for word in known["label"]]
    rows = zip(known["label"], turned, known["usage"], strict=True)
    known["label"] = [new if part == usage else old for old, new, part in rows]
    pq.write_table(pa.table(known), folder / f"{usage}.parquet")
    return folder / f"{usage}.parquet"


@pytest.mark.parametrize("usage", ["Training", "PublicTest"])
@pytest.mark.parametrize("recipe", [expression_compact, expression_convnet1])
def test_a_run_is_not_gone_on_with_on_a_corpus_of_other_labels(recipe, usage, corpus, tmp_path):
    small = {"widths": (8, 16, 16), "blocks": (1, 1, 1)} if recipe is expression_compact else {}
    config = recipe.Config(plan=PLAN, **small)
    done = recipe.fit(corpus, tmp_path / "run", config)
    assert recipe.fit(corpus, tmp_path / "run", config).history == done.history
    with pytest.raises(InputError, match="run on other examples or other labels than are given now"):
        recipe.fit(relabelled(corpus, tmp_path, usage), tmp_path / "run", config)


def test_every_round_shows_other_views():
    config = expression_mobilenet.TAUGHT
    seeds = [plan.seed for plan, _ in expression_mobilenet.rounds(config, Path("run"))]
    assert len(set(seeds)) == len(seeds) == 1 + len(config.further)


def test_a_variant_that_a_recipe_has_not_is_refused(corpus, tmp_path):
    with pytest.raises(InputError, match="has no constants 'SHARPER'"):
        run_recipe("expression_compact", corpus, tmp_path / "run", None, "SHARPER")


def test_convnet1_runs_on_the_same_corpus(corpus, tmp_path):
    progress = expression_convnet1.fit(corpus, tmp_path, expression_convnet1.Config(PLAN))
    assert progress.epoch == 1
    assert 0 <= progress.history[0]["accuracy"] <= 1


def test_crops_are_parts_of_the_picture_or_of_its_mirror_image():
    images = torch.arange(2 * 8 * 8).reshape(2, 1, 8, 8)
    crops = crop_and_flip(images, 5, torch.Generator().manual_seed(4))
    both = torch.stack([images, images.flip(3)]).float()
    for i, crop in enumerate(crops):
        places = [(f, y, x) for f in range(2) for y in range(4) for x in range(4)]
        assert sum(torch.equal(both[f, i, :, y : y + 5, x : x + 5], crop) for f, y, x in places) == 1


@pytest.mark.parametrize("name", list(catalogue.RECIPES))
def test_every_recipe_has_the_same_names_and_reads_a_known_corpus(name):
    module, line = catalogue.module(name), catalogue.RECIPES[name]
    assert module.PUBLISHED.paper
    assert callable(module.fit)
    assert {*line.corpus.split("+")} <= {*CORPORA, *VOICES, *CLIPS}
    assert {*line.stills.split("+")} <= {"", *CORPORA}
    assert callable(module.predict) if line.corpus in CLIPS else module.Config().plan.epochs > 0


def test_an_unknown_recipe_lists_those_there_are():
    with pytest.raises(UnknownNameError, match="there is no recipe 'compact'; there are: expression_mobilenet"):
        catalogue.module("compact")


def test_a_recipe_that_ships_nothing_says_so_before_it_trains(corpus, tmp_path):
    with pytest.raises(InputError, match="expression_convnet1 ships nothing"):
        run_recipe("expression_convnet1", corpus, tmp_path / "run", tmp_path / "net.onnx")
    assert not (tmp_path / "run").exists()
