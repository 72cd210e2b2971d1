"""Diagrams as a page and a notebook get them."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from sentir.lesson.figures.diagrams import (
    Gauges,
    Line,
    bars,
    conveyor_belt,
    lines,
    padding,
    unrolled,
)
from sentir.lesson.figures.pictures import Picture

ALT = 'a "quoted" <description>'
NAMES = {"forget": "olvido", "input": "entrada", "output": "salida"}


def belt(tokens: list[str]) -> Picture:
    shares = [0.0, 0.5, 1.0, 0.25, 0.75, 0.1, 0.9][: len(tokens)]
    gates = Gauges(shares, shares, shares)
    return conveyor_belt(tokens, gates, [-1.0] * len(tokens), names=NAMES, alt=ALT)


PICTURES = {
    "unrolled": unrolled(["las", "nubes"], alt=ALT),
    "belt": belt("uno dos tres".split()),
    "padding": padding([["no"], ["no", "más"]], pad="_PAD", right=False, alt=ALT),
    "lines": lines([Line("a", [1, 10], [1, 2]), Line("b", [1, 10], [2, 3])], x="x", y="y", alt=ALT,
                   logarithmic="xy", chance=1.5),
    "bars": bars(["one", "two"], [0.5, 1.0], x="share", alt=ALT),
}  # fmt: skip


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_described_and_has_colours_of_its_own(name: str) -> None:
    svg = PICTURES[name]._repr_svg_()
    root = ET.fromstring(svg)
    assert root.attrib["aria-label"] == ALT
    assert root.attrib["role"] == "img"
    assert "var(--ink, #1d2126)" in svg or "var(--muted, #5d6670)" in svg
    assert not re.search(r"var\(--[\w-]+\)", svg), "a colour that only the page knows"


def words(picture: Picture) -> list[str]:
    root = ET.fromstring(picture.svg)
    return [
        "".join(text.itertext()).strip() for text in root.iter("{http://www.w3.org/2000/svg}text")
    ]


def test_padding_is_on_the_requested_side() -> None:
    assert words(PICTURES["padding"]) == ["_PAD", "no", "no", "más"]
    right = padding([["no"], ["no", "más"]], pad="_PAD", right=True, alt=ALT)
    assert words(right) == ["no", "_PAD", "no", "más"]


def test_a_long_belt_breaks_into_rows_of_similar_length() -> None:
    tokens = "uno dos tres cuatro cinco seis siete".split()
    assert [word for word in words(belt(tokens)) if word in tokens] == tokens
    short, long = (
        float(ET.fromstring(belt(tokens[:count]).svg).attrib["height"]) for count in (4, 7)
    )
    assert long == pytest.approx(2 * short, abs=1)
    assert words(belt(tokens)).count("olvido") == 2


def test_numbers_are_written_as_the_language_does() -> None:
    for language, written in (("en", "0.50"), ("es", "0,50")):
        drawn = bars(["one", "two"], [0.5, 1.0], x="share", alt=ALT, language=language)
        assert written in words(drawn)
    gates = Gauges([0.25], [0.5], [0.75])
    drawn = conveyor_belt(["uno"], gates, [1.0], names=NAMES, alt=ALT, language="es")
    assert {",25", ",50", ",75"} <= set(words(drawn))
    line = Line("a", [0, 1], [0.0, 0.5])
    assert "0,2" in words(lines([line], x="x", y="y", alt=ALT, language="es"))
