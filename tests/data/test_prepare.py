"""A run's reviews: which are encoded, cached, and read anew; and what is warned of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fixtures.tiny_runs import TINY, write_fasttext
from sentir.config import ReadOptions
from sentir.data.prepare import (
    Sources,
    log_data,
    prepare_training,
    warn_of_leakage,
)
from sentir.errors import ConfigError, DataError
from sentir.io.columns import Columns


class Progress(list[tuple[str, int]]):
    def __call__(self, what: str, count: int) -> None:
        self.append((what, count))


def test_reviews_are_read_once_and_then_cached(tmp_path: Path) -> None:
    train = str(write_fasttext(tmp_path / "a.ft.txt", 100))
    test = str(write_fasttext(tmp_path / "b.ft.txt", 30, seed=1))
    sources = Sources(train=(train,), test=(test,))
    for expected in ({"reading reviews": 100, "reading test reviews": 30}, {}):
        progress = Progress()
        corpora, measured, _, skipped, _ = prepare_training(
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
    corpora, test, _, _, summary = prepare_training(
        Sources(train=(str(train),), test=(str(train),)), TINY, None, tmp_path / "cache",
        resume=False, progress=Progress(),
    )  # fmt: skip
    warn_of_leakage(corpora, test)
    assert "100 of 100 test reviews are in train too (leakage)" in messages.warned()
    log_data(summary, corpora)
    counts = np.bincount(corpora.train.labels_N)
    classes = f"{counts[0]} reviews of class negative; {counts[1]} reviews of class positive"
    assert f"training: {classes}" in messages.logged()


def test_test_and_validation_are_read_as_train_is(tmp_path: Path, messages) -> None:
    rows = "".join(f"x,t{at},b{at},{'neg' if at % 2 else 'pos'}\n" for at in range(40))
    for name in "abc":
        (tmp_path / f"{name}.csv").write_text(f"text,a,b,label\n{rows.replace('x,', name + ',')}")
    files = {
        name: (str(tmp_path / f"{file}.csv"),)
        for name, file in zip(("train", "valid", "test"), "abc", strict=True)
    }
    sources = Sources(**files, read=ReadOptions(text_column=("a", "b")))
    for _ in range(2):  # the second time from the cache
        messages.clear()
        corpora, test, _, _, summary = prepare_training(
            sources, TINY, None, tmp_path / "cache", resume=False, progress=Progress()
        )
        assert summary.columns == (Columns(text=("a", "b"), label="label"),)
        assert "text = 'a' and 'b' joined" in messages.logged()
    assert corpora.valid.texts([0]) == test.texts([0]) == ["t0: b0"]

    (tmp_path / "c.csv").write_text("text,label\nx,pos\ny,neg\n")
    sources = Sources(train=(str(tmp_path / "d.csv"),), test=files["test"])
    (tmp_path / "d.csv").write_text(f"no,title,body,label\n{rows}")
    messages.clear()
    prepare_training(sources, TINY, None, tmp_path / "cache", resume=False, progress=Progress())
    assert "trained on 'title' and 'body'; here 'text' is read" in messages.warned()


def test_an_error_about_all_reviews_names_their_files(tmp_path: Path) -> None:
    few = tmp_path / "a.csv"
    few.write_text("text,label\nx,pos\ny,neg\n")
    with pytest.raises(DataError, match=r"a\.csv: no review is left for validation"):
        prepare_training(
            Sources(train=(str(few),)), TINY, None, tmp_path / "cache",
            resume=False, progress=Progress(),
        )  # fmt: skip


def test_files_are_checked_before_any_is_read(tmp_path: Path) -> None:
    good, bad = tmp_path / "a.csv", tmp_path / "b.csv"
    good.write_text("text,label\nx,pos\n")
    bad.write_text("text,x\ny,z\n")
    Sources(train=(str(good),), unlabelled=(str(bad),)).check()
    Sources(train=(str(bad),)).check(labelled=False)
    for name in ("train", "valid", "test"):
        with pytest.raises(DataError, match=r"b\.csv: none .* for the label"):
            Sources(**{"train": (str(good),), name: (str(bad),)}).check()
    with pytest.raises(ConfigError, match="two classes"):
        Sources(train=(str(good),), labels="a").check()
