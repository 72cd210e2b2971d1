"""The command line: ``sentir train``, ``evaluate``, ``predict``, ``explain`` and others.

A command imports what it needs when it runs, so that ``sentir --help`` answers at once. Results go
to standard output, all else to standard error.
"""

from sentir.cli import answers, language, lesson, machine, training
from sentir.cli.app import app, main

__all__ = ["answers", "app", "language", "lesson", "machine", "main", "training"]
