"""Predictions of files: rows keep their order, their place and their columns."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.archives import CONTAINERS
from fixtures.toy_bundle import random_texts, toy
from sentir.confidence import Answered, ConfidenceThreshold
from sentir.config import ReadOptions
from sentir.errors import DataError, SentirWarning, UsageError
from sentir.inference.files import (
    PredictionColumns,
    looks_like_file,
    predict_file,
    predict_texts,
)
from sentir.inference.predictor import WINDOW, Predictor
from sentir.io.columns import Columns
from sentir.io.reader import BadRows, read_reviews
from sentir.io.writer import write_records


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor(toy(classes=3))


@pytest.fixture(scope="module")
def columns(predictor: Predictor) -> PredictionColumns:
    return PredictionColumns(predictor)


def predict(columns: PredictionColumns, source: Path, output: Path, **settings: Any) -> BadRows:
    options = ReadOptions(on_error="skip")
    bad_rows = BadRows("skip")
    predict_file(columns, str(source), str(output), options=options, bad_rows=bad_rows, **settings)
    return bad_rows


def read_jsonl(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_standard_input_is_a_file() -> None:
    assert looks_like_file("-")


@pytest.mark.parametrize(
    "argument",
    [
        "https://example.com/a.csv",
        "s3://bucket/a",
        "file:///etc/passwd",
        "HTTP://x",
        "zip://a::b://c",
    ],
)
def test_an_address_is_neither_a_text_nor_a_file(argument: str) -> None:
    """A script that forgets --text must not fetch what a stranger wrote."""
    with pytest.raises(
        UsageError, match="an address; pass --file to read what is there, or --text"
    ):
        looks_like_file(argument)


@pytest.mark.parametrize(
    "argument",
    [
        "",
        "Never again.",
        "see http://example.com now",
        "see\thttp://a.b",
        "good/bad",
        "a.b",
        "x" * 5000,
        "a\0b",
    ],
    ids=[
        "empty",
        "sentence",
        "url in a sentence",
        "url after a tab",
        "slash",
        "dot",
        "long",
        "nul",
    ],
)
def test_texts_are_not_files(argument: str) -> None:
    assert not looks_like_file(argument)


def test_what_exists_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("good").touch()
    Path("my reviews").touch()
    assert looks_like_file("good")
    assert looks_like_file("my reviews")
    assert looks_like_file(str(tmp_path))
    assert looks_like_file("*.csv")
    for name in ("reviews.csv", "REVIEWS.JSONL.GZ", "./reviews", "../reviews", "/reviews"):
        with pytest.raises(UsageError, match=r"no such file; check the name, or pass --text"):
            looks_like_file(name)


def test_the_columns_are_prediction_probability_and_each_class(predictor: Predictor) -> None:
    probabilities_C = np.array([0.2, 0.5, 0.3])
    columns = PredictionColumns(predictor)
    assert columns.values(probabilities_C) == {"prediction": "neutral", "probability": 0.5}
    columns = PredictionColumns(predictor, all_classes=True)
    assert columns.values(probabilities_C) == {
        "prediction": "neutral",
        "probability": 0.5,
        "probability_negative": 0.2,
        "probability_neutral": 0.5,
        "probability_positive": 0.3,
    }
    assert columns.values(None) == dict.fromkeys(columns.names)


def test_a_model_with_a_threshold_adds_whether_it_is_unsure(tmp_path: Path, messages) -> None:
    validation = Answered(examples=10, answered=9, correct=8)
    threshold = ConfidenceThreshold(value=0.7, coverage=0.9, validation=validation)
    predictor = Predictor(replace(toy(), threshold=threshold))
    columns = PredictionColumns(predictor, all_classes=True)
    assert columns.names[:3] == ("prediction", "probability", "unsure")
    texts = [*random_texts(30), ""]
    expected = [answer.unsure for answer in predictor.predict(texts[:-1])]
    assert {*expected} == {True, False}
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    predict(columns, source, tmp_path / "out.jsonl")
    rows = read_jsonl(tmp_path / "out.jsonl")
    unsure = [row["unsure"] for row in rows]
    assert unsure == [flag if text else None
                      for text, flag in zip(texts, [*expected, None], strict=True)]  # fmt: skip
    predict(columns, source, tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet")["unsure"].to_pylist() == unsure
    predict(columns, source, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open() as file:
        cells = [row["unsure"] for row in csv.DictReader(file)]
    assert cells == [{True: "true", False: "false", None: ""}[flag] for flag in unsure]
    predict_texts(columns, texts[:-1], str(tmp_path / "out.txt"))
    lines = (tmp_path / "out.txt").read_text().splitlines()
    words = {True: "unsure", False: "sure", None: ""}
    assert [words.get(line.split("\t")[2], line.split("\t")[2]) for line in lines] == [
        words[flag] for flag in unsure[:-1]
    ]
    assert not messages.warned()
    predict(columns, source, tmp_path / "out.ft.txt")
    assert "fastText lines have no place for 'unsure'" in messages.warned()


def test_texts_are_written_after_their_predictions(
    columns: PredictionColumns, predictor: Predictor, tmp_path: Path
) -> None:
    texts = ["not good", "", "a\twonderful film"]
    output = tmp_path / "out.jsonl"
    predict_texts(columns, texts, str(output))
    rows = read_jsonl(output)
    assert [row["text"] for row in rows] == texts
    for row, text in zip(rows, texts, strict=True):
        if text:
            assert (row["prediction"], row["probability"]) == pytest.approx(
                tuple(predictor.predict_one(text))
            )
        else:
            assert (row["prediction"], row["probability"]) == (None, None)


def test_rows_without_text_keep_their_place(
    columns: PredictionColumns, predictor: Predictor, tmp_path: Path
) -> None:
    """At the start, in the middle, at the end, and where two windows meet."""
    texts = [text or "good" for text in random_texts(WINDOW + 5)]
    for index in (0, 1, 7, WINDOW, WINDOW + 1, WINDOW + 4):
        texts[index] = ""
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps({"id": i, "text": t}) + "\n" for i, t in enumerate(texts)))
    counts: list[int] = []
    predict(columns, source, output, progress=counts.append)
    rows = read_jsonl(output)
    assert [row["id"] for row in rows] == [*range(len(texts))]
    assert [row["prediction"] is None for row in rows] == [not text for text in texts]
    labels = [prediction.label for prediction in predictor.predict(filter(None, texts))]
    assert [row["prediction"] for row in rows if row["text"]] == labels
    assert len(set(labels)) == 3
    assert sum(counts) == len(texts)


@pytest.mark.parametrize(
    ("name", "content", "output", "header"),
    [
        ("a.csv", "id,text\n1,good\n", "out", "id,text,prediction,probability"),
        ("a.tsv", "id\ttext\n1\tgood\n", "out", "id\ttext\tprediction\tprobability"),
        ("a.csv", "id,text\n1,good\n", "out.tsv", "id\ttext\tprediction\tprobability"),
    ],
)
def test_tables_keep_their_format_unless_the_output_has_one(
    columns: PredictionColumns, tmp_path: Path, name: str, content: str, output: str, header: str
) -> None:
    source, target = tmp_path / name, tmp_path / output
    source.write_text(content)
    predict(columns, source, target)
    assert target.read_text().splitlines()[0] == header


def test_lines_are_written_after_their_predictions(
    columns: PredictionColumns, predictor: Predictor, tmp_path: Path
) -> None:
    source, target = tmp_path / "a.txt", tmp_path / "out"
    source.write_text("not good\na wonderful film\n")
    predict(columns, source, target)
    rows = [line.split("\t") for line in target.read_text().splitlines()]
    assert [(row[0], row[2]) for row in rows] == [
        (predictor.predict_one(text).label, text) for text in ("not good", "a wonderful film")
    ]


def test_fasttext_lines_get_the_prediction_as_their_label(
    columns: PredictionColumns, predictor: Predictor, tmp_path: Path
) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "out.ft.txt"
    source.write_text('{"text": "not good"}\n{"text": ""}\n')
    predict(columns, source, target)
    label = predictor.predict_one("not good").label
    assert target.read_text() == f"__label__{label} not good\n"


def test_parquet_keeps_its_types(columns: PredictionColumns, tmp_path: Path) -> None:
    source, target = tmp_path / "a.parquet", tmp_path / "out.parquet"
    table = pa.table({"id": pa.array([7], pa.int16()), "text": ["good"]})
    pq.write_table(table, source)
    predict(columns, source, target)
    schema = pq.read_schema(target)
    assert schema.names == ["id", "text", "prediction", "probability"]
    assert schema.field("id").type == pa.int16()


def test_the_form_in_which_containers_are_written(
    columns: PredictionColumns, tmp_path: Path
) -> None:
    rows = [("not good", "neg"), ("a wonderful film", "pos")]
    target, added = tmp_path / "out", ["prediction", "probability"]
    for kind in ("zip", "tar.gz"):
        CONTAINERS[kind](tmp_path / f"a.{kind}", rows)
        predict(columns, tmp_path / f"a.{kind}", target)
        assert target.read_text().splitlines()[0] == ",".join(["text", "label", *added])
    for kind in ("columns.json", "feather", "nested.json"):
        CONTAINERS[kind](tmp_path / f"a.{kind}", rows)
        predict(columns, tmp_path / f"a.{kind}", target)
        first, _ = read_jsonl(target)
        before = ["id", "review"] if kind == "nested.json" else ["text", "label"]
        assert list(first) == [*before, *added]


def test_texts_of_a_folder_are_written_with_their_file(
    columns: PredictionColumns, predictor: Predictor, tmp_path: Path
) -> None:
    for name in ("neg/1.txt", "neg/2.txt", "unsup/3.txt"):
        path = tmp_path / "reviews" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"good, of\n{name}")
    predict(columns, tmp_path / "reviews", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["file"], row["label"], row["text"]) for row in rows] == [
        ("neg/1.txt", "neg", "good, of\nneg/1.txt"),
        ("neg/2.txt", "neg", "good, of\nneg/2.txt"),
        ("unsup/3.txt", "", "good, of\nunsup/3.txt"),
    ]
    assert rows[0]["prediction"] == predictor.predict_one("good, of\nneg/1.txt").label


@pytest.mark.parametrize("name", ["out.xlsx", "out.zip", "out.tar.gz", "out.feather"])
def test_formats_that_are_not_written(
    columns: PredictionColumns, tmp_path: Path, name: str
) -> None:
    (tmp_path / "a.csv").write_text("text\ngood\n")
    with pytest.raises(DataError, match=rf"{name}: a format that is read and not written; name a"):
        predict(columns, tmp_path / "a.csv", tmp_path / name)
    assert not (tmp_path / name).exists()


def test_arrow_keeps_its_types_in_parquet(columns: PredictionColumns, tmp_path: Path) -> None:
    table = pa.table({"id": pa.array([7], pa.int16()), "text": ["good"]})
    feather.write_feather(table, str(tmp_path / "a.feather"))
    predict(columns, tmp_path / "a.feather", tmp_path / "out.parquet")
    assert pq.read_schema(tmp_path / "out.parquet").field("id").type == pa.int16()


def test_a_part_of_an_archive_looks_like_a_file(tmp_path: Path) -> None:
    CONTAINERS["zip"](tmp_path / "a.zip", [("good", "pos")])
    assert looks_like_file(f"{tmp_path}/a.zip:a.csv")
    assert not looks_like_file("My verdict: bad")
    assert not looks_like_file(f"{tmp_path}/a.zip: bad")


def test_a_column_of_the_same_name_is_an_error(columns: PredictionColumns, tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text("text,probability\ngood,1\n")
    with pytest.raises(DataError, match=r"a\.csv: has a column 'probability' already; rename"):
        predict(columns, source, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_bad_rows_are_skipped_and_counted(columns: PredictionColumns, tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"text": "good"}\nno json\n{"text": "bad"}\n')
    assert predict(columns, source, target).count == 1
    assert [row["text"] for row in read_jsonl(target)] == ["good", "bad"]


LINE = (
    '{"text":"good", "half": "\\ud83d", "f":1e400,  "g": 0.10000000000000001, "z": -0, '
    '"x": [1, 2.50], "big": 123456789012345678901234567890, "nan": NaN, "e": "\\u00e9"}'
)


def test_json_lines_keep_every_character(columns: PredictionColumns, tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "out.jsonl"
    digits = "9" * 5000
    source.write_text(f'{LINE}\r\n{{"text": "bad", "n": {digits}}} \n')
    predict(columns, source, target)
    first, second = target.read_text().splitlines()
    assert first.startswith(LINE[:-1] + ', "prediction": "')
    assert second.startswith(f'{{"text": "bad", "n": {digits}, "prediction": "')
    assert json.loads(first)["half"] == "\ud83d"


def test_numbers_stay_as_they_were_in_other_formats(
    columns: PredictionColumns, tmp_path: Path
) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "out.csv"
    source.write_text(LINE.replace('"half": "\\ud83d", ', '"t": true, "o": {"a": [0.5]}, ') + "\n")
    predict(columns, source, target)
    (row,) = csv.DictReader(io.StringIO(target.read_text()))
    assert {name: row[name] for name in ("f", "g", "z", "big", "t", "o")} == {
        "f": "1e400", "g": "0.10000000000000001", "z": "-0", "t": "true", "o": '{"a": [0.5]}',
        "big": "123456789012345678901234567890",
    }  # fmt: skip


def test_half_a_surrogate_pair_is_written_as_a_word_of_unicode(
    columns: PredictionColumns, tmp_path: Path
) -> None:
    source = tmp_path / "a.jsonl"
    source.write_text(LINE + "\n" + LINE + "\n")
    with pytest.warns(SentirWarning, match="half a surrogate pair") as caught:
        predict(columns, source, tmp_path / "out.csv")
    assert len(caught) == 1
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").count(",�,") == 2
    predict_texts(columns, ["good \udcff"], str(tmp_path / "b.jsonl"))  # a broken argument
    assert read_jsonl(tmp_path / "b.jsonl")[0]["text"] == "good \udcff"
    with pytest.raises(DataError, match=r"half of a surrogate pair; write \.jsonl instead"):
        predict(columns, source, tmp_path / "out.parquet")


def test_csv_keeps_its_form_and_another_format_has_its_own(
    columns: PredictionColumns, tmp_path: Path
) -> None:
    source = tmp_path / "a.csv"
    source.write_bytes(b"\xef\xbb\xbfid;text\r\n1;good\r\n")
    predict(columns, source, tmp_path / "out.csv")
    kept = (tmp_path / "out.csv").read_bytes()
    assert kept.startswith(b"\xef\xbb\xbfid;text;prediction;probability\r\n1;good;")
    predict(columns, source, tmp_path / "out.tsv")
    assert (tmp_path / "out.tsv").read_bytes().startswith(b"id\ttext\tprediction\tprobability\n1")


def test_a_file_may_be_replaced_by_its_predictions(
    columns: PredictionColumns, tmp_path: Path
) -> None:
    source = tmp_path / "a.csv"
    source.write_text("id,text\n" + "".join(f"{n},good film\n" for n in range(3000)))
    predict(columns, source, source)
    lines = source.read_text().splitlines()
    assert lines[0] == "id,text,prediction,probability"
    assert [line.partition(",")[0] for line in lines[1:]] == [str(n) for n in range(3000)]
    assert [*tmp_path.iterdir()] == [source]


def test_formulas_are_neutralised_on_request(columns: PredictionColumns, tmp_path: Path) -> None:
    source, target = tmp_path / "a.csv", tmp_path / "out.csv"
    source.write_text("text,=n\n=HYPERLINK(1),-5\n")
    predict(columns, source, target)
    assert target.read_text().startswith("text,=n,prediction,probability\n=HYPERLINK(1),-5,")
    predict(columns, source, target, neutralise=True)
    assert target.read_text().startswith("text,'=n,prediction,probability\n'=HYPERLINK(1),-5,")
    predict_texts(columns, ["=1+1"], str(tmp_path / "out"), neutralise=True)
    assert (tmp_path / "out").read_text().endswith("\t'=1+1\n")
    for name in ("out.jsonl", "out.parquet", "out.ft.txt"):
        with pytest.raises(UsageError, match=r"--neutralise-formulas for .*write \.csv"):
            predict(columns, source, tmp_path / name, neutralise=True)


def test_a_label_in_a_text_is_none_in_fasttext(columns: PredictionColumns, tmp_path: Path) -> None:
    source, target = tmp_path / "a.csv", tmp_path / "out.ft.txt"
    source.write_text('text\n__label__evil good\n"a\x0b__label__x\u2028b\0c"\n', encoding="utf-8")
    predict(columns, source, target)
    first, second = target.read_text(encoding="utf-8").splitlines()
    assert first.split(" ", 1)[1] == "__ label__evil good"
    assert second.split(" ", 1)[1] == "a __ label__x b c"


# Files that are full of control characters are binary, and refused.
words = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(rows=st.lists(st.dictionaries(words, json_values, max_size=4), min_size=1, max_size=4))
def test_json_lines_keep_every_other_column(
    columns: PredictionColumns, tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "out.jsonl"
    rows = [{**{f"x {name}": row[name] for name in row}, "text": "good"} for row in rows]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    predict(columns, source, target)
    added = {"prediction", "probability"}
    read = read_jsonl(target)
    assert all(added <= {*row} for row in read)
    assert [{name: row[name] for name in row if name not in added} for row in read] == rows


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(cells=st.lists(st.tuples(words, words), min_size=1, max_size=4), data=st.data())
@pytest.mark.parametrize("format", ["csv", "tsv", "parquet"])
def test_tables_keep_every_other_column(
    columns: PredictionColumns,
    tmp_path: Path,
    format: Any,
    cells: list[tuple[str, str]],
    data: st.DataObject,
) -> None:
    source, target = tmp_path / f"a.{format}", tmp_path / f"out.{format}"
    rows: list[dict[str, Any]] = [{"text": "good", "a": a, "b": b} for a, b in cells]
    if format == "parquet":
        for row in rows:
            row["n"] = data.draw(st.integers(-(2**63), 2**63 - 1) | st.none())
            row["f"] = data.draw(st.floats(allow_nan=False))
    write_records(rows, str(source), format)
    predict_file(
        columns,
        str(source),
        str(target),
        options=ReadOptions(quoting="standard"),
        bad_rows=BadRows(),
    )
    read = [dict(r.fields or {}) for r in read_reviews(
        [str(target)], ReadOptions(quoting="standard"), labelled=False
    )]  # fmt: skip
    assert [[*row][-2:] for row in read] == [["prediction", "probability"]] * len(rows)
    assert [{name: row[name] for name in rows[0]} for row in read] == rows


def test_the_columns_of_training_are_predicted_from(tmp_path: Path, messages) -> None:
    trained = replace(toy(), columns=(Columns(text=("a", "b"), label="c"),))
    columns, source = PredictionColumns(Predictor(trained)), tmp_path / "a.csv"
    source.write_text("text,a,b\nno,good,film\n")
    predict(columns, source, tmp_path / "out.jsonl")
    row = json.loads((tmp_path / "out.jsonl").read_text())
    assert row["probability"] == Predictor(trained).predict(["good: film"])[0].probability
    assert not messages.warned()
    source.write_text("text\ngood film\n")
    predict(columns, source, tmp_path / "out.jsonl")
    assert "trained on 'a' and 'b'; here 'text' is read" in messages.warned()


def test_each_sentence_gets_a_row(predictor: Predictor, tmp_path: Path) -> None:
    columns = PredictionColumns(predictor, score=True, by_sentence=True)
    source = tmp_path / "in.csv"
    source.write_text('id,text\n7,"The film was good. The hotel was bad!"\n8,\n9,Wonderful\n')
    predict(columns, source, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "id", "text", "sentence_number", "sentence_text", "prediction", "probability", "score"
    ]  # fmt: skip
    assert [(row["id"], row["sentence_number"], row["sentence_text"]) for row in rows] == [
        ("7", "1", "The film was good."), ("7", "2", "The hotel was bad!"), ("8", "", ""),
        ("9", "1", "Wonderful"),
    ]  # fmt: skip
    assert {row["text"] for row in rows[:2]} == {"The film was good. The hotel was bad!"}
    assert rows[2]["prediction"] == ""
    sentences = [row["sentence_text"] for row in rows if row["sentence_text"]]
    probabilities_NC = predictor.predict_proba(sentences)
    for row, probabilities_C, score in zip(
        [rows[0], rows[1], rows[3]],
        probabilities_NC,
        predictor.scores(probabilities_NC),
        strict=True,
    ):
        assert float(row["probability"]) == pytest.approx(probabilities_C.max(), abs=1e-6)
        assert float(row["score"]) == pytest.approx(score, abs=1e-6)


def test_each_sentence_of_lines_and_json_lines(predictor: Predictor, tmp_path: Path) -> None:
    columns = PredictionColumns(predictor, by_sentence=True)
    (tmp_path / "in.jsonl").write_text('{"text": "Good. Bad.", "n": 1.50}\n')
    predict(columns, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    first, second = (tmp_path / "out.jsonl").read_text().splitlines()
    assert first.startswith(
        '{"text": "Good. Bad.", "n": 1.50, "sentence_number": 1, "sentence_text"'
    )
    assert json.loads(second)["sentence_text"] == "Bad."
    (tmp_path / "in.txt").write_text("Good. Bad.\nDull.\n")
    predict(columns, tmp_path / "in.txt", tmp_path / "out.txt")
    cells = [line.split("\t") for line in (tmp_path / "out.txt").read_text().splitlines()]
    assert [(line[0], line[-1]) for line in cells] == [
        ("1", "Good."),
        ("2", "Bad."),
        ("1", "Dull."),
    ]
    predict(columns, tmp_path / "in.txt", tmp_path / "out.ft.txt")
    lines = (tmp_path / "out.ft.txt").read_text().splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ["Good.", "Bad.", "Dull."]


def test_columns_of_sentences_must_be_new(predictor: Predictor, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text,sentence_number\nGood.,1\n")
    columns = PredictionColumns(predictor, by_sentence=True)
    with pytest.raises(DataError, match="has a column 'sentence_number' already; rename"):
        predict(columns, tmp_path / "in.csv", tmp_path / "out.csv")
