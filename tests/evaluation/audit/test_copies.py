"""The same text with other labels, with the same, and in other files."""

from __future__ import annotations

from sentir.evaluation.audit.copies import copy_hash, find_copies
from sentir.evaluation.audit.findings import Mark


def test_what_is_the_same_text() -> None:
    text = copy_hash("It's \u201cgood\u201d & cheap, 4 stars")
    assert copy_hash('it\u2019s  "GOOD" &amp; cheap,<br />4 stars') == text
    assert copy_hash('it\'s "good" & cheap, 5 stars') != text  # digits count


def test_conflicts_duplicates_and_leakage() -> None:
    hashes = [1, 1, 1, 2, 2, 3, None, None]
    labels = ["pos", "neg", "pos", "pos", "pos", "neg", "pos", "neg"]
    places = [f"a.csv:{row}" for row in range(8)]
    assert list(find_copies(hashes, labels, places, {3: "t.csv:9"})) == [
        Mark(5, "leakage", 1.0, note="as t.csv:9"),
        Mark(0, "conflict", 1 - 2 / 3, None, "neg in a.csv:1"),
        Mark(1, "conflict", 1 - 1 / 3, "pos", "pos in a.csv:0"),
        Mark(2, "duplicate", 1 - 1 / 3, note="as a.csv:0"),
        Mark(2, "conflict", 1 - 2 / 3, None, "neg in a.csv:1"),
        Mark(4, "duplicate", 0.5, note="as a.csv:3"),
    ]


def test_copies_without_a_class() -> None:
    marks = list(find_copies([1, 1, 1], [None, "neg", "pos"], ["a:1", "a:2", "a:3"], {}))
    assert [(mark.row, mark.kind, mark.suggested) for mark in marks] == [
        (1, "conflict", None),
        (2, "conflict", None),
    ]
