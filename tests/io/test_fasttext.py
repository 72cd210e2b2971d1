"""Lines of fastText: labels, and lines without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.review_files import (
    message,
    skipping,
    written,
)
from sentir.errors import DataError
from sentir.io.columns import MissingLabelError
from sentir.io.fasttext import parse_labelled, parse_unlabelled


@pytest.mark.parametrize(
    ("line", "text", "label"),
    [
        ("__label__1 a  b \r", "a  b ", "1"),
        ("__label__2.0\tc d", "c d", "2"),
        ("__label__pos , a", ", a", "pos"),
        ("__label__sí ¿qué?", "¿qué?", "sí"),
    ],
)
def test_label_and_text_of_a_line(line: str, text: str, label: str) -> None:
    assert parse_labelled(line) == (text, label)
    assert parse_unlabelled(line) == (text, label)


def test_lines_to_predict_need_no_label() -> None:
    assert parse_unlabelled("plain text\r") == ("plain text", None)
    assert parse_unlabelled("__label__a __label__b text") == ("text", "a")
    assert parse_unlabelled("__label__nan text") == ("text", None)
    with pytest.raises(DataError, match="the text is empty"):
        parse_unlabelled("__label__a ")


def test_a_missing_label_has_an_error_of_its_own() -> None:
    for line in ("__label__ text", "__label__nan text", "__label__NULL text"):
        with pytest.raises(MissingLabelError):
            parse_labelled(line)


def test_broken_fasttext_rows(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.ft.txt",
        "__label__1 a\nb\n\n__label__ c\n__label__1 __label__2 d\n__label__1,__label__2 e\n"
        "__label__1 \n__label__1\n__label__2 f\x00g\n",
    )
    texts, bad_rows = skipping(path)
    assert texts == ["a", "f\x00g"]
    none = "no label at the start of the line; write __label__NAME before the text"
    several = "several labels; keep one: a review has one class"
    empty = "the text is empty"
    missing = "no label after __label__; add it or remove the row"
    assert bad_rows == [
        f"a.ft.txt:{number}: {what}"
        for number, what in enumerate(
            [none, none, missing, several, several, empty, empty], start=2
        )
    ]
    assert message(path) == f"a.ft.txt:2: {none}"
