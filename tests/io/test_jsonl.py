"""Rows of JSON lines."""

from __future__ import annotations

from pathlib import Path

from fixtures.review_files import message, skipping, written


def test_broken_json_rows(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.jsonl",
        '{"text": "a", "label": 1}\n{"text": "b"\n\n[1]\n{"text": "c"}\n{"label": 1}\n'
        '{"text": 5, "label": 1}\n{"text": "d", "label": [1]}\n{"text": "\\ud83d", "label": 1}\n'
        + "[" * 100_000
        + '\n{"text": "e", "label": NaN}\n{"text": "f", "label": 2, "more": {}}\n',
    )
    texts, bad_rows = skipping(path)
    assert texts == ["a", "f"]
    assert [row.partition(" (")[0] for row in bad_rows] == [
        "a.jsonl:2: not JSON",
        'a.jsonl:4: JSON list, not an object; write {"text": ..., "label": ...}',
        "a.jsonl:5: no label in column 'label'; add it or remove the row",
        "a.jsonl:6: the text is empty",
        "a.jsonl:7: column 'text' holds int 5, not text; quote it",
        "a.jsonl:8: the label is [1]; give one text or number",
        "a.jsonl:9: character 1 of the text is half of a surrogate pair; write the character whole",
        "a.jsonl:10: not JSON",
        "a.jsonl:11: no label in column 'label'; add it or remove the row",
    ]
    assert message(path) == (
        "a.jsonl:2: not JSON (Expecting ',' delimiter: line 1 column 13 (char 12)); "
        "write one JSON object per line"
    )


def test_json_whose_first_rows_lack_the_columns(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"error": "x"}\n{"text": "a", "label": 1}\n')
    assert skipping(path)[0] == ["a"]
    assert message(path).startswith("a.jsonl:1: none of the columns 'error' has a usual name")


def test_a_json_array_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", '\n[{"text": "a", "label": 1}]')
    assert message(path, on_error="skip").startswith(
        "a.json:2: a JSON array, not JSON lines; write"
    )
