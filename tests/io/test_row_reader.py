"""Which columns are read as text and label, and what is said about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from fixtures.review_files import message, pairs, read, skipping, written
from sentir.config import ReadOptions
from sentir.errors import DataError, UsageError
from sentir.io.columns import Columns
from sentir.io.reader import read_reviews
from sentir.io.row_reader import ColumnLog, RowReader
from sentir.io.writer import write_records

TRAINED_ON = (Columns(text=("title", "body"), label="rating"),)


def lines(path: Path, *records: dict[str, object]) -> Path:
    return written(path, "".join(json.dumps(record) + "\n" for record in records))


def read_as(path: Path, trained_on: Sequence[Columns], *, labelled: bool = True) -> list[str]:
    log = ColumnLog(trained_on)
    reviews = read_reviews([str(path)], ReadOptions(), labelled=labelled, columns=log)
    return [review.text for review in reviews]


def test_a_title_is_joined_before_the_text(tmp_path: Path, messages) -> None:
    path = written(tmp_path / "a.csv", "body,rating,title\nWorks,5,Great\nBroke,1,\n,5,Fine\n")
    assert pairs(read(path)) == [("Great: Works", "5"), ("Broke", "1"), ("Fine", "5")]
    assert messages.logged() == (
        f"{path}: text = 'title' and 'body' joined with ': '; label = 'rating'"
    )
    assert not messages.warned()


def test_columns_are_logged_once(tmp_path: Path, messages) -> None:
    for name in ("a.csv", "b.csv"):
        written(tmp_path / name, "text,label\nx,1\n")
    written(tmp_path / "c.csv", "review,label\nx,1\n")
    read(tmp_path / "*.csv")
    logged = messages.logged().replace(f"{tmp_path}/", "")
    assert logged == (
        "a.csv: text = 'text'; label = 'label'\nc.csv: text = 'review'; label = 'label'"
    )


def test_doubts_are_warned_of(tmp_path: Path, messages) -> None:
    path = written(
        tmp_path / "a.csv", "review,text,title,headline,rating,sentiment\nno,yes,a,b,5,pos\n"
    )
    assert pairs(read(path)) == [("a: yes", "pos")]
    assert messages.warned().replace(f"{tmp_path}/", "").split("\n") == [
        "a.csv: 'text', 'review' may each be the text: 'text' is read; --text-column "
        "'title,review' takes another",
        "a.csv: 'title', 'headline' may each be the title: 'title' is read; --text-column "
        "'headline,text' takes another",
        "a.csv: 'sentiment', 'rating' may each be the label: 'sentiment' is read; "
        "--label-column 'rating' takes another",
    ]
    messages.clear()
    assert pairs(read(path, text_column="Review", label_column="RATING")) == [("no", "5")]
    assert not messages.warned()


def test_no_label_is_looked_for_where_none_is_needed(tmp_path: Path, messages) -> None:
    path = written(tmp_path / "a.csv", "text,rating,sentiment\nx,5,pos\n")
    assert read(path, labelled=False)[0].label == "pos"
    assert messages.logged() == f"{path}: text = 'text'"
    assert not messages.warned()
    path = lines(tmp_path / "a.jsonl", {"text": "x", "label": [1, 2]})
    assert read(path, labelled=False)[0].label is None


def test_a_later_row_may_bring_a_title(tmp_path: Path, messages) -> None:
    first, last = {"text": "a", "stars": 5}, {"text": "c", "stars": 1}
    path = lines(tmp_path / "a.jsonl", first, {"text": "b", "stars": 1, "title": "B"}, last)
    assert pairs(read(path)) == [("a", "5"), ("B: b", "1"), ("c", "1")]
    assert messages.logged().count("a.jsonl: text") == 2


@pytest.mark.parametrize("key", ["reviewText", "sentiment"])
def test_a_later_row_may_not_change_columns(tmp_path: Path, key: str) -> None:
    first = {"text": "a", "stars": 5}
    path = lines(tmp_path / "a.jsonl", first, {**first, key: "pos"}, {**first, "id": 3})
    texts, errors = skipping(path)
    assert texts == ["a", "a"]
    assert "a.jsonl:2: this row has text = " in errors[0]
    before = "and those before it have text = 'text'; label = 'stars'; name the columns with"
    assert before in errors[0]


def test_an_ambiguity_in_a_later_row_is_warned_of(tmp_path: Path, messages) -> None:
    first = {"text": "a", "stars": 5}
    path = lines(tmp_path / "a.jsonl", first, {**first, "review": "b"}, {**first, "review": "c"})
    assert [text for text, _ in pairs(read(path))] == ["a", "a", "a"]
    assert messages.warned().count("may each be the text") == 1


def test_rows_without_keys(tmp_path: Path) -> None:
    texts, errors = skipping(lines(tmp_path / "a.jsonl", {}, {"text": "a", "label": 1}))
    assert texts == ["a"]
    assert "a.jsonl:1: no column has a usual name for the text" in errors[0]


def test_a_sample_value_helps_to_tell_the_column(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "n,lo dicho,estrellas\n7,Me encanta la silla,5\n")
    assert message(path).startswith(
        "a.csv: none of the columns 'n', 'lo dicho', 'estrellas' has a usual name for the text; "
        "pass --text-column 'lo dicho' if that is it (its first value: 'Me encanta la silla'); "
    )
    one_word = written(tmp_path / "b.csv", "n,dicho,estrellas\n7,silla,5\n")
    assert "; name it with --text-column; " in message(one_word)
    only_title = written(tmp_path / "c.csv", "title,stars\nGreat chair,5\n")
    assert "pass --text-column 'title' if that is it (its first value: 'Great chair')" in (
        message(only_title)
    )
    record = lines(tmp_path / "d.jsonl", {"revew": "good one", "stars": 5})
    assert "pass --text-column 'revew' if that is it (its first value: 'good one')" in (
        message(record)
    )
    no_rows = written(tmp_path / "e.csv", "revew,stars\n")
    assert "; pass --text-column 'revew'; if line 1" in message(no_rows)


def test_the_columns_of_training_are_read_again(tmp_path: Path, messages) -> None:
    like = written(tmp_path / "a.csv", "text,sentiment,Body,TITLE,Rating\nno,pos,b,t,5\n")
    assert read_as(like, TRAINED_ON) == ["t: b"]
    assert messages.logged().endswith(
        "text = 'TITLE' and 'Body' joined with ': '; label = 'Rating'"
    )
    assert not messages.warned()


@pytest.mark.parametrize(
    ("header", "text", "warnings"),
    [
        ("body,rating", "x", ["trained on 'title' and 'body'; here 'body' is read"]),
        ("text,rating", "x", ["trained on 'title' and 'body'; here 'text' is read"]),
        ("body,label", "x", ["here 'body' is read", "labels of 'rating'; here 'label' is read"]),
    ],
)
def test_columns_of_training_that_lack_are_warned_of(
    tmp_path: Path, messages, header: str, text: str, warnings: list[str]
) -> None:
    path = written(tmp_path / "a.csv", f"{header}\nx,5\n")
    assert read_as(path, TRAINED_ON) == [text]
    warned = messages.warned().split("\n")
    assert len(warned) == len(warnings)
    for expected, got in zip(warnings, warned, strict=True):
        assert expected in got
    messages.clear()
    assert read_as(path, TRAINED_ON, labelled=False) == [text]
    assert len(messages.warned().split("\n")) == 1


def test_files_of_training_may_have_had_different_columns(tmp_path: Path, messages) -> None:
    trained_on = (*TRAINED_ON, Columns(text=("text",), label="stars"))
    path = written(tmp_path / "a.csv", "title,text,stars,label\nt,x,5,1\n")
    assert read_as(path, trained_on) == ["x"]
    assert not messages.warned()


def test_no_column_of_training_and_none_with_a_usual_name(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "a,rating\nx,5\n")
    with pytest.raises(DataError, match="has a usual name for the text"):
        read_as(path, TRAINED_ON)


def test_two_columns_of_a_name_that_is_needed() -> None:
    for names in (["title", "title", "text", "label"], ["text", "label", "label"]):
        with pytest.raises(DataError, match=r"a\.csv: '(title|label)' names two columns"):
            RowReader("a.csv", (), None, True).select_columns(names)
    reader = RowReader("a.csv", ("text",), None, False)
    assert reader.select_columns(["text", "label", "label"]) == ["text", "label", "label"]


def test_columns_through_json_are_the_same() -> None:
    for columns in (*TRAINED_ON, Columns(text=("a",), label=None)):
        assert Columns.from_dict(json.loads(json.dumps(columns.to_dict()))) == columns


@pytest.mark.parametrize(
    "data",
    [None, [], {}, {"text": []}, {"text": "a", "label": None}, {"text": [1], "label": None},
     {"text": ["a"], "label": 3, "join": ": "}, {"text": ["a"], "label": "b", "join": "-"},
     {"text": ["a"], "label": "b"}],
)  # fmt: skip
def test_other_data_than_columns_is_refused(data: object) -> None:
    with pytest.raises(DataError, match="no columns"):
        Columns.from_dict(data)


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_weights(tmp_path: Path, kind: str) -> None:
    rows = [
        {"text": "a", "label": "x", "helpful votes": 2},
        {"text": "b", "label": "y", "helpful votes": 0},
    ]
    path = tmp_path / f"a.{kind}"
    write_records(rows, str(path), kind)  # type: ignore[arg-type]
    for name in ("helpful votes", "Helpful_Votes"):
        found = read(path, weight_column=name) if kind != "jsonl" else read(path, weight_column=_W)
        assert [review.weight for review in found] == [2, 0]
    assert [review.weight for review in read(path)] == [1, 1]
    assert [review.weight for review in read(path, labelled=False, weight_column=_W)] == [1, 1]


_W = "helpful votes"


def test_weights_within_objects(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", {"text": "a", "label": "x", "votes": {"up": "2.5"}})
    (review,) = read(path, weight_column="votes.up")
    assert review.weight == 2.5


@pytest.mark.parametrize("weight", ["", "much", "-1", "nan", "inf", "1e400", "true", "1_000"])
def test_weights_that_are_none(tmp_path: Path, weight: str) -> None:
    path = written(tmp_path / "a.csv", f"text,label,weight\na,x,2\nb,y,{weight}\n")
    assert message(path, weight_column="weight") == (
        f"a.csv:3: the weight is {weight!r}; write a number of 0 or more"
    )
    assert skipping(path, weight_column="weight")[0] == ["a"]


def test_a_column_of_weights_that_is_not_there(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text,label,weights\na,x,2\n")
    assert message(path, weight_column="weight").startswith(
        "a.csv: no column 'weight' among 'text', 'label', 'weights'; did you mean 'weights'?"
    )
    (tmp_path / "b.ft.txt").write_text("__label__x a\n")
    with pytest.raises(UsageError, match="--weight-column for fasttext; it is for tables"):
        read(tmp_path / "b.ft.txt", weight_column="weight")
