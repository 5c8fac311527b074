"""Learning from a teacher: what it says is asked once, kept, and blended as said."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from torch import nn  # noqa: E402

from emotrace.learn import fit, taught  # noqa: E402
from emotrace.learn.checkpoint import load_weights, save_weights  # noqa: E402
from emotrace.learn.fit import Examples  # noqa: E402
from emotrace.learn.plan import Plan  # noqa: E402
from emotrace.learn.taught import Lesson, Student, Teaching  # noqa: E402

PLAN = Plan(epochs=6, batch=4, cycle=2, seed=5, device="cpu")
TEACHING = Teaching(share=0.25, temperature=2.0, likeness=3.0)


class Counting:
    """Features: the mean of a picture, three times; logits: that mean for the fourth class."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, images):
        self.asked += len(images)
        mean = images.mean((1, 2, 3))[:, None]
        return mean.repeat(1, 3), mean * nn.functional.one_hot(torch.tensor([3]), 7)


def examples() -> Examples:
    pictures = torch.randint(0, 256, (10, 1, 4, 4), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    targets = torch.zeros(10, 15)
    targets[:, [0, 7]] = 1.0
    return Examples(pictures, targets)


def noisy(images, targets, epoch, generator):
    return images / 32 + torch.randn(images.shape, generator=generator), targets


def lesson(folder, teacher, plan=PLAN):
    return Lesson(noisy, teacher, TEACHING, plan, steps=2, width=3, folder=folder)


def epochs_of(given, count, plan=PLAN):
    return [list(fit.batches(examples(), plan, epoch, given)) for epoch in range(count)]


def test_targets_hold_the_share_of_the_teacher_who_saw_the_same_picture(tmp_path):
    (images, targets), _ = epochs_of(lesson(tmp_path, Counting()), 1)[0]
    mean = images.mean((1, 2, 3))
    sure = (mean / 2).exp() / ((mean / 2).exp() + 6)
    assert targets.shape == (4, 15 + 3)
    assert targets[:, 3].numpy() == pytest.approx(0.25 * sure.numpy(), abs=2e-3)  # answers are kept in half precision
    assert targets[:, 0].numpy() == pytest.approx((0.75 + 0.25 * (1 - sure) / 6).numpy(), abs=2e-3)
    assert targets[:, 7].tolist() == [1.0] * 4
    assert targets[:, 15:].numpy() == pytest.approx(np.repeat(mean[:, None].numpy(), 3, 1), rel=1e-3)


@pytest.mark.parametrize("cycle", [1, 2])
def test_pictures_come_again_after_a_cycle_and_the_teacher_is_not_asked_again(tmp_path, cycle):
    teacher, plan = Counting(), dataclasses.replace(PLAN, cycle=cycle)
    seen = epochs_of(lesson(tmp_path, teacher, plan), 2 * cycle, plan)
    assert teacher.asked == cycle * 8  # as many views of the eight pictures that fill batches
    for first, again in zip(seen[:cycle], seen[cycle:], strict=True):
        for before, after in zip(first, again, strict=True):
            assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert cycle == 1 or not torch.equal(seen[0][0][0], seen[1][0][0])


def test_a_run_that_was_killed_asks_only_what_is_missing(tmp_path):
    whole = epochs_of(lesson(tmp_path / "whole", Counting()), 2)
    killed = lesson(tmp_path / "killed", Counting())
    next(iter(fit.batches(examples(), PLAN, 0, killed)))  # one batch of the first epoch
    teacher = Counting()
    again = epochs_of(lesson(tmp_path / "killed", teacher), 2)
    assert teacher.asked == 3 * 4
    for before, after in zip(whole[0] + whole[1], again[0] + again[1], strict=True):
        assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_a_student_says_its_features_only_while_it_learns():
    class Net(nn.Module):
        def features(self, images):
            return images.flatten(1)

        def answers(self, features):
            return features[:, :2] * 2

    student = Student(Net(), width=4, teacher_width=3)
    images = torch.arange(8.0).reshape(2, 1, 2, 2)
    learning, used = student.train()(images), student.eval()(images)
    assert used.tolist() == [[0, 2], [8, 10]]
    assert torch.equal(learning[:, :2], used)
    assert torch.equal(learning[:, 2:], student.projector(images.flatten(1)))


@pytest.mark.parametrize("alone", [True, False])
def test_a_network_finds_its_weights_whether_it_learnt_alone_or_as_a_student(tmp_path, alone):
    fitted = nn.Linear(4, 2)
    save_weights(tmp_path, fitted if alone else Student(fitted, width=4, teacher_width=3), {})
    found = load_weights(tmp_path, nn.Linear(4, 2), Student.PART)
    assert torch.equal(found.weight, fitted.weight)
    assert torch.equal(found.bias, fitted.bias)


@pytest.mark.parametrize(("factor", "unlike"), [(4.0, 0.0), (-1.0, 2.0)])
def test_features_are_likened_whatever_their_scale_and_centre(factor, unlike):
    labels = torch.tensor(7.0)
    features = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    given = torch.cat([torch.zeros(5, 2), factor * features + 10], 1)
    loss = taught.loss_of(lambda outputs, targets: labels, 2, TEACHING)
    assert float(loss(given, torch.cat([torch.zeros(5, 2), features], 1))) == pytest.approx(7 + 3 * unlike, abs=1e-4)


def test_a_view_that_was_left_half_written_is_not_read(tmp_path, monkeypatch):
    def full(path, values):
        path.write_bytes(bytes(100))
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(np, "save", full)
        with pytest.raises(OSError, match="No space left"):
            epochs_of(lesson(tmp_path, Counting()), 1)
    teacher = Counting()
    (_, targets), *_ = epochs_of(lesson(tmp_path, teacher), 1)[0]
    assert teacher.asked == 8
    assert targets[:, 15:].abs().min() > 0
