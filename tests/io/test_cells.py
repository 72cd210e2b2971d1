"""Values as text: JSON for what has no text, one line for lines, no formula on request."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentir.io.cells import cell, inert, one_line, to_json, without_labels
from sentir.io.fasttext import PREFIX
from sentir.io.jsonl import Number


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (None, ""),
        (True, "true"),
        ([1, "a"], '[1, "a"]'),
        ({"a": None, "é": date(2026, 1, 2)}, '{"a": null, "é": "2026-01-02"}'),
        (0.1, "0.1"),
        (2**70, str(2**70)),
        (Decimal("1.50"), "1.50"),
        (b"caf\xc3\xa9 \xff", "café \\xff"),
        (float("inf"), "inf"),
        (Number("1E400"), "1E400"),
        (Number("-0"), "-0"),
    ],
)
def test_a_cell(value: Any, expected: str) -> None:
    assert cell(value) == expected


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\tx", "\rx", "＝1", "-", "- so"]
)
def test_a_formula_becomes_text(text: str) -> None:
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["", "good", "-5", "+1.5", "-1,234.50", "+3%", "-1e-9", "a=b", "'=1"]
)
def test_numbers_and_other_texts_stay(text: str) -> None:
    assert inert(text) == text


@given(st.text())
def test_one_line_has_one_line_and_one_field(text: str) -> None:
    line = one_line(text)
    assert len(line) == len(text)
    assert len(line.splitlines()) <= 1
    assert "\t" not in line
    assert "\0" not in line


@given(st.lists(st.sampled_from([PREFIX, "a", " ", "\u00a0", "__", "label"])).map("".join))
def test_fasttext_sees_no_label_in_a_text(text: str) -> None:
    assert not any(word.startswith(PREFIX) for word in without_labels(text).split())
    assert without_labels("good__label__x") == "good__label__x"


def test_json_has_no_nan() -> None:
    values = {"a": float("nan"), "b": [float("inf"), 1.5], "c": {"d": -float("inf")}, "e": (0.1,)}
    assert to_json(values) == '{"a": null, "b": [null, 1.5], "c": {"d": null}, "e": [0.1]}'


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_any_value_is_json_that_others_read(value: Any) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(to_json(value), parse_constant=refuse)
