"""What was learnt is read as it was written, and nothing else is."""

import io
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from emotrace.errors import InputError
from emotrace.learn.arrays import as_arrays, keep, load, loaded, restored, save


@dataclass
class Model:
    weights: np.ndarray
    cost: float


@dataclass
class Pair:
    first: Model
    second: Model
    labels: np.ndarray


PAIR = Pair(Model(np.eye(2), 3.0), Model(np.ones(4), 5.0), np.array(["a", "b"]))


def test_a_model_comes_back_from_its_file(tmp_path: Path) -> None:
    keep(tmp_path / "system" / "model.npz", PAIR)
    found = loaded(Pair, tmp_path / "system" / "model.npz")
    assert found.first.weights.tolist() == np.eye(2).tolist()
    assert (float(found.first.cost), float(found.second.cost)) == (3, 5)
    assert found.labels.tolist() == ["a", "b"]
    assert [file.name for file in (tmp_path / "system").iterdir()] == ["model.npz"]


def test_models_share_a_file_under_prefixes(tmp_path: Path) -> None:
    save(tmp_path / "both.npz", as_arrays(PAIR.first, "first ") | as_arrays(PAIR.second, "second "))
    assert restored(Model, load(tmp_path / "both.npz"), "second ").weights.tolist() == [1] * 4


def test_a_file_that_is_none_or_of_another_kind_is_said(tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(b"nothing")
    for file in ("bad.npz", "none.npz"):
        with pytest.raises(InputError, match=r"not a whole \.npz"):
            load(tmp_path / file)
    keep(tmp_path / "model.npz", PAIR.first)
    with pytest.raises(InputError, match=r"not the \.npz of Pair, 'first weights' is missing"):
        loaded(Pair, tmp_path / "model.npz")


def test_a_file_that_was_cut_or_changed_is_said(tmp_path: Path) -> None:
    keep(tmp_path / "whole.npz", PAIR)
    whole = (tmp_path / "whole.npz").read_bytes()
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**7, 10**7)})
    with ZipFile(tmp_path / "vast.npz", "w") as vast:
        vast.writestr("weights.npy", header.getvalue() + bytes(100))
    np.save(tmp_path / "single.npy", np.eye(2))
    changed = whole.replace(b"NUMPY", b"NAMPY")
    others = ((tmp_path / name).read_bytes() for name in ("single.npy", "vast.npz"))
    for damaged in (whole[:100], whole[:-30], changed, *others):
        (tmp_path / "damaged.npz").write_bytes(damaged)
        with pytest.raises(InputError, match=r"damaged\.npz: not a whole \.npz"):
            load(tmp_path / "damaged.npz")


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "evil.npz", weights=np.array([{}], dtype=object), cost=np.array(1))
    with pytest.raises(InputError, match=r"not a whole \.npz"):
        load(tmp_path / "evil.npz")
