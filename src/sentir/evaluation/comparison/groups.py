"""Runs that differ only in their seed as one group, with the mean and the spread of its figures."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sentir.bundle import FOLDER
from sentir.config import Config
from sentir.evaluation.comparison.runs import PARTS, FinishedRun
from sentir.evaluation.tables import METRICS, format_metric


class Figure(NamedTuple):
    """What is measured: of which part, the attribute, its name in words, and its format."""

    part: str
    key: str
    name: str
    style: str


#: All figures, in the order in which they are shown.
FIGURES = (
    *(Figure(part, *metric) for part in PARTS for metric in METRICS),
    *(Figure("baseline", *metric) for metric in METRICS if metric[0] in ("accuracy", "macro_f1")),
    Figure("run", "seconds", "time", "seconds"),
    Figure("run", "size_bytes", "size", "bytes"),
    Figure("run", "parameters", "parameters", "count"),
    Figure("run", "best_step", "best step", "count"),
    Figure("run", "steps", "steps", "count"),
)


@dataclass(frozen=True)
class Spread:
    """One figure of all runs of a group, in the order of its seeds."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over the seeds."""
        return statistics.fmean(self.values)

    @property
    def std(self) -> float | None:
        """The sample standard deviation over the seeds (divided by n - 1); None for one run."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    def format(self, style: str) -> str:
        """The mean and the standard deviation: ``93.12 % ± 0.21 %``."""
        mean = format_figure(self.mean, style)
        return mean if self.std is None else f"{mean} ± {format_figure(self.std, style)}"


def format_figure(value: float | None, style: str) -> str:
    """A figure in words; ``seconds``, ``bytes`` and ``count`` beside the styles of metrics."""
    if value is None:
        return "–"
    if style == "seconds":
        return f"{value:,.1f} s"
    if style == "bytes":
        return f"{value / 1e6:,.1f} MB"
    return f"{value:,.0f}" if style == "count" else format_metric(value, style)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Runs that differ only in their seed, in the order of the seeds.

    Attributes:
        name: the runs' common name and their number.
        runs: one or more.
    """

    name: str
    runs: tuple[FinishedRun, ...]

    @property
    def seeds(self) -> list[int]:
        """The seeds of the runs."""
        return [run.seed for run in self.runs]

    def spread(self, figure: Figure) -> Spread | None:
        """A figure over the runs; None if they do not have it."""
        values = [_value(run, figure) for run in self.runs]
        known = tuple(value for value in values if value is not None)
        return Spread(known) if len(known) == len(values) else None

    def parts(self) -> list[str]:
        """What was measured of these runs."""
        return list(self.runs[0].metrics)


def _value(run: FinishedRun, figure: Figure) -> float | None:
    holders = {**run.metrics, "run": run, "baseline": run.baseline}
    value: float | None = getattr(holders.get(figure.part), figure.key, None)
    return value


def group_runs(runs: Sequence[FinishedRun]) -> tuple[Group, ...]:
    """Runs that differ only in their seed together, in the order in which they were given.

    A run with a seed that its group already has begins another one: it is a repetition, and would
    make the spread look smaller than it is.
    """
    found: list[tuple[Any, list[FinishedRun]]] = []
    for run in runs:
        key = _key(run)
        for other, members in found:
            if other == key and run.seed not in [member.seed for member in members]:
                members.append(run)
                break
        else:
            found.append((key, [run]))
    short = short_names(runs)
    names = [_group_name([short[run.name] for run in members]) for _, members in found]
    counts = Counter(names)
    return tuple(
        Group(
            name=name if counts[name] == 1 else f"{short[members[0].name]} × {len(members)}",
            runs=tuple(sorted(members, key=lambda run: run.seed)),
        )
        for name, (_, members) in zip(names, found, strict=True)
    )


def _key(run: FinishedRun) -> Any:
    """Equal for runs that differ only in their seed."""
    return (
        settings_of(run.config), dict(run.origin), run.classes, run.synthetic,
        run.reviews("train"), run.reviews("unlabelled"), run.reviews("test"), run.baseline is None,
    )  # fmt: skip


def settings_of(config: Config) -> dict[str, Any]:
    """All settings but the seed, as ``model.hidden_size``."""
    settings = {
        f"{section}.{name}": value
        for section, values in config.to_dict().items()
        for name, value in values.items()
    }
    del settings["train.seed"]
    return settings


def short_names(runs: Sequence[FinishedRun]) -> dict[str, str]:
    """The last part of each path where that tells all of them apart, else the whole path."""
    last = {}
    for run in runs:
        path = Path(run.name).absolute()
        last[run.name] = (path.parent if path.name == FOLDER else path).name
    unique = len(set(last.values())) == len(last)
    return last if unique else {run.name: run.name for run in runs}


def _group_name(names: Sequence[str]) -> str:
    """What the names have in common, and how many they are: ``shop × 3``."""
    if len(names) == 1:
        return names[0]
    letters = itertools.takewhile(lambda column: len(set(column)) == 1, zip(*names, strict=False))
    common = "".join(column[0] for column in letters).rstrip("0123456789-_. ")
    return f"{common or names[0]} × {len(names)}"
