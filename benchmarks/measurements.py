"""Results of long benchmarks, one line of JSON per job, so that an interrupted benchmark resumes.

A job is identified by its key: what is measured (corpus, tool, seed ...) and its recipe, a digest
of the names and values of all settings. When a preset changes, its digest changes, so an old line
is no longer a result of the new job.
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
#: Metrics of a trained model in a line.
METRICS = ("minutes", "accuracy", "calibration_error")


class Job(NamedTuple):
    """What to measure: its key, the command that measures it alone, and the measurement."""

    key: Row
    command: str
    measure: Callable[[], Row]


def add_results_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that all long benchmarks share."""
    parser.add_argument("--seeds", default="0")
    parser.add_argument(
        "--set", nargs="*", default=[], metavar="NAME=VALUE", help="change settings of Sentir"
    )
    parser.add_argument("--again", action="store_true", help="repeat jobs that have a result")
    parser.add_argument(
        "--draw", action="store_true", help="measure nothing, print the results so far"
    )
    parser.add_argument("--results", type=Path, help="file of the results")


def run_missing(jobs: Iterable[Job], path: Path, *, again: bool) -> None:
    """Measure each job without a line in the file, and append its line; `again`: all jobs."""
    jobs = list(jobs)
    for number, job in enumerate(jobs, 1):
        message = f"{number} of {len(jobs)}: {job.command}"
        # Read before each job: another process may append to the same file.
        if not again and any(matches(row, job.key) for row in read_rows(path)):
            print(f"{message}: measured before", file=sys.stderr)
            continue
        print(message, file=sys.stderr)
        append_row(path, {**job.key, **job.measure(), "command": job.command, **provenance()})


def matches(row: Row, key: Row) -> bool:
    """Whether a line is the result of the job with this key."""
    return all(row.get(name) == value for name, value in key.items())


def read_rows(path: Path) -> list[Row]:
    """All lines of the file; none where it does not exist."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def append_row(path: Path, row: Row) -> None:
    """Append a line in a single write, so that neither a kill nor another process splits it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab", buffering=0) as file:
        file.write(json.dumps(row).encode() + b"\n")


def latest(rows: Sequence[Row], *, series: Sequence[str], job: Sequence[str]) -> list[Row]:
    """The rows to show: the newest recipe of each series, the last result of each job.

    Args:
        rows: lines of a file, in its order.
        series: names of the fields that identify a series, which is one line of the plot.
        job: names of the fields that identify a job within its series.
    """

    def values(row: Row, names: Sequence[str]) -> str:
        return json.dumps([row[name] for name in names], sort_keys=True)

    recipes = {values(row, series): row["recipe"] for row in rows}
    current = [row for row in rows if row["recipe"] == recipes[values(row, series)]]
    return list({values(row, [*series, *job]): row for row in current}.values())


def command_line(program: str, *options: object, settings: Sequence[str] = ()) -> str:
    """The command that measures one job."""
    words = ["python", f"benchmarks/{program}.py", *map(str, options)]
    return " ".join([*words, "--set", *settings] if settings else words)


def provenance() -> Row:
    """Date, commit, processor, threads and PyTorch's version of a measurement."""
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


def format_settings(settings: Mapping[str, Any]) -> str:
    """Changed settings, as the end of a series' name."""
    return "".join(f", {name} = {value}" for name, value in settings.items())


def summary_cells(rows: Sequence[Row]) -> list[str]:
    """Cells for the seeds of one job: their number, and the means of `METRICS`.

    With several seeds the accuracy has its standard deviation.
    """
    minutes, accuracy, calibration_error = (
        statistics.mean(row[metric] for row in rows) for metric in METRICS
    )
    deviation = f" ± {statistics.stdev(row['accuracy'] for row in rows):.2%}" if rows[1:] else ""
    return [
        str(len(rows)), f"{minutes:.1f}", f"{accuracy:.2%}{deviation}", f"{calibration_error:.2%}"
    ]  # fmt: skip


def markdown_table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, text_columns: int = 1, last: int = 0
) -> str:
    """A Markdown table, numbers aligned right.

    Args:
        head: titles of the columns.
        rows: cells.
        text_columns: number of first columns that hold text.
        last: number of last columns that hold text.
    """
    numbers = len(head) - text_columns - last
    rule = ["---"] * text_columns + ["--:"] * numbers + ["---"] * last
    lines = [head, rule, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
