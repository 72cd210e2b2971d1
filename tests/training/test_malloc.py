"""Memory stays with the process, so that it is not cleared at every step."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

MEASURED = """
import ctypes, resource, sys
if sys.argv[1] == "kept":
    from sentir.training.malloc import tune_malloc
    assert tune_malloc()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
def resident():
    return int(open("/proc/self/statm").read().split()[1])
before, size = resident(), 6 * 2**20
for _ in range(3):
    blocks = [libc.malloc(size) for _ in range(10)]
    for block in blocks:
        ctypes.memset(block, 1, size)
    for block in blocks:
        libc.free(block)
print((resident() - before) * resource.getpagesize() // 2**20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="asks glibc")
def test_blocks_that_a_step_frees_stay_with_the_process() -> None:
    """A step here has ten of 6 MiB, as one of `base` has."""
    given_back, kept = (
        int(subprocess.check_output([sys.executable, "-c", MEASURED, how], text=True))
        for how in ("given back", "kept")
    )
    assert given_back < 15
    assert kept > 55
