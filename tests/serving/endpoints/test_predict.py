"""``/v1`` and hosted inference: Python's answers, and errors that name what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures.served import Served, save_models, serving, two_models
from fixtures.toy_bundle import random_texts, toy
from sentir import explain
from sentir.confidence import Answered, ConfidenceThreshold
from sentir.inference.predictor import Predictor, load
from sentir.serving.options import Limits

TOLERANCE = 1e-5
TEXT = "the film was not bad"
SOME = [text for text in random_texts(40) if text]


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    with serving(two_models(folder), limits=Limits(max_texts=50, max_body_bytes=20_000)) as served:
        yield served


@pytest.fixture(scope="module")
def one_model(folder: Path, served: Served) -> Iterator[Served]:
    with serving({"hotels": folder / "hotels"}) as one:
        yield one


@pytest.fixture(scope="module")
def predictor(folder: Path, served: Served) -> Predictor:
    return load(folder / "hotels", "torch")


def test_one_text(served: Served, predictor: Predictor) -> None:
    answer = served.post("/v1/predict", {"text": TEXT, "model": "hotels"})
    label, probability = predictor.predict_one(TEXT)
    assert answer == {
        "model": "hotels",
        "version": predictor.bundle.checksum.removeprefix("sha256:")[:12],
        "predictions": [{"label": label, "probability": pytest.approx(probability, abs=TOLERANCE)}],
    }


def test_a_model_with_a_threshold_says_what_it_is_unsure_of(tmp_path: Path) -> None:
    validation = Answered(examples=10, answered=9, correct=8)
    threshold = ConfidenceThreshold(value=0.7, coverage=0.9, validation=validation)
    bundle = replace(toy(), threshold=threshold)
    with serving(save_models(tmp_path, shop=bundle)) as served:
        answer = served.post("/v1/predict", {"texts": SOME})
    expected = [one.unsure for one in Predictor(bundle).predict(SOME)]
    assert [one["unsure"] for one in answer["predictions"]] == expected
    assert {*expected} == {True, False}


def test_many_texts_with_all_probabilities(served: Served, predictor: Predictor) -> None:
    answer = served.post("/v1/predict", {"texts": SOME, "model": "hotels", "probabilities": True})
    rows = [list(one["probabilities"].values()) for one in answer["predictions"]]
    np.testing.assert_allclose(rows, predictor.predict_proba(SOME), atol=TOLERANCE)
    assert list(answer["predictions"][0]["probabilities"]) == list(predictor.labels)
    assert [one["label"] for one in answer["predictions"]] == [
        one.label for one in predictor.predict(SOME)
    ]


def test_no_texts(served: Served) -> None:
    assert served.post("/v1/predict", {"texts": [], "model": "shop"})["predictions"] == []


def test_the_only_model_needs_no_name(one_model: Served) -> None:
    assert one_model.post("/v1/predict", {"text": TEXT})["model"] == "hotels"


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b'{"text": "a"} x', 400, "not JSON (JSON is malformed: trailing characters"),
        (b'{"text": "\xff"}', 400, "not JSON ('utf-8' codec"),
        (b'{"text": "\\ud800"}', 400, "not JSON"),
        (b'{"text": NaN}', 400, "not JSON"),
        (b'{"texts": ' + b"[" * 9000, 422, "Expected `str`, got `array` - at `$.texts[0]`"),
        (b"[]", 422, "Expected `object`, got `array`"),
        ({"text": 3}, 422, "Expected `str`, got `int` - at `$.text`"),
        ({"texts": ["a", None]}, 422, "Expected `str`, got `null` - at `$.texts[1]`"),
        ({"texts": "a"}, 422, "Expected `array`, got `str` - at `$.texts`"),
        ({"text": "a", "txet": 1}, 422, "Object contains unknown field `txet`"),
        ({"text": " \n"}, 422, "text: a text with nothing in it; leave it out"),
        ({"texts": ["a", ""]}, 422, "texts[1]: a text with nothing in it; leave it out"),
        ({"text": "a", "probabilities": 1}, 422, "Expected `bool`, got `int`"),
        ({}, 422, "give either text or texts"),
        ({"text": "a", "texts": ["a"]}, 422, "give either text or texts"),
        ({"text": "a"}, 422, "model: no model is named; name one of shop, hotels"),
        ({"text": "a", "model": "shpo"}, 404, "no model 'shpo'; name one of shop, hotels"),
        ({"texts": ["a"] * 51, "model": "shop"}, 422,
         "texts: 51 texts, at most 50 in a request; send several requests, or a file"),
        ({"text": "a" * 20_000}, 413, "the body has more than 20,000 bytes; send it in parts"),
    ],
)  # fmt: skip
def test_bad_requests(served: Served, body: Any, status: int, message: str) -> None:
    got = served.refusal("POST", "/v1/predict", body)
    assert got[0] == status
    assert got[1].startswith(message)


FORM = "application/x-www-form-urlencoded"
HEADER = "send a JSON object with the header 'content-type: application/json'"


@pytest.mark.parametrize(
    ("kind", "body", "headers"),
    [("text/plain", b'{"text": "a"}', {}),
     (FORM, b"text=good", {}), (FORM, b"%7B%22text%22%3A%20%22a%22%7D", {}), (FORM, b"", {}),
     (FORM, b'{"text": "a"}', {"origin": "https://other.example"})],  # a page's form
)  # fmt: skip
def test_another_content_type(
    served: Served, kind: str, body: bytes, headers: dict[str, str]
) -> None:
    status, message = served.refusal("POST", "/v1/predict", body, kind=kind, headers=headers)
    assert (status, message) == (415, f"content-type {kind!r}; {HEADER}")


@pytest.mark.parametrize("kind", ["Application/JSON; charset=utf-8", None, FORM])
def test_json_by_other_names(served: Served, kind: str | None) -> None:
    """curl's -d, without a header, calls it a form."""
    served.post("/v1/predict", {"text": TEXT, "model": "shop"}, kind=kind)
    assert served.refusal("POST", "/v1/predict", {"txet": TEXT}, kind=kind)[0] == 422


def test_a_compressed_body(served: Served) -> None:
    got = served.refusal("POST", "/v1/predict", b"x", headers={"content-encoding": "gzip"})
    assert got == (415, "a compressed body; send it uncompressed")


def test_explanations_are_those_of_python(served: Served, predictor: Predictor) -> None:
    answer = served.post("/v1/explain", {"text": TEXT, "model": "hotels"})
    expected = explain(predictor, TEXT).to_dict()
    assert answer["tokens"] == expected["tokens"]
    np.testing.assert_allclose(answer["answer"], expected["answer"], atol=TOLERANCE)
    assert answer["gates"].keys() == expected["gates"].keys()
    last = served.post("/v1/predict", {"text": TEXT, "model": "hotels"})["predictions"][0]
    assert max(answer["answer"][-1]) == pytest.approx(last["probability"], abs=TOLERANCE)


def test_a_text_without_words_is_not_explained(served: Served) -> None:
    got = served.refusal("POST", "/v1/explain", {"text": "<br>", "model": "shop"})
    assert got == (422, "the text holds no word; give a text to explain")


def test_models_are_listed(served: Served, predictor: Predictor) -> None:
    shop, hotels = served.ask("GET", "/v1/models").json["models"]
    assert (shop["name"], shop["labels"]) == ("shop", ["negative", "positive"])
    assert hotels["checksum"] == predictor.bundle.checksum
    assert (hotels["engine"], hotels["precision"]) == ("onnx", "float32")


def test_the_hosted_shape(served: Served, one_model: Served, predictor: Predictor) -> None:
    probabilities = predictor.predict_proba([TEXT])[0]
    for reply in (
        served.post("/models/hotels", {"inputs": TEXT, "options": {"wait_for_model": True}}),
        one_model.post("/", {"inputs": [TEXT]}),
    ):
        (scores,) = reply
        assert [one["score"] for one in scores] == pytest.approx(
            sorted(probabilities, reverse=True), abs=TOLERANCE
        )
        assert scores[0]["label"] == predictor.predict_one(TEXT).label
    got = served.refusal("POST", "/models/hotels", {"inputs": TEXT, "parameters": {"top_k": 0}})
    assert got == (422, "parameters.top_k: 0 classes; ask for 1")
    (best,) = served.post("/models/hotels", {"inputs": TEXT, "parameters": {"top_k": 1}})
    assert len(best) == 1


def test_the_client_of_hosted_inference(one_model: Served, predictor: Predictor) -> None:
    from huggingface_hub import InferenceClient

    with InferenceClient(model=one_model.url) as client:
        scores = client.text_classification(TEXT)
    label, probability = predictor.predict_one(TEXT)
    assert scores[0].label == label
    assert scores[0].score == pytest.approx(probability, abs=TOLERANCE)


def test_answers_are_utf8_json(served: Served) -> None:
    reply = served.ask("POST", "/v1/predict", {"text": "¡La habitación! 😀", "model": "shop"})
    assert reply.headers["content-type"] == "application/json"
    assert json.loads(reply.body)["model"] == "shop"
