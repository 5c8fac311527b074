"""How a command ends: one line, and a status that scripts can tell apart."""

from __future__ import annotations

import pytest

from emotrace.ending import in_one_line
from emotrace.errors import InputError


@pytest.mark.parametrize(
    ("error", "line", "status"),
    [
        (InputError("a.csv: no column 'label'"), "emotrace: a.csv: no column 'label'\n", 2),
        (KeyboardInterrupt(), "emotrace: interrupted; what was learnt is kept\n", 130),
    ],
)
def test_what_ends_a_command_is_one_line_and_a_status(
    error: BaseException, line: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended, in_one_line("interrupted; what was learnt is kept"):
        raise error
    assert (ended.value.code, capsys.readouterr().err) == (status, line)


def test_a_fault_of_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), in_one_line():
        raise ZeroDivisionError
