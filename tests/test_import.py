"""What importing costs and does: each case in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

import sentir

SLOW = ("torch", "numpy", "pyarrow", "sklearn", "scipy", "matplotlib", "tokenizers", "onnx",
        "onnxruntime")  # fmt: skip


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def test_importing_loads_nothing_slow_and_prints_nothing() -> None:
    assert run(f"import sys, sentir; assert not set({SLOW}) & set(sys.modules)") == ""


def test_help_loads_nothing_slow() -> None:
    told = run(
        "import sys\n"
        "sys.argv = ['sentir', '--help']\n"
        "from sentir.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code\n"
        f"print('slow:', sorted(set({SLOW}) & set(sys.modules)))"
    )
    assert "Usage" in told
    assert told.endswith("slow: []\n")


def test_importing_leaves_logging_alone() -> None:
    run("import logging, sentir.cli; assert not logging.root.handlers")


@pytest.mark.parametrize("name", sentir.__all__)
def test_what_is_exported_is_there(name: str) -> None:
    assert getattr(sentir, name) is not None
    assert name in dir(sentir)


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="module 'sentir' has no attribute 'trian'"):
        sentir.trian  # noqa: B018
