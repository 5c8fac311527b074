"""The mark of what is kept: the same for the same facts, and another for any other."""

from __future__ import annotations

import hashlib

import numpy as np

from emotrace.learn.mark import content, mark


def test_the_mark_is_of_what_the_parts_hold():
    numbers = np.arange(6, dtype=np.float32).reshape(2, 3)
    whole = b"head" + numbers.tobytes() + b"(1, 0.5)"
    assert mark("head", numbers, (1, 0.5)) == hashlib.sha256(whole).hexdigest()[:16]
    assert mark("head", numbers.T, (1, 0.5)) != mark("head", numbers, (1, 0.5))
    assert mark(numbers.T) == mark(numbers.T.copy()) == mark(numbers.T.tobytes())
    assert len({mark(np.array(words)) for words in ([], ["a"], ["b"], ["a", "b"])}) == 4


def test_a_file_is_marked_by_what_it_holds(tmp_path):
    one, other = tmp_path / "one.png", tmp_path / "other.png"
    one.write_bytes(b"a face")
    other.write_bytes(b"a face")
    assert content(one) == content(other)
    other.write_bytes(b"no face")
    assert content(one) != content(other)
    assert content(b"a face") == b"a face"
