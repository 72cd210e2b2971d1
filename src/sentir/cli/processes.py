"""Commands that several processes run together, as torchrun starts them."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable
from typing import Any

from sentir.cli.app import err, out, plain
from sentir.errors import FinishedRunError


def is_first() -> bool:
    """Whether this is the process that reads and writes; found out without PyTorch."""
    return int(os.environ.get("WORLD_SIZE", 1)) == 1 or os.environ.get("RANK", "0") == "0"


def in_processes(command: Callable[..., None]) -> Callable[..., None]:
    """A training command that may run in several processes, and on a run that has finished.

    The first process writes to the terminal, the others only errors that are theirs alone.
    """

    @functools.wraps(command)
    def run(**options: Any) -> None:
        try:
            if int(os.environ.get("WORLD_SIZE", 1)) == 1:
                command(**options)
                return
            from sentir.training.process_group import joined  # loads PyTorch: seconds

            with joined():
                if not is_first():
                    out.quiet = True
                    logging.getLogger("sentir").setLevel(logging.ERROR)
                command(**options)
        except FinishedRunError as finished:
            if not finished.is_reported:
                plain(err, str(finished))

    return run
