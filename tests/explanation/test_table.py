"""The table in the terminal shows the explanation, fits the terminal and obeys no text."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from fixtures.explanations import MAKES, TEXT, hostile_explanation
from fixtures.toy_bundle import toy
from sentir.explanation.explain import explain
from sentir.explanation.table import ExplanationTable, bar, signed
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
def test_the_tables_fit_and_abbreviate_nothing(make: dict[str, Any], width: int) -> None:
    lines = table(TEXT, width, **make)
    assert max(map(len, lines)) <= width
    assert "…" not in "".join(lines)
    tokens = "la habitación estaba sucia , but the film was wonderful !".split()
    rows = [line for line in lines[1:] if "%" in line]
    assert [row.split()[0] for row in rows] == tokens
    assert all(any(name in row for name in ("negative", "neutral", "positive")) for row in rows)
    assert "in italics: words the model does not know (but, !)" in words(lines)


@pytest.mark.parametrize("width", [40, 56, 71])
def test_a_narrow_terminal_keeps_words_and_numbers(width: int) -> None:
    make = {"pooling": "attention", "cell": "rnn"}
    lines = table("not good film", width, **make)
    explanation = explain(toy(**make), "not good film")
    assert max(map(len, lines)) <= width
    assert ("answer so far" in lines[2]) == (width >= 56)
    for line, word in zip(lines[3:6], explanation.words, strict=True):
        assert line.startswith(word.text)
        assert f"{word.effect:+6.2f}" in line
        assert "%" in line


def test_the_answer_comes_first_then_each_words_effect() -> None:
    explanation = explain(toy(bidirectional=False), "not good")
    lines = table("not good", bidirectional=False)
    assert lines[0] == f"{explanation.prediction}, {explanation.probability:.1%}"
    header = f"word effect on {explanation.prediction} answer so far"
    assert lines[2].split() == header.split()
    for line, word in zip(lines[3:5], explanation.words, strict=True):
        share = explanation.answer_TC[word.start].max()
        assert line.split()[0] == word.text
        assert f" {word.effect:+6.2f} " in line
        assert f"{share:.1%}" in line
    notes = words(lines[9:])
    assert f"+ speaks for {explanation.prediction}, - against it" in notes
    assert "forget: keeps of the past, 0 nothing to 1 all" in notes
    assert "→" not in notes
    assert "italics" not in notes


def test_effects_have_a_sign_a_side_and_a_number() -> None:
    assert signed(2.0, 2.0).plain == "       │███████  +2.00"
    assert signed(-2.0, 2.0).plain == "███████│         -2.00"
    assert signed(-1.0, 2.0).plain.index("█") == 3
    assert signed(0.0, 0.0).plain == "       │         +0.00"
    styles = [signed(effect, 2.0).spans[0].style for effect in (-1.0,)]
    assert styles == ["red"]


def test_the_gates_come_after_the_words() -> None:
    explanation = explain(toy(bidirectional=False), "not good")
    lines = table("not good", bidirectional=False)
    assert lines[6].split() == ["token", "forget", "input", "output"]
    assert f"{explanation.gates['forward']['output'][1]:.2f}" == lines[8].split()[-1]


def test_the_gates_of_two_directions() -> None:
    lines = table("not good")
    assert lines[6].split() == ["forget", "input", "output"] * 2
    assert lines[7].split() == ["token", *"→→→←←←"]
    assert "→ forward direction, ← backward direction" in words(lines)
    wide = table("not good", 160)[8].split()
    explanation = explain(toy(), "not good")
    assert wide[-1] == f"{explanation.gates['backward']['output'][0]:.2f}"


def test_the_table_of_a_plain_cell() -> None:
    assert "a plain recurrent cell has no gates" in words(table("not good", cell="rnn"))


def test_attention_and_ngrams() -> None:
    make = {"pooling": "attention", "ngram_buckets": 2**16}
    explanation = explain(toy(**make), "not good not")
    lines = table("not good not", **make)
    assert explanation.attention_T is not None
    assert explanation.ngrams is not None
    assert "attention" in lines[2]
    assert f" {explanation.attention_T[0]:.0%} " in lines[3]
    first = explanation.ngrams[0]
    row = next(line for line in lines[7:] if line.startswith(first.text))
    assert row.endswith(f"{first.effect:+.2f}")
    assert any(line.startswith("not ×2") for line in lines)
    linear, network = explanation.shares["ngram_linear"], explanation.shares["network"]
    assert f"n-gram linear model {linear:+.2f}, network {network:+.2f}" in words(lines)


def test_the_largest_effects_alone() -> None:
    make = {"ngram_buckets": 2**16}
    output = io.StringIO()
    explanation = explain(toy(**make), TEXT)
    console = Console(width=80, file=output)
    console.print(ExplanationTable(explanation, top=2))
    lines = output.getvalue().splitlines()
    assert [line.split()[0] for line in lines[3:5]] == [w.text for w in explanation.strongest(2)]
    assert explanation.ngrams is not None
    assert f"{len(explanation.ngrams) - 2} more n-grams" in words(lines)
    assert not lines[5].strip()
    assert "forget" not in words(lines)


def test_a_long_text_says_that_neighbours_are_left_out_together() -> None:
    lines = table("good bad dull " * 200, max_length=600)
    assert "the text is long: up to 2 neighbouring words are left out together" in words(lines)
    assert lines[3].startswith("good bad ")


def test_many_unknown_words_are_not_all_named() -> None:
    notes = words(table(" ".join(f"x{letter}y" for letter in "abcdefghijklmn"), cell="rnn"))
    assert "xky, xly, …)" in notes


def test_a_long_token_is_abbreviated_in_the_table() -> None:
    lines = table(f"good {'international' * 3} bad", cell="rnn")
    assert max(map(len, lines)) <= 80
    assert sum("…" in line for line in lines) == 1
    assert "internation" in lines[4]


def test_hostile_text_does_not_reach_the_terminal_raw() -> None:
    output = io.StringIO()
    Console(width=160, file=output).print(ExplanationTable(hostile_explanation()))
    text = output.getvalue().replace("\n", "")
    assert "�" in text
    assert printable(text) == text
