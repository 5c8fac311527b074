"""Systems: what trained systems of clips say of each piece of the video, in a few bytes a piece.

    systems.parquet ─rows()─▶ one row a system: its pieces, a letter for the expression of each, and the seven probabilities
"""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from emotrace.analysis import Analysis
from emotrace.report.fused import ABSTAINS
from emotrace.report.series import moments, packed
from emotrace.scheme import SYSTEM
from emotrace.spoken import table_of


def rows(analysis: Analysis) -> list[dict[str, object]]:
    """One row for each system, in the order they were given; none where none was asked, or nothing could be.

    Returns:
        `name`, `recipe`; `windows`, from when to when each piece is, as `moments` gives them; `said`, a letter a piece: the
        number of its most probable expression, or ABSTAINS; and `series`, label -> probability of each piece.
    """
    table = table_of(analysis, "systems")
    if table is None:
        return []
    found = []
    for name in dict.fromkeys(table["system"].to_pylist()):
        own = table.filter(pc.equal(table["system"], name))
        edges = np.stack([own["start"].to_numpy(), own["end"].to_numpy()], axis=1)
        said = [ABSTAINS if label is None else str(SYSTEM.labels.index(label)) for label in own["expression"].to_pylist()]
        series = {label: packed(own[SYSTEM.prefix + label].to_numpy()) for label in SYSTEM.labels}
        recipe = own["recipe"][0].as_py()
        found.append({"name": name, "recipe": recipe, "windows": moments(edges), "said": "".join(said), "series": series})
    return found
