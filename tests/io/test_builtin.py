"""Built-in corpora: names, splits, and files that hide them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.review_files import (
    ROWS,
    write_table,
    written,
)
from sentir.io.builtin import builtin_reviews, find_test_split, is_builtin, is_synthetic
from sentir.io.reader import read_reviews


def test_a_synthetic_corpus_beside_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_table(tmp_path / "a.csv", ROWS)
    *synthetic, last = read_reviews(["sample:test", "a.csv"])
    assert {review.label for review in synthetic[:-3]} == {"negative", "positive"}
    assert (last.text, last.line) == ("bien", 5)


def test_the_splits_share_no_review() -> None:
    splits = [list(builtin_reviews(f"sample{split}") or ()) for split in ("", ":train", ":test")]
    assert [len(split) for split in splits] == [6000, 6000, 1500]
    assert splits[0] == splits[1]
    assert not {text for _, text in splits[0]} & {text for _, text in splits[2]}


def test_names_of_corpora(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert (is_builtin("sample_es"), is_synthetic("sample_es")) == (True, True)
    assert (is_builtin("imdb"), is_synthetic("imdb")) == (True, False)
    assert builtin_reviews("sample:dev") is None
    assert find_test_split("sample") == "sample:test"
    assert find_test_split("imdb") == "imdb:test"
    assert find_test_split("sample:train") is None
    assert find_test_split("reviews.csv") is None
    written(tmp_path / "sample", "__label__1 a\n")  # a file of that name is the file
    assert not is_builtin("sample")
