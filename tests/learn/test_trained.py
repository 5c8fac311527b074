"""What lies in a trained folder can be evaluated: it says what made it, and is fed as it was trained."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace

import cv2
import made_fer2013
import numpy as np
import pytest
import scipy.io

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from emotrace import __version__  # noqa: E402
from emotrace.corpora import fer2013  # noqa: E402
from emotrace.errors import InputError, UnknownNameError  # noqa: E402
from emotrace.learn import shipped  # noqa: E402
from emotrace.learn.checkpoint import save_weights  # noqa: E402
from emotrace.learn.predict import outputs_of  # noqa: E402
from emotrace.recipes import (  # noqa: E402
    catalogue,
    expression_compact,
    expression_convnet1,
    expression_mobilenet,
    record,
    trained,
)
from emotrace.scheme import EXPRESSION_7, EXPRESSION_8  # noqa: E402


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """56 noisy pictures in FER2013's columns, 14 of them PublicTest; raters always say contempt."""
    return made_fer2013.write(tmp_path_factory.mktemp("fer") / "fer2013.parquet")


@pytest.fixture(scope="module")
def convnet1(corpus, tmp_path_factory):
    """A folder of two epochs of ConvNet 1."""
    folder = tmp_path_factory.mktemp("convnet1")
    plan = replace(expression_convnet1.Config().plan, epochs=2, batch=16, precision="fp32", compiled=False, device="cpu")
    config = expression_convnet1.Config(plan)
    record.write(folder, "expression_convnet1", config)
    return folder, expression_convnet1.fit(corpus, folder, config)


@pytest.fixture(scope="module")
def compact(tmp_path_factory):
    """A folder of the compact recipe with untrained weights."""
    folder = tmp_path_factory.mktemp("compact")
    config = expression_compact.Config()
    torch.manual_seed(3)
    save_weights(folder / "best", config.network(), {})
    record.write(folder, "expression_compact", config)
    return folder


def test_the_accuracy_of_a_folder_is_the_one_that_its_run_measured(corpus, convnet1):
    folder, progress = convnet1
    scores = shipped.measure(trained.model(str(folder)), shipped.corpus(f"fer2013={corpus}", "PublicTest"))
    assert scores.n == 14
    assert scores.accuracy == pytest.approx(progress.best)


def test_votes_are_judged_by_the_eight_way_head_and_labels_by_the_other(corpus, compact):
    images = fer2013.read(corpus).images()[:6]
    logits = outputs_of(expression_compact.trained(compact, expression_compact.Config()), images).astype(np.float64)
    for truth, part, scheme in (("label", slice(7), EXPRESSION_7), ("votes", slice(7, 15), EXPRESSION_8)):
        model = trained.model(str(compact), truth)
        powers = np.exp(logits[:, part])
        assert model.scheme is scheme
        assert model.predict(images) == pytest.approx(powers / powers.sum(1, keepdims=True), abs=1e-5)
    scores = shipped.measure(trained.model(str(compact), "votes"), shipped.corpus(f"fer2013={corpus}", None), "votes")
    assert (scores.n, scores.labels) == (56, EXPRESSION_8.labels)


def test_a_head_of_seven_is_judged_against_votes_without_contempt(corpus, convnet1):
    with pytest.raises(InputError, match="none of the 56 rows has a majority of votes in expression_7"):
        shipped.measure(trained.model(str(convnet1[0]), "votes"), shipped.corpus(f"fer2013={corpus}", None), "votes")


def test_the_shipped_network_has_its_eight_way_head_too(corpus):
    images = fer2013.read(corpus).images()[:3]
    model = trained.model("face.expression", "votes")
    assert model.scheme is EXPRESSION_8
    assert model.predict(images).sum(1) == pytest.approx(np.ones(3), abs=1e-5)
    assert trained.model("face.expression_mini_xception", "votes").scheme is EXPRESSION_7


@pytest.mark.parametrize("name", list(catalogue.RECIPES))
def test_the_constants_of_every_recipe_come_back_as_they_were(tmp_path, name):
    config = catalogue.module(name).Config()
    record.write(tmp_path, name, config)
    module, restored = record.read(tmp_path)
    assert module is catalogue.module(name)
    assert restored == config


def test_a_constant_that_came_after_a_run_has_its_default(tmp_path):
    content = asdict(expression_mobilenet.TAUGHT)
    del content["plan"]["clip"]
    assert record.restored(expression_mobilenet.Config, json.loads(json.dumps(content))) == expression_mobilenet.TAUGHT


def test_a_folder_keeps_to_its_recipe(compact):
    with pytest.raises(InputError, match="holds a run of expression_compact, not of expression_convnet1"):
        record.write(compact, "expression_convnet1", expression_convnet1.Config())


def test_a_folder_keeps_to_its_constants(compact):
    was = (compact / record.FILE).read_text()
    config = expression_compact.Config()
    for other, words in (
        (replace(config, plan=replace(config.plan, rate=0.2)), r"plan\.rate = 0\.1, not 0\.2; use another folder"),
        (replace(config, widths=(8, 96, 192)), r"holds a run with widths = \(48, 96, 192\), not \(8, 96, 192\)"),
    ):
        with pytest.raises(InputError, match=words):
            record.write(compact, "expression_compact", other)
        assert (compact / record.FILE).read_text() == was
    record.write(compact, "expression_compact", config)
    assert (compact / record.FILE).read_text() == was


def test_a_run_of_another_version_is_gone_on_with_and_told(tmp_path, capsys):
    config = expression_compact.Config()
    record.write(tmp_path, "expression_compact", config)
    (tmp_path / "kept").write_text("something")
    content = json.loads((tmp_path / record.FILE).read_text())
    (tmp_path / record.FILE).write_text(json.dumps(content | {"version": "0.1.0"}))
    record.write(tmp_path, "expression_compact", config)
    told = capsys.readouterr().out
    assert told.startswith(f"{tmp_path}: holds a run of emotrace 0.1.0, this is {__version__}; what it kept is used as it is.")
    record.write(tmp_path, "expression_compact", config)
    assert capsys.readouterr().out == ""


def test_a_fit_that_failed_before_it_kept_anything_can_be_asked_for_with_other_constants(tmp_path):
    config = expression_compact.Config()
    record.write(tmp_path, "expression_compact", config)
    other = replace(config, dropout=0.5)
    record.write(tmp_path, "expression_compact", other)
    assert record.read(tmp_path)[1] == other


def broken(folder, **changes):
    """A folder whose recipe.json is that of ConvNet 1, changed."""
    content = {"recipe": "expression_convnet1", "version": "0", "config": asdict(expression_convnet1.Config()), **changes}
    (folder / "recipe.json").write_text(json.dumps(content))
    return str(folder)


def test_a_folder_that_cannot_be_used_says_why_in_one_line(tmp_path):
    for changes, words in (
        ({"config": {"plan": 3}}, "not the constants of expression_convnet1"),
        ({"config": {"plan": {}, "colour": 3}}, "unknown 'colour'"),
        ({"config": None}, "recipe.json"),
        ({"config": {"plan": {"rate": "fast"}}}, r"not the constants of .*\(plan\.rate: input should be a valid number"),
        ({"config": {"plan": {"epochs": 0}}}, r"not the constants of .*\(a plan of 0 epochs"),
        ({"config": {"plan": {"points": "ab"}}}, "not the constants of expression_convnet1"),
        ({"recipe": ["expression_convnet1"]}, r"not a recipe\.json of emotrace \(recipe: input should be a valid string\)"),
        ({}, "best.*no such file; expected the folder of a trained network"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            trained.model(broken(tmp_path, **changes))
        assert "\n" not in str(caught.value)
    (tmp_path / "recipe.json").write_text("no json")
    with pytest.raises(InputError, match=r"not a recipe.json"):
        trained.model(str(tmp_path))
    with pytest.raises(InputError, match="nowhere: no such folder; expected a component, or"):
        trained.model(str(tmp_path / "nowhere"))
    with pytest.raises(UnknownNameError, match="no recipe 'magic'"):
        trained.model(broken(tmp_path, recipe="magic"))


@pytest.mark.parametrize("widths", [[48, 96, 10**9], [48, 96, -3]])
def test_constants_that_make_no_network_are_said_in_a_line(compact, tmp_path, widths):
    content = json.loads((compact / "recipe.json").read_text())
    content["config"]["widths"] = widths
    (tmp_path / "recipe.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"recipe\.json: ") as caught:
        trained.model(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_the_command_line_takes_a_folder_and_refuses_one_of_something_else(corpus, convnet1, tmp_path):
    def run(*arguments):
        command = [sys.executable, "-m", "emotrace", "evaluate", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)

    done = run(convnet1[0], "--corpus", f"fer2013={corpus}", "--split", "PublicTest")
    assert done.returncode == 0, done.stderr
    assert f"accuracy {convnet1[1].best:.4f}" in done.stdout
    done = run(tmp_path, "--corpus", f"fer2013={corpus}")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "no recipe.json; expected the folder of a run of 'emotrace train'" in done.stderr


def layouts(folder):
    """One picture or a few of every published layout, all grey 30 = happiness: name -> path."""
    def picture(*parts):
        path = folder.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((48, 48), 30, np.uint8))

    picture("folder", "joy", "1.png")
    picture("ck+", "happy", "S010_002_00000014.png")
    picture("jaffe", "YM.HA3.54.tiff")
    picture("radboud", "Rafd045_23_Moroccan_male_happy_left.jpg")
    picture("sfew", "Train", "Happy", "a.png")
    picture("affectnet", "Manually_Annotated_Images", "1", "a.jpg")
    head = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
    (folder / "affectnet" / "training.csv").write_text(f"{head}\n1/a.jpg,0,0,1,1,x,1,0.5,0.25\n")
    (folder / "fer2013").mkdir()
    pixels = " ".join(["30"] * 48 * 48)
    (folder / "fer2013" / "fer2013.csv").write_text(f"emotion,pixels,Usage\n3,{pixels},Training\n")
    (folder / "tfd").mkdir()
    scipy.io.savemat(folder / "tfd" / "t.mat", {
        "images": np.full((1, 48, 48), 30, np.uint8), "labs_ex": [[4]], "labs_id": [[1]], "folds": np.array([[1, 1]]),
    })  # fmt: skip
    return {**{name: folder / name for name in catalogue_names()}, "tfd": folder / "tfd" / "t.mat"}


def catalogue_names():
    from emotrace.corpora.catalogue import CORPORA

    return list(CORPORA)


def test_every_layout_can_be_evaluated(tmp_path):
    def grey_is_label(images):
        return np.eye(7, dtype=np.float32)[np.clip(images[:, 24, 24] // 10, 0, 6)]

    model = shipped.Classifier(grey_is_label, EXPRESSION_7, 64)
    for name, path in layouts(tmp_path).items():
        scores = shipped.measure(model, shipped.corpus(f"{name}={path}", None))
        assert (scores.n, scores.accuracy) == (1, 1.0), name


def test_a_network_that_has_diverged_is_no_score(corpus, tmp_path):
    config = expression_compact.Config()
    network = config.network()
    with torch.no_grad():
        for weights in network.parameters():
            weights.mul_(1e38)
    save_weights(tmp_path / "best", network, {})
    record.write(tmp_path, "expression_compact", config)
    with pytest.raises(InputError, match="outputs are not finite, as its training has diverged"):
        shipped.measure(trained.model(str(tmp_path)), shipped.corpus(f"fer2013={corpus}", "PublicTest"))
