"""glibc's malloc tuned for training: freed memory stays with the process.

A training step fills the same few hundred MiB as the one before it. By default glibc returns large
blocks to the system when they are freed and requests them again a moment later, and the kernel
clears every page: a tenth of a step of `base`.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

# malloc.h of glibc; see mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
#: Largest block that stays with the process when it is freed (bytes): the most glibc allows.
_LARGEST_KEPT = 32 * 2**20
#: Free memory kept at the end of the heap (bytes): the largest value.
_MOST_KEPT = 2**31 - 1


def tune_malloc() -> bool:
    """Keep freed blocks of up to 32 MiB in this process; false where there is no glibc.

    It changes no result and hardly the peak of memory.
    """
    mallopt = _mallopt()
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT) and mallopt(_TRIM_THRESHOLD, _MOST_KEPT))


def can_tune_malloc() -> bool:
    """Whether `tune_malloc` has an effect on this system; changes nothing."""
    return _mallopt() is not None


def _mallopt() -> Callable[[int, int], int] | None:
    return getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
