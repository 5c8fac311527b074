"""Files of CTranslate2: planted tensors come back, and what is no such file is refused."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from emotrace.errors import WeightsError
from emotrace.learn import ctranslate2


def text(name):
    return struct.pack("<H", len(name) + 1) + name.encode() + b"\0"


def written(tensors, version=6):
    """A file of that form with float32 and float16 tensors."""
    kinds = {np.dtype(np.float32): 0, np.dtype(np.float16): 4}
    parts = [struct.pack("<I", version), text("WhisperSpec"), struct.pack("<II", 3, len(tensors))]
    for name, values in tensors.items():
        shape = struct.pack(f"<B{values.ndim}I", values.ndim, *values.shape)
        parts += [text(name), shape, struct.pack("<BI", kinds[values.dtype], values.nbytes), values.tobytes()]
    return b"".join([*parts, struct.pack("<I", 0)])


TENSORS = {"a/weight": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([0.5, -2], np.float16)}


def test_tensors_come_back_by_name_as_they_were():
    found = ctranslate2.tensors(written(TENSORS))
    assert list(found) == list(TENSORS)
    for name, values in TENSORS.items():
        assert found[name].dtype == values.dtype
        assert np.array_equal(found[name], values)


@pytest.mark.parametrize("length", [0, 3, 20, 40, 75])
def test_a_file_that_ends_early_is_refused(length):
    with pytest.raises(WeightsError, match="no model of CTranslate2, or a damaged one"):
        ctranslate2.tensors(written(TENSORS)[:length])


def test_another_version_is_refused():
    with pytest.raises(WeightsError, match="of version 7, expected 6"):
        ctranslate2.tensors(written(TENSORS, version=7))
