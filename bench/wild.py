"""Truth in the wild: what an expression component reads in whole pictures and clips, where our own detector finds the faces.

    python bench/wild.py face.expression face.expression_mini_xception [--data ../shared/data]

Three questions: are seven portraits, one an expression, named; do faces that show nothing read as sad or angry (the field's
most reported fault); does a woman who cries and then laughs turn happy when she laughs. Two men who dispute stand below the
neutral faces: they frown for most of the time, so no share of them is wrong, but a network that names everything angry shows.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotrace import registry
from emotrace.api import analyze
from emotrace.scheme import EXPRESSION_7
from emotrace.settings import Settings

PORTRAITS = {
    "angry": "anger", "disgusted": "disgust", "fearful": "fear", "happy": "happiness", "sad": "sadness",
    "surprised": "surprise", "neutral": "neutral",
}  # fmt: skip
NEUTRAL = ("talking_head_1.mp4", "grid_s1.mpg", "grid_s2.mpg")   # people who talk, unmoved
DISPUTE = "debate_two_people_cuts.mp4"
WOMAN = "woman_crying_to_laughing.mp4"
CRIES_UNTIL, LAUGHS_FROM = 8.0, 14.0   # s, as one sees
RATE = 5.0                             # frames a second that are looked at


@dataclass(frozen=True, slots=True)
class Reading:
    """What a component read in a file, one row a face and frame that could be measured.

    Args:
        times: (n,) s.
        values: (n, 7) probabilities of EXPRESSION_7.
    """

    times: NDArray[np.float64]
    values: NDArray[np.float32]

    def share(self, *labels: str, start: float = 0.0, end: float = np.inf) -> float:
        """Share of the rows from start to end whose likeliest expression is one of the labels; NaN where there are none."""
        within = (self.times >= start) & (self.times < end)
        named = self.values[within].argmax(axis=1)
        return float(np.isin(named, [EXPRESSION_7.labels.index(label) for label in labels]).mean()) if within.any() else np.nan


def read(component: str, file: Path, rate: float | None = RATE) -> Reading:
    """Analyse a file with one expression component and take its columns."""
    scheme = registry.spec(component).scheme
    assert scheme is not None
    settings = Settings(components=(component, "face.quality"), rate=rate)
    with tempfile.TemporaryDirectory() as folder:
        found = analyze(file, Path(folder) / "out.emotrace", settings=settings, report=False)
        table = found.table("faces", ["time", *scheme.columns])
    values = np.stack([table[name].to_numpy() for name in scheme.columns], axis=1)
    measured = np.isfinite(values).all(axis=1)
    return Reading(table["time"].to_numpy()[measured], values[measured])


def portraits(component: str, data: Path) -> dict[str, NDArray[np.float32]]:
    """Probabilities of the best measured face in each portrait, by the expression it shows; NaN where none was found."""
    found = {}
    for word, label in PORTRAITS.items():
        values = read(component, data / "portraits" / f"stable_diffusion_{word}.png", None).values
        found[label] = values[0] if len(values) else np.full(len(EXPRESSION_7), np.nan, np.float32)
    return found


def lines(component: str, data: Path) -> list[str]:
    """The table of one component."""
    rows = [f"## {component}", "", "| portrait | read as | probability of what it shows |", "|---|---|---|"]
    named = portraits(component, data)
    for label, values in named.items():
        said = EXPRESSION_7.labels[int(values.argmax())]
        rows.append(f"| {label} | {said} ({values.max():.2f}) | {values[EXPRESSION_7.labels.index(label)]:.2f} |")
    right = sum(EXPRESSION_7.labels[int(values.argmax())] == label for label, values in named.items())
    rows += ["", f"{right} of {len(named)} named.", ""]
    rows += ["| neutral faces, and two who dispute | faces | sad or angry | neutral |", "|---|---|---|---|"]
    for clip in (*NEUTRAL, DISPUTE):
        found = read(component, data / "clips" / clip)
        rows.append(f"| {clip} | {len(found.times)} | {found.share('sadness', 'anger'):.0%} | {found.share('neutral'):.0%} |")
    woman = read(component, data / "clips" / WOMAN)
    rows += ["", "| crying, then laughing | happiness | sadness, fear, disgust or anger |", "|---|---|---|"]
    for name, start, end in ((f"until {CRIES_UNTIL:g} s", 0.0, CRIES_UNTIL), (f"from {LAUGHS_FROM:g} s", LAUGHS_FROM, np.inf)):
        bad = woman.share("sadness", "fear", "disgust", "anger", start=start, end=end)
        rows.append(f"| {name} | {woman.share('happiness', start=start, end=end):.0%} | {bad:.0%} |")
    return rows


def main() -> None:
    """Print a table for each component named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("components", nargs="+", help="face.expression, face.expression_mini_xception, ...")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    given = parser.parse_args()
    for component in given.components:
        print("\n".join(lines(component, given.data)), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
