"""Results of long benchmarks, a line of JSON each, so that one that was killed goes on.

A job is told by its mark: what is measured (corpus, tool, seed and so on) and its recipe, a digest
of all settings, so that a line stays true when a preset changes: it is then no longer that job's.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import torch

Row = dict[str, Any]
FOLDER = Path(__file__).parent / "results"
#: What a line tells of a model that was measured on test.
FIGURES = ("minutes", "accuracy", "calibration_error")


class Job(NamedTuple):
    """What is to be measured: its mark, the command for it alone, and the measuring."""

    mark: Row
    command: str
    measure: Callable[[], Row]


def add_results_options(parser: argparse.ArgumentParser) -> None:
    """The options that all such benchmarks have."""
    parser.add_argument("--seeds", default="0")
    parser.add_argument(
        "--set", nargs="*", default=[], metavar="NAME=VALUE", help="change settings of Sentir"
    )
    parser.add_argument("--again", action="store_true", help="measure what has been measured, too")
    parser.add_argument(
        "--draw", action="store_true", help="measure nothing, show what has been measured"
    )
    parser.add_argument("--results", type=Path, help="file of the results, in place of the usual")


def run_missing(jobs: Iterable[Job], path: Path, *, again: bool) -> None:
    """Measure each job that the file has no line of, and add the line; `again`: all of them."""
    jobs = list(jobs)
    for number, job in enumerate(jobs, 1):
        told = f"{number} of {len(jobs)}: {job.command}"
        # Read anew each time: another process may be at work on the same file.
        if not again and any(is_of(row, job.mark) for row in read_rows(path)):
            print(f"{told}: measured before", file=sys.stderr)
            continue
        print(told, file=sys.stderr)
        add_row(path, {**job.mark, **job.measure(), "command": job.command, **circumstances()})


def is_of(row: Row, mark: Row) -> bool:
    """Whether a line is that job's."""
    return all(row.get(name) == value for name, value in mark.items())


def read_rows(path: Path) -> list[Row]:
    """All lines of the file, none if it is not there."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def add_row(path: Path, row: Row) -> None:
    """Add a line, at one blow: neither a kill nor another process leaves a part of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab", buffering=0) as file:
        file.write(json.dumps(row).encode() + b"\n")


def newest(rows: Sequence[Row], *, line: Sequence[str], job: Sequence[str]) -> list[Row]:
    """What is shown: of each line of the picture the newest recipe, of each job its last result.

    Args:
        rows: lines of a file, in its order.
        line: the names of what tells the lines of the picture apart.
        job: the names of what tells the jobs of one line apart.
    """

    def of(row: Row, names: Sequence[str]) -> str:
        return json.dumps([row[name] for name in names], sort_keys=True)

    recipes = {of(row, line): row["recipe"] for row in rows}
    kept = [row for row in rows if row["recipe"] == recipes[of(row, line)]]
    return list({of(row, [*line, *job]): row for row in kept}.values())


def command(program: str, *options: object, settings: Sequence[str] = ()) -> str:
    """The command line that measures one job."""
    words = ["python", f"benchmarks/{program}.py", *map(str, options)]
    return " ".join([*words, "--set", *settings] if settings else words)


def circumstances() -> Row:
    """When, of which commit and on what something was measured."""
    git = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    try:
        commit = subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        commit = ""
    return {
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "commit": commit,
        "processor": torch.cpu.get_capabilities().get("cpu_name") or platform.machine(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


def told(settings: Mapping[str, Any]) -> str:
    """The settings that were changed, as the name of a line ends with them."""
    return "".join(f", {name} = {value}" for name, value in settings.items())


def of_seeds(seeds: Sequence[Row]) -> list[str]:
    """Cells of one line's seeds: how many, and the means of `FIGURES`, the accuracy's deviation."""
    minutes, accuracy, calibration_error = (
        statistics.mean(row[figure] for row in seeds) for figure in FIGURES
    )
    spread = f" ± {statistics.stdev(row['accuracy'] for row in seeds):.2%}" if seeds[1:] else ""
    return [
        str(len(seeds)), f"{minutes:.1f}", f"{accuracy:.2%}{spread}", f"{calibration_error:.2%}"
    ]  # fmt: skip


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1) -> str:
    """A table in Markdown, its first columns of words and the others of figures."""
    rule = ["---"] * words + ["--:"] * (len(head) - words)
    lines = [head, rule, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
