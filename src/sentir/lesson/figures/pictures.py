"""Pictures and tables that a cell of the course shows, on a page or in Jupyter, light and dark.

Colours are CSS variables of the page (`sentir.evaluation.svg`); without them, as in a notebook, the
light colours apply.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from matplotlib.figure import Figure

from sentir.evaluation.svg import INK, LINE, MUTED, SERIES, page_style, to_svg
from sentir.lesson.language import localized

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
#: The content of a text element of the SVG.
_TEXT = re.compile(r"(<text\b[^>]*>)([^<]*)(</text>)")
_VARIABLE = re.compile(r"var\(--([\w-]+)\)")
_PIXELS_PER_POINT = 4 / 3


@dataclass(frozen=True)
class Picture:
    """An SVG element and its description."""

    svg: str
    alt: str

    def _repr_svg_(self) -> str:
        return self.svg


@dataclass(frozen=True)
class Table:
    """A table of texts; the first column is the heading of the row."""

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


def picture(figure: Figure, alt: str, language: str = "en") -> Picture:
    """A figure drawn under `page_style`, with its description for those who cannot see it.

    Args:
        figure: its colours are those of `sentir.evaluation.svg`.
        alt: the description.
        language: in which the numbers of the figure are written.
    """
    name = hashlib.sha256(alt.encode()).hexdigest()[:8]
    width, height = (round(inches * 72 * _PIXELS_PER_POINT) for inches in figure.get_size_inches())
    svg = to_svg(figure, f"p{name}")
    about = (
        f'<svg width="{width}" height="{height}" role="img" aria-label="{escape(alt)}" '
        f'style="background: var(--card)"'
    )
    svg = svg.replace('aria-hidden="true"', "", 1).replace("<svg", about, 1)
    svg = _VARIABLE.sub(lambda match: f"var(--{match[1]}, {_LIGHT[match[1]]})", svg)
    svg = _TEXT.sub(lambda match: f"{match[1]}{localized(match[2], language)}{match[3]}", svg)
    return Picture(svg, alt)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], language: str = "en") -> Table:
    """A table with these column names.

    Args:
        head: the names.
        rows: as many texts each as there are names; the first is the heading of the row.
        language: in which numbers are written, from Python's form.

    Raises:
        ValueError: a row has more or fewer texts than there are columns.
    """
    written = []
    for row in rows:
        if len(row) != len(head):
            raise ValueError(f"{len(row)} texts for {len(head)} columns: {tuple(row)}")
        written.append(tuple(localized(text, language) for text in row))
    return Table(tuple(head), tuple(written))
