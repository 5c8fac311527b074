"""What a fit tells: a line an epoch, and the same numbers where TensorBoard reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")
events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")

from emotrace.learn.log import tensorboard  # noqa: E402


def test_each_epoch_is_a_line_and_a_point_in_tensorboard(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tensorboard(tmp_path)
    report({"epoch": 1.0, "loss": 0.5, "accuracy": 0.25, "seconds": 3.4})
    report({"epoch": 2.0, "loss": 0.25, "accuracy": 0.75, "seconds": 3.6})
    assert capsys.readouterr().out.splitlines() == [
        "epoch   1  loss 0.5000  accuracy 0.2500  3 s", "epoch   2  loss 0.2500  accuracy 0.7500  4 s",
    ]  # fmt: skip
    read = events.EventAccumulator(str(tmp_path)).Reload()
    assert set(read.Tags()["scalars"]) == {"epoch", "loss", "accuracy", "seconds"}
    assert [(point.step, point.value) for point in read.Scalars("accuracy")] == [(1, 0.25), (2, 0.75)]
