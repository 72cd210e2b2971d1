"""Memory stays with the process, so that it is not cleared at every step."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

MEASURED = """
import resource, sys
if sys.argv[1] == "kept":
    from sentir.allocation import keep_memory
    assert keep_memory()
import torch
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def step():
    parts = [torch.ones(6 * 2**18) for _ in range(10)]  # 6 MiB each
step(); step()
before = faults()
for _ in range(5):
    step()
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="asks glibc")
def test_a_step_fills_the_memory_of_the_one_before_it() -> None:
    """Five times 60 MiB are 76,800 pages of 4 KiB: few are handed out anew if they are kept."""
    given, kept = (
        int(subprocess.check_output([sys.executable, "-c", MEASURED, how], text=True))
        for how in ("given back", "kept")
    )
    assert kept < given / 3
