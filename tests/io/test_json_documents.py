"""JSON that is not one object per line."""

from __future__ import annotations

import contextlib
import json
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.archives import JSON_FORMS, write_json_form
from fixtures.review_files import ROWS, message, pairs, read, skipping, written
from sentir.errors import DataError
from sentir.io.json_documents import is_json_lines
from sentir.io.reader import read_reviews
from sentir.io.streams import Input, open_input

_ROW = '{"text": "a", "label": 1}'


@pytest.mark.parametrize("form", JSON_FORMS)
def test_documents_over_the_limit_are_read_piece_by_piece(tmp_path: Path, form: str) -> None:
    rows = [(f"{text} {number}", label) for number in range(400) for text, label in ROWS]
    write_json_form(form, tmp_path / "a.json", rows, None)
    assert pairs(read(tmp_path / "a.json", max_line_bytes=200)) == rows


@pytest.mark.parametrize("content", [f"{_ROW}{_ROW}", f"{_ROW}\r{_ROW}", f"{_ROW} \n\n {_ROW}"])
def test_objects_one_after_the_other(tmp_path: Path, content: str) -> None:
    assert pairs(read(written(tmp_path / "a.json", content))) == [("a", "1")] * 2


def test_objects_over_several_lines(tmp_path: Path) -> None:
    content = "\n".join(
        json.dumps({"text": text, "label": label}, indent=2) for text, label in ROWS
    )
    reviews = read(written(tmp_path / "a.json", "\ufeff" + content))
    assert pairs(reviews) == ROWS
    assert [review.line for review in reviews] == [1, 2, 3, 4]


def test_rows_of_arrays_need_names(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", json.dumps([[1, *row] for row in ROWS]))
    assert message(path) == (
        "a.json:1: a JSON array of values without names; name them: --columns text,label"
    )
    assert pairs(read(path, columns=("id", "text", "label"))) == ROWS
    assert message(path, columns=("text", "label")) == (
        "a.json:1: 3 values where --columns names 2; name all columns"
    )


_BROKEN = {
    f"[{_ROW}] x": "2: text after the end of the JSON; remove it, or write one object per line",
    f"[{_ROW}][{_ROW}]": "2: text after the end of the JSON",
    f"[{_ROW},]": "2: not JSON (Expecting value); check the row",
    f"[{_ROW}": "2: not JSON (']' expected, and it is the end of the file); check the file",
    f'[{_ROW}, {{"text": "b': "2: not JSON: the file ends within a value; download it again",
    f"[{_ROW} {_ROW}]": "2: not JSON (']' expected, and it is '{'); check the file",
    '[{"text": "a" "label": 1}]': "1: not JSON (Expecting ',' delimiter); check the row",
    '["good", "bad"]': '1: JSON str, not an object; write {"text": ..., "label": ...}',
    "[1, 2]": "1: JSON int, not an object",
    "[null]": "1: JSON NoneType, not an object",
    '{"text": "a", "text": "b", "label": 1}': "1: the key 'text' is there twice; remove one",
    '[{"text": "a", "x": {"y": 1, "y": 2}}]': "1: the key 'y' is there twice; remove one",
    '{"text": {"0": "a"}, "text": {"0": "b"}}': "1: the key 'text' is there twice; remove one",
    '[{"text": "a", "label": ' + "9" * 5000 + "}]": "1: JSON that cannot be read (Exceeds",
    "[" * 100_000: "1: JSON that cannot be read (maximum recursion depth",
    '[{"text": "\\ud83d", "label": 1}]': "1: character 1 of the text is half of a surrogate pair",
    '{"text": {"0": "a", "1": "b"}, "label": {"0": "x"}}': "1: column 'label' has other rows than",
    '{"text": ["a"], "label": ["b", "c"]}': "1: columns of different lengths (text 1, label 2)",
    f'{{"train": [{_ROW}], "test": [{_ROW}]}}': "2: several tables ('train' and 'test')",
    '{"a": {"x": 1}, "b": [[1], [2]], "c": 3}': "1: columns of different lengths (a 1, b 2)",
    "{}": "1: no column has a usual name",
    '{"columns": ["a"]}': "1: no table found in the JSON object",
    '{"text" "a"}': "1: not JSON (Expecting ':' delimiter)",
    '{"x": [1], 5}': "1: not JSON (Expecting property name",
    f'[{_ROW}, {{"text": "{"x" * 2000}"}}]': "2: a value of more than 1,000 bytes",
}


@pytest.mark.parametrize("content", _BROKEN)
def test_broken_documents(tmp_path: Path, content: str) -> None:
    path = written(tmp_path / "a.json", content)
    limit = 1000 if "x" * 2000 in content else 1_000_000
    assert message(path, max_line_bytes=limit).startswith(f"a.json:{_BROKEN[content]}")


def test_empty_arrays_and_missing_labels(tmp_path: Path) -> None:
    assert message(written(tmp_path / "a.json", "[]")).startswith("a.json: holds no review")
    rows = (
        '[{"text": "a", "label": NaN}, {"text": "b", "label": null}, {"text": "c", "label": 5.0}]'
    )
    assert pairs(read(written(tmp_path / "a.json", rows))) == [("c", "5")]
    assert skipping(written(tmp_path / "a.json", f"[1, {_ROW}]")) == (
        ["a"],
        ['a.json:1: JSON int, not an object; write {"text": ..., "label": ...}'],
    )


def test_documents_in_other_encodings(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", '[{"text": "café", "label": 1}]'.encode("latin-1"))
    assert message(path) == (
        "a.json:1: byte 0xe9 is not utf-8; pass --encoding cp1252 (or what it is), "
        "or convert the file with iconv"
    )
    assert pairs(read(path, encoding="latin-1")) == [("café", "1")]


def test_memory_does_not_grow_with_an_array(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    row = json.dumps({"text": "x" * 500, "label": "pos"})
    path.write_text("[" + ", ".join([row] * 20_000) + "]", encoding="utf-8")
    tracemalloc.start()
    assert sum(1 for _ in read_reviews([str(path)])) == 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000 < path.stat().st_size


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(value=_json | st.text(max_size=20).map(str), cut=st.integers(0, 200))
def test_any_json_is_read_or_refused(tmp_path: Path, value: object, cut: int) -> None:
    content = json.dumps(value)[: cut if cut < 100 else None]
    if not content:
        return
    path = written(tmp_path / "a.json", content)
    with contextlib.suppress(DataError):
        assert all(review.text for review in read(path))


def test_a_line_of_a_pipe_is_enough() -> None:
    reading, writing = os.pipe()
    with open(writing, "wb", buffering=0) as pipe:  # noqa: PTH123 (a descriptor)
        pipe.write(f"{_ROW}\n".encode())
        with Input(open(reading, "rb"), "pipe", ("", "")) as stream:  # noqa: PTH123
            assert is_json_lines(stream, 1000, lambda names: "text" in names)


def test_blanks_are_not_read_into_memory(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", " " * 3_000_000 + f"[{_ROW}]")
    with open_input(str(path)) as stream:
        assert is_json_lines(stream, 1000, lambda names: True)
        assert len(stream.peek(1)) < 1_000_000
