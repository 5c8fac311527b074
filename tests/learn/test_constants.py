"""Constants of a recipe as asked for on the command line."""

import json
from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from emotrace.errors import InputError  # noqa: E402
from emotrace.recipes import catalogue, constants, expression_compact, ntechlab, upc_bimodal  # noqa: E402
from emotrace.recipes.__main__ import run  # noqa: E402


def test_nothing_asked_for_is_the_recipe_s_own() -> None:
    assert constants.chosen(ntechlab, "ntechlab") == ntechlab.Config()
    assert constants.chosen(ntechlab, "ntechlab", "QUICK") == ntechlab.QUICK


def test_single_constants_change_and_all_others_stay() -> None:
    wanted = ["vgg_face=7.mat", "finding.rate=2.5", "costs=[0.1, 1]", "augmented=false", "seed=3"]
    found = constants.chosen(ntechlab, "ntechlab", "", wanted)
    own = ntechlab.Config()
    assert found == replace(
        own, vgg_face="7.mat", finding=replace(own.finding, rate=2.5), costs=(0.1, 1.0), augmented=False, seed=3
    )
    assert constants.changed(upc_bimodal.Config(), "heads=[[32], [64, 32]]").heads == ((32,), (64, 32))
    assert constants.changed(upc_bimodal.Config(), "vgg_face=12").vgg_face == "12"


@pytest.mark.parametrize("name", catalogue.RECIPES)
def test_every_constant_of_every_recipe_can_be_set(name: str) -> None:
    recipe = catalogue.module(name)
    for constant in fields(recipe.Config):
        value = asdict(recipe.Config())[constant.name]
        text = value if isinstance(value, str) else json.dumps(value)
        assert constants.chosen(recipe, name, "", [f"{constant.name}={text}"]) == recipe.Config()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("seed", "expected FIELD=VALUE, with a field of: finding, tuned, frozen"),
        ("sead=3", "expected FIELD=VALUE, with a field of: finding, tuned, frozen"),
        ("finding.speed=3", "with a field of: "),
        ("seed.deeper=3", "with a field of: finding"),
        ("seed=three", "input should be a valid integer.*it is 0 if left alone"),
        ("tuning.precision=int8", "should be 'fp32', 'bf16' or 'fp16'.*it is 'bf16' if left alone"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(change: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        constants.chosen(ntechlab, "ntechlab", "", [change])


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("expression_compact", "stages=[]", r"stages from epochs \[\]; the first has to begin at 0"),
        ("expression_mobilenet", "stages=[]", r"stages from epochs \[\]; the first has to begin at 0"),
        ("expression_compact", "dropout=2", "input should be less than or equal to 1; it is 0.3 if left alone"),
        ("expression_compact", "stem=0", "input should be greater than or equal to 1; it is 24 if left alone"),
        ("expression_compact", "plan.seed=99999999999999999999", "input should be less than 4294967296; it is 0"),
        ("expression_mixed_emotions", "augmentation.scale=[-1, 1]", "input should be greater than 0"),
        ("ntechlab", "costs=[]", "should have at least 1 item"),
        ("ntechlab", "costs=[-1]", "input should be greater than 0"),
        ("ntechlab", "aggregation=FOO", r"input should be 'mean', 'STAT', 'STAT\*' or 'STAT\* \+ FFT'"),
        ("ntechlab", "prior=[1, 2]", r"counts \[1, 2\] of 7 classes; expected one of 0 or more for each, or none"),
        ("ntechlab", "finding.rate=0", "rate 0.0, size None; expected more than 0, or None"),
        ("ntechlab", "lstm.epochs=0", "input should be greater than or equal to 1"),
        ("ntechlab", "voices=[]", "should have at least 1 item"),
        ("upc_bimodal", "kernels=[]", "should have at least 1 item"),
        ("upc_bimodal", "heads=[]", "should have at least 1 item"),
        ("upc_bimodal", "heads=[[]]", "should have at least 1 item"),
        ("upc_bimodal", "heads=[[0]]", "input should be greater than or equal to 1"),
        ("upc_bimodal", "components=0", "input should be greater than or equal to 1"),
        ("upc_bimodal", "epochs=0", "input should be greater than or equal to 1"),
        ("upc_bimodal", 'head.learning=["zzz"]', r"no parameter has 'zzz' in its name; .*it is \('fc',\) if left"),
        ("upc_bimodal", 'head.learning=["fc3"]', "no parameter has 'fc3' in its name"),   # FC 256 ends with fc2
        ("upc_bimodal", "versions=-1", "input should be greater than or equal to 0"),
        ("upc_bimodal", "frame_size=[0, 0]", "input should be greater than or equal to 1"),
        ("emonets", "audio.units=[200, 200]", r"units, kinds, rates and decays of \[2, 3, 3, 3\] layers"),
        ("emonets", "mouths.pooling=sum", "input should be 'mean' or 'deviation'"),
        ("voice_emotion", "blocks=9", "input should be less than or equal to 6"),
    ],
)
def test_what_is_out_of_range_is_said_before_anything_is_trained(name: str, change: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        constants.chosen(catalogue.module(name), name, "", [change])
    assert "\n" not in str(caught.value)


def test_a_plan_that_learns_nothing_is_said_in_a_line() -> None:
    with pytest.raises(InputError, match=r"--set plan\.epochs=0: a plan of 0 epochs in batches of 128 learns nothing"):
        constants.chosen(expression_compact, "expression_compact", "", ["plan.epochs=0"])


def test_constants_that_the_recipe_does_not_have_are_said_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="recipe ntechlab has no constants 'FAST'; there are: QUICK, UNTUNED"):
        run("ntechlab", tmp_path, tmp_path / "run", variant="FAST")
    assert not (tmp_path / "run").exists()
