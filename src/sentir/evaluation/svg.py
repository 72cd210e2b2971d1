"""How a matplotlib figure becomes a small part of a page that decides its colours.

A figure is drawn with placeholder colours, each of which becomes a CSS variable of the page, so
that one drawing is right on light and on dark. The same figure is always the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib.style
from matplotlib.figure import Figure

# Placeholders: values that matplotlib would not write by itself.
INK, MUTED, LINE = "#010101", "#020202", "#030303"
SERIES = tuple(f"#0{i}0505" for i in range(6))
_VARIABLES = {
    **{INK: "--ink", MUTED: "--muted", LINE: "--line"},
    **{colour: f"--series-{i}" for i, colour in enumerate(SERIES)},
}
#: Lines differ by their dashes also, for eyes and printers that do not tell the colours.
DASHES: tuple[tuple[float, ...], ...] = ((1, 0), (5, 2), (1.5, 1.5), (6, 2, 1.5, 2), (9, 3), (3, 3))

SIZE = (4.8, 3.2)  # inches of 72 points: the width of a phone, so that text keeps its size there
_STYLE = {
    "svg.fonttype": "none",  # text stays text: small, selectable, in the page's own font
    "svg.hashsalt": "sentir",
    "font.size": 10.5,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": LINE,
    "axes.linewidth": 1.0,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": LINE,
    "grid.linewidth": 0.7,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "lines.linewidth": 1.9,
}
#: What a drawing does not need, or what would reach beyond it into the page.
_SPARE = (
    r"<metadata>.*?</metadata>",
    r"<defs>\s*<style.*?</style>\s*</defs>",
    r" font-family:[^;]*;",
    r' transform="rotate\(-0 [^"]*"',
    r"<g/>",
)


@dataclass(frozen=True, kw_only=True)
class Key:
    """An entry of the legend, a line of the colour `series` with the dashes of a drawing's line."""

    name: str
    series: int
    dashes: str = ""


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """An SVG element, what it shows in words, and its legend, which the page writes.

    Names of classes stand in the legend only: there any script of the world has a font.
    """

    svg: str
    alt: str
    legend: tuple[Key, ...] = ()


@contextmanager
def page_style() -> Iterator[None]:
    """The report's look, whatever the user's own matplotlib settings are; decorates a function."""
    with matplotlib.style.context(["default", _STYLE]):
        yield


def key(name: str, place: int) -> Key:
    """The legend's entry for the line drawn with `line_style(place)`."""
    dashes = DASHES[place % len(DASHES)]
    css = " ".join(f"{length * 1.5:g}" for length in dashes) if place % len(DASHES) else ""
    return Key(name=name, series=place % len(SERIES), dashes=css)


def line_style(place: int) -> dict[str, Any]:
    """Colour and dashes of the line at that place of the legend, as `Axes.plot` takes them."""
    return {"color": SERIES[place % len(SERIES)], "dashes": DASHES[place % len(DASHES)]}


def to_svg(figure: Figure, name: str) -> str:
    """The figure as an element of the page: colours are its variables, ids begin with `name`."""
    file = io.StringIO()
    undated = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(file, format="svg", transparent=True, metadata=undated)
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', 'aria-hidden="true"', svg, count=1)
    # A hundredth of a point is finer than any screen; what stands between the tags is text.
    svg = re.sub(r"<[^>]*>", lambda tag: re.sub(r"\d+\.\d{3,}", _hundredths, tag[0]), svg)
    # Ids are shared by the whole page: those that are pointed at get the name, the others go.
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', svg))
    svg = re.sub(r' id="([^"]*)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", svg)
    svg = re.sub(r'(?:xlink:)?href="#', f'href="#{name}-', svg).replace("url(#", f"url(#{name}-")
    for spare in _SPARE:
        svg = re.sub(spare, "", svg, flags=re.DOTALL)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    return re.sub(r"\s*\n\s*", " ", svg).replace("> <", "><")


def _hundredths(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
