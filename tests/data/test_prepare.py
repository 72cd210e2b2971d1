"""A run's reviews: which are encoded, cached, and read anew; and what is warned of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fixtures.tiny_runs import TINY, write_fasttext
from sentir.config import ReadOptions
from sentir.data.prepare import (
    Sources,
    log_classes,
    prepare_training,
    warn_of_leakage,
)


class Progress(list[tuple[str, int]]):
    def __call__(self, what: str, count: int) -> None:
        self.append((what, count))


def test_reviews_are_read_once_and_then_cached(tmp_path: Path) -> None:
    train = str(write_fasttext(tmp_path / "a.ft.txt", 100))
    test = str(write_fasttext(tmp_path / "b.ft.txt", 30, seed=1))
    sources = Sources(train=(train,), test=(test,))
    for expected in ({"reading reviews": 100, "reading test reviews": 30}, {}):
        progress = Progress()
        corpora, measured, skipped = prepare_training(
            sources, TINY, None, tmp_path / "cache", resume=False, progress=progress
        )
        read: dict[str, int] = {}
        for what, count in progress:
            read[what] = read.get(what, 0) + count
        assert read == expected
        assert measured is not None
        assert (len(corpora.train) + len(corpora.valid), len(measured)) == (100, 30)
        assert skipped.count == 0


def test_a_missing_test_file_is_reported_before_train_is_read(tmp_path: Path) -> None:
    train = str(write_fasttext(tmp_path / "a.ft.txt", 100))
    progress = Progress()
    with pytest.raises(Exception, match="no such file"):
        prepare_training(
            Sources(train=(train,), test=("nowhere.csv",)), TINY, None, tmp_path / "cache",
            resume=False, progress=progress,
        )  # fmt: skip
    assert not progress


def test_another_setting_of_the_text_is_another_key(tmp_path: Path) -> None:
    sources = Sources(train=(str(write_fasttext(tmp_path / "a.ft.txt", 20)),))
    key = sources.cache_key(TINY, None)
    assert key == sources.cache_key(TINY.override({"hidden_size": 99, "epochs": 7}), None)
    for change in ({"min_count": 9}, {"valid_fraction": 0.3}, {"seed": 4}):
        assert key != sources.cache_key(TINY.override(change), None)
    for other in (
        Sources(train=sources.train, labels="stars"),
        Sources(train=sources.train, read=ReadOptions(encoding="latin-1")),
        Sources(train=sources.train, valid=sources.train),
    ):
        assert key != other.cache_key(TINY, None)


def test_leakage_and_classes_are_reported(tmp_path: Path, messages) -> None:
    train = write_fasttext(tmp_path / "a.ft.txt", 100)
    corpora, test, _ = prepare_training(
        Sources(train=(str(train),), test=(str(train),)), TINY, None, tmp_path / "cache",
        resume=False, progress=Progress(),
    )  # fmt: skip
    warn_of_leakage(corpora, test)
    assert "100 of 100 test reviews are in train too (leakage)" in messages.warned()
    log_classes(corpora)
    counts = np.bincount(corpora.train.labels_N)
    assert f"training reviews: {counts[0]} negative; {counts[1]} positive" in messages.logged()
