"""The mark of what is kept: the same for the same facts, and another for any other."""

from __future__ import annotations

import hashlib

import numpy as np

from emotrace.learn.mark import mark


def test_the_mark_is_of_what_the_parts_hold():
    numbers = np.arange(6, dtype=np.float32).reshape(2, 3)
    whole = b"head" + numbers.tobytes() + b"(1, 0.5)"
    assert mark("head", numbers, (1, 0.5)) == hashlib.sha256(whole).hexdigest()[:16]
    assert mark("head", numbers.T, (1, 0.5)) != mark("head", numbers, (1, 0.5))
