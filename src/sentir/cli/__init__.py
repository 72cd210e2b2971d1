"""The command line: ``sentir train``, ``evaluate``, ``predict``, ``explain`` and others.

A command imports what it needs when it runs, so that ``sentir --help`` answers at once. Results go
to standard output, all else to standard error.
"""

# In this order the commands stand in the help.
# isort: off
from sentir.cli import training, answers, language, lesson, doctor

# isort: on
from sentir.cli.app import app, main

__all__ = ["answers", "app", "doctor", "language", "lesson", "main", "training"]
