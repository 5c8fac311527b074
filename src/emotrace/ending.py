"""How a command ends that cannot do what it was asked, or is interrupted: one line on the error stream, and a status."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from emotrace.errors import EmotraceError


@contextmanager
def in_one_line(interrupted: str = "interrupted") -> Iterator[None]:
    """A block that errors made on purpose end with status 2, and Ctrl-C with 130.

    Args:
        interrupted: what is said at Ctrl-C.
    """
    try:
        yield
    except EmotraceError as error:
        print(f"emotrace: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print(f"emotrace: {interrupted}", file=sys.stderr)
        sys.exit(130)
