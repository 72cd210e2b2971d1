"""PyTorch in forked processes (gunicorn's ``--preload``, multiprocessing's ``fork``).

A fork copies the memory of a process and one of its threads. PyTorch's pool of threads is in that
memory, its threads are not, and the child would wait for them for ever. With one thread PyTorch
computes in the thread that calls it and needs no pool; its own DataLoader does the same.
"""

from __future__ import annotations

import os

import torch


def use_one_thread_after_fork() -> None:
    """From now on, let PyTorch compute in one thread in every forked child."""
    if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
        os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))
