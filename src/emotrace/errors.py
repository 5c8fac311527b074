"""Every error that emotrace raises on purpose.

    EmotraceError                  one line: what was got, what was expected, what to do
    ├── InputError                 a file or an option that cannot be used (also a ValueError)
    │   ├── VideoError             a video that cannot be opened or has nothing to analyse
    │   └── FolderError            an output folder that cannot be read, written or continued
    ├── UnknownNameError           a component, weights entry, column or person that does not exist (also a KeyError)
    ├── WeightsError               weights that cannot be fetched or do not match their sha256
    └── MissingExtraError          a component whose optional libraries are not installed (also an ImportError)

The command line prints the message alone and exits with status 2; nothing else is ever caught broadly.
"""

from __future__ import annotations

import re

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")   # what breaks a line or steers a terminal; names of files may hold it


class EmotraceError(Exception):
    """Base of all errors raised on purpose; `str(error)` is one line that says what to do."""

    def __str__(self) -> str:
        """The message, on one line whatever the files it names are called."""
        return one_line(super().__str__())


class InputError(EmotraceError, ValueError):
    """A file or an option that cannot be used."""


class VideoError(InputError):
    """A video that cannot be opened, or that has nothing to analyse."""


class FolderError(InputError):
    """An output folder that cannot be read, written or continued."""


class UnknownNameError(EmotraceError, KeyError):
    """A name that is in no table; the message lists the names there are."""

    def __str__(self) -> str:
        """The message without the quotes that KeyError adds."""
        return one_line(str(self.args[0]))


class WeightsError(EmotraceError):
    """Weights that cannot be fetched, or whose sha256 is not the pinned one."""


class MissingExtraError(EmotraceError, ImportError):
    """A component whose optional libraries are not installed; the message says which extra brings them."""


def one_line(text: object) -> str:
    """Text, or a path, with control characters as Python writes them: a line break is `\\n`."""
    return CONTROL.sub(lambda found: repr(found[0])[1:-1], str(text))


def unknown(what: str, name: str, known: list[str]) -> UnknownNameError:
    """The error for a name that is in no table.

    Args:
        what: kind of thing, "component".
        name: what was asked for.
        known: every name there is.
    """
    return UnknownNameError(f"there is no {what} {name!r}; there are: {', '.join(known) or 'none'}")
