"""The picture shows the explanation and fits its page."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from matplotlib.image import imread

from fixtures.explanations import MAKES, TEXT, hostile_explanation
from fixtures.toy_bundle import toy
from sentir.errors import UsageError
from sentir.explanation.gates import explain
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
    assert [round(height / sizes[0][1]) for _, height in sizes] == [1, 1, 3, 7]


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
