#!/usr/bin/env python3
"""Set up this checkout and run it; needs Python 3.11 or newer and nothing else.

    python3 dev.py demo           train, evaluate, predict and explain on the synthetic sample
    python3 dev.py test           lint, types, import layers, tests and their coverage
    python3 dev.py test --long    the long tests too (minutes; some want the real reviews)
    python3 dev.py attack [--minutes N]   kills, full disks, malformed files and more (tests/attack)
    python3 dev.py cluster        the tests on Spark (wants Java), on Ray and on a stand-in of S3
    python3 dev.py wheel [FILE]   try a wheel (unset: build it) in empty environments: its answers
                                  alone are those of PyTorch, and its size is limited
    python3 dev.py docs           the site in build/docs, the course below it, its notebooks
    python3 dev.py docs --course [N...]   the course alone; only these chapters' code is run
    python3 dev.py run ARG...     a command in the environment, such as: run pytest tests/nn

The environment is .venv, made from pyproject.toml and constraints.txt and brought up to date when
they change.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
SOURCE = ROOT / "src"
#: The environment of the tests on engines of clusters, which takes 1 GB, and what it has besides.
CLUSTER = ROOT / "build" / "cluster"
CLUSTER_PACKAGES = ("pyspark==4.3.0", "pandas==2.3.3", "ray[data,train]==2.60.0", "s3fs==2026.9.0",
                    "moto[server,s3]==5.2.5")  # fmt: skip
#: What may be installed to answer, byte code included, and how far answers may be from PyTorch's.
MAX_SIZE_MB, MAX_DIFFERENCE = 260, 1e-5


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


def output(*command: str | Path, environment: Path, folder: Path) -> str:
    """What a program of the environment prints; stop with its exit code if it fails."""
    print("$", " ".join(map(str, command)).partition("\n")[0], flush=True)
    program = programs(environment) / command[0]
    process = subprocess.run(
        [program, *command[1:]], cwd=folder, stdout=subprocess.PIPE, encoding="utf-8"
    )
    if process.returncode:
        sys.exit(process.returncode)
    return process.stdout


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
    # It wants an old ml_dtypes, which is 24 MB instead of 2, and works with the new one.
    install("--no-deps", "tritonclient")
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


def cluster() -> None:
    """The tests that want Spark, Ray or a stand-in of S3, in an environment with these besides."""
    if not programs(CLUSTER).exists():
        venv.create(CLUSTER, with_pip=True)
    # What .venv has is seen here too.
    paths = "import site; print(site.getsitepackages()[-1])"
    shared, own = (
        Path(output("python", "-c", paths, environment=one, folder=ROOT).strip())
        for one in (ENVIRONMENT, CLUSTER)
    )
    (own / "shared.pth").write_text(f"{SOURCE}\n{shared}\n")
    run("python", "-m", "pip", "install", "-q", *CLUSTER_PACKAGES, environment=CLUSTER)
    # One after the other: each starts and ends an engine of its own.
    for file in sorted((ROOT / "tests" / "cluster").glob("test_*.py")):
        run("python", "-m", "pytest", "-m", "cluster", file, environment=CLUSTER)


def wheel(file: Path | None) -> None:
    """Try a wheel where nothing else is: alone, and with what training needs; unset: build it."""
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
        alone, training = folder / "alone", folder / "training"
        for environment in (alone, training):
            venv.create(environment, with_pip=True)
        before = installed_bytes(alone)
        install(file.resolve(), environment=alone)
        size_mb = (installed_bytes(alone) - before) / 1e6
        install("--no-compile", f"{file.resolve()}[train]", environment=training)
        try_training(training, folder)
        largest = compare_answers(alone, training, folder)
        seconds, memory_mb = first_answer(alone, folder)
        print(
            f"alone: {size_mb:.1f} MB installed, byte code included; first answer after "
            f"{seconds:.2f} s with {memory_mb:.0f} MB of memory; probabilities differ from those "
            f"of PyTorch by {largest:.1e}"
        )
        if largest > MAX_DIFFERENCE:
            sys.exit(f"more than {MAX_DIFFERENCE:.0e}")
        if size_mb > MAX_SIZE_MB and sys.platform == "linux":  # wheels differ by system
            sys.exit(f"more than {MAX_SIZE_MB} MB")


def try_training(environment: Path, folder: Path) -> None:
    """Train on the sample, and write what only this environment can."""
    for command in (
        ("--version",),
        ("sample", "--count", "200", "--seed", "1", "--output", "reviews.csv"),
        ("train", "sample", "--preset", "fast", "--epochs", "1", "--embedding-dim", "8",
         "--hidden-size", "8", "--output", "run"),
        ("lesson", "page", "--output", "page.html"),
    ):  # fmt: skip
        run("sentir", *command, environment=environment, folder=folder)


def compare_answers(alone: Path, training: Path, folder: Path) -> float:
    """The largest difference between the answers of both environments, one by PyTorch."""
    largest = 0.0
    text = "The film was dull, but I can't say it was bad."
    for command, options in (
        (("predict", "run", "reviews.csv", "--json", "--probabilities"), ("--engine", "torch")),
        (("evaluate", "run", "reviews.csv", "--json"), ("--engine", "torch")),
        (("explain", "run", text, "--json"), ()),
    ):
        answers = output("sentir", *command, environment=alone, folder=folder)
        expected = output("sentir", *command, *options, environment=training, folder=folder)
        for answer, other in zip(documents(answers), documents(expected), strict=True):
            largest = max(largest, difference(answer, other))
    run("sentir", "export", "run", "--to", "onnx", environment=alone, folder=folder)
    refused = subprocess.run(
        [programs(alone) / "sentir", "train", "sample", "--output", "none"],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    if refused.returncode != 2 or "pip install 'sentir[train]'" not in refused.stderr:
        sys.exit(f"training without PyTorch: {refused.returncode}, {refused.stderr}")
    return largest


def documents(text: str) -> list[object]:
    """One JSON document, or one on each line."""
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines()]


def difference(one: object, other: object) -> float:
    """The largest difference of numbers in two JSON documents; infinite if anything else differs.

    Rows that are sorted by confidence may change places: mistakes are not compared.
    """
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return max(difference(one[key], other[key]) for key in one if key != "mistakes")
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return max(map(difference, one, other), default=0.0)
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other)
    return 0.0 if one == other else float("inf")


def first_answer(environment: Path, folder: Path) -> tuple[float, float]:
    """Seconds from the start of Python to the first answer, and memory then (MB); of three runs."""
    program = (
        "import sys, sentir; sentir.load('run').predict_one('A joy.')\n"
        "try:\n"
        "    import resource\n"
        "    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "    print(peak * (1 if sys.platform == 'darwin' else 1024) / 1e6)\n"
        "except ImportError:\n"  # Windows
        "    print('nan')\n"
    )
    runs = []
    for _ in range(3):
        began = time.perf_counter()
        printed = output("python", "-c", program, environment=environment, folder=folder)
        runs.append((time.perf_counter() - began, float(printed)))
    return min(runs)


def installed_bytes(environment: Path) -> int:
    """The size of all files of an environment, byte code included."""
    return sum(path.stat().st_size for path in environment.rglob("*") if path.is_file())


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
        case ["cluster"]:
            set_up()
            cluster()
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
