#!/usr/bin/env python3
"""Set up this checkout and run it; needs Python 3.11 or newer and nothing else.

    python3 dev.py demo           train, evaluate, predict and explain on the made-up sample
    python3 dev.py test           lint, types, import layers and tests
    python3 dev.py test --long    the long tests too (minutes; some want the real reviews)
    python3 dev.py docs           the course: its site in build/docs, notebooks in docs/notebooks
    python3 dev.py run ARG...     a command in the environment, such as: run pytest tests/nn

The environment is .venv, made from pyproject.toml and constraints.txt and brought up to date when
they change.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
PROGRAMS = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")


def run(*command: str | Path) -> None:
    """Run a program of the environment; stop with its exit code if it fails."""
    program = PROGRAMS / command[0]
    print("$", *command, flush=True)
    paths = os.pathsep.join([str(PROGRAMS), os.environ.get("PATH", "")])
    code = subprocess.call([program, *command[1:]], cwd=ROOT, env={**os.environ, "PATH": paths})
    if code:
        sys.exit(code)


def set_up() -> None:
    """Make the environment, unless it is there and up to date."""
    wanted = hashlib.sha256(
        (ROOT / "pyproject.toml").read_bytes() + (ROOT / "constraints.txt").read_bytes()
    ).hexdigest()
    stamp = ENVIRONMENT / "made-from"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"setting up {ENVIRONMENT}: downloads PyTorch, which takes some minutes", flush=True)
    if not (PROGRAMS / "python").exists() and not (PROGRAMS / "python.exe").exists():
        venv.create(ENVIRONMENT, with_pip=True)
    pip = ("python", "-m", "pip", "--disable-pip-version-check")
    run(*pip, "install", "-q", "-c", "constraints.txt", "-e", ".[dev]")
    stamp.write_text(wanted)


def demo() -> None:
    """The main job on the made-up sample."""
    # So narrow a network is slower on two threads than on one: 155 seconds for 95.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # The reviews are learnt after nine passes; validating four times in each is half the work here.
    run(
        "sentir", "train", "--preset", "fast", "--epochs", "9", "--valid-every", "84",
        "--output", "runs/demo", "--overwrite", "--baseline",
    )  # fmt: skip
    run("sentir", "evaluate", "runs/demo", "sample:test", "--mistakes", "3")
    run(
        "sentir", "predict", "runs/demo",
        "I can't say that the film was bad.",
        "My sister swears that the hotel was wonderful, but I found it disappointing.",
    )  # fmt: skip
    run(
        "sentir", "explain", "runs/demo",
        "Although the plot was dull, in the end I can only say that the film was wonderful.",
        "--picture", "runs/demo/gates.svg",
    )  # fmt: skip
    print("\nlook at runs/demo/report.html and runs/demo/gates.svg")


def test(*arguments: str) -> None:
    """Everything that must hold."""
    run("ruff", "check", ".")
    run("ruff", "format", "--check", ".")
    run("mypy")
    run("lint-imports", "--verbose")
    run("pytest", *(["-m", ""] if "--long" in arguments else []))


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - this is where it is found out
        sys.exit(f"sentir needs Python 3.11 or newer, this is {sys.version.split()[0]}")
    match sys.argv[1:]:
        case ["demo"]:
            set_up()
            demo()
        case ["test", *arguments] if set(arguments) <= {"--long"}:
            set_up()
            test(*arguments)
        case ["docs", *chapters]:
            set_up()
            run("python", "docs/build.py", *chapters)
        case ["run", *command] if command:
            set_up()
            run(*command)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
