"""Pictures of an evaluation as SVG: confusion matrix, weights, reliability diagram. No plotting library is needed."""

from __future__ import annotations

from html import escape

import numpy as np
from numpy.typing import NDArray

CELL = 56
LEFT = 110
TOP = 90
AXIS = 24  # px beside the names of the rows for that of their axis
SIDE = 360


def confusion_svg(confusion: NDArray[np.int64], labels: tuple[str, ...]) -> str:
    """The confusion matrix: rows are the truth, columns what was said; each cell is the share of its row, darker = more.

    A row of which nothing was answered has no shares, and shows dashes.
    """
    counts = confusion.sum(axis=1, keepdims=True)
    shares = np.where(counts > 0, confusion / np.maximum(counts, 1), np.nan)
    notes = [[f"{one} as {other}: {confusion[i, j]}" for j, other in enumerate(labels)] for i, one in enumerate(labels)]
    title = "confusion matrix: rows the truth, columns the answer, percent of the row"
    return _grid(shares, labels, labels, notes, title, ("truth", "answer"))


def weights_svg(weights: NDArray[np.float32], models: tuple[str, ...], labels: tuple[str, ...]) -> str:
    """The weights of a combination: a row for each model, a column for each class; darker = more, in percent.

    Args:
        weights: (m, k), not negative; each column sums to 1.
        models: m names.
        labels: k classes.
    """
    notes = [[f"{model}, {label}: {weights[i, j]:.3f}" for j, label in enumerate(labels)] for i, model in enumerate(models)]
    title = "weights: rows the models, columns the classes, percent of the class"
    return _grid(weights, models, labels, notes, title, ("model", "class"))


def _grid(
    shares: NDArray[np.floating], rows: tuple[str, ...], columns: tuple[str, ...], notes: list[list[str]], title: str,
    axes: tuple[str, str],
) -> str:  # fmt: skip
    """Cells (r, c) of 0..1, NaN = none, with the names of rows and columns, and a note that shows when a cell is pointed at.

    Args:
        axes: what rows and columns are.
    """
    left, parts = AXIS + max(LEFT, 8 * max(map(len, rows)) + 12), []
    for j, name in enumerate(columns):
        x = left + j * CELL + CELL / 2
        parts.append(f'<g transform="translate({x} {TOP - 8}) rotate(-40)">{_text(0, 0, name, "start")}</g>')
    for i, name in enumerate(rows):
        y = TOP + i * CELL + CELL / 2
        parts.append(_text(left - 8, y + 4, name, "end"))
        for j, share in enumerate(shares[i].tolist()):
            parts.append(
                f'<rect x="{left + j * CELL}" y="{TOP + i * CELL}" width="{CELL - 1}" height="{CELL - 1}" fill="#1f5fa8" '
                f'fill-opacity="{0.04 + 0.96 * np.nan_to_num(share):.3f}"><title>{escape(notes[i][j])}</title></rect>'
            )
            colour = "#fff" if share > 0.5 else "#222"
            number = "–" if np.isnan(share) else f"{100 * share:.0f}"
            parts.append(_text(left + j * CELL + CELL / 2, y + 4, number, "middle", colour))
    parts.append(_upwards(16, TOP + len(rows) * CELL / 2, axes[0]))
    parts.append(_text(left + len(columns) * CELL / 2, 16, axes[1], "middle"))
    return _svg(left + len(columns) * CELL + 60, TOP + len(rows) * CELL + 20, title, parts)


def reliability_svg(confidence: NDArray[np.float32], right: NDArray[np.bool_], bins: int = 15) -> str:
    """The reliability diagram: how often an answer is right (bars) when it claims so much (diagonal).

    Args:
        confidence: (n,) probability of the answer, 0..1; 0 = no answer, which is in no bin, as in the calibration error.
        right: (n,) whether the answer was right.
        bins: equal bins of confidence.
    """
    right, confidence = right[confidence > 0], confidence[confidence > 0]
    which = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    counts, hits = np.bincount(which, minlength=bins), np.bincount(which, right, minlength=bins)
    width = SIDE / bins
    parts = [f'<rect x="50" y="20" width="{SIDE}" height="{SIDE}" fill="none" stroke="#999"/>']
    for i in np.flatnonzero(counts):
        height = SIDE * hits[i] / counts[i]
        parts.append(
            f'<rect x="{50 + i * width:.1f}" y="{20 + SIDE - height:.1f}" width="{width - 1:.1f}" height="{height:.1f}" '
            f'fill="#1f5fa8"><title>{int(hits[i])} of {counts[i]} right</title></rect>'
        )
    parts.append(f'<line x1="50" y1="{20 + SIDE}" x2="{50 + SIDE}" y2="20" stroke="#c33" stroke-dasharray="5 4"/>')
    parts.append(_text(50 + SIDE / 2, SIDE + 50, "confidence", "middle"))
    parts.append(_upwards(24, 20 + SIDE / 2, "share of right answers"))
    parts += [_text(45, 28, "1", "end"), _text(45, 20 + SIDE, "0", "end")]
    parts += [_text(50, SIDE + 36, "0", "middle"), _text(50 + SIDE, SIDE + 36, "1", "middle")]
    return _svg(SIDE + 80, SIDE + 70, "reliability: share of right answers by confidence", parts)


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#222") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'


def _upwards(x: float, y: float, text: str) -> str:
    """Text that reads from below to above, its middle at (x, y)."""
    return f'<g transform="translate({x} {y}) rotate(-90)">{_text(0, 0, text, "middle")}</g>'


def _svg(width: float, height: float, title: str, parts: list[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img"'
    body = "\n".join(parts)
    return f'{head} font-family="sans-serif" font-size="13"><title>{escape(title)}</title>\n{body}\n</svg>\n'
