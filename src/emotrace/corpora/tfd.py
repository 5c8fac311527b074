"""Toronto Face Database: one .mat file.

    TFD_48x48.mat   images (n, 48, 48) uint8, labs_ex (n, 1) 1..7 or -1, labs_id (n, 1), folds (n, 5)
    labs_ex         1 anger, 2 disgust, 3 fear, 4 happiness, 5 sadness, 6 surprise, 7 neutral
    folds           1 training, 2 validation, 3 test, 0 unlabelled; one column a fold

Source: Susskind, Anderson & Hinton 2010, The Toronto Face Database.
"""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotrace.corpora.table import NO_LABEL, Faces, table
from emotrace.errors import InputError
from emotrace.scheme import EXPRESSION_7

LOAD = """import sys, numpy, scipy.io
def plain(value):
    return value if isinstance(value, numpy.ndarray) and value.dtype.kind in "biufcU" else numpy.array([type(value).__name__])
content = scipy.io.loadmat(sys.argv[1])
numpy.savez(sys.stdout.buffer, **{" " + name: plain(value) for name, value in content.items() if name[0] != "_"})
"""   # the space: a variable may be called as an argument of savez
PARTS = {0: "unlabelled", 1: "train", 2: "val", 3: "test"}
NUMBERS = np.typecodes["AllInteger"] + "fd"
FORM: dict[str, tuple[str, int, list[int], str]] = {   # types, dimensions, values ([] = any), and the same in words
    "images": ("B", 3, [], "grey levels (n, 48, 48) of 8 bits"),
    "labs_ex": (NUMBERS, 2, [-1, *range(len(EXPRESSION_7) + 1)], "(n, 1) of 1..7, or -1 for none"),
    "labs_id": (NUMBERS, 2, [], "numbers (n, 1)"),
    "folds": (NUMBERS, 2, list(PARTS), "(n, 5) of 0..3"),
}


def read(path: Path, fold: int = 0) -> Faces:
    """TFD, with the parts of one of its five folds as splits.

    Args:
        path: TFD_48x48.mat or TFD_96x96.mat.
        fold: 0..4.

    Raises:
        InputError: it is no such file, or a variable is missing or something else.
    """
    content = _variables(path)
    labels = content["labs_ex"][:, 0].astype(np.int64)
    return table(
        "TFD",
        list(content["images"]),
        np.where(labels > 0, labels - 1, NO_LABEL).tolist(),  # its order is EXPRESSION_7's
        [f"{path.name}:{row}" for row in range(len(labels))],
        subject=[str(who) if who > 0 else "" for who in content["labs_id"][:, 0]],
        split=[PARTS[part] for part in content["folds"][:, fold].tolist()],
    )


def _content(path: Path) -> dict[str, NDArray[Any]]:
    """The variables of a file; of those that are no plain array the name of their type.

    They are read in a process of its own: a wrong byte where nothing is compressed makes SciPy's reader crash.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected TFD_48x48.mat")
    done = subprocess.run([sys.executable, "-P", "-c", LOAD, path], capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").splitlines()[-1:] if done.returncode == 1 else []
        reason = said[0] if said else "the reader crashed"
        raise InputError(f"{path}: not a MATLAB file up to version 7, or damaged ({reason}); expected TFD_48x48.mat")
    with np.load(io.BytesIO(done.stdout), allow_pickle=False) as found:
        return {name[1:]: value for name, value in found.items()}


def _variables(path: Path) -> dict[str, NDArray[Any]]:
    content = _content(path)
    if missing := [name for name in FORM if name not in content]:
        found = ", ".join(content) or "nothing"
        raise InputError(f"{path}: no variable {missing[0]!r}; expected {', '.join(FORM)}; found {found}")
    n = len(content["images"])
    for name, (types, dimensions, allowed, words) in FORM.items():
        values = content[name]
        fits = values.dtype.char in types and values.ndim == dimensions and len(values) == n and values.size
        if not fits or (allowed and not np.isin(values, allowed).all()):
            got = f"{values.dtype} {values.shape}" if not fits else "other values"
            raise InputError(f"{path}: variable {name!r} is {got}; expected {words} for {n} images")
    return {name: content[name] for name in FORM}
