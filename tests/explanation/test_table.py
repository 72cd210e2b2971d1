"""The table in the terminal shows the explanation, fits the terminal and obeys no text."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from fixtures.explanations import MAKES, TEXT, hostile_explanation
from fixtures.toy_bundle import toy
from sentir.explanation.gates import explain
from sentir.explanation.table import ExplanationTable, bar
from sentir.io.terminal import printable


def table(text: str, width: int = 80, **make: Any) -> list[str]:
    output = io.StringIO()
    console = Console(width=width, file=output)
    console.print(ExplanationTable(explain(toy(**make), text)))
    return output.getvalue().splitlines()


def words(lines: list[str]) -> str:
    """As one line."""
    return " ".join(" ".join(lines).split())


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


def test_hostile_text_does_not_reach_the_terminal_raw() -> None:
    output = io.StringIO()
    Console(width=160, file=output).print(ExplanationTable(hostile_explanation()))
    text = output.getvalue().replace("\n", "")
    assert "�" in text
    assert printable(text) == text
