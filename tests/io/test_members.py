"""Which files of a container are read."""

from __future__ import annotations

import pytest

from sentir.errors import DataError
from sentir.io.members import Chosen, choose, class_of_name


def chosen(*names: str, labelled: bool = True, **options: str) -> list[Chosen]:
    return choose(dict.fromkeys(names, 1), "a.zip", labelled=labelled, **options)  # type: ignore[arg-type]


def test_tables_come_before_texts() -> None:
    names = ("notes.txt", "a/b.csv.gz", "LICENSE", "a/c.parquet", ".hidden.csv", "_SUCCESS", "x.py")
    assert chosen(*names) == [Chosen("a/b.csv.gz"), Chosen("a/c.parquet")]
    assert chosen("a.json", "dataset_info.json", "README.csv", "Thumbs.db") == [Chosen("a.json")]


def test_folders_are_classes_if_there_are_several_or_their_names_say_so() -> None:
    stars = [f"{stars}/{number}.txt" for stars in "15" for number in range(2)]
    assert {file.label for file in chosen(*stars)} == {"1", "5"}
    assert all(file.is_whole for file in chosen(*stars))
    assert [file.label for file in chosen("2020/a.txt", "2020/b.txt")] == [None, None]
    assert chosen("x/Pos/a.txt") == [Chosen("x/Pos/a.txt", "Pos")]
    assert chosen("0.txt", "1.txt", folder="neg")[0] == Chosen("0.txt", "neg", is_whole=True)
    assert chosen("0.txt", "1.txt", folder="reviews") == [Chosen("0.txt"), Chosen("1.txt")]
    one_each = ("sad/all.txt", "happy/all.txt")
    assert [file.is_whole for file in chosen(*one_each)] == [False, False]
    assert all(file.is_whole for file in chosen(*one_each, "happy/more.txt"))


def test_folders_without_labels_are_for_predictions() -> None:
    names = ("pos/1.txt", "neg/1.txt", "unsup/1.txt", "urls_pos.txt")
    assert [file.name for file in chosen(*names)] == ["pos/1.txt", "neg/1.txt"]
    assert [file.name for file in chosen(*names, labelled=False)] == list(names[:3])


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("x/pos.txt", "pos"),
        ("rt-polarity.neg", "neg"),
        ("Reviews_Negativo.txt.gz", "negativo"),
        ("neg/reviews.txt", None),
        ("pos_and_neg.txt", None),
        ("positively.txt", None),
        ("reviews.txt", None),
    ],
)
def test_classes_that_names_say(name: str, label: str | None) -> None:
    assert class_of_name(name) == label


def test_splits_by_folder_and_by_name() -> None:
    shards = ["data/train-00000-of-00001.parquet", "data/validation-00000-of-00001.parquet"]
    with pytest.raises(DataError, match=r"several splits \(.*train.* and .*valid.*\); name one"):
        chosen(*shards)
    assert chosen(*shards, part="valid") == [Chosen(shards[1])]
    assert chosen(*shards, part="data/train*") == [Chosen(shards[0])]
    assert [file.name for file in chosen("dev/a.csv", "testing.csv", labelled=False)] == [
        "dev/a.csv", "testing.csv",
    ]  # fmt: skip
    with pytest.raises(DataError, match=r"name one: a\.zip:test$"):
        chosen("dev/a.csv", "testing.csv")
