"""Memory that is kept is not cleared again by the kernel."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

pytest.importorskip("torch", reason="needs pip install 'emotrace[train]'")

FAULTS = """
import resource, torch
{keep}
def once():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(1 << 24)  # 64 MB, freed at once
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(min(once() for _ in range(50)))  # what is left beside a block may be taken by something small, a dozen times
"""


def faults(keep: str) -> int:
    script = FAULTS.format(keep=keep)
    return int(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the GNU C library is told to keep memory")
def test_a_large_block_that_is_asked_for_again_is_there():
    assert faults("from emotrace.learn import pages; pages.keep()") < 16
    assert faults("") >= 16  # at least the 32 huge pages of 2 MB
