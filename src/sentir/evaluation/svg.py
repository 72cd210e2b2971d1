"""A matplotlib figure as a small inline SVG whose colours are CSS variables of the page.

A figure is drawn with placeholder colours, which are replaced by CSS variables, so that one drawing
fits light and dark pages. The same figure always gives the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import matplotlib.style
from matplotlib.figure import Figure

# Placeholders: values that matplotlib does not use on its own.
INK, MUTED, LINE = "#010101", "#020202", "#030303"
SERIES = tuple(f"#0{i}0505" for i in range(6))
_VARIABLES = {
    **{INK: "--ink", MUTED: "--muted", LINE: "--line"},
    **{colour: f"--series-{i}" for i, colour in enumerate(SERIES)},
}
#: Lines differ by dashes too, for readers and printers that do not tell the colours apart.
DASHES: tuple[tuple[float, ...], ...] = ((1, 0), (5, 2), (1.5, 1.5), (6, 2, 1.5, 2), (9, 3), (3, 3))

#: Inches of 72 points: the width of a phone, so that text keeps its size there.
SIZE = (4.8, 3.2)
_STYLE: dict[str, Any] = {
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
#: Parts of an SVG that a drawing does not need, or that would affect the page around it.
_REMOVED = (
    r"<metadata>.*?</metadata>",
    r"<defs>\s*<style.*?</style>\s*</defs>",
    r" font-family:[^;]*;",
    r' transform="rotate\(-0 [^"]*"',
    r"<g/>",
)


#: The colours of a page and of a picture, light and dark as the reader has chosen.
PALETTE = """\
:root {
  color-scheme: light dark;
  --page: #f6f5f2; --card: #ffffff; --ink: #1d2126; --muted: #5d6670; --line: #dedcd6;
  --good: #1f6e4a; --warn-ink: #6b3d00; --warn: #ffe9c2; --shade: 0, 98, 155;
  --series-0: #00629b; --series-1: #c2500a; --series-2: #2b7a55; --series-3: #9a4c87;
  --series-4: #7a6200; --series-5: #1d2126;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --card: #1d2226; --ink: #e9e7e2; --muted: #a3abb3; --line: #353c43;
    --good: #7fcfa6; --warn-ink: #ffdf9e; --warn: #4a3510; --shade: 99, 179, 237;
    --series-0: #63b3ed; --series-1: #f6a04d; --series-2: #6fcf9b; --series-3: #dc9bcb;
    --series-4: #d9c04f; --series-5: #e9e7e2;
  }
}"""


_LIGHT_VARIABLES = dict(re.findall(r"(--[\w-]+): ([^;]+);", PALETTE.partition("@media")[0]))
#: The colours that the placeholders stand for on a light page.
LIGHT = {colour: _LIGHT_VARIABLES[variable] for colour, variable in _VARIABLES.items()}


@dataclass(frozen=True, kw_only=True)
class Key:
    """An entry of the legend: name, colour and dashes of a line."""

    name: str
    series: int
    dashes: str = ""


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """An SVG element, its description in words, and its legend, which the page writes.

    Names of classes are in the legend only, where the page has fonts for any script.
    """

    svg: str
    alt: str
    legend: tuple[Key, ...] = ()


@contextmanager
def page_style() -> Iterator[None]:
    """The style of the report, whatever matplotlib settings the user has; also a decorator."""
    with matplotlib.style.context(["default", _STYLE]):
        yield


@contextmanager
def paper_style() -> Iterator[None]:
    """The same for a picture that is no SVG, in the colours `LIGHT`."""
    style = {name: LIGHT.get(value, value) for name, value in _STYLE.items()}
    with matplotlib.style.context(["default", style]):
        yield


def key(name: str, index: int) -> Key:
    """The legend entry for the line drawn with `line_style(index)`."""
    dashes = DASHES[index % len(DASHES)]
    css = " ".join(f"{length * 1.5:g}" for length in dashes) if index % len(DASHES) else ""
    return Key(name=name, series=index % len(SERIES), dashes=css)


def line_style(index: int) -> dict[str, Any]:
    """Colour and dashes of a line by its index in the legend, as arguments of `Axes.plot`."""
    return {"color": SERIES[index % len(SERIES)], "dashes": DASHES[index % len(DASHES)]}


def to_svg(figure: Figure, name: str) -> str:
    """The figure as an SVG element with CSS variables as colours and ids that start with `name`."""
    file = io.StringIO()
    undated = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(file, format="svg", transparent=True, metadata=undated)
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', 'aria-hidden="true"', svg, count=1)
    # A hundredth of a point is finer than any screen. Only tags: between them is text.
    svg = re.sub(r"<[^>]*>", lambda tag: re.sub(r"\d+\.\d{3,}", _hundredths, tag[0]), svg)
    # Ids are shared by the whole page: those that are referenced get the name, the others go.
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', svg))
    svg = re.sub(r' id="([^"]*)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", svg)
    svg = re.sub(r'(?:xlink:)?href="#', f'href="#{name}-', svg).replace("url(#", f"url(#{name}-")
    for pattern in _REMOVED:
        svg = re.sub(pattern, "", svg, flags=re.DOTALL)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    return re.sub(r"\s*\n\s*", " ", svg).replace("> <", "><")


def to_standalone(drawing: Drawing, title: str) -> str:
    """An inline SVG as a file of its own, with its colours, its title and its description."""
    head, body = drawing.svg.split(">", 1)
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', head).groups()  # type: ignore[union-attr]
    head = head.replace('aria-hidden="true"', f'role="img" width="{width}" height="{height}"')
    return (
        f"{head}><title>{escape(title)}</title><desc>{escape(drawing.alt)}</desc>"
        f"<style>{PALETTE} svg {{ font-family: system-ui, sans-serif; background: var(--card); }}"
        f"</style>{body}\n"
    )


def _hundredths(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
