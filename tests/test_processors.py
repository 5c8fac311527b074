"""Networks in 8 bits say the same on every processor: shipped weights, and a processor without VNNI, emulated."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs pip install 'emotrace[train]'")

from eight_bits import multiplied, neighbours

from emotrace import weights
from emotrace.learn.export import run

EMULATOR = "qemu-x86_64"
IN_8_BITS = {"expression": (4, 1, 48, 48), "voice_emotion": (2, 200, 80)}
CODE = """
import sys, numpy, onnxruntime
opened = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
numpy.savez(sys.argv[3], *opened.run(None, {opened.get_inputs()[0].name: numpy.load(sys.argv[2])}))
"""


def shown(name: str) -> np.ndarray:
    """Grey levels, or log-mels, of nothing in particular."""
    chance = np.random.default_rng(0)
    shape = IN_8_BITS[name]
    drawn = chance.uniform(0, 255, shape) if name == "expression" else chance.normal(0, 0.5, shape)
    return drawn.astype(np.float32)


@pytest.mark.parametrize("name", IN_8_BITS)
def test_no_two_products_of_shipped_weights_leave_16_bits(name):
    sums = [np.abs(neighbours(kernel)).max() for kernel in multiplied(weights.path(name))]
    assert len(sums) > 10
    assert max(sums) <= 128  # 255 * 128 < 2 ** 15


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which(EMULATOR), reason=f"needs {EMULATOR}, as of Debian's package qemu-user")
@pytest.mark.parametrize("name", IN_8_BITS)
def test_answers_are_those_of_a_processor_without_vnni(name, tmp_path):
    np.save(tmp_path / "shown.npy", shown(name))
    paths = os.pathsep.join(path for path in sys.path if path)
    given = [str(weights.path(name)), str(tmp_path / "shown.npy"), str(tmp_path / "said.npz")]
    command = [EMULATOR, "-cpu", "Haswell", str(Path(sys.executable).resolve()), "-c", CODE, *given]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": paths})
    with np.load(tmp_path / "said.npz") as said:
        for here, there in zip(run(weights.path(name), shown(name)), said.values(), strict=True):
            assert np.abs(here - there).max() < 1e-4
