"""An audit as one HTML file."""

from __future__ import annotations

from pathlib import Path

from sentir.evaluation.audit.findings import KINDS, Audit
from sentir.evaluation.page import render_page
from sentir.io.atomic import write_page

#: Findings of a kind that the page shows, and characters of a text.
SHOWN, SHOWN_CHARACTERS = 200, 600


def render(audit: Audit, *, title: str, texts: bool = True) -> str:
    """The page, the same for the same audit.

    Args:
        audit: what was found.
        title: the names of the files.
        texts: whether the texts are shown.
    """
    return render_page(
        "audit.html",
        audit=audit,
        title=title,
        kinds=KINDS,
        findings={kind: audit.of_kind(kind)[:SHOWN] for kind, n in audit.counts.items() if n},
        texts=texts,
        longest=SHOWN_CHARACTERS,
    )


def write_audit(audit: Audit, path: Path, *, title: str, texts: bool = True) -> None:
    """Write the page, whole or not at all.

    Raises:
        UsageError: the place cannot be written.
    """
    write_page(render(audit, title=title, texts=texts), path)
