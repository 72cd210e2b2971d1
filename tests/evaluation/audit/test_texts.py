"""Empty, short and cut off texts."""

from __future__ import annotations

import pytest

from sentir.evaluation.audit.texts import find_bad_texts

LONG = "This is a review of a product that I bought last year"


def kinds(*texts: str) -> list[tuple[int, str, float]]:
    return [(mark.row, mark.kind, round(mark.score, 2)) for mark in find_bad_texts(texts)]


def test_empty_and_short() -> None:
    assert kinds("", "?!", "...", "\u201c\u2026\u201d", "-") == [
        (row, "empty", 1.0) for row in range(5)
    ]
    assert kinds("ok", "Very good", "not very good", ":-)", "\u2764", "10/10") == [
        (0, "short", 0.67),
        (1, "short", 0.33),
        (3, "short", 0.67),
        (4, "short", 0.67),
        (5, "short", 0.67),
    ]
    assert not list(find_bad_texts([]))


def test_many_texts_of_the_largest_length() -> None:
    cut = [(LONG + chr(ord("a") + number) * 9)[:60] for number in range(5)]
    ended = LONG + "." * (60 - len(LONG) - 1) + "!"
    assert kinds(*cut, ended[:60], LONG) == [(row, "cut", 1.0) for row in range(5)]
    marks = list(find_bad_texts([*cut, LONG]))
    assert marks[0].note == "60 characters, the most, as 4 others"
    assert not kinds(*cut[:4], LONG)  # too few of that length


@pytest.mark.parametrize("dots", ["...", "\u2026", "....  "])
def test_three_dots(dots: str) -> None:
    assert kinds(LONG + dots, LONG) == [(0, "cut", 0.3)]


def test_a_part_of_a_word_at_the_end() -> None:
    usual = ["What a great selection of great products, great!"] * 10
    marks = list(find_bad_texts([*usual, f"{LONG}, a great selectio", f"{LONG} at amazon"]))
    assert [(mark.row, mark.kind, mark.score) for mark in marks] == [(10, "cut", 0.7)]
    assert marks[0].note == "ends in 'selectio', as if for 'selection'"
    assert not kinds(*usual, f"{LONG}, a selectio", "A selectio is a word here, twice in these.")
