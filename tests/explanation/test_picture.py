"""The picture and the table show the explanation and fit their page."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from matplotlib.image import imread
from rich.console import Console

from fixtures.toy_bundle import toy
from sentir.errors import UsageError
from sentir.explanation.gates import Explanation, explain
from sentir.explanation.picture import ExplanationTable, bar, draw
from sentir.io.terminal import printable

TEXT = "La habitación estaba sucia, but the film was wonderful!"
LONG = "the film was not good , the hotel was dull . 映画 " * 6  # no font here has the last word
MAKES = {
    "lstm": {},
    "forward": {"bidirectional": False},
    "gru": {"cell": "gru"},
    "rnn": {"cell": "rnn"},
    "three-classes": {"classes": 3},
}
FIRST_BYTES = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


def table(text: str, width: int = 80, **make: Any) -> list[str]:
    output = io.StringIO()
    console = Console(width=width, file=output)
    console.print(ExplanationTable(explain(toy(**make), text)))
    return output.getvalue().splitlines()


def words(lines: list[str]) -> str:
    """As one line."""
    return " ".join(" ".join(lines).split())


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


def test_a_bar_is_filled_to_its_share() -> None:
    assert [bar(share, 4) for share in (0, 0.25, 0.5, 1)] == ["    ", "█   ", "██  ", "████"]
    assert bar(1 / 32, 4) == "▏   "
    assert bar(0.999, 4) == "████"
    assert (bar(-0.1, 4), bar(1.1, 4)) == (bar(0, 4), bar(1, 4))


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
@pytest.mark.parametrize("width", [80, 160])
def test_the_table_fits_and_abbreviates_nothing(make: dict[str, Any], width: int) -> None:
    lines = table(TEXT, width, **make)
    assert max(map(len, lines)) <= width
    assert "…" not in "".join(lines)
    tokens = "la habitación estaba sucia , but the film was wonderful !".split()
    rows = [line for line in lines if "%" in line]
    assert [row.split()[0] for row in rows] == tokens
    assert all(any(name in row for name in ("negative", "neutral", "positive")) for row in rows)
    assert "in italics: words the model does not know" in words(lines)


def test_the_table_of_one_direction() -> None:
    lines = table("not good", bidirectional=False)
    assert lines[0].split() == ["token", "answer", "so", "far", "forget", "input", "output"]
    explanation = explain(toy(bidirectional=False), "not good")
    share = explanation.answer_TC[1].max()
    assert lines[2].split()[:2] == ["good", f"{share:.1%}"]
    assert f"{explanation.gates['forward']['output'][1]:.2f}" == lines[2].split()[-1]
    notes = words(lines[3:])
    assert "forget: keeps of the past, 0 nothing to 1 all" in notes
    assert "→" not in notes
    assert "italics" not in notes


def test_the_table_of_two_directions() -> None:
    lines = table("not good")
    assert lines[0].split() == ["forget", "input", "output"] * 2
    assert lines[1].split() == ["token", "answer", "so", "far", *"→→→←←←"]
    assert "→ forward direction, ← backward direction" in words(lines)
    wide = table("not good", 160)[2].split()
    explanation = explain(toy(), "not good")
    assert wide[-1] == f"{explanation.gates['backward']['output'][0]:.2f}"


def test_the_table_of_a_plain_cell() -> None:
    notes = words(table("not good", cell="rnn"))
    assert "a plain recurrent cell has no gates, so only its answer is shown" in notes


def test_a_long_token_is_abbreviated_in_the_table() -> None:
    lines = table("good internationalizationally bad")
    assert max(map(len, lines)) <= 80
    assert sum("…" in line for line in lines) == 1
    assert "internation" in lines[3]


#: What a terminal would obey, what no font has, what XML forbids, half of a surrogate pair.
HOSTILE = "\x1b[2Jgood \x00bad\x07 \x9b31m dull\ufffe \ud83d wonderful\uffff"


def test_what_cannot_be_shown_is_replaced() -> None:
    assert printable("ni\u00f1o \U0001f621 \u6620") == "ni\u00f1o \U0001f621 \u6620"
    assert printable("a\x1b\ud83d\ufffeb\n") == "a���b�"


def hostile_explanation() -> Explanation:
    labels = (f"no {HOSTILE}", f"yes {HOSTILE}")
    explanation = explain(toy(), "good bad dull wonderful")
    return replace(explanation, tokens=["\x1b[2J", "\x00", "\ud83d", HOSTILE], labels=labels)


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_hostile_text_is_drawn_and_an_svg_stays_xml(tmp_path: Path, kind: str) -> None:
    draw(hostile_explanation(), tmp_path / f"gates.{kind}")
    if kind == "svg":
        ET.parse(tmp_path / "gates.svg")  # raises if it is no XML


def test_hostile_text_does_not_reach_the_terminal_raw() -> None:
    output = io.StringIO()
    Console(width=160, file=output).print(ExplanationTable(hostile_explanation()))
    text = output.getvalue().replace("\n", "")
    assert "�" in text
    assert printable(text) == text
