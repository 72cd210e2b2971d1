"""Pictures, tables and questions as a page and a notebook get them."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from sentir.errors import UsageError
from sentir.lesson.exercises.catalogue import exercises
from sentir.lesson.exercises.questions import Questions
from sentir.lesson.figures.diagrams import (
    Gauges,
    Line,
    bars,
    conveyor_belt,
    lines,
    padding,
    unrolled,
)
from sentir.lesson.figures.pictures import Picture, table

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
def test_a_picture_is_described_and_has_its_colours_wherever_it_is_shown(name: str) -> None:
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


def test_padding_stands_on_its_side() -> None:
    assert words(PICTURES["padding"]) == ["_PAD", "no", "no", "más"]
    right = padding([["no"], ["no", "más"]], pad="_PAD", right=True, alt=ALT)
    assert words(right) == ["no", "_PAD", "no", "más"]


def test_a_long_belt_breaks_into_rows_of_like_length() -> None:
    tokens = "uno dos tres cuatro cinco seis siete".split()
    assert [word for word in words(belt(tokens)) if word in tokens] == tokens
    short, long = (
        float(ET.fromstring(belt(tokens[:count]).svg).attrib["height"]) for count in (4, 7)
    )
    assert long == pytest.approx(2 * short, abs=1)
    assert words(belt(tokens)).count("olvido") == 2


def test_a_table_names_its_columns_and_escapes() -> None:
    made = table(("word", "share"), [("<b>", "0.5")])._repr_html_()
    assert '<th scope="col">word</th>' in made
    assert '<th scope="row">&lt;b&gt;</th><td>0.5</td>' in made


def test_a_row_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="1 texts for 2 columns"):
        table(("word", "share"), [("one",)])


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("chapter", [2, 3, 4])
def test_questions_stand_with_their_answers_folded(chapter: int, language: str) -> None:
    made = Questions(chapter, language)._repr_html_()
    root = ET.fromstring(made.replace("<br>", "<br/>"))
    assert len(root) == len(exercises(chapter)) == 5
    assert made.count("<details>") == 2 * 5
    assert "`" not in made


def test_questions_in_a_language_that_the_lesson_does_not_speak_are_refused() -> None:
    with pytest.raises(UsageError):
        Questions(2, "fr")._repr_html_()
