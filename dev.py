#!/usr/bin/env python3
"""Set up this checkout and run it; needs Python 3.11 or newer and nothing else.

    python3 dev.py demo           train, evaluate, predict and explain on the synthetic sample
    python3 dev.py test           lint, types, import layers, tests and their coverage
    python3 dev.py test --long    the long tests too (minutes; some want the real reviews)
    python3 dev.py attack [--minutes N]   kills, full disks, malformed files and more (tests/attack)
    python3 dev.py wheel [FILE]   install a wheel (unset: build it) in an empty environment, try it
    python3 dev.py docs           the site in build/docs, the course below it, its notebooks
    python3 dev.py docs --course [N...]   the course alone; only these chapters' code is run
    python3 dev.py run ARG...     a command in the environment, such as: run pytest tests/nn

The environment is .venv, made from pyproject.toml and constraints.txt and brought up to date when
they change.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
SOURCE = ROOT / "src"


def programs(environment: Path) -> Path:
    """The folder of an environment's programs."""
    return environment / ("Scripts" if os.name == "nt" else "bin")


def run(*command: str | Path, environment: Path = ENVIRONMENT, folder: Path = ROOT) -> None:
    """Run a program of the environment in the folder; stop with its exit code if it fails."""
    program = programs(environment) / command[0]
    print("$", *command, flush=True)
    paths = os.pathsep.join([str(programs(environment)), os.environ.get("PATH", "")])
    code = subprocess.call([program, *command[1:]], cwd=folder, env={**os.environ, "PATH": paths})
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
    python = programs(ENVIRONMENT) / "python"
    if not python.exists() and not python.with_suffix(".exe").exists():
        venv.create(ENVIRONMENT, with_pip=True)
    install("-e", ".[dev]")
    stamp.write_text(wanted)


def install(*arguments: str | Path, environment: Path = ENVIRONMENT) -> None:
    """Install packages in the versions of constraints.txt."""
    pip = ("python", "-m", "pip", "--disable-pip-version-check")
    run(*pip, "install", "-q", "-c", "constraints.txt", *arguments, environment=environment)


def demo() -> None:
    """The main job on the synthetic sample."""
    # So narrow a network is slower on two threads than on one: 155 seconds for 95.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # The reviews are learnt after nine passes; validating four times in each is half the work here.
    run(
        "sentir", "train", "--preset", "fast", "--epochs", "9", "--eval-steps", "84",
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
    # Coverage counts what runs in the tests' own processes, not in programs that they start.
    run(
        "pytest", "-n", "auto", "--cov", "sentir", "--cov-report", "term:skip-covered",
        *(["-m", ""] if "--long" in arguments else []),
    )  # fmt: skip


def wheel(file: Path | None) -> None:
    """Install a wheel where nothing else is, and run the sample; without a file, build it first."""
    os.environ.pop("PYTHONPATH", None)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="wheel-") as name:
        folder = Path(name)
        if file is None:
            set_up()
            # The wheel is built from the sdist, so that files left in build/ cannot get into it.
            run("python", "-m", "build", "--quiet", "--outdir", folder)
            file = next(folder.glob("*.whl"))
        check_content(file)
        empty = folder / "empty"
        venv.create(empty, with_pip=True)
        install("--no-compile", file.resolve(), environment=empty)

        def try_out(*command: str) -> None:
            run(*command, environment=empty, folder=folder)

        try_out("sentir", "--version")
        try_out(
            "sentir", "train", "sample", "--preset", "fast", "--epochs", "1",
            "--embedding-dim", "8", "--hidden-size", "8", "--output", "run",
        )  # fmt: skip
        try_out("sentir", "predict", "run", "I can't say it was bad.")
        try_out("sentir", "export", "run", "--to", "onnx")
        try_out("sentir", "lesson", "page", "--output", "page.html")
        try_out("python", "-c", "import sentir; print(sentir.load('run').predict(['A joy.']))")


def check_content(file: Path) -> None:
    """The wheel has the files of the package, all of them and no others."""
    packed = {name for name in zipfile.ZipFile(file).namelist() if ".dist-info/" not in name}
    wanted = {
        path.relative_to(SOURCE).as_posix()
        for path in (SOURCE / "sentir").rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }
    if packed != wanted:
        missing, extra = sorted(wanted - packed), sorted(packed - wanted)
        sys.exit(f"{file.name}: lacks {missing}, has besides {extra}")


def docs(*arguments: str) -> None:
    """The documentation; with ``--course`` or numbers of chapters, the course alone."""
    site = ROOT / "build" / "docs"
    if not arguments:
        run("sphinx-build", "-W", "--keep-going", "-q", "docs/site", site)
    words = [word for word in arguments if word != "--course"]
    run("python", "docs/build.py", *words, "--output", site / "course")
    print(f"\nlook at {site / ('course/index.html' if arguments else 'index.html')}")


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
        case ["attack", *arguments]:
            set_up()
            # One thread: the networks are tiny, and a forked process has none of its parent's.
            os.environ["OMP_NUM_THREADS"] = "1"
            os.environ["PYTHONPATH"] = os.pathsep.join(
                [str(ROOT / "tests"), str(ROOT / "benchmarks")]
            )
            run("python", "-m", "attack", *arguments)
        case ["wheel", *files] if len(files) <= 1:
            wheel(Path(files[0]) if files else None)
        case ["docs", *arguments]:
            set_up()
            docs(*arguments)
        case ["run", *command] if command:
            set_up()
            run(*command)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
