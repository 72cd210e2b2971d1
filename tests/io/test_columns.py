"""The columns of text and label, and the values in them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from fixtures.review_files import (
    message,
    pairs,
    read,
    written,
)
from sentir.errors import DataError
from sentir.io.column_names import normalize_name
from sentir.io.columns import Columns, check_text, read_label
from sentir.io.row_reader import RowReader


@pytest.mark.parametrize(
    ("value", "label"),
    [(1, "1"), (1.0, "1"), ("1", "1"), ("1.0", "1"), (" 1", "1"), (-1, "-1"), (3.5, "3.5"),
     (True, "true"), (" pos ", "pos"), ("1.5", "1.5"), ("1 star", "1 star")],
)  # fmt: skip
def test_a_number_is_the_same_label_in_every_spelling(
    tmp_path: Path, value: Any, label: str
) -> None:
    path = written(tmp_path / "a.jsonl", json.dumps({"text": "x", "label": value}))
    assert read(path)[0].label == label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Review", "Sentiment"),
        ("review_text", "STARS"),
        ("Reseña", "Puntuación"),
        ("texto", "polaridad"),
        ("content", "overall"),
    ],
)
def test_columns_with_usual_names_are_found(tmp_path: Path, text: str, label: str) -> None:
    path = written(tmp_path / "a.csv", f"id,{label},{text}\n7,1,x\n")
    assert pairs(read(path)) == [("x", "1")]


@pytest.mark.parametrize(
    ("value", "label"),
    [("4,5", "4.5"), ("5,0", "5"), ("5,", "5,"), ("-0,5", "-0.5"), ("4.50", "4.5"), ("0.50", "0.5"),
     ("1,000", "1,000"), ("1,5 stars", "1,5 stars"), ("4.5.1", "4.5.1"), (4.50, "4.5")],
)  # fmt: skip
def test_decimal_commas_are_decimal_points(value: object, label: str) -> None:
    assert read_label(value) == label


@pytest.mark.parametrize(
    "label",
    ["'pos'", '"pos"', "\"'pos'\"", " 'pos' ", "pos\u200b", "\ufeffpos", "\xa0pos", "pos\0"],
)
def test_quotes_and_invisible_characters_are_no_part_of_a_label(label: str) -> None:
    assert read_label(label) == "pos"


def test_no_label_starts_or_ends_with_white_space() -> None:
    blanks = [character for character in map(chr, range(sys.maxunicode)) if character.isspace()]
    assert len(blanks) > 20
    for blank in blanks:
        assert read_label(f"{blank}pos{blank}") == "pos", ascii(blank)


def test_labels_that_look_missing_and_are_not() -> None:
    for label in ("none", "NONE", "na", "-", "+", "unknown", "neutral", "★", "'", "0"):
        assert read_label(label) == label


def test_columns_can_be_named_and_joined(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "a,b,text,label,z\nA,B,no,no,1\n,B,no,no,2\n")
    reviews = read(path, text_column=("a", "b"), label_column="z")
    assert pairs(reviews) == [("A: B", "1"), ("B", "2")]


def test_missing_columns_are_errors_with_advice(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "id,revew,note\n1,x,y\n")
    assert message(path) == (
        "a.csv: none of the columns 'id', 'revew', 'note' has a usual name for the text; "
        "pass --text-column 'revew' if that is it (its first value: 'x'); "
        "if line 1 is no header, give --columns"
    )
    assert message(path, text_column=("revew",)) == (
        "a.csv: none of the columns 'id', 'revew', 'note' has a usual name for the label; "
        "name it with --label-column; if line 1 is no header, give --columns"
    )
    assert message(path, text_column=("review",)) == (
        "a.csv: no column 'review' among 'id', 'revew', 'note'; did you mean 'revew'?; "
        "if line 1 is no header, give --columns"
    )
    assert message(path, text_column=("revew",), label_column="zzz", labelled=False) == (
        "a.csv: no column 'zzz' among 'id', 'revew', 'note'; name one of them; "
        "if line 1 is no header, give --columns"
    )
    assert read(path, text_column=("revew",), labelled=False)[0].label is None
    wide = written(tmp_path / "w.csv", ",".join(f"c{n}" for n in range(30)) + "\n")
    assert "'c19' and 10 more has a usual name" in message(wide)


def test_names_are_compared_without_case_accents_and_punctuation() -> None:
    assert normalize_name("Reseña_ (Título)") == "resenatitulo"
    columns = Columns.find(["ID", "Review-Text", "Star Rating"])
    assert columns == Columns(text=("Review-Text",), label="Star Rating")


def test_the_likelier_name_wins() -> None:
    columns = Columns.find(["score", "comment", "label", "text"])
    assert columns == Columns(text=("text",), label="label")


def test_labels_that_are_no_single_value_are_refused() -> None:
    for value in ([1], {"a": 1}):
        with pytest.raises(DataError, match="give one text or number"):
            read_label(value)
    assert read_label(None) is None
    assert read_label(float("nan")) is None
    assert read_label("  ") is None


def test_texts_that_are_empty_or_cannot_be_encoded_are_refused() -> None:
    check_text("ñ 😀")
    for text in ("", " \t\n", "\u3000"):
        with pytest.raises(DataError, match="the text is empty"):
            check_text(text)
    with pytest.raises(DataError, match="character 3 of the text is half of a surrogate pair"):
        check_text("ab\ud83d")


def test_only_the_columns_needed_for_training_are_selected() -> None:
    names = ["id", "text", "label"]
    assert RowReader("a", (), None, True).select_columns(names) == ["text", "label"]
    assert RowReader("a", (), None, False).select_columns(names) == names
