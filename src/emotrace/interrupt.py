"""Ctrl-C, taken at the end of a step: never amid one, nor while a library loads (some turn it into errors of their own)."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """Whether Ctrl-C was pressed; pressed a second time it interrupts at once."""

    def __init__(self) -> None:
        self.pressed = False

    def check(self) -> None:
        """End of a step.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed.
        """
        if self.pressed:
            raise KeyboardInterrupt

    def _press(self, _number: int, _frame: FrameType | None) -> None:
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = True


@contextmanager
def listening() -> Iterator[Interrupt]:
    """Listen to Ctrl-C in the main thread until the end of the block."""
    own = Interrupt()
    before = signal.signal(signal.SIGINT, own._press)
    try:
        yield own
    finally:
        signal.signal(signal.SIGINT, before)
