"""How many batches are computed at the same time."""

from __future__ import annotations

import os
from pathlib import Path

from sentir.text.cores import available_cores

_TOPOLOGY = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"


def batch_workers() -> int:
    """One worker per physical core that this process may use, at most ``OMP_NUM_THREADS``.

    Two threads of one core share its arithmetic units, which a batch keeps busy.
    """
    limit = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    cores = _physical_cores() or available_cores()
    return min(cores, int(limit)) if limit.isdecimal() and int(limit) else cores


def _physical_cores() -> int:
    """Those that this process may use; 0 where the system does not say."""
    try:
        allowed = os.sched_getaffinity(0)
        return len({Path(_TOPOLOGY.format(cpu)).read_text() for cpu in allowed})
    except (AttributeError, OSError):
        return 0
