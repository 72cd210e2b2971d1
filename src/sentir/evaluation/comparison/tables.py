"""A comparison as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sentir.evaluation.comparison.comparison import Comparison
from sentir.evaluation.comparison.paired import PairedTest
from sentir.evaluation.page import format_setting
from sentir.evaluation.tables import format_metric
from sentir.io.terminal import printable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

#: What the p-value is, in words.
PAIRED_NOTE = (
    "p: how probable so unequal a division of the reviews that one alone gets right is, or a more "
    "unequal one, if neither is better (McNemar's exact test). Above 0.05 the difference may well "
    "be chance."
)


def figure_rows(comparison: Comparison) -> Iterator[tuple[str, str, list[str]]]:
    """Part, name and value in each group of every figure."""
    for figure in comparison.figures():
        spreads = [group.spread(figure) for group in comparison.groups]
        part = "bag of words" if figure.part == "baseline" else figure.part
        yield (
            part,
            figure.name,
            [spread.format(figure.style) if spread else "–" for spread in spreads],
        )


def interval_row(comparison: Comparison) -> list[str]:
    """The 95 % interval of the accuracy of each single run."""
    return [
        "–"
        if group.runs[1:]
        else " to ".join(
            format_metric(end, "percent")
            for end in group.runs[0].metrics[comparison.headline].accuracy_interval
        )
        for group in comparison.groups
    ]


def paired_title(paired: Sequence[PairedTest]) -> str:
    """What the table of paired tests shows."""
    first = paired[0]
    return (
        f"each against {first.first} ({format_metric(first.accuracies[0], 'percent')}) on the same "
        f"{first.examples:,} reviews"
    )


#: The columns of `paired_rows`: "first" is the run that all others are compared with.
PAIRED_COLUMNS = (
    "run", "accuracy", "it alone right", "first alone right", "both right", "both wrong", "p"
)  # fmt: skip


def paired_rows(paired: Sequence[PairedTest]) -> Iterator[list[str]]:
    """The cells of the table of paired tests."""
    for pair in paired:
        yield [
            pair.second,
            format_metric(pair.accuracies[1], "percent"),
            f"{pair.only_second:,}",
            f"{pair.only_first:,}",
            f"{pair.both:,}",
            f"{pair.neither:,}",
            format_p(pair.p_value),
        ]


def format_p(p_value: float) -> str:
    """A p-value: three digits, or that it is smaller."""
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def paired_note(comparison: Comparison) -> str:
    """What the p-values mean, and how to read several of them."""
    tests = len(comparison.paired)
    several = f" Of {tests} tests, take only p below {0.05 / tests:.3g} (Bonferroni)." * (tests > 1)
    return PAIRED_NOTE + several


def render_comparison(comparison: Comparison) -> RenderableType:
    """Settings that differ, figures and paired tests, for a rich console."""
    from rich.console import Group
    from rich.text import Text

    names = [group.name for group in comparison.groups]
    parts: list[RenderableType] = []
    if comparison.differences:
        settings = _table("settings that differ", ["setting", "default", *names], left=1)
        for row in comparison.differences:
            cells = map(format_setting, (row.default, *row.values))
            settings.add_row(row.name, *(Text(printable(cell)) for cell in cells))
        parts.append(settings)
    else:
        parts.append(Text("no setting differs"))
    figures = _table("figures", ["", "figure", *names], left=2)
    last = None
    for part, name, values in figure_rows(comparison):
        if part != last and last is not None:
            figures.add_section()
        figures.add_row(part if part != last else "", name, *values)
        if (part, name) == (comparison.headline, "accuracy") and not all(
            group.runs[1:] for group in comparison.groups
        ):
            figures.add_row("", "its 95 % interval", *interval_row(comparison))
        last = part
    parts.append(figures)
    parts += [Text(printable(note)) for note in comparison.notes]
    if comparison.paired:
        pairs = _table(paired_title(comparison.paired), PAIRED_COLUMNS, left=1)
        for texts in paired_rows(comparison.paired):
            pairs.add_row(*(Text(printable(text)) for text in texts))
        parts += [pairs, Text(paired_note(comparison))]
    return Group(*parts)


def _table(title: str, columns: Sequence[str], *, left: int) -> Table:
    """A table whose first columns are words, and the others figures."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(printable(title)), title_justify="left")
    for index, column in enumerate(columns):
        header = Text(printable(column))
        table.add_column(header, justify="left" if index < left else "right", overflow="fold")
    return table
