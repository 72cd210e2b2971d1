"""Draw docs/reliability.md from page_template.txt and the lines of results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from measurements import Row, markdown_table, read_rows

from attack.counts import RESULTS
from attack.fuzz import MAX_BYTES, MAX_CPU_S

TEMPLATE = Path(__file__).with_name("page_template.txt")
PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
#: Longest failure that is quoted (characters).
QUOTED = 160


def draw_page() -> None:
    PAGE.write_text(page(), "utf-8")


def page() -> str:
    rows = read_rows(RESULTS)
    return TEMPLATE.read_text("utf-8").format(
        summary=_summary(rows),
        counts=_counts(rows),
        outcomes=_outcomes(rows),
        failures=_failures(rows),
        max_cpu_s=MAX_CPU_S,
        max_mb=MAX_BYTES / 10**6,
    )


def _grouped(rows: Sequence[Row]) -> dict[tuple[str, str], list[Row]]:
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["attack"], row["target"]), []).append(row)
    return dict(sorted(groups.items(), key=lambda group: group[0][0]))


def _summary(rows: Sequence[Row]) -> str:
    """A line for each attack, with what it tried after the run in which it last found a fault."""
    attacks: dict[str, list[Row]] = {}
    for row in rows:
        attacks.setdefault(row["attack"], []).append(row)
    table = []
    for attack, own in sorted(attacks.items()):
        failed = [number for number, row in enumerate(own) if row["failed"]]
        since = own[failed[-1] + 1 :] if failed else own
        last = own[failed[-1]]["command"] if failed else ""
        later = sum(row["tried"] for row in since if row["command"] != last)
        _, _, tried, fails, last_on = _cells(attack, "", own)
        table.append([attack, tried, fails, f"{later:,}", last_on])
    columns = ("attack", "tried", "failed", "tried since the last failure", "last on")
    return markdown_table(columns, table, text_columns=1, last=1)


def _counts(rows: Sequence[Row]) -> str:
    """A line for each target, and a sum for each attack that has several."""
    table, groups = [], _grouped(rows)
    for attack in dict.fromkeys(name for name, _ in groups):
        own = {target: group for (name, target), group in groups.items() if name == attack}
        for target, group in own.items():
            table.append(_cells(attack, target, group))
        if len(own) > 1:
            everything = [row for group in own.values() for row in group]
            table.append([f"**{cell}**" for cell in _cells(attack, "together", everything)])
    return markdown_table(
        ("attack", "target", "tried", "failed", "last on"), table, text_columns=2, last=1
    )


def _cells(attack: str, target: str, rows: Sequence[Row]) -> list[str]:
    tried, failed = (sum(row[name] for row in rows) for name in ("tried", "failed"))
    return [attack, target, f"{tried:,}", f"{failed:,}", max(row["date"] for row in rows)[:10]]


def _outcomes(rows: Sequence[Row]) -> str:
    table = []
    for (attack, target), group in _grouped(rows).items():
        outcomes = Counter[str]()
        for row in group:
            outcomes.update(row.get("outcomes", {}))
        if len(outcomes) > 1:
            told = ", ".join(f"{name} {count:,}" for name, count in outcomes.most_common())
            table.append([attack, target, told])
    return markdown_table(("attack", "target", "outcomes"), table, text_columns=3)


def _failures(rows: Sequence[Row]) -> str:
    table = [
        [row["attack"], row["target"], row["date"][:10], _quoted(failure)]
        for row in rows
        for failure in row.get("failures", ())
    ]
    if not table:
        return "None."
    return markdown_table(("attack", "target", "date", "first words"), table, text_columns=4)


def _quoted(failure: str) -> str:
    line = " ".join(failure.split()).replace("|", "/").replace("`", "'")
    return f"`{line[:QUOTED]}`"
