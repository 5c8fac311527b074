"""Toronto Face Database: one .mat file.

    TFD_48x48.mat   images (n, 48, 48) uint8, labs_ex (n, 1) 1..7 or -1, labs_id (n, 1), folds (n, 5)
    labs_ex         1 anger, 2 disgust, 3 fear, 4 happiness, 5 sadness, 6 surprise, 7 neutral
    folds           1 training, 2 validation, 3 test, 0 unlabelled; one column a fold

Source: Susskind, Anderson & Hinton 2010, The Toronto Face Database.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import scipy.io
from scipy.io.matlab import MatReadError

from emotrace.corpora.table import NO_LABEL, Faces, table
from emotrace.errors import InputError

# What loadmat raises of files that are cut off, are something else, or of version 7.3.
DAMAGED = (MatReadError, OSError, ValueError, TypeError, IndexError, NotImplementedError)
PARTS = {0: "unlabelled", 1: "train", 2: "val", 3: "test"}


def read(path: Path, fold: int = 0) -> Faces:
    """TFD, with the parts of one of its five folds as splits.

    Args:
        path: TFD_48x48.mat or TFD_96x96.mat.
        fold: 0..4.

    Raises:
        InputError: it is no such file, or a variable is missing.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected TFD_48x48.mat")
    try:
        content = scipy.io.loadmat(path)
    except DAMAGED as error:
        raise InputError(f"{path}: not a MATLAB file up to version 7, or cut off ({error}); expected TFD_48x48.mat") from error
    if missing := [name for name in ("images", "labs_ex", "labs_id", "folds") if name not in content]:
        found = ", ".join(name for name in content if name[0] != "_") or "nothing"
        raise InputError(f"{path}: no variable {missing[0]!r}; expected images, labs_ex, labs_id, folds; found {found}")
    labels = content["labs_ex"].reshape(-1).astype(np.int64)
    return table(
        "TFD",
        list(content["images"].astype(np.uint8)),
        np.where(labels > 0, labels - 1, NO_LABEL).tolist(),  # its order is EXPRESSION_7's
        [f"{path.name}:{row}" for row in range(len(labels))],
        subject=[str(who) if who > 0 else "" for who in content["labs_id"].reshape(-1)],
        split=[PARTS[int(part)] for part in content["folds"][:, fold]],
    )
