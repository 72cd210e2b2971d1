"""The picture shows the explanation and fits its page."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from matplotlib.image import imread

from fixtures.explanations import MAKES, TEXT, hostile_explanation
from fixtures.toy_bundle import toy
from sentir.errors import UsageError
from sentir.evaluation.svg import INK, LIGHT
from sentir.explanation.explain import explain
from sentir.explanation.picture import draw
from sentir.io.terminal import printable

LONG = "the film was not good , the hotel was dull . 映画 " * 6  # no font here has the last word
FIRST_BYTES = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.mark.parametrize(
    ("kind", "make"), [("svg", "lstm"), ("pdf", "gru"), *(("png", make) for make in MAKES)]
)
def test_every_format(tmp_path: Path, kind: str, make: str) -> None:
    path = tmp_path / "new" / f"gates.{kind.upper()}"
    draw(explain(toy(**MAKES[make]), TEXT), path)
    assert path.read_bytes().startswith(FIRST_BYTES[kind])
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_another_format_is_refused(tmp_path: Path) -> None:
    explanation = explain(toy(), "good")
    with pytest.raises(UsageError, match=r"no picture format '.gif'; end the name in .svg, .png"):
        draw(explanation, tmp_path / "gates.gif")
    with pytest.raises(UsageError, match="no picture format ''"):
        draw(explanation, tmp_path / "gates")
    assert not list(tmp_path.iterdir())


def test_a_long_text_is_broken_into_rows_and_not_drawn_ever_wider(tmp_path: Path) -> None:
    sizes = []
    for text in ("good", TEXT, LONG, "not good " * 100):
        draw(explain(toy(cell="rnn", max_length=200), text), tmp_path / "a.png")
        height, width, _ = imread(tmp_path / "a.png").shape
        sizes.append((width, height))
    assert max(width for width, _ in sizes) < 2000
    heights = [height for _, height in sizes]
    assert heights[0] == heights[1] < heights[2] < heights[3] < 10 * heights[0]


def test_text_that_looks_like_a_formula_is_drawn_as_it_is(tmp_path: Path) -> None:
    explanation = explain(toy(), r"good $ \frac{ $ a_b ^ bad")
    draw(explanation, tmp_path / "gates.svg")


def test_what_cannot_be_shown_is_replaced() -> None:
    assert printable("ni\u00f1o \U0001f621 \u6620") == "ni\u00f1o \U0001f621 \u6620"
    assert printable("a\x1b\ud83d\ufffeb\n") == "a���b�"


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_hostile_text_is_drawn_and_an_svg_stays_xml(tmp_path: Path, kind: str) -> None:
    draw(hostile_explanation(), tmp_path / f"gates.{kind}")
    if kind == "svg":
        ET.parse(tmp_path / "gates.svg")  # raises if it is no XML


def test_the_picture_holds_the_text_its_answer_and_the_effects(tmp_path: Path) -> None:
    explanation = explain(toy(**MAKES["all-parts"]), TEXT)
    draw(explanation, tmp_path / "a.svg")
    svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert f"{explanation.prediction}, {explanation.probability:.1%}</title>" in svg
    strongest = explanation.strongest(1)[0]
    assert explanation.ngrams is not None
    for shown in (
        *(f">{word.text}<" for word in explanation.words),
        f">{strongest.effect:+.2f}<",
        f">{explanation.ngrams[0].text}<",
        f"{strongest.text} {strongest.effect:+.2f}",  # in the description
        "attention: the share",
    ):
        assert shown in svg


def test_an_svg_follows_light_and_dark(tmp_path: Path) -> None:
    draw(explain(toy(), TEXT), tmp_path / "a.svg")
    svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in svg
    assert not re.search(r"#0[0-9]0[0-9]0[0-9]", svg)
    assert "var(--ink)" in svg


def test_a_picture_that_is_no_svg_has_the_colours_of_a_light_page() -> None:
    assert LIGHT[INK] == "#1d2126"
    assert not set(LIGHT) & set(LIGHT.values())


def test_what_speaks_against_has_a_dashed_frame_and_a_minus(tmp_path: Path) -> None:
    explanation = explain(toy(cell="rnn"), "good bad dull wonderful not")
    frames = {}
    for sign in (1, -1):
        words = [replace(word, effect=sign * 2.0) for word in explanation.words]
        draw(replace(explanation, words=words), tmp_path / "a.svg")
        svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
        assert svg.count(f">{sign * 2.0:+.2f}<") == 5
        frames[sign] = svg.count("stroke-dasharray")
    assert frames[-1] == frames[1] + 5


def test_a_word_longer_than_a_line_is_abbreviated(tmp_path: Path) -> None:
    draw(explain(toy(cell="rnn"), f"good {'x' * 99}"), tmp_path / "a.svg")
    assert "xxx…<" in (tmp_path / "a.svg").read_text(encoding="utf-8")
