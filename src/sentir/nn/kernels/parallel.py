"""Kernels on several cores: they release Python's lock, so threads suffice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Job = TypeVar("Job")
Result = TypeVar("Result")


def run_in_parallel(run: Callable[[Job], Result], jobs: Sequence[Job]) -> list[Result]:
    """Run each job on its own core, if PyTorch may use several."""
    if min(len(jobs), torch.get_num_threads()) == 1:
        return [run(job) for job in jobs]
    with ThreadPoolExecutor(len(jobs)) as threads:
        return list(threads.map(run, jobs))
