"""`sentir.spark` as far as it goes without Spark; on Spark it is tested in ``tests/cluster``."""

from __future__ import annotations

import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import sentir
from fixtures.toy_bundle import toy
from sentir import spark
from sentir.bundle import FILES, save_bundle
from sentir.errors import DataError, UsageError


def field(name: str, type_: Any) -> SimpleNamespace:
    return SimpleNamespace(name=name, dataType=type_)


def plain(name: str) -> SimpleNamespace:
    return SimpleNamespace(simpleString=lambda: name)


def frame(*columns: str, exact: bool = False) -> SimpleNamespace:
    conf = {"spark.sql.caseSensitive": str(exact).lower()}
    return SimpleNamespace(columns=columns, sparkSession=SimpleNamespace(conf=conf))


def test_types_of_columns() -> None:
    inner = SimpleNamespace(fields=[field("text", plain("string")), field("n", plain("int"))])
    types = spark._types(
        SimpleNamespace(fields=[field("review", inner), field("id", plain("int"))])
    )
    assert types == {"review.text": "string", "review.n": "int", "id": "int"}
    spark._check_texts({"a": "string", "b": "varchar(10)", "c": "binary", "d": "void"})
    with pytest.raises(DataError, match=r"the data frame: column 'review\.n' is int, not text"):
        spark._check_texts({"review.n": "int"})


def test_names_differ_by_more_than_case() -> None:
    spark._check_names(frame("text", "predictions"), ["prediction"])
    spark._check_names(frame("text", "Prediction", exact=True), ["prediction"])
    for taken in (frame("PREDICTION"), frame("prediction", exact=True)):
        with pytest.raises(DataError, match=r"has a column '.*' already; rename that column"):
            spark._check_names(taken, ["prediction"])


def test_a_model_is_sent_once(tmp_path: Path) -> None:
    save_bundle(toy(), tmp_path / "model")
    (tmp_path / "model" / "model.onnx").write_bytes(b"exported")
    answer = sentir.answering(tmp_path / "model")
    sent: list[str] = []
    context = SimpleNamespace(applicationId=str(tmp_path), addArchive=sent.append)
    session = SimpleNamespace(sparkContext=context)
    name = spark._send(session, answer)
    assert spark._send(session, answer) == name
    (archive,) = sent
    assert archive.endswith(f"{name}.zip#{name}")
    with zipfile.ZipFile(archive.partition("#")[0]) as packed:
        assert {*packed.namelist()} == {*FILES}
        packed.extractall(tmp_path / "there")
    assert sentir.load(tmp_path / "there").bundle.checksum == answer.checksum
    with pytest.raises(UsageError, match="add_file needs a session with a SparkContext"):
        spark._send(object(), answer)
