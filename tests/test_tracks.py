"""Tracks: one validated struct of arrays."""

from __future__ import annotations

import numpy as np
import pytest

from emotrace.errors import InputError
from emotrace.tracks import Tracks


def tracks(n: int) -> Tracks:
    mesh = np.zeros((n, 478, 3), np.float32)
    return Tracks(np.arange(n), np.arange(n) / 25, np.arange(n) % 2, np.zeros((n, 4), np.float32), np.ones(n, np.float32), mesh)


def test_a_wrong_shape_says_what_was_expected() -> None:
    whole = tracks(3)
    with pytest.raises(InputError, match=r"box has shape \(3, 5\), expected \(3, 4\)"):
        Tracks(whole.frame, whole.time, whole.track, np.zeros((3, 5), np.float32), whole.score, whole.mesh)


def test_a_mask_chooses_rows_of_every_array() -> None:
    chosen = tracks(4)[np.array([True, False, False, True])]
    assert chosen.frame.tolist() == [0, 3]
    assert chosen.mesh.shape == (2, 478, 3)


def test_merging_keeps_rows_and_order_and_nothing_is_empty() -> None:
    assert Tracks.merge([tracks(2), Tracks.empty(), tracks(1)]).frame.tolist() == [0, 1, 0]
    assert len(Tracks.merge([])) == 0
