"""The command line: ``sentir train``, ``evaluate``, ``predict``, ``explain`` and others.

One file per command. A command imports what it needs when it runs, so that ``sentir --help`` is
fast. Results go to standard output, everything else to standard error.
"""

# The help lists the commands in this order.
# isort: off
from sentir.cli import (
    train,
    sample,
    fetch,
    encode,
    tune,
    audit,
    evaluate,
    compare,
    calibrate,
    drift,
    predict,
    explain,
    serve,
    export,
    push,
    pretrain,
    complete,
    lesson,
    config,
    doctor,
)

# isort: on
from sentir.cli.app import app, main, unwrap_help
from sentir.cli.lesson.app import lesson as _lesson

unwrap_help(app)
unwrap_help(_lesson)

__all__ = [
    "app", "audit", "calibrate", "compare", "complete", "config", "doctor", "drift", "encode",
    "evaluate", "explain", "export", "fetch", "lesson", "main", "predict", "pretrain", "push",
    "sample", "serve", "train", "tune",
]  # fmt: skip
