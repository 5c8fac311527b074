"""Half precision is taken where the processor is quick at it, and nowhere else."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

from emotrace.learn import precision  # noqa: E402
from emotrace.learn.precision import computed_in, dtype_of, is_taken  # noqa: E402


@pytest.mark.parametrize("asked", ["bf16", "fp16"])
@pytest.mark.parametrize("quick", [True, False])
def test_a_slow_processor_computes_in_single_precision(monkeypatch, asked, quick):
    monkeypatch.setattr(torch.ops.mkldnn, f"_is_mkldnn_{asked}_supported", lambda: quick)
    layer, given = torch.nn.Linear(4, 4), torch.rand(2, 4)
    with computed_in(asked):
        found = layer(given)
    assert is_taken(asked) == quick
    assert found.dtype == (precision.DTYPES[asked] if quick else torch.float32)


def test_single_precision_is_what_it_is_and_a_gpu_is_taken_at_its_word():
    with computed_in("fp32"):
        assert torch.nn.Linear(4, 4)(torch.rand(2, 4)).dtype == torch.float32
    assert [dtype_of(asked, "cuda") for asked in ("fp32", "bf16", "fp16")] == [torch.float32, torch.bfloat16, torch.float16]
