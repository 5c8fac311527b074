"""What a fit tells while it runs: a line an epoch, and TensorBoard where wanted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Report = Callable[[dict[str, float]], None]   # told the numbers of an epoch
Say = Callable[[str], None]                   # told how far it is, in a line


def say(line: str) -> None:
    """One line of text, at once, so that a log shows how far a long run is."""
    print(line, flush=True)


def lines(numbers: dict[str, float]) -> None:
    """One line of text for an epoch."""
    rest = "  ".join(f"{name} {value:.4f}" for name, value in numbers.items() if name not in ("epoch", "seconds"))
    print(f"epoch {numbers['epoch']:3.0f}  {rest}  {numbers['seconds']:.0f} s", flush=True)


def tensorboard(folder: Path) -> Report:
    """A report that prints a line and writes TensorBoard's event files into a folder."""
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder))

    def report(numbers: dict[str, float]) -> None:
        lines(numbers)
        for name, value in numbers.items():
            writer.add_scalar(name, value, int(numbers["epoch"]))
        writer.flush()

    return report
