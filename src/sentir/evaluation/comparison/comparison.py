"""What differs between runs, and whether their figures can be compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sentir.config import DEFAULT_PRESET, Config
from sentir.evaluation.comparison.groups import FIGURES, Figure, Group, group_runs, settings_of
from sentir.evaluation.comparison.paired import PairedTest
from sentir.evaluation.comparison.runs import PARTS, FinishedRun, supports


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A setting that differs: its default and its value in each group."""

    name: str
    default: Any
    values: tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Runs side by side.

    Attributes:
        groups: the runs, those that differ only in their seed together.
        differences: the settings that differ, and what else does: the data, the classes.
        warnings: why figures cannot be compared, one sentence each.
        notes: what else to know about them.
        paired: the runs on the same reviews, two by two, if that was asked for.
    """

    groups: tuple[Group, ...]
    differences: tuple[Difference, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...] = ()
    paired: tuple[PairedTest, ...] = ()

    @property
    def headline(self) -> str:
        """The part whose figures count: ``test`` where all runs have it, else ``validation``."""
        return next(part for part in PARTS if all(part in group.parts() for group in self.groups))

    @property
    def has_spread(self) -> bool:
        """Whether a group holds runs of several seeds."""
        return any(group.runs[1:] for group in self.groups)

    def figures(self) -> list[Figure]:
        """The figures that at least one group has."""
        return [figure for figure in FIGURES if any(group.spread(figure) for group in self.groups)]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as JSON holds it."""
        return {
            "groups": [_group_dict(group, self.figures()) for group in self.groups],
            "settings": [
                {"name": row.name, "default": row.default, "values": list(row.values)}
                for row in self.differences
            ],
            "warnings": list(self.warnings),
            "notes": list(self.notes),
            "paired": [pair.to_dict() for pair in self.paired],
        }


def _group_dict(group: Group, figures: Sequence[Figure]) -> dict[str, Any]:
    spreads = {f"{figure.part}.{figure.key}": group.spread(figure) for figure in figures}
    return {
        "name": group.name,
        "runs": [run.name for run in group.runs],
        "seeds": group.seeds,
        "synthetic": group.runs[0].synthetic,
        "figures": {
            name: spread and {"mean": spread.mean, "std": spread.std, "values": list(spread.values)}
            for name, spread in spreads.items()
        },
    }


def compare_runs(runs: Sequence[FinishedRun]) -> Comparison:
    """Put runs side by side; nothing is measured anew."""
    groups = group_runs(runs)
    return Comparison(
        groups=groups,
        differences=tuple(_differences(groups)),
        warnings=tuple(_warnings(groups)),
        notes=tuple(_notes(groups)),
    )


def _differences(groups: Sequence[Group]) -> list[Difference]:
    defaults = settings_of(Config.preset(DEFAULT_PRESET))
    settings = [settings_of(group.runs[0].config) for group in groups]
    rows = [
        Difference(name=name, default=default, values=tuple(one[name] for one in settings))
        for name, default in defaults.items()
    ]

    def add(name: str, value: Callable[[Group], Any], default: Any = None) -> None:
        rows.append(Difference(name=name, default=default, values=tuple(map(value, groups))))

    add("train.seed", lambda group: group.seeds, [0])
    for name in ("from_lm", "teachers"):
        add(name, lambda group, name=name: group.runs[0].origin.get(name))  # type: ignore[misc]
    add("classes", lambda group: list(group.runs[0].classes))
    for part in ("train", "unlabelled", "test"):
        add(f"{part} reviews", lambda group, part=part: _reviews(group.runs[0], part))  # type: ignore[misc]
    return [row for row in rows if any(value != row.values[0] for value in row.values)]


def _reviews(run: FinishedRun, part: str) -> str | None:
    """The number of reviews of a part, and by which digest they are known."""
    found = run.data.get(part)
    if found is None:
        return f"{run.metrics[part].examples:,}" if part in run.metrics else None
    return f"{found['reviews']:,} ({found['digest'][:6]})"


def _warnings(groups: Sequence[Group]) -> list[str]:
    """Why figures cannot be compared."""
    found = []
    synthetic = [group.name for group in groups if group.runs[0].synthetic]
    if synthetic:
        found.append(
            f"{_join(synthetic)}: trained on synthetic reviews, so the figures say nothing about "
            "real ones"
        )
    if len({group.runs[0].classes for group in groups}) > 1:
        found.append("the classes differ, so the figures cannot be compared")
    found += [_of_other_reviews(groups, part) for part in PARTS if not _are_same(groups, part)]
    of_checksum: dict[str, list[str]] = {}
    for group in groups:
        for run in group.runs:
            of_checksum.setdefault(run.checksum, []).append(run.name)
    found += [
        f"{_join(names)} are copies of one model" for names in of_checksum.values() if names[1:]
    ]
    return found


def _are_same(groups: Sequence[Group], part: str) -> bool:
    """Whether all groups that have a part were measured on the same reviews."""
    runs = [[run for run in group.runs if part in run.metrics] for group in groups]
    is_known = all(run.data for members in runs for run in members)
    reviews = [
        sorted({run.reviews(part) if is_known else supports(run.metrics[part]) for run in members})
        for members in runs
        if members
    ]
    return all(one == reviews[0] for one in reviews)


def _of_other_reviews(groups: Sequence[Group], part: str) -> str:
    """Why the figures of a part cannot be compared, and what to do."""
    train = {group.runs[0].reviews("train") for group in groups}
    if part == "validation" and len(train) == 1 and None not in train:
        why = ", as what is held out of train depends on the seed and on the validation settings"
        todo = "train with the same seeds or give --valid, or compare on one file with --test"
    else:
        why, todo = "", "compare on one file with --test"
    return (
        f"the {part} figures are of different reviews{why}: differences between them may come from "
        f"that; {todo}"
    )


def _notes(groups: Sequence[Group]) -> list[str]:
    notes = []
    if any(not run.data for group in groups for run in group.runs):
        notes.append(
            "Some runs did not save which reviews they were measured on: that these are the same "
            "was judged by the numbers of reviews per class."
        )
    untested = [group.name for group in groups if "test" not in group.parts()]
    if untested and len(untested) < len(groups):
        notes.append(
            f"Without test figures: {_join(untested)}. Compare validation figures, or measure all "
            "on one file with --test."
        )
    several = [group for group in groups if group.runs[1:]]
    if several:
        notes.append("Mean ± standard deviation: over the runs that differ only in their seed.")
    if any(len({run.reviews("validation") for run in group.runs}) > 1 for group in several):
        notes.append(
            "Each seed holds out its own validation reviews, so the spread of the validation "
            "figures includes that of the split."
        )
    single = [group.name for group in groups if not group.runs[1:]]
    if single:
        notes.append(
            f"One run has no spread ({_join(single)}): train again with --seed 1, --seed 2 and so "
            "on to see it."
        )
    return notes


def _join(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
