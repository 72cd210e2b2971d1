"""An audit as tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentir.evaluation.audit.findings import KINDS, Audit
from sentir.io.terminal import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

#: Characters of a text that a table shows.
SHOWN = 160


def render_audit(audit: Audit, *, top: int, texts: bool) -> RenderableType:
    """The counts, and the worst findings of each kind, for a rich console.

    Args:
        audit: what was found.
        top: findings of each kind to show.
        texts: whether the texts are shown.
    """
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    overview = Table(title=f"{audit.reviews:,} reviews", title_justify="left")
    overview.add_column("kind")
    overview.add_column("found", justify="right")
    overview.add_column("what")
    for kind, count in audit.counts.items():
        overview.add_row(kind, f"{count:,}", KINDS[kind])
    tables = [overview]
    one_file = audit.is_of_one_file
    for kind, count in audit.counts.items():
        if not count or not top:
            continue
        shown = audit.of_kind(kind)[:top]
        title = f"{kind}: the first {len(shown)} of {count:,}" if len(shown) < count else kind
        table = Table(title=title, title_justify="left")
        columns = ["line" if one_file else "row", "score", "label", "note"]
        for column in [*columns, *(["text"] if texts else [])]:
            table.add_column(column, overflow="fold")
        for finding in shown:
            cells = [
                str(finding.line) if one_file else f"{finding.path}:{finding.line}",
                f"{finding.score:.3f}",
                finding.label or "",
                finding.note,
                *([finding.text[:SHOWN]] if texts else []),
            ]
            table.add_row(*(Text(printable(cell)) for cell in cells))
        tables.append(table)
    return Group(*tables)
