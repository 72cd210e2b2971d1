"""A matplotlib figure as a small inline SVG."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from matplotlib.figure import Figure

from sentir.evaluation.svg import (
    DASHES,
    SERIES,
    Drawing,
    key,
    line_style,
    page_style,
    to_standalone,
    to_svg,
)


@page_style()
def drawn(name: str = "plot") -> str:
    figure = Figure(figsize=(2, 1))
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], marker="o", **line_style(0))
    axes.plot([0, 1], [1, 0], **line_style(1))
    axes.set_title("a < b & c")
    return to_svg(figure, name)


def test_it_is_xml_of_its_own_and_always_the_same() -> None:
    assert ET.fromstring(drawn().replace("xlink:", "")).tag.endswith("svg")
    assert drawn() == drawn()


def test_colours_are_variables_of_the_page() -> None:
    svg = drawn()
    assert "var(--series-0)" in svg
    assert not set(re.findall("#[0-9a-f]{6}", svg)) & {*SERIES, "#010101", "#020202", "#030303"}


def test_ids_of_two_drawings_in_one_page_differ() -> None:
    ids = [set(re.findall(r'id="([^"]+)"', drawn(name))) for name in ("one", "other")]
    assert ids[0]
    assert not ids[0] & ids[1]
    for name in re.findall(r"url\(#([^)]+)\)", drawn("one")):
        assert name in ids[0]


def test_nothing_affects_the_page_around_it() -> None:
    svg = drawn()
    assert "<style" not in svg
    assert "font-family" not in svg
    assert "a &lt; b &amp; c" in svg


def test_no_number_is_finer_than_a_screen() -> None:
    assert not re.search(r"\d\.\d{3}", re.sub(r">[^<]*<", "><", drawn()))


def test_the_legend_has_the_look_of_the_lines() -> None:
    entries = [key(str(index), index) for index in range(len(SERIES) + 1)]
    assert entries[0].dashes == ""
    assert len({(entry.series, entry.dashes) for entry in entries[:-1]}) == len(SERIES)
    assert entries[-1].series == entries[0].series
    assert line_style(1)["dashes"] == DASHES[1]


def test_a_picture_of_its_own_has_colours_size_title_and_description() -> None:
    svg = to_standalone(Drawing(svg=drawn(), alt="a < b"), "A & B")
    root = ET.fromstring(svg)
    title, description, style = list(root)[:3]
    assert (title.text, description.text) == ("A & B", "a < b")
    assert (root.get("width"), root.get("height"), root.get("role")) == ("144", "72", "img")
    defined = set(re.findall(r"(--[\w-]+):", style.text or ""))
    assert set(re.findall(r"var\((--[\w-]+)\)", svg)) <= defined
    light, dark = (style.text or "").split("@media (prefers-color-scheme: dark)")
    names = [set(re.findall(r"(--[\w-]+):", part)) for part in (light, dark)]
    assert names[0] == names[1]
