"""Predictions come in the order of the texts, as if each text were alone."""

from __future__ import annotations

import os
import pickle
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fixtures.toy_bundle import random_texts, toy
from sentir.bundle import Bundle, save_bundle
from sentir.data.batching import PaddedBatch, pad
from sentir.errors import BundleError, UsageError
from sentir.inference import predictor as predictor_module
from sentir.inference.network import Floats
from sentir.inference.predictor import WINDOW, Prediction, Predictor, load, windows
from sentir.io.labels import LabelScheme

# A batch and a single text differ in the order of some sums, in float32.
TOLERANCE = 1e-6


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return toy()


@pytest.fixture(scope="module", params=["torch", "onnx"])
def predictor(bundle: Bundle, request: pytest.FixtureRequest) -> Predictor:
    return Predictor(bundle, request.param)


@pytest.mark.parametrize("classes", [2, 3])
def test_batched_equals_single_in_the_order_given(classes: int) -> None:
    predictor = Predictor(toy(classes=classes))
    texts = random_texts(200)
    together_NC = predictor.predict_proba(texts)
    alone_NC = np.concatenate([predictor.predict_proba([text]) for text in texts])
    assert together_NC.shape == (200, classes)
    assert together_NC.dtype == np.float64
    np.testing.assert_allclose(together_NC, alone_NC, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(together_NC.sum(axis=1), 1, rtol=0, atol=1e-12)
    assert together_NC.std(axis=0).min() > 0.01


def test_labels_and_their_probabilities(predictor: Predictor) -> None:
    assert predictor.labels == ("negative", "positive")
    texts = random_texts(50)
    probabilities_NC = predictor.predict_proba(texts)
    predictions = predictor.predict(texts)
    assert {prediction.label for prediction in predictions} == set(predictor.labels)
    for prediction, probabilities_C in zip(predictions, probabilities_NC, strict=True):
        assert isinstance(prediction, Prediction)
        assert prediction.label == predictor.labels[probabilities_C.argmax()]
        assert prediction.probability == probabilities_C.max()


def test_one_text(predictor: Predictor) -> None:
    text = "the film was not good"
    assert predictor.predict_one(text) == predictor.predict([text])[0]


def test_no_text_and_texts_without_words(predictor: Predictor) -> None:
    assert predictor.predict([]) == []
    assert predictor.predict_proba([]).shape == (0, 2)
    empty, blank, unknown = predictor.predict(["", "  \n ", "xyzzy"])
    assert empty == blank == unknown  # read as one unknown word


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_stream"])
def test_a_single_string_is_refused_with_a_hint(predictor: Predictor, method: str) -> None:
    with pytest.raises(UsageError, match=r"got one string; call predict_one\(text\)"):
        list(getattr(predictor, method)("the film"))


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_stream"])
@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["good", 3], "text 1 is int, not a string"),
        ([None], "text 0 is NoneType, not a string"),
        (b"good", "text 0 is int, not a string"),
        ([["good"]], "text 0 is list, not a string"),
        (["good"] * WINDOW + [1.5], f"text {WINDOW} is float, not a string"),
    ],
    ids=["int", "none", "bytes", "list", "later"],
)
def test_a_text_that_is_not_a_string_is_refused(
    predictor: Predictor, method: str, texts: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        list(getattr(predictor, method)(texts))


def test_one_text_that_is_not_a_string_is_refused(predictor: Predictor) -> None:
    with pytest.raises(UsageError, match="predict_one takes one text, got list"):
        predictor.predict_one(["good"])  # type: ignore[arg-type]


def test_any_iterable_of_texts_is_read(predictor: Predictor) -> None:
    texts = random_texts(20)
    expected = predictor.predict(texts)
    assert predictor.predict(text for text in texts) == expected
    assert predictor.predict(np.array(texts)) == expected
    assert predictor.predict(dict.fromkeys(texts)) == predictor.predict(list(dict.fromkeys(texts)))
    assert np.array_equal(predictor.predict_proba(iter(texts)), predictor.predict_proba(texts))


def test_the_stream_takes_no_more_than_two_windows_ahead(predictor: Predictor) -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield "good"

    stream = predictor.predict_stream(endless())
    assert taken == 0
    for answers in range(1, WINDOW + 2):
        next(stream)
        assert taken <= answers + 2 * WINDOW
    assert taken == 3 * WINDOW


def test_the_work_stops_when_the_caller_stops(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = Predictor(bundle)
    calls = 0
    answer = predictor.engine.probabilities

    def count(batch: PaddedBatch) -> Floats:
        nonlocal calls
        calls += 1
        time.sleep(0.001)
        return answer(batch)

    monkeypatch.setattr(predictor.engine, "probabilities", count)
    stream = predictor.predict_stream(random_texts(2 * WINDOW))
    next(stream)
    stream.close()
    predictor._threads().shutdown()
    assert calls < 2 * WINDOW / predictor.engine.batch_size


def test_the_stream_gives_what_predict_gives(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = random_texts(25)
    expected = predictor.predict_proba(texts).max(axis=1)
    monkeypatch.setattr(predictor_module, "WINDOW", 10)
    assert [len(window) for window in windows(texts)] == [10, 10, 5]
    actual = [prediction.probability for prediction in predictor.predict_stream(iter(texts))]
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE)


def test_the_model_gets_the_ids_that_it_was_trained_on(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trainer's ids come from `Tokenizer.encode` and `pad` too."""
    texts = ["The film was WONDERFUL.", "", "good " * 50, "la habitación estaba sucia, not good"]
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []
    predictor = Predictor(bundle, "torch")
    network = predictor.engine.model
    forward = network.forward

    def record(ids_BT: torch.Tensor, lengths_B: torch.Tensor) -> torch.Tensor:
        seen.append((ids_BT, lengths_B))
        return forward(ids_BT, lengths_B)

    monkeypatch.setattr(network, "forward", record)
    predictor.predict(texts)
    ids = bundle.tokenizer.encode(texts)
    assert [len(text) for text in ids] == [5, 0, 50, 7]
    expected = pad([ids[row] for row in (2, 3, 0, 1)], 40)  # from the longest to the shortest
    assert len(seen) == 1
    assert torch.equal(seen[0][0], expected.ids_BT)
    assert torch.equal(seen[0][1], expected.lengths_B)
    assert expected.lengths_B.tolist() == [40, 7, 5, 1]


def test_load(bundle: Bundle, predictor: Predictor, tmp_path: Path) -> None:
    save_bundle(bundle, tmp_path / "run" / "model")
    texts = random_texts(5)
    engine = predictor.engine.name
    assert load(tmp_path / "run", engine).predict(texts) == predictor.predict(texts)
    assert load(str(tmp_path / "run" / "model")).labels == predictor.labels
    with pytest.raises(BundleError, match="no model here"):
        load(tmp_path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
@pytest.mark.parametrize(
    ("engine", "precision"),
    [("torch", "float32"), ("onnx", "float32"), ("onnx", "int8"), ("numba", "float32"),
     ("numba", "int8")],
)  # fmt: skip
def test_a_forked_process_has_threads_of_its_own(engine: str, precision: str) -> None:
    predictor = Predictor(toy(), engine, precision)
    expected = predictor.predict(["a text"])
    child = os.fork()
    if not child:
        os._exit(predictor.predict(["a text"]) != expected)
    deadline = time.monotonic() + 60
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < deadline:
        time.sleep(0.05)
    if ended == (0, 0):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert ended == (child, 0)


@pytest.mark.parametrize(
    ("engine", "precision"),
    [("auto", "float32"), ("torch", "float32"), ("numba", "float32"), ("onnx", "int8")],
)
def test_a_pickled_predictor_answers_alike(bundle: Bundle, engine: str, precision: str) -> None:
    predictor = Predictor(bundle, engine, precision, bulk=True)
    copy = pickle.loads(pickle.dumps(predictor))
    assert (copy.engine.name, copy.engine.precision) == (predictor.engine.name, precision)
    texts = random_texts(5)
    np.testing.assert_array_equal(copy.predict_proba(texts), predictor.predict_proba(texts))


def test_the_identity_is_equal_for_equal_answers(bundle: Bundle, tmp_path: Path) -> None:
    save_bundle(bundle, tmp_path / "a")
    save_bundle(toy(classes=3), tmp_path / "b")
    identities = {load(tmp_path / "a", engine).identity for engine in ("torch", "onnx", "numba")}
    assert len(identities) == 1
    assert load(tmp_path / "a", "onnx", "int8").identity == f"{identities.copy().pop()}, int8"
    assert load(tmp_path / "b").identity not in identities


def test_sentences_are_predicted_as_if_each_were_alone(predictor: Predictor) -> None:
    found = predictor.predict_sentences("The film was good. The hotel was bad!\nWonderful")
    assert [part.sentence for part in found] == [
        "The film was good.", "The hotel was bad!", "Wonderful"
    ]  # fmt: skip
    for sentence, prediction in found:
        alone = predictor.predict_one(sentence)
        assert prediction.label == alone.label
        assert prediction.probability == pytest.approx(alone.probability, abs=TOLERANCE)
    assert predictor.predict_sentences(" ") == []
    with pytest.raises(UsageError, match="predict_sentences takes one text, got list"):
        predictor.predict_sentences(["a"])  # type: ignore[arg-type]


def test_scores_go_from_the_first_class_to_the_last(bundle: Bundle) -> None:
    two_NC = np.array([[1, 0], [0, 1], [0.25, 0.75]])
    assert Predictor(bundle).scores(two_NC).tolist() == [-1, 1, 0.5]
    three = toy(classes=3)
    three_NC = np.array([[1, 0, 0], [0, 1, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    assert Predictor(three).scores(three_NC).tolist() == [-1, 0, 0, 0.5]
    for names, is_ordered in (
        (("1", "2", "3"), True), (("3", "1", "2"), False), (("a", "b", "c"), False),
        (("1", "2", "2"), False),
    ):  # fmt: skip
        labels = LabelScheme(names, dict(zip("xyz", range(3), strict=True)))
        predictor = Predictor(replace(three, labels=labels))
        if is_ordered:
            assert predictor.scores(three_NC)[3] == 0.5
        else:
            with pytest.raises(UsageError, match="have no order that is known"):
                predictor.scores(three_NC)
