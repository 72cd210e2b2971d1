"""Record batches in, record batches out: what `sentir.answering` returns."""

from __future__ import annotations

import dataclasses
import json
import pickle
import threading
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import sentir
from fixtures.awkward_texts import variations
from fixtures.command import sentir as command
from fixtures.toy_bundle import random_texts, toy
from sentir.bundle import Bundle, save_bundle
from sentir.confidence import Answered, ConfidenceThreshold
from sentir.errors import BundleError, DataError, MissingExtraError, SentirWarning, UsageError
from sentir.inference import answering as module
from sentir.io.columns import Columns


def saved(folder: Path, bundle: Bundle | None = None) -> Path:
    save_bundle(bundle or toy(), folder)
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return saved(tmp_path / "model")


def batch(**columns: Any) -> Any:
    return pa.RecordBatch.from_pydict(columns)


def test_answers_are_those_of_sentir_predict(
    model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    texts = [*random_texts(200), None, "", "  ", *variations("es")[-60:]]
    rows = batch(id=list(range(len(texts))), text=texts)
    answer = sentir.answering(model, probabilities=True, score=True)
    answers = answer(rows)
    assert answers.schema == answer.schema(rows.schema)
    source = tmp_path / "new.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows.to_pylist()))
    options = ("--json", "--probabilities", "--score")
    code, out, err = command("predict", model, source, *options, capfd=capfd)
    assert code == 0, err
    expected = [json.loads(line) for line in out.splitlines()]
    assert [*expected[0]] == answers.schema.names
    assert sum(row["prediction"] is None for row in expected) >= 3
    for row, other in zip(answers.to_pylist(), expected, strict=True):
        for name, value in row.items():
            if isinstance(other[name], float):
                assert value == pytest.approx(other[name], abs=1e-5)
            else:
                assert value == other[name]


def test_columns_and_their_types_are_kept(model: Path) -> None:
    rows = pa.RecordBatch.from_arrays(
        [
            pa.array([1, None], pa.int16()),
            pa.array(["a film", "bad"], pa.large_string()),
            pa.array([Decimal("1.50"), None], pa.decimal128(6, 2)),
            pa.array([date(2026, 1, 2), None], pa.date32()),
            pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int32())),
            pa.array(["x", "y"]).dictionary_encode(),
        ],
        schema=pa.schema(
            [
                pa.field("id", pa.int16(), metadata={"of": "field"}),
                ("text", pa.large_string()),
                ("price", pa.decimal128(6, 2)),
                ("day", pa.date32()),
                ("more", pa.map_(pa.string(), pa.int32())),
                ("kind", pa.dictionary(pa.int32(), pa.string())),
            ],
            metadata={"of": "schema"},
        ),
    )
    answers = sentir.answering(model)(rows)
    assert answers.select(rows.schema.names).equals(rows, check_metadata=False)
    assert answers.schema.field("id").metadata == {b"of": b"field"}
    checksum = sentir.load(model).bundle.checksum
    assert answers.schema.metadata == {b"of": b"schema", b"sentir.model": checksum.encode()}
    assert answers.schema.names[-2:] == ["prediction", "probability"]
    assert [str(type_) for type_ in answers.schema.types[-2:]] == ["string", "double"]


def test_no_rows_and_no_texts(model: Path) -> None:
    answer = sentir.answering(model)
    empty = answer(batch(text=["a"]).slice(0, 0))
    assert (empty.num_rows, empty.schema.names) == (0, ["text", "prediction", "probability"])
    none = answer(pa.RecordBatch.from_arrays([pa.nulls(2, pa.string())], ["text"]))
    assert none["prediction"].to_pylist() == none["probability"].to_pylist() == [None, None]
    assert none["prediction"].type == pa.string()


def test_the_text_is_found_as_in_files(tmp_path: Path, model: Path) -> None:
    title_and_body = batch(Title=["the film"], text=["was bad"], other=["wonderful"])
    expected = sentir.answering(model)(batch(text=["the film: was bad"]))
    assert sentir.answering(model)(title_and_body)["probability"] == expected["probability"]
    joined = sentir.answering(model, text=["Title", "text"])
    assert joined(title_and_body)["probability"] == expected["probability"]
    other = sentir.answering(model, text="other")(title_and_body)
    alone = sentir.answering(model)(batch(text=["wonderful"]))
    assert other["probability"] == alone["probability"]
    nested = batch(review=[{"text": "wonderful", "stars": 5}], id=[1])
    named = sentir.answering(model, text="review.text")(nested)
    assert named["probability"] == alone["probability"]
    assert named["review"] == nested["review"]
    encoded = batch(text=[b"wonderful"])
    assert sentir.answering(model)(encoded)["probability"] == alone["probability"]

    trained = dataclasses.replace(toy(), columns=(Columns(text=("other",), label=None),))
    answer = sentir.answering(saved(tmp_path / "trained", trained))
    assert answer(title_and_body)["probability"] == alone["probability"]
    with pytest.warns(SentirWarning, match="the model was trained on 'other'; here 'text' is read"):
        answer.with_text_of(["text"], "the data frame")


def test_a_threshold_adds_unsure(tmp_path: Path) -> None:
    validation = Answered(examples=10, answered=9, correct=8)
    threshold = ConfidenceThreshold(value=0.7, coverage=0.9, validation=validation)
    answer = sentir.answering(
        saved(tmp_path / "model", dataclasses.replace(toy(), threshold=threshold))
    )
    answers = answer(batch(text=[*random_texts(50), None]))
    assert answers.schema.field("unsure").type == pa.bool_()
    for row in answers.to_pylist():
        sure = None if row["probability"] is None else row["probability"] < 0.7
        assert row["unsure"] is sure


@pytest.mark.parametrize("name", ["prediction", "probability", "probability_positive", "score"])
def test_a_name_that_is_taken(model: Path, name: str) -> None:
    answer = sentir.answering(model, probabilities=True, score=True)
    with pytest.raises(DataError, match=f"has a column '{name}' already; rename that column"):
        answer(batch(text=["a"], **{name: ["x"]}))


def test_columns_that_hold_no_text(model: Path) -> None:
    answer = sentir.answering(model)
    with pytest.raises(DataError, match=r"row 2 of a batch: column 'n\.text' holds int 7, not"):
        sentir.answering(model, text="n.text")(batch(n=[{"text": None}, {"text": 7}]))
    with pytest.raises(DataError, match="none of the columns 'words' has a usual name for the te"):
        answer(batch(words=["a"]))
    with pytest.raises(DataError, match="no column 'words' among 'text'"):
        sentir.answering(model, text="words").with_text_of(["text"], "it")
    twice = pa.RecordBatch.from_arrays([pa.array(["a"]), pa.array(["b"])], ["text", "text"])
    with pytest.raises(DataError, match="'text' names two columns"):
        answer(twice)


def test_a_doubt_is_warned_of_once(model: Path) -> None:
    answer, rows = sentir.answering(model), batch(text=["a"], review=["b"])
    with pytest.warns(SentirWarning, match="'text', 'review' may each be the text"):
        answer(rows)
    answer(rows)  # a warning would be an error
    with pytest.warns(SentirWarning, match="the data frame: .* may each be the text"):
        chosen = answer.with_text_of(rows.schema.names, "the data frame")
    assert chosen.text == ("text",)
    chosen(rows)


def test_what_travels_is_the_path_and_the_checksum(model: Path, tmp_path: Path) -> None:
    answer = sentir.answering(model)
    expected = answer(batch(text=["a good film"]))
    pickled = pickle.dumps(answer)
    assert len(pickled) < 1000
    module._loaded.cache_clear()
    assert pickle.loads(pickled)(batch(text=["a good film"])).equals(expected)

    other = saved(tmp_path / "other", toy(seed=1))
    with pytest.raises(BundleError, match=r"other: a model of checksum sha256:.* is wanted; each "):
        answer.at(other)(batch(text=["a"]))
    with pytest.raises(BundleError, match=r"gone: no model here; each machine .* add_file=True"):
        answer.at(tmp_path / "gone")(batch(text=["a"]))


def test_a_relative_path_is_the_same_elsewhere(
    model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(model.parent)
    answer = sentir.answering(model.name)
    monkeypatch.chdir("/")
    assert answer(batch(text=["a"])).num_rows == 1


def test_one_load_and_one_thread(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = pickle.loads(pickle.dumps(sentir.answering(model, engine="onnx")))
    module._loaded.cache_clear()
    loaded, threads = [], set()
    load = module.load
    monkeypatch.setattr(module, "load", lambda *a, **k: loaded.append(a) or load(*a, **k))
    compute = sentir.Predictor.batch_probabilities

    def noted(self: Any, ids: Any) -> Any:
        threads.add(threading.get_ident())
        return compute(self, ids)

    monkeypatch.setattr(sentir.Predictor, "batch_probabilities", noted)
    before = threading.active_count()
    for start in range(3):
        answer(batch(text=random_texts(100, seed=start)))
        pickle.loads(pickle.dumps(answer))(batch(text=["a film"]))
    assert len(loaded) == 1
    assert threads == {threading.get_ident()}
    assert threading.active_count() == before


def test_int8_that_depends_on_the_batch_is_refused(model: Path, tmp_path: Path) -> None:
    for engine in ("onnx", "auto"):  # of a narrow LSTM auto is onnx
        with pytest.raises(UsageError, match="the engine onnx in int8 depend on the other texts"):
            sentir.answering(model, engine=engine, precision="int8")
    answer = sentir.answering(model, engine="numba", precision="int8")
    texts = [text for text in random_texts(40) if text]
    together = answer(batch(text=texts))
    alone = [answer(batch(text=[text]))["probability"][0].as_py() for text in texts]
    np.testing.assert_allclose(together["probability"].to_pylist(), alone, atol=1e-6)
    identity = sentir.load(model, "numba", "int8").identity
    assert together.schema.metadata == {b"sentir.model": identity.encode()}
    wide = saved(tmp_path / "wide", toy(hidden_size=300))
    assert sentir.answering(wide, precision="int8").engine == "numba"


def test_a_score_of_classes_without_order(tmp_path: Path) -> None:
    bundle = toy(classes=3)
    labels = dataclasses.replace(bundle.labels, names=("b", "a", "c"))
    folder = saved(tmp_path / "model", dataclasses.replace(bundle, labels=labels))
    with pytest.raises(UsageError, match="have no order that is known"):
        sentir.answering(folder, score=True)


def test_batches_of_any_size_are_answered_alike(model: Path) -> None:
    texts = random_texts(1100)  # more than a window
    answer = sentir.answering(model)
    together = np.array(answer(batch(text=texts))["probability"].to_pylist(), float)
    parts = [
        np.array(answer(batch(text=texts[start : start + 333]))["probability"].to_pylist(), float)
        for start in range(0, len(texts), 333)
    ]
    np.testing.assert_allclose(np.concatenate(parts), together, atol=1e-5)


def test_without_pyarrow(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentir.extras.is_installed", lambda name: name != "pyarrow")
    with pytest.raises(MissingExtraError, match=r"sentir\.answering needs the package pyarrow"):
        sentir.answering(model)
