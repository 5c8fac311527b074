"""The fit loop: what it learns, and that a run that was stopped goes on to the same numbers."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

from emotrace.errors import InputError  # noqa: E402
from emotrace.learn import checkpoint  # noqa: E402
from emotrace.learn.fit import Examples, fit  # noqa: E402
from emotrace.learn.plan import Plan, optimiser, rate_at  # noqa: E402
from emotrace.learn.state import State  # noqa: E402

PLAN = Plan(epochs=4, batch=8, rate=0.05, warmup=1, average=0.9, seed=3, device="cpu")


class Tiny(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.dropout = nn.Dropout(0.2)
        self.last = nn.Linear(4, 2)

    def forward(self, images):
        return self.last(self.dropout(F.relu(self.norm(self.conv(images / 255))).mean((2, 3))))


def examples() -> Examples:
    """Bright pictures are the first class, dark ones the second."""
    generator = torch.Generator().manual_seed(0)
    truth = torch.arange(43) % 2
    images = torch.randint(0, 80, (43, 1, 6, 6), generator=generator) + 150 * (1 - truth)[:, None, None, None]
    return Examples(images.to(torch.uint8), F.one_hot(truth, 2).float())


def noisy(images, targets, epoch, generator):
    return images.float() + 5 * torch.randn(images.shape, generator=generator), targets


def run(folder, plan=PLAN, seed=1, stop_after=None, beside=()):
    torch.manual_seed(seed)
    network, data, seen = Tiny(), examples(), []

    def validate(average):
        with torch.no_grad():
            outputs = average(data.images.float())
        return {"accuracy": float((outputs.argmax(1) == data.targets.argmax(1)).float().mean())}

    def report(numbers):
        seen.append(numbers)
        if stop_after == len(seen):
            raise KeyboardInterrupt

    try:
        fit(network, data, plan, loss=F.cross_entropy, augment=noisy, validate=validate, folder=folder, report=report,
            beside=beside)  # fmt: skip
    except KeyboardInterrupt:
        return network, seen
    return network, seen


@pytest.mark.parametrize("method", ["sgd", "nesterov", "adam", "adamw"])
def test_a_run_that_was_stopped_goes_on_to_exactly_the_same_weights(tmp_path, method):
    plan = dataclasses.replace(PLAN, method=method)
    whole, losses = run(tmp_path / "whole", plan)
    run(tmp_path / "parts", plan, stop_after=1)
    run(tmp_path / "parts", plan, seed=77, stop_after=2)  # another start: all must come from the checkpoint
    resumed, later = run(tmp_path / "parts", plan, seed=78)
    assert all(torch.equal(a, b) for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True))
    assert [numbers["loss"] for numbers in later] == [numbers["loss"] for numbers in losses[3:]]


def test_a_run_killed_between_the_two_renames_of_a_swap_goes_on(tmp_path):
    run(tmp_path, stop_after=2)
    (tmp_path / "last").rename(tmp_path / "last.old")
    _, seen = run(tmp_path)
    assert [numbers["epoch"] for numbers in seen] == [3, 4]


def test_fit_tells_bright_from_dark(tmp_path):
    _, seen = run(tmp_path, dataclasses.replace(PLAN, epochs=12))
    assert seen[-1]["accuracy"] == 1.0
    assert seen[-1]["loss"] < seen[0]["loss"]


def test_the_best_epoch_is_kept_and_can_be_loaded(tmp_path):
    network, _ = run(tmp_path, dataclasses.replace(PLAN, epochs=12))
    scores = json.loads((tmp_path / "best" / "scores.json").read_text())
    best = checkpoint.load_weights(tmp_path / "best", Tiny()).eval()
    data = examples()
    right = (best(data.images.float()).argmax(1) == data.targets.argmax(1)).float().mean()
    assert right.item() == scores["accuracy"] == 1.0
    assert set(best.state_dict()) == set(network.state_dict())


def test_patience_stops_a_run_that_gets_no_better(tmp_path):
    _, seen = run(tmp_path, dataclasses.replace(PLAN, epochs=200, patience=3))
    best = max(range(len(seen)), key=lambda i: (seen[i]["accuracy"], -i))
    assert len(seen) == best + 1 + 3


def test_a_folder_with_the_run_of_another_plan_is_refused(tmp_path):
    run(tmp_path, stop_after=1)
    with pytest.raises(InputError, match=r"rate = 0.05, but the plan says 0.2"):
        run(tmp_path, dataclasses.replace(PLAN, rate=0.2))


def test_a_run_from_before_a_constant_was_there_goes_on(tmp_path):
    run(tmp_path, stop_after=1)
    file = tmp_path / "last" / "progress.json"
    content = json.loads(file.read_text())
    del content["plan"]["cycle"]
    file.write_text(json.dumps(content))
    assert len(run(tmp_path)[1]) == PLAN.epochs - 1
    file.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"cycle = 0, but the plan says 2"):
        run(tmp_path, dataclasses.replace(PLAN, cycle=2))


def test_weights_of_another_network_are_refused(tmp_path):
    run(tmp_path, stop_after=1)
    with pytest.raises(InputError, match="not the weights of Linear"):
        checkpoint.load_weights(tmp_path / "best", nn.Linear(2, 2))
    with pytest.raises(InputError, match="expected the folder of a trained network"):
        checkpoint.load_weights(tmp_path / "nothing", Tiny())


@pytest.mark.parametrize("file", ["network.safetensors", "average.safetensors", "optimiser.safetensors", "progress.json"])
def test_a_checkpoint_that_is_not_whole_is_said_in_a_line(tmp_path, file):
    run(tmp_path, stop_after=2)
    whole = (tmp_path / "last" / file).read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"\xff\xfe{}", b"{}"):
        (tmp_path / "last" / file).write_bytes(damaged)
        with pytest.raises(InputError, match="last: not a whole checkpoint") as caught:
            run(tmp_path)
        assert "\n" not in str(caught.value)


def test_weights_that_are_cut_are_said_in_a_line(tmp_path):
    run(tmp_path, stop_after=1)
    file = tmp_path / "best" / "network.safetensors"
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(InputError, match=r"network\.safetensors: not the weights of Tiny: "):
        checkpoint.load_weights(tmp_path / "best", Tiny())


def test_schedules_rise_from_zero_and_end_at_zero():
    points = ((6, 1.0), (10, 0.0))
    for schedule in ("cosine", "polynomial", "linear"):
        plan = Plan(epochs=10, rate=0.4, warmup=2, points=points, schedule=schedule)
        assert rate_at(plan, 1.0) == pytest.approx(0.2)
        assert rate_at(plan, 2.0) == pytest.approx(0.4)
        assert rate_at(plan, 10.0) == pytest.approx(0, abs=1e-9)
    assert rate_at(Plan(epochs=10, rate=0.4, warmup=2, schedule="cosine"), 6.0) == pytest.approx(0.2)
    assert rate_at(Plan(epochs=10, rate=0.4, warmup=2, schedule="polynomial", power=2), 6.0) == pytest.approx(0.1)
    linear = Plan(epochs=10, rate=0.4, warmup=2, points=points, schedule="linear")
    assert [rate_at(linear, epoch) for epoch in (4.0, 6.0, 8.0, 9.0)] == pytest.approx([0.4, 0.4, 0.2, 0.1])


def test_rates_and_decays_go_to_the_parameters_they_name():
    network = Tiny()
    steps = optimiser(network, Plan(rate_factors=(("bias", 2.0),), decays=(("last.weight", 1.0),), weight_decay=0.004))
    name_of = {id(parameter): name for name, parameter in network.named_parameters()}
    found = {name_of[id(p)]: (g["rate_factor"], g["weight_decay"]) for g in steps.param_groups for p in g["params"]}
    assert found == {
        "conv.weight": (1.0, 0.004), "conv.bias": (2.0, 0.0), "norm.weight": (1.0, 0.0), "norm.bias": (2.0, 0.0),
        "last.weight": (1.0, 1.0), "last.bias": (2.0, 0.0),
    }  # fmt: skip


@pytest.mark.parametrize("field", ["rate_factors", "decays"])
def test_a_rate_or_decay_of_no_parameter_is_said_before_the_first_step(tmp_path, field):
    words = f"{field} of the plan: no parameter has 'lsat' in its name; they have: conv, weight, bias, norm, last"
    with pytest.raises(InputError, match=words):
        run(tmp_path, dataclasses.replace(PLAN, **{field: (("conv", 2.0), ("lsat", 0.5))}))
    assert not list(tmp_path.iterdir())


def test_the_average_moves_by_its_share():
    network = nn.Linear(1, 1)
    nn.init.constant_(network.weight, 1.0)
    state = State.start(network, PLAN, torch.device("cpu"))
    nn.init.constant_(network.weight, 3.0)
    state.move_average(0.75)
    assert state.average.weight.item() == pytest.approx(1.5)


def test_fewer_examples_than_a_batch_are_refused(tmp_path):
    with pytest.raises(InputError, match="43 examples are fewer than a batch of 64"):
        run(tmp_path, dataclasses.replace(PLAN, batch=64))


def test_a_number_that_is_watched_but_not_measured_is_said_before_the_first_step(tmp_path):
    words = "watches 'acuracy', which is not measured here; take one of: epoch, loss, rate, seconds, accuracy"
    with pytest.raises(InputError, match=words):
        run(tmp_path, dataclasses.replace(PLAN, watch="acuracy"))
    assert not list(tmp_path.iterdir())
    assert len(run(tmp_path, dataclasses.replace(PLAN, watch="epoch"))[1]) == PLAN.epochs


@pytest.mark.parametrize("nothing", [{"epochs": 0}, {"batch": 0}, {"batch": -8}])
def test_a_plan_without_epochs_or_batches_is_refused(nothing):
    with pytest.raises(InputError, match="learns nothing; both need at least 1"):
        dataclasses.replace(PLAN, **nothing)


def test_a_linear_schedule_without_points_is_refused(tmp_path):
    with pytest.raises(InputError, match="schedule is 'linear', but it has no points"):
        run(tmp_path, dataclasses.replace(PLAN, schedule="linear"))


@pytest.mark.parametrize("quick", [True, False])
def test_bf16_is_close_to_fp32_and_is_fp32_on_a_processor_slow_at_it(tmp_path, monkeypatch, capsys, quick):
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: quick)
    _, full = run(tmp_path / "fp32", dataclasses.replace(PLAN, epochs=1))
    _, half = run(tmp_path / "bf16", dataclasses.replace(PLAN, epochs=1, precision="bf16"))
    assert (half[0]["loss"] != full[0]["loss"]) == quick
    assert math.isclose(half[0]["loss"], full[0]["loss"], rel_tol=0.02)
    assert ("bf16 is slow on this processor: computing in fp32" in capsys.readouterr().out) != quick


def test_a_run_goes_on_with_the_examples_it_began_with(tmp_path):
    run(tmp_path, stop_after=2)
    data = examples()
    other = Examples(data.images, data.targets.flip(1))
    with pytest.raises(InputError, match="other examples or other labels"):
        fit(Tiny(), other, PLAN, loss=F.cross_entropy, augment=noisy, validate=lambda average: {}, folder=tmp_path)
    with pytest.raises(InputError, match="other examples or other labels"):   # other pictures to choose the epoch by
        run(tmp_path, beside=[np.zeros(3)])
    assert len(run(tmp_path, stop_after=1)[1]) == 1
    facts = json.loads((tmp_path / "last" / "progress.json").read_text())
    del facts["learnt"]   # as in a run of before, which may have learnt from anything
    (tmp_path / "last" / "progress.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match="other examples or other labels"):
        run(tmp_path)


def test_a_training_that_diverges_is_no_score(tmp_path):
    for rate in (math.nan, -1.0, math.inf):
        with pytest.raises(InputError, match="the plan's rate is"):
            run(tmp_path, dataclasses.replace(PLAN, rate=rate))
    with pytest.raises(InputError, match="epoch 1: the weights are no longer finite; take a lower rate than 1e"):
        run(tmp_path, dataclasses.replace(PLAN, rate=1e30, clip=0.0))
    # The loss of a single step is of before it.
    one_step = dataclasses.replace(PLAN, rate=1e38, batch=43, epochs=1, warmup=0, weight_decay=10.0)
    with pytest.raises(InputError, match="epoch 1: the weights are no longer finite"):
        run(tmp_path, one_step)
    assert not (tmp_path / "best").exists()
