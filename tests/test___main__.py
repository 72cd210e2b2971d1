"""``python -m sentir`` is the command line."""

from __future__ import annotations

import subprocess
import sys

from sentir.version import __version__


def test_it_is_the_command_line() -> None:
    command = [sys.executable, "-m", "sentir", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout == f"sentir {__version__}\n"
