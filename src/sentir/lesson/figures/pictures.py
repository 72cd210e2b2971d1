"""What a cell of the lesson shows: pictures and tables for a page or Jupyter, light and dark.

Colours are the page's variables (`sentir.evaluation.svg`); where there is no such page, as in a
notebook, the light colours stand in for them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from matplotlib.figure import Figure

from sentir.evaluation.svg import INK, LINE, MUTED, SERIES, page_style, to_svg

__all__ = ["INK", "LINE", "MUTED", "SERIES", "Picture", "Table", "page_style", "picture", "table"]

_LIGHT = {
    "ink": "#1d2126",
    "muted": "#5d6670",
    "line": "#dedcd6",
    "card": "#ffffff",
    "series-0": "#00629b",
    "series-1": "#c2500a",
    "series-2": "#2b7a55",
    "series-3": "#9a4c87",
    "series-4": "#7a6200",
    "series-5": "#1d2126",
}
_VARIABLE = re.compile(r"var\(--([\w-]+)\)")
_PIXELS_A_POINT = 4 / 3


@dataclass(frozen=True)
class Picture:
    """An SVG element and what it shows, in words."""

    svg: str
    alt: str

    def _repr_svg_(self) -> str:
        return self.svg


@dataclass(frozen=True)
class Table:
    """A table of texts; the first column names the row."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in self.head)
        rows = "".join(
            f'<tr><th scope="row">{escape(first)}</th>'
            + "".join(f"<td>{escape(value)}</td>" for value in rest)
            + "</tr>"
            for first, *rest in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def picture(figure: Figure, alt: str) -> Picture:
    """A figure drawn under `page_style`, with its description for those who cannot see it."""
    name = hashlib.sha256(alt.encode()).hexdigest()[:8]
    width, height = (round(inches * 72 * _PIXELS_A_POINT) for inches in figure.get_size_inches())
    svg = to_svg(figure, f"p{name}")
    about = (
        f'<svg width="{width}" height="{height}" role="img" aria-label="{escape(alt)}" '
        f'style="background: var(--card)"'
    )
    svg = svg.replace('aria-hidden="true"', "", 1).replace("<svg", about, 1)
    return Picture(_VARIABLE.sub(lambda found: f"var(--{found[1]}, {_LIGHT[found[1]]})", svg), alt)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table with these column names and rows of as many texts.

    Raises:
        ValueError: a row has more or fewer texts than there are columns.
    """
    found = tuple(map(tuple, rows))
    for row in found:
        if len(row) != len(head):
            raise ValueError(f"{len(row)} texts for {len(head)} columns: {row}")
    return Table(tuple(head), found)
