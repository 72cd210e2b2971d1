"""Memory that this process frees stays with it.

A training step fills the same few hundred MiB as the one before it. But glibc gives large blocks
back as they are freed and asks for them again a moment later, and the system clears every page
before it lends it: of a step of `base` a tenth.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

# malloc.h of glibc; see mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
#: Blocks up to here stay with the process when they are freed (bytes): the most that glibc allows.
_LARGEST_KEPT = 32 * 2**20
#: So much may lie free at the end of the heap (bytes): the most that can be said.
_MOST_KEPT = 2**31 - 1


def tune_malloc() -> bool:
    """Have this process keep freed blocks of up to 32 MiB; true where that can be asked.

    It changes no number and hardly the peak of memory. Systems without glibc keep their ways.
    """
    mallopt = _mallopt()
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT) and mallopt(_TRIM_THRESHOLD, _MOST_KEPT))


def can_tune_malloc() -> bool:
    """Whether `tune_malloc` has whom to ask; asks nothing."""
    return _mallopt() is not None


def _mallopt() -> Callable[[int, int], int] | None:
    return getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
